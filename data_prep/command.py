"""The command line of `python -m data_prep`: one subcommand for every source, and `info`."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from data_prep.console import Parser
from data_prep.errors import UserError, unknown
from data_prep.options import CHOICES, HELP, Options
from data_prep.pool import cores
from data_prep.source import Source
from data_prep.sources import SOURCES
from data_prep.splits import Shares

INFO: Final = "info"

EXAMPLES: Final = """\
examples:
  python -m data_prep lead-sheet lead-sheet-dataset --out corpora/theorytab
  python -m data_prep pop909 POP909-Dataset --out corpora/pop909 --rests keep
  python -m data_prep midi my_songs --melody-track Vocals --chord-track Piano --out corpora/mine
  python -m data_prep maestro maestro-v3.0.0 --sampling-frequency 8 --out corpora/maestro
  python -m data_prep info corpora/mine --plot mine.png

The folder then goes to a search as its data: python tune.py --space gan_balance --data corpora/mine
With the usual options it need not be prepared: python tune.py --space gan_balance --data pop909:POP909-Dataset
docs/data.md says for every source where to get it, its licence, and what is taken from it.
"""


def check_source(arguments: list[str]) -> None:
    """UserError, naming the nearest, where the first argument is no source; argparse would list them all."""
    if arguments and not arguments[0].startswith("-") and arguments[0] not in (*SOURCES, INFO):
        raise UserError(unknown("source", arguments[0], (*SOURCES, INFO)))


def parser() -> ArgumentParser:
    """The command line; every option of a source is made from its declaration in `Options`."""
    whole = Parser(
        prog="python -m data_prep",
        description="Turn a folder of music into a corpus that the systems learn from, or look into one.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = whole.add_subparsers(dest="source", required=True, metavar="SOURCE", title="sources")
    for source in SOURCES.values():
        _add_source(commands, source)
    info = commands.add_parser(INFO, help="say what is in a corpus", allow_abbrev=False)
    info.add_argument("corpus", metavar="DIR", help="folder with a corpus, or what --data of a search may be")
    info.add_argument("--plot", type=Path, metavar="FILE.png", help="draw it, too")
    return whole


def _add_source(commands: Any, source: Source) -> None:
    command = commands.add_parser(
        source.name, help=source.help, description=source.help, allow_abbrev=False, epilog=_epilog(source)
    )
    if source.takes_path:
        command.add_argument("path", type=Path, metavar="PATH", help="folder of music, or one file")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the corpus")
    for option in fields(Options):
        if option.name in source.hears:
            _add_option(command, option.name, getattr(source.defaults, option.name))
    command.add_argument(
        "--jobs", type=int, default=None, metavar="N", help="processes (default: as many as there are cores)"
    )


def _add_option(command: ArgumentParser, name: str, default: Any) -> None:
    flag, told = "--" + name.replace("_", "-"), HELP[name].replace("%", "%%")
    if isinstance(default, Shares):
        shares = (default.validation, default.test, default.prompts)
        names = ("VALIDATION", "TEST", "PROMPTS")
        plain = " ".join(f"{share:g}" for share in shares)
        command.add_argument(
            flag, type=float, nargs=3, default=shares, metavar=names, help=f"{told} (default: {plain})"
        )
    elif name in CHOICES:
        command.add_argument(flag, choices=CHOICES[name], default=default, help=f"{told} (default: {default})")
    elif default is None:
        command.add_argument(flag, metavar="TRACK", help=told)
    else:
        command.add_argument(
            flag, type=type(default), default=default, metavar="N", help=f"{told} (default: {default:g})"
        )


def _epilog(source: Source) -> str:
    examples = [line.strip() for line in EXAMPLES.splitlines() if f"data_prep {source.name} " in line]
    path = " PATH" if source.takes_path else ""
    return f"example: {(*examples, f'python -m data_prep {source.name}{path} --out corpora/{source.name}')[0]}"


def options_of(arguments: Any, source: Source) -> Options:
    """The source's options as given. UserError for what cannot be."""
    given = {name: getattr(arguments, name) for name in source.hears}
    if "shares" in given:
        validation, test, prompts = given["shares"]
        given["shares"] = Shares(validation=validation, test=test, prompts=prompts)
    return replace(source.defaults, **given)


def jobs_of(arguments: Any) -> int:
    """Number of processes."""
    jobs = arguments.jobs
    if jobs is None:
        return cores()
    if not 1 <= jobs <= 256:
        raise UserError(f"--jobs is {jobs}; choose from 1 to 256.")
    return int(jobs)
