"""The numbers of the optimisation (all searchable) and the budget of a trial."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from data_prep.errors import UserError, unknown
from trainables.variants import VARIANTS, Variant

AVERAGED_EVALUATIONS: Final = 3
"""Evaluations at the end of a trial whose mean is its objective, as single ones wobble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How both players learn. Defaults are the paper's own (its code, with the faults mended)."""

    learning_rate: float = 2e-4
    """Geometric mean of the two learning rates."""

    learning_rate_ratio: float = 1.0
    """Learning rate of the discriminator over that of the generator."""

    d_updates: int = 1
    """Updates of the discriminator per step, each on a fresh batch."""

    g_updates: int = 2
    """Updates of the generator per step, on the step's last batch (MidiNet: 2, so that D does not run ahead)."""

    batch_size: int = 72
    beta1: float = 0.5
    beta2: float = 0.999
    real_label: float = 0.9
    """One-sided label smoothing: the discriminator's target for real bars (Salimans et al. 2016)."""

    feature_weight: float = 0.1
    """Weight of matching the means of the discriminator's first features (MidiNet's lambda 1)."""

    mean_weight: float = 0.01
    """Weight of matching the mean bar (MidiNet's lambda 2)."""

    average_decay: float = 0.999
    """Decay of the moving average of the generator, which is the one that is judged."""

    def __post_init__(self) -> None:
        """Refuse values that no optimiser can use."""
        for field in fields(self):
            _require_type(field.name, getattr(self, field.name), whole=isinstance(field.default, int))
        for key in ("learning_rate", "learning_rate_ratio"):
            _require(getattr(self, key) > 0, key, getattr(self, key), "above 0")
        for key in ("d_updates", "g_updates"):
            _require(getattr(self, key) >= 1, key, getattr(self, key), "at least 1")
        _require(self.batch_size >= 2, "batch_size", self.batch_size, "at least 2, as batch normalisation needs")
        for key in ("beta1", "beta2", "average_decay"):
            _require(0 <= getattr(self, key) < 1, key, getattr(self, key), "in [0, 1)")
        _require(0 <= self.real_label <= 1, "real_label", self.real_label, "in [0, 1]")
        for key in ("feature_weight", "mean_weight"):
            _require(getattr(self, key) >= 0, key, getattr(self, key), "at least 0")

    @property
    def learning_rate_d(self) -> float:
        """Learning rate of the discriminator."""
        return float(self.learning_rate * self.learning_rate_ratio**0.5)

    @property
    def learning_rate_g(self) -> float:
        """Learning rate of the generator."""
        return float(self.learning_rate / self.learning_rate_ratio**0.5)

    @property
    def bars_per_step(self) -> int:
        """Bars that one step shows to an optimiser, the unit in which trials are given equal budgets."""
        return self.batch_size * (self.d_updates + self.g_updates)


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
        _require(self.evaluations >= 1, "evaluations", self.evaluations, "at least 1")
        _require(self.bars >= self.evaluations, "bars", self.bars, "at least one per evaluation")
        for key in ("rollouts", "early_rollouts"):
            _require(getattr(self, key) >= 2, key, getattr(self, key), "at least 2")

    def early(self, evaluation: int) -> bool:
        """Whether the evaluation of that number, from 1, has no part in a full trial's objective."""
        return evaluation <= self.evaluations - AVERAGED_EVALUATIONS


def split_settings(system: str, settings: Mapping[str, Any]) -> tuple[Variant, TrainConfig]:
    """The variant and the training numbers that `settings` (flat names) describe, on the system's defaults.

    Raises:
        UserError: a system or a setting that does not exist, with the nearest name.
    """
    if system not in VARIANTS:
        raise UserError(unknown("system", system, VARIANTS))
    variant_names = {field.name for field in fields(Variant)}
    train_names = {field.name for field in fields(TrainConfig)}
    for key in settings:
        if key not in variant_names | train_names:
            raise UserError(unknown("setting", key, variant_names | train_names))
    variant = replace(VARIANTS[system], **{k: v for k, v in settings.items() if k in variant_names})
    return variant, TrainConfig(**{k: v for k, v in settings.items() if k in train_names})


def _require(holds: bool, name: str, value: Any, rule: str) -> None:
    if not holds:
        raise UserError(f"{name} is {value!r}, but must be {rule}.")


def _require_type(name: str, value: Any, *, whole: bool) -> None:
    if whole:
        _require(isinstance(value, int) and not isinstance(value, bool), name, value, "a whole number")
    else:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        _require(number and math.isfinite(value), name, value, "a finite number")
