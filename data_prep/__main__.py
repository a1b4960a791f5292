"""`python -m data_prep`: prepare a corpus, or say what is in one, from the command line."""

import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_prep import command
from data_prep.console import now_and_then, run
from data_prep.corpus import KIND
from data_prep.folder import shown
from data_prep.info import describe, summary
from data_prep.kinds import load, save
from data_prep.locate import resolve
from data_prep.pool import Progress, cores
from data_prep.prepare import prepare
from data_prep.sources import SOURCES
from data_prep.store import check_can_write


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 2 a mistake named in one line, 130 interrupted."""
    return run(lambda: _work(sys.argv[1:] if arguments is None else arguments))


def _work(arguments: list[str]) -> int:
    command.check_source(arguments)
    options = command.parser().parse_args(arguments)
    if options.source == command.INFO:
        _info(options.corpus, options.plot)
    else:
        _prepare(options)
    return 0


def _prepare(arguments: Namespace) -> None:
    source = SOURCES[arguments.source]
    options, jobs = command.options_of(arguments, source), command.jobs_of(arguments)
    path = arguments.path if source.takes_path else None
    check_can_write(arguments.out)
    with _progress() as progress:
        corpus = prepare(source, path, options, jobs=jobs, progress=progress)
    save(corpus, arguments.out)
    out = shlex.quote(str(arguments.out))
    print(summary(corpus, shown(str(arguments.out))))
    print(f"  look         python -m data_prep info {shown(out)} --plot corpus.png")
    if source.kind == KIND:
        print(f"  search       python tune.py --space gan_balance --data {shown(out)}")


def _info(data: str, plot: Path | None) -> None:
    with _progress() as progress:
        folder = resolve(data, progress, jobs=cores())
    corpus = load(folder)
    print(describe(corpus, shown(str(folder))))
    if plot is not None:
        from data_prep.plot import draw  # matplotlib takes its time

        draw(corpus, plot)
        print(f"drawn: {shown(str(plot))}")


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal; elsewhere a line now and then."""
    if not sys.stderr.isatty():
        yield now_and_then
        return
    from rich.console import Console
    from rich.progress import Progress as Display

    with Display(console=Console(stderr=True), transient=True) as display:
        task = display.add_task("reading", total=None)
        yield lambda done, total: display.update(task, completed=done, total=total)


if __name__ == "__main__":
    sys.exit(main())
