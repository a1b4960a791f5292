"""The systems as Ray Tune trainables: thin shells over code that runs without Ray."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

import torch
from ray import tune

from trainables.checkpoint import read_state, sound, write_state
from trainables.config import Budget
from trainables.device import device_of
from trainables.factory import Music
from trainables.judge import Judge
from trainables.systems import SYSTEMS
from trainables.training import Training


class SystemTrial(tune.Trainable):
    """One trial: each step trains for a share of the budget, then judges what the system writes.

    The configuration holds `settings` (see `trainables.systems.described`; `system` among them overrides the class's
    own) and `seed`. A step reports what `trainables.training.Training.step` does.
    """

    system: ClassVar[str]

    def setup(self, config: dict[str, Any], corpus: Music, judge: Judge, budget: Budget) -> None:
        """Take up the training that `config` describes, on the GPU that Ray gave this trial or on one CPU thread."""
        torch.set_num_threads(1)  # two trials of two threads each on two cores run four times slower than two of one
        self._music, self._judge, self._budget = corpus, judge, budget
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start another trial in this process, with its data and judge."""
        # It builds its system in the first step: Tune tries again what fails then, but not what fails before.
        self.training = Training(
            self.system,
            new_config["settings"],
            self._music,
            self._judge,
            self._budget,
            seed=new_config["seed"],
            device=device_of("auto"),
        )
        return True

    def step(self) -> dict[str, Any]:
        """Train for one share of the budget and judge."""
        return self.training.step(self.iteration + 1)

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """All that is needed to go on as if nothing had happened."""
        write_state(Path(checkpoint_dir), self.training.state_dict())

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Go on from a saved state."""
        folder = Path(checkpoint)
        with sound(folder):
            self.training.load_state_dict(read_state(folder))


TRAINABLES: Final[Mapping[str, type[SystemTrial]]] = MappingProxyType(
    {name: type(f"{name.title().replace('_', '')}Trial", (SystemTrial,), {"system": name}) for name in SYSTEMS}
)
"""A trainable for every system, by its name."""
