"""What the driver keeps of a trial that runs: its folder, its event files, its newest music and checkpoint."""

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reporting.phrase import Phrase, phrases
from reporting.tensorboard import TrialBoard
from reporting.trial_folder import TrialFolder, read_scores

_NUMBERS: Final = ("training_iteration", "bars", "seconds", "objective", "objective_now", "diverged")
_TOLD: Final = ("verdict", "verdict_reason", "cancelled_spectral_norms")
_ROW: Final = (*_NUMBERS, *_TOLD, "scores", "losses", "diagnostics")


class TrialReport:
    """Takes a trial's evaluations as they come; each once, though a trial that goes on repeats some.

    A folder that holds evaluations is taken up after the last of them. `add` before `keep`: killed between the two,
    the trial goes on from the state before, and comes to the same evaluation again.
    """

    def __init__(self, folder: TrialFolder, board: TrialBoard) -> None:
        self._folder = folder
        self._board = board
        self._music: list[Phrase] = []
        self._written = 0
        self._heard = 0
        folder.sweep()
        rows = read_scores(folder.path)
        self._evaluation: int = rows[-1]["training_iteration"] if rows else 0
        judged = [(row["objective_now"], row["training_iteration"]) for row in rows if not row["diverged"]]
        self._best: tuple[float, int] = min(judged, default=(math.inf, 0))
        """Lowest objective of a single evaluation, and which it was; of equal ones the first."""

    def begin(self, config: Mapping[str, Any]) -> None:
        """Write down what the trial trains by from now on."""
        self._folder.write_config(config)

    def keep(self, result: Mapping[str, Any], state: bytes | None) -> None:
        """Keep the state that the trial may go on from, and the one of its best evaluation."""
        if state is None:  # a diverged trial sends none: its last good state stays
            return
        self._best = min(self._best, (result["objective_now"], result["training_iteration"]))
        self._folder.write_state(state, best=self._best[1] == result["training_iteration"])

    def add(self, result: Mapping[str, Any], media: Mapping[str, Any] | None, *, audio: bool) -> None:
        """Write down one evaluation; with `audio` its sound too, which takes about a megabyte a phrase.

        Its row comes last: what a kill or a full disk broke off is written again as a whole.
        """
        if result["training_iteration"] <= self._evaluation:
            return
        self._board.add_scalars(result, result["bars"])
        if media is not None:  # a diverged trial sends none: its last good music stays
            self._music, self._written = phrases(media), result["bars"]
            self._folder.write_samples(self._music)
            self._board.add_pictures(self._music, self._written)
            if audio:
                self._add_audio()
        self._folder.append_scores({key: result[key] for key in _ROW if key in result})
        self._evaluation = result["training_iteration"]

    def crashed(self, traceback: Path) -> None:
        """Add Ray's account of a crash to those of before."""
        with contextlib.suppress(OSError):
            text = traceback.read_text(errors="replace")
            with (self._folder.path / "error.txt").open("a") as file:
                file.write(text)

    def close(self, *, failed: bool | None) -> None:
        """Settle what the trial leaves: its last music can be heard. `failed` is None where it may go on later."""
        if self._heard < self._written:
            self._add_audio()
        self._board.close(failed=failed)

    def _add_audio(self) -> None:
        self._board.add_audio(self._music, self._written)
        self._heard = self._written
