"""The plan of a training without a search, and the budget that its options ask for."""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.windows import WindowCorpus
from trainables.checks import require
from trainables.config import Budget, TrainConfig
from trainables.systems import Description, described
from trainables.variants import Variant

_KEYS: Final = 12
_BARS_OF_WINDOW: Final = 8
_NAME: Final = re.compile(r"\w[\w.+-]{0,79}")


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
    config, bars = parts.config, parts.network.bars if isinstance(parts.network, Variant) else _BARS_OF_WINDOW
    items = len(music.phrases(Split.TRAIN, bars)) if isinstance(music, Corpus) else len(music.rows(Split.TRAIN))
    dealt = items * bars * num_keys(parts)
    if isinstance(config, TrainConfig):
        return dealt * (config.d_updates + config.g_updates) // config.d_updates
    return dealt


def num_keys(parts: Description) -> int:
    """Keys that the system learns each bar in."""
    every = isinstance(parts.network, Variant) or getattr(parts.config, "transpose", False)
    return _KEYS if every else 1


def free_name(results: Path, system: str) -> str:
    """The system and the time, and a number if two trainings begin within one second."""
    name = f"{system}-{datetime.now():%Y%m%d-%H%M%S}"
    tries = (name, *(f"{name}-{number}" for number in range(2, 100)))
    return next((each for each in tries if not os.path.lexists(results / each)), name)


def new_folder(results: Path, name: str) -> Path:
    """Folder of a run that is to be made, looked at before any long work.

    Raises:
        UserError: no name of a folder, a run that is there already, or a place where none can be made.
    """
    if not _NAME.fullmatch(name):
        rule = "of letters, digits and ._+-, at most 80, such as my-first-run"
        raise UserError(f"--name is {shown(name[:80])!r}, but must be a plain folder name {rule}.")
    run = results.expanduser().absolute() / name
    try:
        if os.path.lexists(run):
            raise UserError(f"{shown(str(run))} is there already: choose another --name.")
        nearest = next(path for path in run.parents if path.exists())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"--results is {shown(str(results)[:200])!r}, but cannot be used: {reason}.") from error
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"--results is {shown(str(results))!r}, but {nearest} is no folder that can be written to.")
    return run
