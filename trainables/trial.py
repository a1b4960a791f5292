"""The systems as Ray Tune trainables: thin shells over code that runs without Ray."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

import torch
from ray import tune

from data_prep.errors import UserError
from trainables.checkpoint import packed, read_state, sound, unpacked, write_state
from trainables.config import Budget
from trainables.device import device_of_share
from trainables.editions import Editions
from trainables.factory import Music
from trainables.handover import SavedState, State
from trainables.judge import Judge
from trainables.systems import SYSTEMS
from trainables.training import Training


class SystemTrial(tune.Trainable):
    """One trial: each step trains for a share of the budget, then judges what the system writes.

    The configuration holds `settings` (see `trainables.systems.described`; `system` among them overrides the class's
    own; with several editions of the music, their options), `seed` and, for a trial that goes on, `resume`
    (`trainables.handover.SavedState`). A step reports what
    `trainables.training.Training.step` does.
    """

    system: ClassVar[str]

    def setup(self, config: dict[str, Any], corpus: Music | Editions, judge: Judge, budget: Budget) -> None:
        """Take up the training that `config` describes, on the GPU, share of one, or CPU that Ray gave it."""
        torch.set_num_threads(1)  # two trials of two threads each on two cores run four times slower than two of one
        self._music, self._judge, self._budget = corpus, judge, budget
        given = self.trial_resources  # None outside of a search
        self._device = device_of_share(None if given is None else given.required_resources.get("GPU", 0.0))
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start another trial in this process, with its data and judge."""
        self.training = self._training(new_config)
        self._state: SavedState | None = new_config.get("resume")
        return True

    def step(self) -> dict[str, Any]:
        """Train for one share of the budget and judge. `_state` is what a later process goes on from."""
        self._go_on()
        result = self.training.step(self.training.evaluation + 1)
        if not result["diverged"]:  # the last good state stays
            result["_state"] = State(packed(self.training.state_dict()))
        return result

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """All that is needed to go on as if nothing had happened, for a search that leaves this to Ray."""
        write_state(Path(checkpoint_dir), self.training.state_dict())

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Go on from what `save_checkpoint` wrote."""
        folder = Path(checkpoint)
        with sound(folder):
            self.training.load_state_dict(read_state(folder))

    def _training(self, config: dict[str, Any]) -> Training:
        return Training(
            self.system,
            config["settings"],
            self._music,
            self._judge,
            self._budget,
            seed=config["seed"],
            device=self._device,
        )

    def _go_on(self) -> None:
        """Take up the state that came with the configuration; without one, or with a damaged one, begin."""
        state, self._state = self._state, None
        if state is None:
            return
        try:
            with sound(Path("resume")):
                self.training.load_state_dict(unpacked(state.data or b""))
        except UserError as error:
            if state.required:
                raise UserError("The state that was copied from a better trial is gone or damaged.") from error
            # The same settings and seed come to the same music: nothing is lost but time.
            self.training = self._training(self.config)


TRAINABLES: Final[Mapping[str, type[SystemTrial]]] = MappingProxyType(
    {name: type(f"{name.title().replace('_', '')}Trial", (SystemTrial,), {"system": name}) for name in SYSTEMS}
)
"""A trainable for every system, by its name."""
