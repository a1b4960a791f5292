"""What the driver keeps of a trial that runs: its folder, its event files, its newest music and checkpoint."""

from collections.abc import Mapping
from typing import Any, Final

from reporting.phrase import Phrase, phrases
from reporting.tensorboard import TrialBoard
from reporting.trial_folder import TrialFolder

_NUMBERS: Final = ("training_iteration", "bars", "seconds", "objective", "objective_now", "diverged")
_TOLD: Final = ("verdict", "verdict_reason", "cancelled_spectral_norms")
_ROW: Final = (*_NUMBERS, *_TOLD, "scores", "losses", "diagnostics")


class TrialReport:
    """Takes a trial's evaluations as they come; each once, though a retried trial repeats some."""

    def __init__(self, folder: TrialFolder, board: TrialBoard) -> None:
        self._folder = folder
        self._board = board
        self._evaluation = 0
        self._music: list[Phrase] = []
        self._written = 0
        self._heard = 0
        self.checkpoint = ""
        """Name of the newest checkpoint that Ray says is whole."""

    def add(self, result: Mapping[str, Any], media: Mapping[str, Any] | None, *, audio: bool) -> None:
        """Write down one evaluation; with `audio` its sound too, which takes about a megabyte a phrase."""
        if result["training_iteration"] <= self._evaluation:
            return
        self._evaluation = result["training_iteration"]
        self._folder.append_scores({key: result[key] for key in _ROW if key in result})
        self._board.add_scalars(result, result["bars"])
        if media is not None:  # a diverged trial sends none: its last good music stays
            self._music, self._written = phrases(media), result["bars"]
            self._folder.write_samples(self._music)
            self._board.add_pictures(self._music, self._written)
            if audio:
                self._add_audio()

    def close(self, *, failed: bool) -> None:
        """Settle what the trial leaves: its last music can be heard, its newest checkpoint has its place."""
        self._folder.settle_checkpoint(self.checkpoint)  # first: it needs no room on the disk, and makes some
        if self._heard < self._written:
            self._add_audio()
        self._board.close(failed=failed)

    def _add_audio(self) -> None:
        self._board.add_audio(self._music, self._written)
        self._heard = self._written
