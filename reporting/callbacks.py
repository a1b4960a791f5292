"""Ray Tune's callback: everything a run leaves behind is written here, on the driver."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from ray.tune import Callback
from ray.tune.experiment import Trial
from rich.console import Console

from reporting import leaderboard
from reporting.leaderboard import Leaderboard, Row
from reporting.pace import Pace
from reporting.tensorboard import TrialBoard
from reporting.terminal import Terminal
from reporting.trial_folder import TrialFolder
from reporting.trial_report import TrialReport
from search_spaces.run.waiting import Waiting
from search_spaces.search.searcher import last_line
from search_spaces.search.study import Outcome, Records

_REFRESH_SECONDS: Final = 2.0
_REFRESH_SHARE: Final = 0.02
_WRITTEN: Final = ("scores", "losses", "diagnostics")
"""Parts of a result that nothing asks Ray for once they are written: it would average every number of them, and spend
most of its own time on that."""
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


def _config(trial: Trial) -> dict[str, Any]:
    """What `config.json` says of a trial."""
    return {key: trial.config[key] for key in ("trial", "seed", "settings")}


class RunReporter(Callback):  # type: ignore[misc]  # Ray is untyped
    """Writes trial folders, TensorBoard events and the leaderboard, and keeps the terminal up to date."""

    def __init__(
        self,
        run: Path,
        *,
        records: Records,
        waiting: Waiting,
        anchors: Mapping[str, Mapping[str, float]],
        terminal: Terminal,
        console: Console,
        rung: int,
    ) -> None:
        self.console = console
        self._run = run
        self._records = records
        self._waiting = waiting
        self._leaderboard = Leaderboard(run, anchors)
        self._terminal = terminal
        self._rung = rung
        self._reports: dict[str, TrialReport] = {}
        self._pace = Pace(seconds=_REFRESH_SECONDS, share=_REFRESH_SHARE)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks for a restore that is never used here."""
        return {}

    @_guarded
    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Say what the trial is: a member of a population may have other settings each time."""
        self._report(trial).begin(_config(trial))
        self._refresh_at_times()

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Take music and state out of the result, as other readers of it expect numbers, and write it all down."""
        state, media = result.pop("_state", None), result.pop("_media", None)
        self._add(trial, result, media)
        self._keep(trial, result, state)  # last: a kill in between has the evaluation repeated, not left out
        for name in _WRITTEN:
            result.pop(name, None)

    @_guarded
    def _add(self, trial: Trial, result: dict[str, Any], media: dict[str, Any] | None) -> None:
        audio = result["training_iteration"] == self._rung
        self._written(trial, lambda report: report.add(result, media, audio=audio))
        self._terminal.evaluated(trial.config["trial"], result)
        self._refresh_at_times()

    @_guarded
    def _keep(self, trial: Trial, result: dict[str, Any], state: bytes | None) -> None:
        self._written(trial, lambda report: report.keep(result, state))

    def _written(self, trial: Trial, step: Callable[[TrialReport], None]) -> None:
        """Write, when there is room."""

        def attempt() -> None:
            try:
                step(self._report(trial))
            except OSError:  # an event file that broke off is of no more use: the next attempt begins another
                self._reports.pop(trial.config["trial"], None)
                raise

        self._waiting.until_written(attempt)

    @_guarded
    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Settle what the trial leaves, unless it only pauses."""
        self._end(trial)

    @_guarded
    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Note why the trial crashed, perhaps before it began; it may go on from its state."""
        name, reason = trial.config["trial"], last_line(trial)
        self._report(trial).crashed(Path(trial.error_file))
        self._terminal.ended(name, "crashed", reason)
        self._end(trial)

    def _report(self, trial: Trial) -> TrialReport:
        """The report of a trial, begun when it is first needed."""
        name = trial.config["trial"]
        if name not in self._reports:
            folder = TrialFolder(self._run / "trials" / name)
            board = TrialBoard(folder.path, self._records.of(name).parameters, session=f"{self._run.name}/{name}")
            self._reports[name] = TrialReport(folder, board)
            self._reports[name].begin(_config(trial))  # it may crash before it starts
        return self._reports[name]

    def _end(self, trial: Trial) -> None:
        name = trial.config["trial"]
        record = self._records.of(name)
        if record.outcome is Outcome.RUNNING:  # it pauses, or goes on after a crash
            return
        self._report(trial)
        self._reports.pop(name).close(failed=record.outcome is Outcome.FAILED)
        self._terminal.ended(name, record.outcome.value, "; ".join(filter(None, (record.known, record.reason))))
        self._refresh_at_times()

    def start(self) -> None:
        """Begin to show the search."""
        self._terminal.start()

    def refresh(self) -> list[Row]:
        """Write the leaderboard as it stands, show it and return it."""
        with self._pace.working():
            lines = self._leaderboard.rows(self._records())
            self._terminal.show(lines)
            self._write_leaderboard(lines)
        return lines

    def _refresh_at_times(self) -> None:
        if self._pace.due:
            self.refresh()

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
