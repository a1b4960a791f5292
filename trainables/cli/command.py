"""The command line of `python -m trainables`: train, generate, list, show."""

from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from data_prep.console import Parser
from data_prep.errors import UserError, unknown
from trainables.config import Budget

COMMANDS: Final = ("train", "generate", "list", "show")

EXAMPLES: Final = """\
examples:
  python -m trainables list
  python -m trainables show baseline
  python -m trainables train baseline --epochs 2 --set learning_rate_ratio=0.25 --name mine
  python -m trainables generate results/mine --chords "C Am F G"
  python tune.py --help                               a search, which tries many configurations

Every command has a --help of its own. docs/systems.md says what every system and setting is.
"""

TRAIN_EXAMPLES: Final = """\
examples:
  python -m trainables train baseline
  python -m trainables train combined --data pop909:POP909-Dataset --epochs 5 --name pop
  python -m trainables train mlp --set g_updates=1 --set spectral_norm=d_all --seed 1
  python -m trainables train lstm --data maestro:maestro-v3.0.0
  python -m trainables train --resume results/pop
  python -m trainables train --resume results/pop --epochs 10

In an epoch all training music is dealt once, in every key that it is learnt in; its number of bars is told at the
start. Budgets count bars shown to an optimiser: an update of either player on a batch of 72 counts 72.
The run has the files of a search with one trial, 0000; seed and settings give the same music as there. After each
evaluation there is a checkpoint. Ctrl-C ends the run in order; --resume goes on from its last checkpoint, as if it
had never stopped. With --epochs or --bars the whole run becomes that long, judged as often as before; what changes over
the budget, such as learning rates, follows the longer one from there on.
"""

GENERATE_EXAMPLES: Final = """\
examples:
  python -m trainables generate results/mine
  python -m trainables generate results/mine --chords "C Am F G" --bars 16 --count 5 --seed 1
  python -m trainables generate results/mine --chords "Dm,G C Bb,Bb,F,C F#m" --midi begin.mid
  python -m trainables generate results/gan_balance-20260101-120000 --trial 0003 --song 2 --out to_hear

A chord is a major triad (C, F#, Bb), a minor one (Am, C#m) or N for none. Spaces separate bars; commas separate two or
four chords of one bar, of which systems with one chord a bar hear the first. They are repeated until there are enough.
Without --chords, --song and --midi the chords and first bars are those of songs that were kept for this. With --chords
the first bar is of such a song, transposed to the first chord; with --midi it is the first bar with notes of that file,
or the second after a pick-up (a first bar that is silent to its middle).
"""

_BUDGET: Final = Budget()
_TRAIN_DEFAULTS: Final = {
    "data": "builtin",
    "device": "auto",
    "seed": 0,
    "threads": 1,
    "results": Path("results"),
    "set": (),
    **dict.fromkeys(("epochs", "bars", "evaluations", "rollouts", "name")),
}
"""Defaults are filled in after parsing, so that it is known what was given besides --resume."""
_LENGTHS: Final = ("epochs", "bars")
"""What may be given besides --resume."""


def parse(arguments: Sequence[str]) -> Namespace:
    """What the command line asks for; `command` is one of `COMMANDS`.

    Raises:
        UserError: a command or an option that there is not, with the nearest, or options that do not go together.
    """
    first = arguments[0] if arguments else ""
    if first and not first.startswith("-") and first not in COMMANDS:
        raise UserError(unknown("command", first, COMMANDS))
    options = _parser().parse_args(arguments)
    if options.command == "train":
        _complete(options)
    return options


def _complete(options: Namespace) -> None:
    given = [name for name in _TRAIN_DEFAULTS if hasattr(options, name)]
    planned = [name for name in given if name not in _LENGTHS]
    if options.resume is not None and (options.system is not None or planned):
        other = options.system if options.system is not None else f"--{planned[0]}"
        raise UserError(f"--resume goes on with a run as it was planned: leave out {other}.")
    if options.resume is None and options.system is None:
        raise UserError("Which SYSTEM? python -m trainables list names them all.")
    for name, default in _TRAIN_DEFAULTS.items():
        if name not in given:
            setattr(options, name, default)


