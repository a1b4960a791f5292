"""Ray Tune's callback: everything a run leaves behind is written here, on the driver."""

import functools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from ray.tune import Callback, Checkpoint, Stopper
from ray.tune.experiment import Trial
from rich.console import Console

from reporting import leaderboard
from reporting.leaderboard import Row
from reporting.tensorboard import TrialBoard
from reporting.terminal import Terminal
from reporting.trial_folder import TrialFolder
from reporting.trial_report import TrialReport
from search_spaces.study import TrialRecord

_REFRESH_SECONDS: Final = 2.0
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


class Interruption(Stopper):  # type: ignore[misc]  # Ray is untyped
    """Ends the search when it is asked to."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No trial is stopped by itself."""
        return False

    def stop_all(self) -> bool:
        """All are, once it is asked."""
        return self.asked


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
        self.interruption = Interruption()
        self._run = run
        self._records = records
        self._anchors = anchors
        self._terminal = terminal
        self._rung = rung
        self._reports: dict[str, TrialReport] = {}
        self._refreshed = 0.0

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restore that is never used here."""
        return {}

    @_guarded
    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Say what the trial is."""
        self._report(trial)
        self.refresh()

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Take the music out of the result, as other readers of it expect numbers, and write it all down."""
        self._add(trial, result, result.pop("_media", None))

    @_guarded
    def _add(self, trial: Trial, result: dict[str, Any], media: dict[str, Any] | None) -> None:
        self._report(trial).add(result, media, audio=result["training_iteration"] == self._rung)
        self._terminal.evaluated(trial.config["trial"], result)
        if time.monotonic() - self._refreshed > _REFRESH_SECONDS:
            self.refresh()

    @_guarded
    def on_checkpoint(
        self, iteration: int, trials: list[Trial], trial: Trial, checkpoint: Checkpoint, **info: Any
    ) -> None:
        """Remember the checkpoint: Ray tells of whole ones only."""
        self._report(trial).checkpoint = Path(checkpoint.path).name

    @_guarded
    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Settle what the trial leaves."""
        self._end(trial, failed=False)

    @_guarded
    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """The same for one that crashed, perhaps before it began."""
        self._end(trial, failed=True)

    def _report(self, trial: Trial) -> TrialReport:
        """The report of a trial, begun when it is first needed."""
        name = trial.config["trial"]
        if name not in self._reports:
            folder = TrialFolder(self._run / "trials" / name)
            folder.write_config(trial.config)
            parameters = next(record.parameters for record in self._records() if record.name == name)
            board = TrialBoard(folder.path, parameters, session=f"{self._run.name}/{name}")
            self._reports[name] = TrialReport(folder, board)
        return self._reports[name]

    def _end(self, trial: Trial, *, failed: bool) -> None:
        name = trial.config["trial"]
        self._report(trial)
        self._reports.pop(name).close(failed=failed)
        line = next(line for line in self.refresh() if line.name == name)
        self._terminal.ended(name, line.outcome, line.note)

    def start(self) -> None:
        """Begin to show the search."""
        self._terminal.start()

    def refresh(self) -> list[Row]:
        """Write the leaderboard as it stands, show it and return it."""
        self._refreshed = time.monotonic()
        lines = leaderboard.rows(self._run, self._records(), self._anchors)
        self._terminal.show(lines)
        self._write_leaderboard(lines)
        return lines

    @_guarded
    def _write_leaderboard(self, lines: list[Row]) -> None:
        leaderboard.write(self._run, lines)

    def close(self) -> list[Row]:
        """End the search: settle the trials that were still running; the final leaderboard."""
        try:
            for name in list(self._reports):
                self._close_report(name)
            return self.refresh()
        finally:
            self._terminal.stop()

    @_guarded
    def _close_report(self, name: str) -> None:
        self._reports.pop(name).close(failed=False)
