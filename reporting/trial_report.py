"""What the driver keeps of a trial that runs: its folder, its event files, its newest music and checkpoint."""

from collections.abc import Mapping
from typing import Any, Final

from reporting.phrase import Phrase, phrases
from reporting.tensorboard import TrialBoard
from reporting.trial_folder import TrialFolder

_NUMBERS: Final = ("training_iteration", "bars", "seconds", "objective", "objective_now", "diverged")
_ROW: Final = (*_NUMBERS, "scores", "losses", "cancelled_spectral_norms")


class TrialReport:
    """Takes a trial's evaluations as they come; each once, though a retried trial repeats some."""

    def __init__(self, folder: TrialFolder, board: TrialBoard) -> None:
        self._folder = folder
        self._board = board
        self._evaluation = 0
        self._bars = 0
        self._music: list[Phrase] = []
        self._heard = 0
        self.checkpoint = ""
        """Name of the newest checkpoint that Ray says is whole."""

    def add(self, result: Mapping[str, Any], media: Mapping[str, Any] | None, *, audio: bool) -> None:
        """Write down one evaluation; with `audio` its sound too, which takes about a megabyte a phrase."""
        if result["training_iteration"] <= self._evaluation:
            return
        self._evaluation, self._bars = result["training_iteration"], result["bars"]
        self._folder.append_scores({key: result[key] for key in _ROW if key in result})
        self._board.add_scalars(result, self._bars)
        if media is not None:
            self._music = phrases(media)
            self._folder.write_samples(self._music)
            self._board.add_pictures(self._music, self._bars)
            if audio:
                self._add_audio()

    def close(self, *, failed: bool) -> None:
        """Settle what the trial leaves: its last music can be heard, its newest checkpoint has its place."""
        if self._heard < self._bars:
            self._add_audio()
        self._board.close(failed=failed)
        self._folder.settle_checkpoint(self.checkpoint)

    def _add_audio(self) -> None:
        self._board.add_audio(self._music, self._bars)
        self._heard = self._bars
