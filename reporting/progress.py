"""Progress of long work on the terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TaskID


@contextmanager
def shown_on(console: Console, title: str) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, total) that shows a bar from its first call on; where there is no terminal, a line."""
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    tasks: list[TaskID] = []

    def progress(done: int, total: int) -> None:
        if not tasks:
            tasks.append(bar.add_task(title, total=total))
            bar.start()
            if not console.is_terminal:
                console.print(f"{title} ...")
        bar.update(tasks[0], completed=done)

    try:
        yield progress
    finally:
        bar.stop()
