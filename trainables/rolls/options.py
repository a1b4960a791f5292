"""What the systems on piano rolls are made of and how they learn; `gan` learns by `trainables.config.TrainConfig`.

As in `trainables.variants`, a field belongs to a network if, and only if, it changes a `state_dict` or what one
computes; the numbers of the optimisation belong to its config. Defaults are those of the paper, where it gives any.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Final

from data_prep.kinds import KINDS
from trainables.checks import check_fields, check_ranges, require
from trainables.config import MAX_BATCH

_ANY: Final = (0, math.inf)
_SOME: Final = (1, math.inf)


class OnRolls:
    """What the networks on piano rolls have in common, beside those of bars (`trainables.variants.Variant`)."""

    __slots__ = ()
    kinds: ClassVar[tuple[str, ...]] = KINDS
    """Kinds of corpora that they can learn from: all."""

    bars_per_item: ClassVar[int] = 8
    """Bars that one item of a batch, a window of 128 steps, shows to an optimiser."""

    hears_chords: ClassVar[bool] = False
    by_beat: ClassVar[bool] = False
    continues: ClassVar[bool] = False
    """Whether it goes on from a first bar, to any length, rather than writing whole windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmNetwork(OnRolls):
    """The recurrent network of §3.1.1."""

    continues: ClassVar[bool] = True

    embedding: int = 512
    """Features that a step's keys are laid out in."""

    hidden: int = 512
    """Units of each recurrent layer."""

    layers: int = 2
    dropout_in: float = 0.25
    """Share of the embedding that the recurrent layers do not see in training."""

    dropout_out: float = 0.1
    """Share of the last recurrent layer that the output does not see in training."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built."""
        check_fields(self)
        check_ranges(self, {"embedding": _SOME, "hidden": _SOME, "layers": _SOME})
        for name in ("dropout_in", "dropout_out"):
            require(0 <= getattr(self, name) < 1, name, getattr(self, name), "in [0, 1)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LstmConfig:
    """How the recurrent network learns: Adam at a learning rate that rises and falls in triangles (Smith 2017)."""

    learning_rate: float = 1e-2
    """At the peak of a triangle."""

    learning_rate_floor: float = 0.1
    """Share of the learning rate at the feet of a triangle; 1 keeps it constant."""

    triangles: int = 3
    """Times that the learning rate rises and falls over the budget."""

    batch_size: int = 8
    weight_decay: float = 1e-4
    """Weight of the squared weights in the gradient (L2), as in Adam and not as in AdamW."""

    clip_norm: float = 1.0
    """Largest norm of the gradient; longer ones are shortened to it."""

    transpose: bool = True
    """Learn each window in all twelve keys rather than in its own alone."""

    temperature: float = 1.0
    """Divides the logits when music is sampled: below 1 safer, above 1 bolder. Training knows nothing of it."""

    def __post_init__(self) -> None:
        """Refuse values that no optimiser can use."""
        check_fields(self)
        for name in ("learning_rate", "clip_norm", "temperature"):
            require(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        check_ranges(self, {"learning_rate_floor": (0, 1), "triangles": _SOME, "batch_size": (1, MAX_BATCH)})
        check_ranges(self, {"weight_decay": _ANY})


@dataclass(frozen=True, slots=True, kw_only=True)
class VaeNetwork(OnRolls):
    """The variational autoencoder of §3.1.2."""

    latent: int = 256
    """Length of the vector that a window is encoded as."""

    width: int = 32
    """Channels of the first block; the others have up to four times as many."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built."""
        check_fields(self)
        check_ranges(self, {"latent": _SOME, "width": (6, math.inf)})  # a block's smallest convolution has a sixth


@dataclass(frozen=True, slots=True, kw_only=True)
class VaeConfig:
    """How the variational autoencoder learns, by Adam."""

    learning_rate: float = 1e-4
    batch_size: int = 64
    beta: float = 1.0
    """Weight of the Kullback-Leibler divergence (Higgins et al. 2017); 1 is the evidence lower bound."""

    kl_warm_up: float = 0.0
    """Share of the budget in which `beta` grows from 0 in a straight line (Bowman et al. 2016)."""

    free_bits: float = 0.0
    """Nats that each latent dimension may spend at no cost, on the mean over a batch (Kingma et al. 2016)."""

    invert: bool = True
    """Show the networks 1 where there is silence and 0 where a note is loudest."""

    transpose: bool = False
    """Learn each window in all twelve keys rather than in its own alone."""

    def __post_init__(self) -> None:
        """Refuse values that no optimiser can use."""
        check_fields(self)
        require(self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0")
        check_ranges(self, {"batch_size": (2, MAX_BATCH)})  # 2, as batch normalisation needs
        check_ranges(self, {"beta": _ANY, "kl_warm_up": (0, 1), "free_bits": _ANY})


@dataclass(frozen=True, slots=True, kw_only=True)
class GanNetwork(OnRolls):
    """The generator and the discriminator of §3.1.3, of very unequal size: 14.8 million weights against 16 thousand."""

    noise: int = 1024
    """Length of the generator's noise vector."""

    hidden: int = 1024
    """Units between the generator's two linear layers."""

    width: int = 512
    """Channels of the generator's smallest map; those of its eleven hidden convolutions are shares of it."""

    discriminator_width: int = 4
    """Channels of the discriminator's first convolution; the others have two and four times as many."""

    def __post_init__(self) -> None:
        """Refuse networks that cannot be built."""
        check_fields(self)
        check_ranges(self, {"noise": _SOME, "hidden": _SOME, "discriminator_width": _SOME})
        divisible = self.width > 0 and self.width % 128 == 0
        require(divisible, "width", self.width, "a multiple of 128, as the last hidden convolution has a 128th")
