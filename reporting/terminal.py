"""What the terminal shows while a search runs."""

import time
from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from reporting.leaderboard import Row

_ROWS: Final = 12
_WIDTHS: Final = {"trial": 12, "outcome": 10, "judged": 6, "objective": 9, "verdict": 10}


class Terminal:
    """A live table where there is a terminal; a line per evaluation where there is none."""

    def __init__(self, console: Console, *, trials: int, evaluations: int) -> None:
        self._console = console
        self._trials = trials
        self._evaluations = evaluations
        self._start = time.monotonic()
        self._lines: Sequence[Row] = ()
        self._live: Live | None = None
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(console=console, refresh_per_second=2, get_renderable=self._table)

    def start(self) -> None:
        """Begin."""
        self._start = time.monotonic()
        if self._live:
            self._live.start()

    def evaluated(self, trial: str, result: dict[str, Any]) -> None:
        """One evaluation of a trial."""
        if not self._live:
            self._console.print(
                f"{self._elapsed()}  trial {trial}  {result['training_iteration']}/{self._evaluations}  "
                f"objective {result['objective']:.3f}  {result['bars']:,} bars  {result.get('verdict', '')}".rstrip()
            )

    def ended(self, trial: str, outcome: str, reason: str) -> None:
        """The end of a trial."""
        if not self._live:
            self._console.print(f"{self._elapsed()}  trial {trial}  {outcome}" + (f": {reason}" if reason else ""))

    def show(self, lines: Sequence[Row]) -> None:
        """The leaderboard as it stands."""
        self._lines = lines

    def stop(self) -> None:
        """End."""
        if self._live:
            self._live.stop()
            self._console.print()

    def _table(self) -> Table:
        lines = self._lines
        done = sum(line.outcome not in ("anchor", "running") for line in lines)
        table = Table(title=f"{done} of {self._trials} trials, {self._elapsed()}", title_justify="left", expand=True)
        for column, width in _WIDTHS.items():
            table.add_column(column, width=width, no_wrap=True)
        table.add_column("settings", ratio=1, no_wrap=True, overflow="ellipsis")  # what is left of the line
        running = [line for line in lines if line.outcome == "running"]
        others = [line for line in lines if line.outcome != "running"]
        for line in [*running, *others][:_ROWS]:
            style = None if line.outcome in ("running", "finished", "anchor") else "dim"
            judged = "" if line.outcome == "anchor" else f"{line.evaluations}/{self._evaluations}"
            objective = "" if line.objective is None else f"{line.objective:.3f}"
            cells = (line.name, line.outcome, judged, objective, line.verdict, line.settings)
            table.add_row(*map(Text, cells), style=style)  # Text: names are no markup
        return table

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
        return f"{minutes}:{seconds:02d}"
