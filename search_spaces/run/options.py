"""The command line of a search: options in, a plan out."""

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from dataclasses import replace
from pathlib import Path
from textwrap import fill
from typing import Any, Final

from data_prep import locate
from data_prep.console import Parser
from data_prep.errors import UserError
from search_spaces.restrict import grid, pinned
from search_spaces.run.plan import Plan
from search_spaces.run.resources import check_amounts
from search_spaces.run.run_folder import free_name, new_folder, whole_path
from search_spaces.search.samplers import GRID, SAMPLERS, sampler_of
from search_spaces.search.schedulers import SCHEDULERS
from search_spaces.space import Space, load_space, space_names
from search_spaces.space_file import is_file_name
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
  python tune.py --space gan_balance --time-budget 8h --protocol wide,narrow,repeat
                                                      a night: the best repeated over seeds
  python tune.py --space gan_balance --resume         go on with the newest run of that space
  python tune.py --resume results/long --trials 200   with a run by its folder, and more trials
  python tune.py --space gan_balance --system mlp --set spectral_norm=d_all
                                                      the same search of another system, one dimension held
  python tune.py --space my_space.py --dry-run        a space of your own; what would be done, and its cost
  tensorboard --logdir results                        scalars, HParams, piano rolls and audio of every trial

spaces:
{spaces}

systems:
{systems}

