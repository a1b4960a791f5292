"""The folder of one trial: settings, scores, samples, its newest state and, where that is another, its best one."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from data_prep.files import write_atomic, write_json
from reporting.phrase import Phrase
from trainables.handover import STATE_FILE


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
        text, path = json.dumps(row, default=float) + "\n", self.path / "scores.jsonl"
        end = path.stat().st_size if path.exists() else 0
        try:
            with path.open("a+b") as file:
                if end:
                    file.seek(end - 1)
                    text = text if file.read(1) == b"\n" else "\n" + text
                file.write(text.encode())
        except OSError:
            with contextlib.suppress(OSError):
                os.truncate(path, end)
            raise

    def write_samples(self, phrases: Iterable[Phrase]) -> None:
        """The newest music: MIDI, picture and sound of each phrase."""
        samples = self.path / "samples"
        samples.mkdir(exist_ok=True)
        for number, phrase in enumerate(phrases, 1):
            phrase.write(samples / f"sample-{number}")

    def write_state(self, state: bytes, *, best: bool) -> None:
        """The state after the newest evaluation; `best` says that no earlier one was better.

        The best state is in `best/` unless it is the newest: then there is no such folder.
        """
        newest, kept = self.path / "checkpoint" / STATE_FILE, self.path / "best" / STATE_FILE
        if best:  # first: killed in between, the trial comes to this evaluation again
            shutil.rmtree(kept.parent, ignore_errors=True)
        elif not kept.exists() and newest.exists():
            _write(kept, newest.read_bytes())
        _write(newest, state)

    def sweep(self) -> None:
        """Remove what a kill left half-written."""
        for pattern in (".*.tmp", "*/.*.tmp"):
            for path in self.path.glob(pattern):
                path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, data)


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
