"""How far training has come, on a terminal: a bar in bars of music. Elsewhere there is a line per evaluation only."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


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
