"""`python -m data_prep`: prepare a corpus from the command line."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_prep.assemble import Options
from data_prep.builtin import Progress
from data_prep.corpus import Corpus, Split, save
from data_prep.errors import UserError
from data_prep.prepare import prepare_builtin

EXAMPLES = """examples:
  python -m data_prep builtin --out corpora/builtin              the corpus that a search uses by itself
  python -m data_prep builtin --out corpora/rests --rests keep   silence stays silence
  python -m data_prep builtin --out corpora/other --seed 1       other tunes for validation and test

The folder then goes to a search as its data: python tune.py --space gan_balance --data corpora/rests
"""


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 2 a mistake named in one line, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        with _progress() as progress:
            corpus = prepare_builtin(
                Options(seed=options.seed, rests=options.rests), jobs=options.jobs, progress=progress
            )
        save(corpus, options.out)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    print(summary(corpus, options.out))
    return 0


def summary(corpus: Corpus, folder: Path) -> str:
    """What was kept, split and dropped, in a few lines."""
    counts = corpus.about["counts"]
    lines = [f"{counts['songs']} songs, {counts['bars']} bars -> {folder}"]
    for name in (split.name.lower() for split in Split):
        songs, bars, phrases = (counts["splits"][name][what] for what in ("songs", "bars", "phrases"))
        lines.append(f"  {name:<10} {songs:>4} songs {bars:>6} bars {phrases:>6} runs of 8 bars")
    lines += [f"  dropped    {count:>4} bars: {reason}" for reason, count in counts["dropped_bars"].items()]
    lines.append(f"  skipped    {len(corpus.about['skipped']):>4} files (corpus.json says why)")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data_prep",
        description="Turn music files into bars that the GANs learn from.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE")
    builtin = sources.add_parser(
        "builtin",
        help="Bach chorales and Monteverdi madrigals out of the installed music21",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    builtin.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the corpus")
    builtin.add_argument("--seed", type=int, default=0, help="which tunes go to which split (default 0)")
    builtin.add_argument(
        "--rests",
        choices=("fill", "keep"),
        default="fill",
        help="fill: a rest prolongs the note before it, as MidiNet has it (default)",
    )
    builtin.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="processes (default 1)")
    return parser


def _jobs(text: str) -> int:
    jobs = int(text)
    if not 1 <= jobs <= 256:
        raise argparse.ArgumentTypeError(f"{jobs}: must be from 1 to 256")
    return jobs


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Display

    with Display(console=Console(stderr=True), transient=True) as display:
        task = display.add_task("reading scores", total=None)
        yield lambda done, total: display.update(task, completed=done, total=total)


if __name__ == "__main__":
    sys.exit(main())
