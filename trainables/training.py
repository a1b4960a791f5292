"""One configuration in training, with Ray or without: it trains for a share of its budget, is judged, and goes on."""

import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from trainables.config import Budget
from trainables.editions import Editions, edition_of
from trainables.factory import Music, System, build
from trainables.judge import Judge
from trainables.record import Record
from trainables.systems import described

_TOLD: Final = ("objective", "diverged", "verdict", "verdict_reason")


class Training:
    """A system, what was found of it so far, and the place in its budget.

    Nothing is built before it is needed: settings that cannot be are refused by the first `step`, or by the first
    look at `system`.

    Args:
        system: a name out of `trainables.systems.SYSTEMS`, which settings may override.
        settings: what differs from the system's own numbers; and which edition it learns from, if there are several.
        music: what it learns from.
        judge: scores it.
        budget: how long it trains, and how often it is judged.
        seed: decides weights, noise and the order of the music.
        device: of its networks.

    Attributes:
        evaluation: how many of the budget's evaluations are over.
        seconds: spent in training.
        last: objective and verdict of the last evaluation; empty before the first.
    """

    def __init__(
        self,
        system: str,
        settings: Mapping[str, Any],
        music: Music | Editions,
        judge: Judge,
        budget: Budget,
        *,
        seed: int,
        device: str = "cpu",
    ) -> None:
        self._name, self._edition = system, edition_of(music, settings)
        self._judge, self._budget = judge, budget
        self._seed, self._device = seed, device
        self.evaluation = 0
        self.seconds = 0.0
        self.last: dict[str, Any] = {}

    @cached_property
    def system(self) -> System:
        """What is trained."""
        return build(
            self._name,
            self._edition.settings,
            self._edition.music,
            seed=self._seed,
            horizon=self._budget.bars,
            device=self._device,
        )

    @cached_property
    def _record(self) -> Record:
        by_beat = described(self._name, self._edition.settings).network.by_beat
        return Record(self._judge, self._budget, by_beat=by_beat)

    @property
    def over(self) -> bool:
        """Whether the budget is spent, or training has diverged."""
        return self.evaluation >= self._budget.evaluations or self.last.get("diverged", False)

    def step(self, evaluation: int) -> dict[str, Any]:
        """Train for the share of the budget that ends with this evaluation, from 1, and judge.

        Returns:
            What `Record.add` finds, `training_iteration`, which is `evaluation`, and `seconds`.

        Raises:
            UserError: settings or music that the system cannot be made of.
        """
        system, start = self.system, time.monotonic()
        losses = system.train(until=self._budget.bars * evaluation // self._budget.evaluations)
        self.seconds += time.monotonic() - start
        result = self._record.add(system, losses, evaluation, heard=self._edition.as_judged(system, self._name))
        self.evaluation, self.last = evaluation, {name: result[name] for name in _TOLD}
        return result | {"training_iteration": evaluation, "seconds": self.seconds}

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on as if training had never stopped."""
        return {
            "system": self.system.state_dict(),
            "record": self._record.state_dict(),
            "evaluation": self.evaluation,
            "seconds": self.seconds,
            "last": self.last,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`."""
        self.system.load_state_dict(state["system"])
        self._record.load_state_dict(state["record"])
        self.evaluation, self.seconds, self.last = state["evaluation"], state["seconds"], dict(state["last"])
