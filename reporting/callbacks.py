"""Ray Tune's callback: everything a run leaves behind is written here, on the driver."""

import functools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from ray.tune import Callback
from ray.tune.experiment import Trial
from rich.console import Console

from reporting import leaderboard
from reporting.leaderboard import Row
from reporting.phrase import Phrase, phrases
from reporting.tensorboard import TrialBoard
from reporting.terminal import Terminal
from reporting.trial_folder import TrialFolder
from search_spaces.study import TrialRecord

_REFRESH_SECONDS: Final = 2.0
_ROW: Final = ("training_iteration", "bars", "seconds", "objective", "objective_now", "diverged", "scores", "losses")
Method = TypeVar("Method", bound=Callable[..., None])


def _guarded(method: Method) -> Method:
    """An exception in a callback would end the whole search: report it and go on."""

    @functools.wraps(method)
    def guarded(self: "RunReporter", *args: Any, **kwargs: Any) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:  # whatever it is, the training that goes on is worth more
            self.console.print(f"Could not write results ({method.__name__}): {error!r}", style="yellow")

    return cast(Method, guarded)


class RunReporter(Callback):  # type: ignore[misc]  # Ray is untyped
    """Writes trial folders, TensorBoard events and the leaderboard, and keeps the terminal up to date."""

    def __init__(
        self,
        run: Path,
        *,
        records: Callable[[], list[TrialRecord]],
        anchors: Mapping[str, Mapping[str, float]],
        terminal: Terminal,
        console: Console,
        rung: int,
    ) -> None:
        self.console = console
        self._run = run
        self._records = records
        self._anchors = anchors
        self._terminal = terminal
        self._rung = rung
        self._boards: dict[str, TrialBoard] = {}
        self._refreshed = 0.0

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restore that is never used here."""
        return {}

    @_guarded
    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Say what the trial is."""
        name = trial.config["trial"]
        self._folder(name).write_config(trial.config)
        if name not in self._boards:
            record = next(record for record in self._records() if record.name == name)
            self._boards[name] = TrialBoard(
                self._folder(name).path, record.parameters, session=f"{self._run.name}/{name}"
            )

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Take the music out of the result, for Ray would keep it in its records, and write it all down."""
        self._write_result(trial.config["trial"], result, result.pop("_media", None))

    @_guarded
    def _write_result(self, name: str, result: dict[str, Any], media: dict[str, Any] | None) -> None:
        folder, board, step = self._folder(name), self._boards[name], result["bars"]
        folder.append_scores({key: result[key] for key in _ROW if key in result})
        board.add_scalars(result, step)
        if media is not None:
            music: list[Phrase] = phrases(media)
            folder.write_samples(music)
            at_rung = result["done"] or result["training_iteration"] == self._rung
            board.add_music(music, step, audio=at_rung)  # sound is large: a megabyte a phrase
        self._terminal.evaluated(name, result)
        if time.monotonic() - self._refreshed > _REFRESH_SECONDS:
            self.refresh()

    @_guarded
    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Settle what the trial leaves."""
        self._end(trial.config["trial"], failed=False)

    @_guarded
    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """The same for one that crashed."""
        self._end(trial.config["trial"], failed=True)

    def _end(self, name: str, *, failed: bool) -> None:
        self._folder(name).settle_checkpoint()
        board = self._boards.pop(name, None)
        if board is not None:
            board.close(failed=failed)
        line = next(line for line in self.refresh() if line.name == name)
        self._terminal.ended(name, line.outcome, line.note)

    def start(self) -> None:
        """Begin to show the search."""
        self._terminal.start()

    def refresh(self) -> list[Row]:
        """Write the leaderboard as it stands, show it and return it."""
        self._refreshed = time.monotonic()
        lines = leaderboard.rows(self._run, self._records(), self._anchors)
        leaderboard.write(self._run, lines)
        self._terminal.show(lines)
        return lines

    def close(self) -> list[Row]:
        """End the search: settle the trials that were still running; the final leaderboard."""
        for name, board in self._boards.items():
            self._folder(name).settle_checkpoint()
            board.close(failed=False)
        self._boards.clear()
        lines = self.refresh()
        self._terminal.stop()
        return lines

    def _folder(self, name: str) -> TrialFolder:
        return TrialFolder(self._run / "trials" / name)
