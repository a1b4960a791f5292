"""The command line of a search: options in, a plan out."""

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from dataclasses import replace
from pathlib import Path
from textwrap import fill
from typing import Final

from data_prep import locate
from data_prep.console import Parser
from data_prep.errors import UserError
from search_spaces.plan import Plan
from search_spaces.run_folder import free_name, new_folder
from search_spaces.space import Space, load_space, space_names
from trainables.systems import SYSTEM, SYSTEMS, corpora_of, system_of

_LOOKS: Final = 8
"""Suggestions by which two systems are told apart."""

_EXAMPLES: Final = """\
examples:
  python tune.py --space gan_balance                  a quarter of an hour on the built-in corpus
  python tune.py --space gan_balance --trials 100 --data my_corpus
                                                      a long search on another corpus (docs/data.md)
  python tune.py --space gan_balance --data pop909:POP909-Dataset
                                                      on a folder of music
  python tune.py --space gan_balance --time-budget 8h --name overnight
  python tune.py --space gan_balance --system mlp     the same search of another system
  python tune.py --space gan_balance --dry-run        what would be done, and where it would land
  tensorboard --logdir results                        scalars, HParams, piano rolls and audio of every trial

spaces:
{spaces}

systems:
{systems}

Without --address the search runs on this machine, one trial per CPU core, or joins the Ray cluster that
RAY_ADDRESS names (set on the machines of `ray up cluster.yaml`), where a trial takes a GPU if there are any.
"""


def parser() -> ArgumentParser:
    """The command line."""
    spaces = "\n".join(f"  {name:<20}{load_space(name).title}" for name in space_names())
    systems = fill(", ".join(SYSTEMS), width=100, initial_indent="  ", subsequent_indent="  ")
    parser = Parser(
        prog="tune.py",
        description="Search for the balance of a music GAN.",
        epilog=_EXAMPLES.format(spaces=spaces, systems=systems),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    option = parser.add_argument
    option("--space", required=True, metavar="NAME", help="what to search: see below")
    option("--system", metavar="NAME", help="which system to search (default: the space's own, see --dry-run)")
    option(
        "--data",
        default="builtin",
        metavar="builtin|DIR|SOURCE:PATH",
        help="music: builtin (default), a prepared corpus, or a kind of music and its folder, such as midi:my_songs "
        "(prepared on first use; python -m data_prep --help names the kinds)",
    )
    option("--trials", type=int, metavar="N", help="how many settings to try (default: the space's own, see --dry-run)")
    option(
        "--time-budget",
        type=_seconds,
        metavar="TIME",
        help="stop after 90s, 30m, 8h; or none (default: the space's own, mostly 13m; none if --trials is given)",
    )
    option("--concurrency", type=int, metavar="N", help="trials at a time (default: as many as there is room for)")
    option("--seed", type=int, default=0, metavar="N", help="of the search and of each training (default: 0)")
    option("--name", metavar="NAME", help="folder of this run (default: the space and the time)")
    option("--results", type=Path, default=Path("results"), metavar="DIR", help="where runs land (default: results)")
    option("--address", metavar="ADDR", help="Ray cluster to join: local, auto or HOST:PORT (default: see below)")
    option("-n", "--dry-run", action="store_true", help="print the plan and end")
    return parser


def space_of(arguments: Namespace) -> Space:
    """The space that the options name, of the system that they name.

    Raises:
        UserError: there is none, or the space is not for that system.
    """
    space = load_space(arguments.space)
    if arguments.system is None:
        return space
    system_of(arguments.system, {})
    varied = space.parameters()
    if SYSTEM in varied:
        raise UserError(f"--system is {arguments.system!r}, but --space {arguments.space} tries systems itself.")
    other = replace(space, system=arguments.system)
    try:
        same = other.settled(_LOOKS) == space.settled(_LOOKS)
        other.parameters()
    except UserError as error:
        raise UserError(f"--space {arguments.space} cannot search --system {arguments.system}: {error}") from error
    if same and other.system != space.system:
        raise UserError(
            f"--space {arguments.space} varies all that tells {other.system} from {space.system}: leave out --system."
        )
    return other


def plan_of(arguments: Namespace, space: Space) -> Plan:
    """The plan that the options describe, on the space's own defaults.

    Raises:
        UserError: a value that cannot be, or a run that is there already.
    """
    results = arguments.results.expanduser().resolve()
    plan = Plan(
        space=arguments.space,
        data=arguments.data,
        name=free_name(results, arguments.space) if arguments.name is None else arguments.name,
        results=results,
        trials=space.trials if arguments.trials is None else arguments.trials,
        time_budget=time_budget(arguments, space),
        concurrency=arguments.concurrency,
        seed=arguments.seed,
        address=arguments.address or os.environ.get("RAY_ADDRESS") or "local",
    )
    new_folder(results, plan.name)
    locate.check(plan.data, corpora_of(space.system))
    return plan


def time_budget(arguments: Namespace, space: Space) -> float | None:
    """Seconds the search may take, None for no limit: who asks for a number of trials wants them all."""
    if arguments.time_budget is not None:
        return None if arguments.time_budget == float("inf") else float(arguments.time_budget)
    return None if arguments.trials is not None or space.minutes is None else space.minutes * 60.0


def _seconds(text: str) -> float:
    """Seconds of `90s`, `30m`, `8h`; infinity of `none`."""
    if text == "none":
        return float("inf")
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    try:
        seconds = float(text[:-1]) * (unit or 0)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a time above 0 with its unit, such as 90s, 30m or 8h, nor none")
    return seconds
