"""One configuration in training: what a trial of a search does, without the search."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

from data_prep.errors import UserError
from data_prep.files import write_atomic
from data_prep.folder import shown
from reporting.trial_folder import read_scores, remove
from trainables.build import Music, build
from trainables.checkpoint import read_state, write_state
from trainables.cli.plan import TrainPlan
from trainables.cli.runs import CHECKPOINT, reading, unreadable
from trainables.judge import Judge
from trainables.record import Record
from trainables.systems import described

_TOLD: Final = ("objective", "diverged", "verdict", "verdict_reason")


class Training:
    """A system, what was found of it so far, and the place in its budget.

    Attributes:
        system: what is trained.
        evaluation: how many of the plan's evaluations are over.
        seconds: spent in training.
        last: objective and verdict of the last evaluation; empty before the first.
    """

    def __init__(self, plan: TrainPlan, music: Music, judge: Judge) -> None:
        by_beat = getattr(described(plan.system, plan.settings).network, "chords_per_bar", 1) > 1
        self._budget = plan.budget
        self._record = Record(judge, plan.budget, by_beat=by_beat)
        self.system = build(
            plan.system, plan.settings, music, seed=plan.seed, horizon=plan.budget.bars, device=plan.device
        )
        self.evaluation = 0
        self.seconds = 0.0
        self.last: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether the budget is spent, or training has diverged."""
        return self.evaluation >= self._budget.evaluations or self.last.get("diverged", False)

    def go_on(self) -> dict[str, Any]:
        """Train for one share of the budget and judge: `Record.add`, `training_iteration` and `seconds`."""
        evaluation, start = self.evaluation + 1, time.monotonic()
        losses = self.system.train(until=self._budget.bars * evaluation // self._budget.evaluations)
        self.seconds += time.monotonic() - start
        result = self._record.add(self.system, losses, evaluation)
        self.evaluation, self.last = evaluation, {name: result[name] for name in _TOLD}
        return result | {"training_iteration": evaluation, "seconds": self.seconds}

    def save(self, trial: Path) -> None:
        """Put the checkpoint into the trial's folder, the new one whole or the old one untouched."""
        state = {
            "system": self.system.state_dict(),
            "record": self._record.state_dict(),
            "evaluation": self.evaluation,
            "seconds": self.seconds,
            "last": self.last,
        }
        new, checkpoint = trial / f"{CHECKPOINT}.new", trial / CHECKPOINT
        remove(new)
        new.mkdir()
        checkpoint.mkdir(exist_ok=True)
        write_state(new, state)
        for path in new.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.replace(checkpoint / path.name)
        new.rmdir()

    def load(self, trial: Path) -> None:
        """Go on from the checkpoint in the trial's folder, if there is one, and forget what came after it.

        Raises:
            UserError: it is damaged.
        """
        if (trial / CHECKPOINT).is_dir():
            with reading(trial / CHECKPOINT):
                try:
                    self._load(trial / CHECKPOINT)
                except (RuntimeError, UnpicklingError, EOFError) as error:  # of PyTorch, for what is no checkpoint
                    raise unreadable(trial / CHECKPOINT, error) from error
        scores = trial / "scores.jsonl"
        with reading(scores):
            rows = [row for row in read_scores(trial) if row["training_iteration"] <= self.evaluation]
        write_atomic(scores, "".join(json.dumps(row) + "\n" for row in rows).encode())

    def _load(self, checkpoint: Path) -> None:
        state = read_state(checkpoint)
        self.system.load_state_dict(state["system"])
        self._record.load_state_dict(state["record"])
        self.evaluation, self.seconds, self.last = state["evaluation"], state["seconds"], dict(state["last"])


@contextmanager
def writing(run: Path) -> Iterator[None]:
    """A full disk, or a folder that is gone, is a UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{shown(str(run))} cannot be written to ({error.strerror or error}).") from error


def told(result: Mapping[str, Any], evaluations: int, bars_a_second: float) -> str:
    """One evaluation in one line, remarks left out."""
    reason = result["verdict_reason"].partition("; also ")[0]
    losses = "".join(f"  {name} {value:.3g}" for name, value in result["losses"].items() if name.startswith("loss"))
    return (
        f"{result['training_iteration']}/{evaluations}  objective {result['objective']:.3f}{losses}  "
        f"{result['bars']:,} bars, {bars_a_second:,.0f} bars/s  {result['verdict']}: {reason}"
    )
