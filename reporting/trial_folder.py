"""The folder of one trial: `config.json`, `scores.jsonl`, `samples/` and, in the end, `checkpoint/`."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from reporting.phrase import Phrase
from reporting.provenance import write_json

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
        """One evaluation, as a line of JSON."""
        with (self.path / "scores.jsonl").open("a") as file:
            file.write(json.dumps(row, default=float) + "\n")

    def write_samples(self, phrases: Iterable[Phrase]) -> None:
        """The newest music: MIDI, picture and sound of each phrase."""
        samples = self.path / "samples"
        samples.mkdir(exist_ok=True)
        for number, phrase in enumerate(phrases, 1):
            phrase.write(samples / f"sample-{number}")

    def settle_checkpoint(self) -> None:
        """Keep the newest of Ray's numbered checkpoints as `checkpoint/`, and no other."""
        numbered = sorted(path for path in self.path.iterdir() if _RAY_CHECKPOINT.fullmatch(path.name))
        if numbered:
            *older, newest = numbered
            remove(self.path / "checkpoint")
            newest.rename(self.path / "checkpoint")
            for path in older:
                remove(path)


def read_scores(trial: Path) -> list[dict[str, Any]]:
    """All evaluations of a trial; a last line cut off by a crash is left out."""
    try:
        lines = (trial / "scores.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    whole = lines[:-1] if lines and not lines[-1].endswith("}") else lines
    return [json.loads(line) for line in whole]


def remove(folder: Path) -> None:
    """Delete a folder of plain files, if it is there."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
