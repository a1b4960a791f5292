"""The numbers of adversarial training (all searchable) and the budget of a trial."""

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

from trainables.checks import check_fields, check_ranges, require

AVERAGED_EVALUATIONS: Final = 3
"""Evaluations at the end of a trial whose mean is its objective, as single ones wobble."""

MAX_BATCH: Final = 2**16
"""Items of the largest batch."""

Loss = Literal["bce", "hinge", "wgan_gp"]
Initialisation = Literal["torch", "dcgan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How two players learn. Defaults are the paper's (its code, with the faults mended), but for `average_decay`."""

    learning_rate: float = 2e-4
    """Geometric mean of the two learning rates."""

    learning_rate_ratio: float = 1.0
    """Learning rate of the discriminator over that of the generator."""

    learning_rate_end: float = 1.0
    """Share of both learning rates that is left at the end of the budget, reached in a straight line."""

    d_updates: int = 1
    """Updates of the discriminator per step, each on a fresh batch."""

    g_updates: int = 2
    """Updates of the generator per step, on the step's last batch (MidiNet: 2, so that D does not run ahead)."""

    batch_size: int = 72
    beta1: float = 0.5
    beta2: float = 0.999
    chord_gain: float = 512.0
    """Most that the learning rate of a chord's weights is multiplied by. A chord repeated as planes meets up to 512
    equal weights of a kernel, which under Adam move that many times as far together as one: 512 leaves this as it is,
    1 treats chords as any other input."""

    initialisation: Initialisation = "torch"
    """Weights at the start: PyTorch's own, or normal of deviation .02 (`dcgan`: Radford et al. 2016, MidiNet)."""

    loss: Loss = "bce"
    """Non-saturating cross-entropy (Goodfellow et al. 2014), `hinge` (Lim & Ye 2017), or Wasserstein distance with
    gradient penalty (`wgan_gp`: Gulrajani et al. 2017), for which D must have no batch normalisation."""

    real_label: float = 0.9
    """One-sided label smoothing: D's target for real bars (Salimans et al. 2016). Of `bce` alone."""

    gradient_penalty: float = 10.0
    """Weight of the penalty on D's gradient between real and generated bars. Of `wgan_gp` alone."""

    r1: float = 0.0
    """Weight of the penalty on D's gradient at real bars (R1, Mescheder et al. 2018)."""

    instance_noise: float = 0.0
    """Deviation of the noise on all that D is shown, falling to 0 at half the budget (Sønderby et al. 2017)."""

    straight_through: bool = False
    """Show D the generator's likeliest notes rather than its probabilities; gradients pass as if it saw these."""

    feature_weight: float = 0.1
    """Weight of matching the means of the discriminator's first features (MidiNet's lambda 1)."""

    mean_weight: float = 0.01
    """Weight of matching the mean bar (MidiNet's lambda 2)."""

    previous_dropout: float = 0.0
    """Share of the previous bar's features that the generator does not see in training."""

    previous_noise: float = 0.0
    """Deviation of the noise on the previous bar that the generator sees in training."""

    average_decay: float = 0.999
    """Decay of the moving average of the generator, which is the one that is judged; 0 judges the generator itself."""

    def __post_init__(self) -> None:
        """Refuse values that no optimiser can use."""
        check_fields(self)
        for name in ("learning_rate", "learning_rate_ratio"):
            require(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        for name in ("beta1", "beta2", "average_decay", "previous_dropout"):
            require(0 <= getattr(self, name) < 1, name, getattr(self, name), "in [0, 1)")
        check_ranges(self, _RANGES)

    @property
    def learning_rate_d(self) -> float:
        """Learning rate of the discriminator."""
        return float(self.learning_rate * self.learning_rate_ratio**0.5)

    @property
    def learning_rate_g(self) -> float:
        """Learning rate of the generator."""
        return float(self.learning_rate / self.learning_rate_ratio**0.5)

    @property
    def items_per_step(self) -> int:
        """Items of batches that one step shows to an optimiser; in bars, the unit of equal budgets for trials."""
        return self.batch_size * (self.d_updates + self.g_updates)


_RANGES: Final = {
    "batch_size": (2, MAX_BATCH),  # 2, as batch normalisation needs
    "d_updates": (1, math.inf),
    "g_updates": (1, math.inf),
    "chord_gain": (1, math.inf),
    "real_label": (0, 1),
    "learning_rate_end": (0, 1),
    "gradient_penalty": (0, math.inf),
    "r1": (0, math.inf),
    "instance_noise": (0, math.inf),
    "feature_weight": (0, math.inf),
    "mean_weight": (0, math.inf),
    "previous_noise": (0, math.inf),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one trial may spend, and how often it is judged."""

    bars: int = 432_000
    """Bars shown to the players' optimisers: an update of either player on a batch of 72 counts 72."""

    evaluations: int = 8
    """Evaluations in a full trial, evenly spaced; the last three make its objective."""

    rollouts: int = 256
    """Phrases of eight bars generated for each evaluation that makes the objective."""

    early_rollouts: int = 64
    """The same for each evaluation before, which only have to tell the worse half; never more than `rollouts`."""

    def __post_init__(self) -> None:
        """Refuse budgets in which no trial could be judged."""
        require(self.evaluations >= 1, "evaluations", self.evaluations, "at least 1")
        require(self.bars >= self.evaluations, "bars", self.bars, "at least one per evaluation")
        for key in ("rollouts", "early_rollouts"):
            require(getattr(self, key) >= 2, key, getattr(self, key), "at least 2")

    def extended(self, bars: int) -> "Budget":
        """The budget with more bars, and evaluations as far apart as before or a little nearer."""
        return replace(self, bars=bars, evaluations=-(-self.evaluations * bars // self.bars))

    def early(self, evaluation: int) -> bool:
        """Whether the evaluation of that number, from 1, has no part in a full trial's objective."""
        return evaluation <= self.evaluations - AVERAGED_EVALUATIONS
