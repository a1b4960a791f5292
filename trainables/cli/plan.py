"""The plan of a training without a search, and how many bars an epoch has."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from data_prep.corpus import Corpus, Split
from data_prep.windows import WindowCorpus
from trainables.checks import require
from trainables.config import Budget, TrainConfig
from trainables.systems import Description, described

_KEYS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """Everything that a training was told; `plan.json` in its folder."""

    system: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the system's own numbers (`trainables.systems.described`)."""

    data: str
    seed: int
    device: str
    threads: int
    """Of PyTorch on the CPU. Sums that are split over threads round differently."""

    budget: Budget

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        described(self.system, self.settings)
        require(isinstance(self.seed, int) and 0 <= self.seed < 2**32, "--seed", self.seed, f"from 0 to {2**32 - 1}")
        rule = "from 1 to 256"
        require(isinstance(self.threads, int) and 1 <= self.threads <= 256, "--threads", self.threads, rule)

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes the plan again."""
        return asdict(self) | {"settings": dict(self.settings)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainPlan":
        """The plan of `as_json`. TypeError, LookupError or ValueError for anything else."""
        return cls(**{**values, "budget": Budget(**values["budget"])})


def epoch_bars(parts: Description, music: Corpus | WindowCorpus) -> int:
    """Bars of one epoch, in the unit of `Budget.bars`: all training music is dealt once, in every key it is learnt in.

    What is dealt once is shown to the discriminator once, and to the generator as often as it is updated for every
    update of the discriminator. Systems of one network are shown it once.
    """
    config, bars = parts.config, parts.network.bars_per_item
    items = len(music.phrases(Split.TRAIN, bars)) if isinstance(music, Corpus) else len(music.rows(Split.TRAIN))
    dealt = items * bars * num_keys(parts)
    if isinstance(config, TrainConfig):
        return dealt * (config.d_updates + config.g_updates) // config.d_updates
    return dealt


def num_keys(parts: Description) -> int:
    """Keys that the system learns each bar in."""
    every = parts.network.hears_chords or getattr(parts.config, "transpose", False)
    return _KEYS if every else 1
