"""Going on with a run: which, by what plan, and whether it is still the same search."""

import hashlib
import json
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from data_prep.errors import UserError
from data_prep.folder import shown
from search_spaces.run.options import address_of, check, space_of
from search_spaces.run.plan import PLAN_FILE, PROVENANCE_FILE, Plan
from search_spaces.run.run_folder import whole_path
from search_spaces.run.stages import begun
from search_spaces.space import Space
from search_spaces.space_file import is_file_name

FINGERPRINTS: Final = "fingerprints"

_PACKAGES: Final = ("data_prep", "scores", "trainables", "search_spaces")
_LOOKS: Final = 16
_SETTLED: Final = ("system", "data", "seed", "sampler", "scheduler", "objectives")
"""What a run keeps for ever: another value is another search."""

_OPEN: Final = ("trials", "concurrency", "gpus_per_trial", "cpus_per_trial", "finalists", "repeats")
"""What may be given anew."""


def resumed_plan(arguments: Namespace) -> tuple[Plan, Space]:
    """The plan of the run that is to go on, with what the options change, and its space.

    Raises:
        UserError: there is no such run, or an option would make it another search.
    """
    run = _run(arguments)
    try:
        before = Plan.from_json(json.loads((run / PLAN_FILE).read_text(encoding="utf-8")), run)
    except (OSError, ValueError, LookupError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        reason = f"{type(error).__name__}: {error}"[:200]
        raise UserError(f"{shown(str(run / PLAN_FILE))} is no plan that can be gone on with ({reason}).") from error
    _refuse_other(arguments, before)
    plan = _changed(arguments, before)
    if plan.trials != before.trials and any(begun(word, before) for word in before.protocol[1:]):
        raise UserError(
            f"--trials is {plan.trials}, but a later stage has begun, which was made of the trials as they were: leave "
            "it out, or begin a new run."
        )
    space = space_of(plan)
    check(plan, space)
    return plan, space


def fingerprints(space: Space, corpus_digest: str) -> dict[str, str]:
    """What a search must have in common with the one that it goes on with."""
    return {"space": _of_space(space), "corpus": corpus_digest, "code": _of_code()}


def check_same(run: Path, now: Mapping[str, str], *, force: bool) -> list[str]:
    """What has changed since the run began; nothing, unless it is to go on by `force`.

    Raises:
        UserError: something has.
    """
    try:
        told = json.loads((run / PROVENANCE_FILE).read_text(encoding="utf-8"))
        before = dict(told[FINGERPRINTS])
    except (OSError, ValueError, LookupError, TypeError):
        return []  # killed before it was written: nothing was tried yet
    changed = [name for name in now if before.get(name) != now[name]]
    if changed and not force:
        raise UserError(
            f"{shown(str(run))} was searched with {_told(changed)}, so that its trials and new ones would not compare: "
            "begin a new run, or go on all the same with --force."
        )
    return changed


def _told(changed: list[str]) -> str:
    names = {"space": "another space", "corpus": "other music", "code": "other code"}
    return " and ".join(names[name] for name in changed)


def _of_space(space: Space) -> str:
    """What the space does, not how it is written: its budget, and what it suggests by chance."""
    told = [
        space.system,
        repr(space.budget),
        space.first_rung,
        space.objectives,
        [[known.source, dict(known.parameters)] for known in space.known],
        [[{name: repr(each) for name, each in asked.items()}, settings] for asked, settings in space.looks(_LOOKS)],
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _of_code() -> str:
    """All source files that decide what a trial comes to."""
    root, total = Path(__file__).parents[2], hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def _run(arguments: Namespace) -> Path:
    """The folder of the run that the options name."""
    results = whole_path(arguments.results or Path("results"), "--results")
    if arguments.resume:
        given = whole_path(Path(arguments.resume), "--resume")
        for folder in (given, results / arguments.resume):
            if _is_run(folder):
                return folder.resolve()
        raise UserError(_no_run(arguments.resume, results))
    if arguments.name is not None:
        named = results / str(arguments.name)
        if _is_run(named):
            return named
        raise UserError(_no_run(arguments.name, results))
    if arguments.space is None:
        raise UserError("--resume needs a run: name its folder (--resume results/RUN), or give its --space.")
    runs = [run for run in _runs(results) if _space_of_run(run) == arguments.space]
    if not runs:
        raise UserError(f"--resume: no run of the space {arguments.space!r} is in {shown(str(results))}.")
    return max(runs, key=lambda run: (run / PLAN_FILE).stat().st_mtime)


def _runs(results: Path) -> list[Path]:
    try:
        return [path for path in results.iterdir() if _is_run(path)]
    except OSError:
        return []


def _is_run(folder: Path) -> bool:
    try:
        return (folder / PLAN_FILE).is_file()
    except (OSError, ValueError):  # a name too long, or with a null byte
        return False


def _space_of_run(run: Path) -> str:
    try:
        return str(json.loads((run / PLAN_FILE).read_text(encoding="utf-8"))["space"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _no_run(name: str, results: Path) -> str:
    near = get_close_matches(Path(name).name, [run.name for run in _runs(results)], n=1)
    hint = f"did you mean {str(results / near[0])!r}?" if near else "name the folder of a search that was begun."
    return f"--resume: there is no run {shown(name)[:200]!r} (no {PLAN_FILE}): {hint}"


def _refuse_other(arguments: Namespace, before: Plan) -> None:
    """Refuse options that would make the run another search."""
    given: dict[str, Any] = {name: getattr(arguments, name) for name in _SETTLED}
    if not is_file_name(before.space):
        given["space"] = arguments.space  # a file may have moved: what it declares is compared
    given["pins"] = None if arguments.set is None else dict(arguments.set)
    for name, value in given.items():
        kept = getattr(before, name)
        if value is not None and value != kept:
            option = "--set" if name == "pins" else f"--{name}"
            told = ", ".join(map(str, kept)) if isinstance(kept, tuple | dict) else kept
            raise UserError(
                f"{option} cannot change when a run goes on (it was {told or 'not given'}): leave it out, or begin a "
                "new run."
            )
    if arguments.name is not None and arguments.name != before.name:
        raise UserError(f"--name is {arguments.name!r}, but the run that goes on is {before.name!r}: leave it out.")


def _changed(arguments: Namespace, before: Plan) -> Plan:
    changes = {name: getattr(arguments, name) for name in _OPEN if getattr(arguments, name) is not None}
    if is_file_name(before.space):
        # What a folder says that somebody made is no reason to run a file: it must be named by who resumes.
        if arguments.space is None or not is_file_name(arguments.space):
            raise UserError(f"The space of this run is a file: name it as well, --space {shown(before.space)}")
        changes["space"] = arguments.space
    if arguments.time_budget is not None:
        changes["time_budget"] = None if arguments.time_budget == float("inf") else float(arguments.time_budget)
    elif arguments.trials is not None:
        changes["time_budget"] = None  # who asks for a number of trials wants them all
    if arguments.protocol is not None:
        if arguments.protocol[: len(before.protocol)] != before.protocol:
            raise UserError(
                f"--protocol is {','.join(arguments.protocol)!r}, but a run that goes on can only add stages to "
                f"{','.join(before.protocol)}."
            )
        changes["protocol"] = arguments.protocol
    return replace(before, address=address_of(arguments), **changes)
