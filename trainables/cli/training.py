"""What the command line does with a training: its checkpoint in the trial's folder, and a line for each evaluation."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_prep.errors import UserError
from data_prep.files import write_atomic
from data_prep.folder import shown
from reporting.trial_folder import read_scores
from trainables.checkpoint import read_state, sound, write_state
from trainables.cli.runs import CHECKPOINT, reading
from trainables.handover import STATE_FILE
from trainables.training import Training


def save(training: Training, trial: Path) -> None:
    """Put the checkpoint into the trial's folder, the new one whole or the old one untouched."""
    (trial / CHECKPOINT).mkdir(exist_ok=True)
    write_state(trial / CHECKPOINT, training.state_dict())


def load(training: Training, trial: Path) -> None:
    """Go on from the checkpoint in the trial's folder, if there is one, and forget what came after it.

    Raises:
        UserError: it is damaged.
    """
    checkpoint, scores = trial / CHECKPOINT, trial / "scores.jsonl"
    if (checkpoint / STATE_FILE).exists():  # not only the folder: a kill may have come before its first file
        with sound(checkpoint):
            training.load_state_dict(read_state(checkpoint))
    with reading(scores):
        rows = [row for row in read_scores(trial) if row["training_iteration"] <= training.evaluation]
    write_atomic(scores, "".join(json.dumps(row) + "\n" for row in rows).encode())


@contextmanager
def writing(run: Path) -> Iterator[None]:
    """A full disk, or a folder that is gone, is a UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{shown(str(run))} cannot be written to ({error.strerror or error}).") from error


def told(result: Mapping[str, Any], evaluations: int, bars_a_second: float) -> str:
    """One evaluation in one line, remarks left out."""
    reason = "" if result["verdict"] == "healthy" else ": " + result["verdict_reason"].partition("; also ")[0]
    losses = "".join(f"  {name} {value:.3g}" for name, value in result["losses"].items() if name.startswith("loss"))
    return (
        f"{result['training_iteration']}/{evaluations}  objective {result['objective']:.3f}{losses}  "
        f"{result['bars']:,} bars, {bars_a_second:,.0f} bars/s  {result['verdict']}{reason}"
    )
