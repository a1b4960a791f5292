"""The folder of one trial: `config.json`, `scores.jsonl`, `samples/` and, in the end, `checkpoint/`."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from data_prep.files import write_json
from reporting.phrase import Phrase

_RAY_CHECKPOINT: Final = re.compile(r"checkpoint_\d{6}")


class TrialFolder:
    """Writes what the driver learns of a trial."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def write_config(self, config: Mapping[str, Any]) -> None:
        """What the trial is."""
        write_json(self.path / "config.json", config)

    def append_scores(self, row: Mapping[str, Any]) -> None:
        """One evaluation, as a line of JSON, whatever a full disk or a crash left of the line before."""
        path = self.path / "scores.jsonl"
        text = json.dumps(row, default=float) + "\n"
        before = path.read_bytes() if path.exists() else b""
        cut = bool(before) and not before.endswith(b"\n")
        with path.open("a") as file:
            file.write("\n" + text if cut else text)

    def write_samples(self, phrases: Iterable[Phrase]) -> None:
        """The newest music: MIDI, picture and sound of each phrase."""
        samples = self.path / "samples"
        samples.mkdir(exist_ok=True)
        for number, phrase in enumerate(phrases, 1):
            phrase.write(samples / f"sample-{number}")

    def settle_checkpoint(self, newest: str) -> None:
        """Keep Ray's checkpoint of that name as `checkpoint/`, and no other.

        `newest` must be whole, as Ray says it is by `on_checkpoint`: a later one may have been cut off.
        """
        if newest and (self.path / newest).is_dir():
            remove(self.path / "checkpoint")
            (self.path / newest).rename(self.path / "checkpoint")
        for path in self.path.iterdir():
            if _RAY_CHECKPOINT.fullmatch(path.name):
                remove(path)


def read_scores(trial: Path) -> list[dict[str, Any]]:
    """All evaluations of a trial; lines cut off by a crash are left out."""
    try:
        lines = (trial / "scores.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [row for row in map(_parsed, lines) if row is not None]


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def remove(folder: Path) -> None:
    """Delete a folder of plain files, if it is there."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
