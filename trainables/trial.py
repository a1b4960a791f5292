"""The systems as Ray Tune trainables: thin shells over code that runs without Ray."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

import torch
from ray import tune

from trainables.build import Music, System, build
from trainables.checkpoint import read_state, write_state
from trainables.config import Budget
from trainables.device import device_of
from trainables.judge import Judge
from trainables.record import Record
from trainables.systems import SYSTEMS, described


class SystemTrial(tune.Trainable):
    """One trial: each step trains for a share of the budget, then judges what the system writes.

    The configuration holds `settings` (see `trainables.systems.described`; `system` among them overrides the class's
    own) and `seed`. A step reports what `trainables.record.Record` finds, and `seconds`, the time spent in training.
    """

    system: ClassVar[str]

    def setup(self, config: dict[str, Any], corpus: Music, judge: Judge, budget: Budget) -> None:
        """Build the system that `config` describes, on the GPU that Ray gave this trial or on one CPU thread."""
        torch.set_num_threads(1)  # two trials of two threads each on two cores run four times slower than two of one
        self.corpus, self.judge, self.budget = corpus, judge, budget
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start another trial in this process, with its data and judge."""
        self._config = new_config
        self._trained: System | None = None
        self.seconds = 0.0
        return True

    @property
    def trained(self) -> System:
        """The system, built when it is first needed: Tune tries again what fails then, but not what fails before."""
        if self._trained is None:
            settings = self._config["settings"]
            by_beat = getattr(described(self.system, settings).network, "chords_per_bar", 1) > 1
            self.record = Record(self.judge, self.budget, by_beat=by_beat)
            self._trained = build(
                self.system,
                settings,
                self.corpus,
                seed=self._config["seed"],
                horizon=self.budget.bars,
                device=device_of("auto"),
            )
        return self._trained

    def step(self) -> dict[str, Any]:
        """Train for one share of the budget and judge."""
        evaluation = self.iteration + 1
        start = time.monotonic()
        losses = self.trained.train(until=self.budget.bars * evaluation // self.budget.evaluations)
        self.seconds += time.monotonic() - start
        return self.record.add(self.trained, losses, evaluation) | {"seconds": self.seconds}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """All that is needed to go on as if nothing had happened."""
        state = {"system": self.trained.state_dict(), "record": self.record.state_dict(), "seconds": self.seconds}
        write_state(Path(checkpoint_dir), state)

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Go on from a saved state."""
        state = read_state(Path(checkpoint))
        self.trained.load_state_dict(state["system"])
        self.record.load_state_dict(state["record"])
        self.seconds = state["seconds"]


TRAINABLES: Final[Mapping[str, type[SystemTrial]]] = MappingProxyType(
    {name: type(f"{name.title().replace('_', '')}Trial", (SystemTrial,), {"system": name}) for name in SYSTEMS}
)
"""A trainable for every system, by its name."""
