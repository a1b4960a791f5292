"""How far training has come: on a terminal a bar in bars of music, elsewhere now and then a line."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

HEARTBEAT: Final = 60.0
"""Seconds between two lines where there is no terminal."""


def console() -> Console:
    """Where everything is told: names are no markup, and lines are not broken."""
    return Console(soft_wrap=True, markup=False, emoji=False, highlight=False)


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} bars/s" if task.speed else "")


class _Polled(Progress):
    """Asks how far it is each time it is drawn, as training itself knows nothing of displays."""

    def __init__(self, *columns: ProgressColumn, poll: Callable[[], int], console: Console) -> None:
        self._poll = poll
        super().__init__(*columns, console=console, transient=True)

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            self.update(task.id, completed=self._poll())
        yield from super().get_renderables()


@contextmanager
def progress_of(console: Console, bars: int, bars_seen: Callable[[], int]) -> Iterator[Callable[[str], None]]:
    """A bar until `bars` are seen, as `bars_seen` says; it takes words to stand beside, such as the last losses."""
    if not console.is_terminal or console.is_dumb_terminal:
        with _heartbeat(console, bars, bars_seen):
            yield lambda words: None
        return
    columns = (
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} bars"),
        _Speed(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with _Polled(*columns, poll=bars_seen, console=console) as progress:
        task = progress.add_task("", total=bars, completed=bars_seen())
        yield lambda words: progress.update(task, description=words)


@contextmanager
def _heartbeat(console: Console, bars: int, bars_seen: Callable[[], int]) -> Iterator[None]:
    """A line each time that `HEARTBEAT` has passed, so that a log tells slow training from none."""
    over, start, begun = Event(), time.monotonic(), bars_seen()

    def beat() -> None:
        while not over.wait(HEARTBEAT):
            seen = min(bars_seen(), bars)  # the last batch may go beyond
            speed = (seen - begun) / (time.monotonic() - start)
            left = f", about {(bars - seen) / speed / 60:.1f} minutes left" if speed > 0 and seen < bars else ""
            console.print(f"  {seen:,} of {bars:,} bars{left}")

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