def _parser() -> ArgumentParser:
    whole = Parser(
        prog="python -m trainables",
        description="The systems without a search: train one configuration, let it write music, see what there is.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    _add_train(commands)
    _add_generate(commands)
    _add(commands, "list", "all systems, where they come from and how large they are", "")
    show = _add(commands, "show", "every setting of a system, its default, what it may be and what it is", "")
    show.add_argument("system", metavar="SYSTEM", help="name of the system (python -m trainables list)")
    return whole


def _add(commands: Any, name: str, told: str, epilog: str) -> ArgumentParser:
    made: ArgumentParser = commands.add_parser(
        name,
        help=told,
        description=f"{told[:1].upper()}{told[1:]}.",
        epilog=epilog,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return made


def _add_train(commands: Any) -> None:
    command = _add(
        commands, "train", "train one configuration, with the outputs of a trial of a search", TRAIN_EXAMPLES
    )
    command.set_defaults(**dict.fromkeys(("system", "resume")))
    command.add_argument("system", nargs="?", metavar="SYSTEM", help="name of the system (python -m trainables list)")
    option = _option(command)
    option(
        "--data",
        metavar="builtin|DIR|SOURCE:PATH",
        help="music: builtin (default), a prepared corpus, or a kind of music and its folder, such as midi:my_songs",
    )
    length = command.add_mutually_exclusive_group()
    _option(length)("--epochs", type=float, metavar="N", help="how often all training music is dealt; may be 0.5")
    _option(length)("--bars", type=int, metavar="N", help=f"the same in bars (default: {_BUDGET.bars:,})")
    option("--evaluations", type=int, metavar="N", help=f"how often it is judged (default: {_BUDGET.evaluations})")
    option("--rollouts", type=int, metavar="N", help=f"phrases that it is judged by (default: {_BUDGET.rollouts})")
    option(
        "--set", action="append", metavar="NAME=VALUE", help="another value of a setting (python -m trainables show)"
    )
    option("--device", metavar="NAME", help="auto (default: a GPU if there is one), cpu, cuda, cuda:1 or mps")
    option(
        "--threads", type=int, metavar="N", help="of the CPU (default: 1, with which a search gets the same numbers)"
    )
    option("--seed", type=int, metavar="N", help="of weights, noise and order (default: 0)")
    option("--name", metavar="NAME", help="folder of this run (default: the system and the time)")
    option("--results", type=Path, metavar="DIR", help="where runs land (default: results)")
    command.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with a run: its folder; with --epochs or --bars, for longer"
    )


def _add_generate(commands: Any) -> None:
    command = _add(commands, "generate", "let a trained system write music: MIDI, sound and picture", GENERATE_EXAMPLES)
    option = command.add_argument
    option("run", type=Path, metavar="RUN", help="folder of a run, of train or of a search")
    option("--trial", metavar="NAME", help="which trial: 0003, or winner (default)")
    source = command.add_mutually_exclusive_group()
    source.add_argument("--chords", metavar="TEXT", help='chords of the bars, such as "C Am F G"')
    source.add_argument("--song", type=int, metavar="N", help="chords and first bar of the Nth song kept for prompts")
    option("--midi", type=Path, metavar="FILE", help="MIDI file with the first bar, and with chords unless --chords")
    option("--bars", type=int, default=8, metavar="N", help="length of each phrase (default: 8)")
    option("--count", type=int, default=3, metavar="N", help="number of phrases (default: 3)")
    option("--seed", type=int, default=0, metavar="N", help="of the noise (default: 0)")
    option("--out", type=Path, metavar="DIR", help="folder for the music (default: generated/ in the trial's)")


def _option(group: Any) -> Any:
    """`add_argument` of options that leave no trace where they are not given."""

    def add(*names: str, **options: Any) -> None:
        group.add_argument(*names, default=SUPPRESS, **options)

    return add