Without --address the search runs on this machine, one trial per CPU core, or joins the Ray cluster that
RAY_ADDRESS names (set on the machines of `ray up cluster.yaml`), where trials share GPUs if there are any.
docs/search.md says what samplers, schedulers and protocols do.
"""


def parser() -> ArgumentParser:
    """The command line. Options that were not given are None: a run that is resumed has values of its own."""
    spaces = "\n".join(f"  {name:<20}{load_space(name).title}" for name in space_names())
    systems = fill(", ".join(SYSTEMS), width=100, initial_indent="  ", subsequent_indent="  ")
    parser = Parser(
        prog="tune.py",
        description="Search for the balance of a music GAN.",
        epilog=_EXAMPLES.format(spaces=spaces, systems=systems),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    what = parser.add_argument_group("what to search").add_argument
    what("--space", type=_space_name, metavar="NAME|FILE.py", help="what to search: see below")
    what("--system", metavar="NAME", help="which system to search (default: the space's own, see --dry-run)")
    what(
        "--set",
        action="append",
        default=None,
        type=_pin,
        metavar="NAME=VALUE",
        help="hold a dimension of the space, or any setting of the system, at one value; may be repeated",
    )
    what("--objectives", type=_words, metavar="A,B", help="minimise these together (default: the space's own)")
    what(
        "--data",
        metavar="builtin|DIR|SOURCE:PATH",
        help="music: builtin (default), a prepared corpus, or a kind of music and its folder, such as midi:my_songs "
        "(prepared on first use; python -m data_prep --help names the kinds)",
    )
    how = parser.add_argument_group("how to search").add_argument
    how("--sampler", metavar="NAME", help=f"{', '.join(SAMPLERS)} (default: tpe; grid for spaces that are one)")
    how("--scheduler", metavar="NAME", help=f"{', '.join(SCHEDULERS)} (default: asha)")
    how(
        "--protocol",
        type=_words,
        metavar="STAGES",
        help="wide (default), wide,narrow (then around the best), wide,repeat or wide,narrow,repeat (then the best "
        "over seeds)",
    )
    how("--finalists", type=int, metavar="N", help="how many the stage repeat trains again (default: 3)")
    how("--repeats", type=int, metavar="N", help="on how many seeds (default: 3)")
    how("--seed", type=int, metavar="N", help="of the search, and of trainings whose space sets none (default: 0)")
    much = parser.add_argument_group("how much").add_argument
    much("--trials", type=int, metavar="N", help="how many settings to try (default: the space's own, see --dry-run)")
    much(
        "--time-budget",
        type=_seconds,
        metavar="TIME",
        help="stop after 90s, 30m, 8h; or none (default: the space's own, mostly 13m; none if --trials is given)",
    )
    much("--concurrency", type=int, metavar="N", help="trials at a time (default: as many as there is room for)")
    much("--gpus-per-trial", type=float, metavar="X", help="such as 0.25 (default: by the CPUs beside each GPU)")
    much("--cpus-per-trial", type=float, metavar="X", help="default: 1")
    much("--price", type=float, metavar="X", help="of an hour of the whole cluster, for --dry-run")
    where = parser.add_argument_group("where").add_argument
    where("--name", metavar="NAME", help="folder of this run (default: the space and the time)")
    where("--results", type=Path, metavar="DIR", help="where runs land (default: results)")
    where("--address", metavar="ADDR", help="Ray cluster to join: local, auto or HOST:PORT (default: see below)")
    where(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="go on with a run that was interrupted or is to have more: its folder, or the newest of --space",
    )
    where("--force", action="store_true", default=False, help="resume although space, music or code have changed")
    where("-n", "--dry-run", action="store_true", help="print the plan and its cost, and end")
    return parser


def new_plan(arguments: Namespace) -> tuple[Plan, Space]:
    """The plan that the options describe, on the space's own defaults, and its space.

    Raises:
        UserError: a value that cannot be, or a run that is there already.
    """
    if arguments.space is None:
        raise UserError("--space is missing: name what to search, such as --space gan_balance (--help lists them).")
    pins = _pins(arguments)
    space = _space(arguments.space, arguments.system, pins, arguments.objectives)
    sampler = arguments.sampler or (GRID if space.grid else "tpe")
    results = whole_path(arguments.results or Path("results"), "--results")
    trials = _or(arguments.trials, space.trials)
    if sampler == GRID:
        space = grid(space)
        trials = space.trials if arguments.trials is None else min(arguments.trials, space.trials)
    plan = Plan(
        space=arguments.space,
        system=arguments.system,
        pins=pins,
        objectives=arguments.objectives,
        data=arguments.data if arguments.data is not None else "builtin",
        name=free_name(results, Path(arguments.space).stem) if arguments.name is None else arguments.name,
        results=results,
        sampler=sampler,
        scheduler=arguments.scheduler or "asha",
        protocol=arguments.protocol or ("wide",),
        finalists=_or(arguments.finalists, 3),
        repeats=_or(arguments.repeats, 3),
        trials=trials,
        time_budget=time_budget(arguments, space),
        concurrency=arguments.concurrency,
        gpus_per_trial=arguments.gpus_per_trial,
        cpus_per_trial=arguments.cpus_per_trial,
        seed=_or(arguments.seed, 0),
        address=address_of(arguments),
    )
    new_folder(results, plan.name)
    check(plan, space)
    return plan, space


def check_options(arguments: Namespace) -> None:
    """Refuse options that come to nothing beside the others.

    Raises:
        UserError: which, and what they need.
    """
    if arguments.price is not None and not 0 <= arguments.price < float("inf"):
        raise UserError(f"--price is {arguments.price:g}, but must be a number that is not below 0.")
    if arguments.price is not None and not arguments.dry_run:
        raise UserError("--price is for --dry-run, which says what a search would cost: add -n, or leave it out.")
    if arguments.force and arguments.resume is None:
        raise UserError("--force is for --resume: a new run has nothing that could have changed.")


def check(plan: Plan, space: Space) -> None:
    """Refuse what the space, its sampler or its music do not allow, before anything is prepared.

    Raises:
        UserError: why not.
    """
    check_amounts(plan.gpus_per_trial, plan.cpus_per_trial)
    sampler_of(plan.sampler, space, seed=plan.seed, trials=plan.trials, begun=0)
    SCHEDULERS[plan.scheduler].evolution(space, plan.run, plan.seed)
    locate.check(plan.data, corpora_of(space.system), space.data_options)


def space_of(plan: Plan) -> Space:
    """The space of a plan that was made before.

    Raises:
        UserError: it is no longer there.
    """
    space = _space(plan.space, plan.system, plan.pins, plan.objectives)
    return grid(space) if plan.sampler == GRID else space


def address_of(arguments: Namespace) -> str:
    """The Ray cluster that is to be joined."""
    return arguments.address or os.environ.get("RAY_ADDRESS") or "local"


def time_budget(arguments: Namespace, space: Space) -> float | None:
    """Seconds the search may take, None for no limit: who asks for a number of trials wants them all."""
    if arguments.time_budget is not None:
        return None if arguments.time_budget == float("inf") else float(arguments.time_budget)
    return None if arguments.trials is not None or space.minutes is None else space.minutes * 60.0


def _space(name: str, system: str | None, pins: Any, objectives: tuple[str, ...] | None) -> Space:
    space = _of_system(load_space(name), name, system)
    if objectives is not None:
        space = replace(space, objectives=objectives)
    return pinned(space, pins)


def _of_system(space: Space, name: str, system: str | None) -> Space:
    """The space, of the system that the options name."""
    if system is None or system == space.system:
        return space
    system_of(system, {})
    if SYSTEM in space.parameters():
        raise UserError(f"--system is {system!r}, but --space {name} tries systems itself.")
    other = replace(space, system=system)
    try:
        same = other.settled(_LOOKS) == space.settled(_LOOKS)
        other.parameters()
    except UserError as error:
        raise UserError(f"--space {name} cannot search --system {system}: {error}") from error
    if same:
        raise UserError(f"--space {name} varies all that tells {other.system} from {space.system}: leave out --system.")
    return other


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _pins(arguments: Namespace) -> dict[str, str]:
    names = [name for name, _ in arguments.set or ()]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"--set {name} is given {names.count(name)} times: give it once.")
    return dict(arguments.set or ())


def _space_name(text: str) -> str:
    """A name as it is; a file by its whole path, as a run may be resumed from another folder."""
    try:
        return str(Path(text).expanduser().resolve()) if is_file_name(text) else text
    except (OSError, ValueError, RuntimeError) as error:
        raise ArgumentTypeError(f"{text[:80]!r} is no file ({error})") from error


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _pin(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as spectral_norm=d_all")
    return name.strip(), value.strip()


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
