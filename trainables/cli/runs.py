"""Runs that are there: what was trained on which music, of a search or of a training without one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from data_prep import kinds
from data_prep.corpus import Corpus
from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.locate import resolve
from data_prep.pool import Progress, cores
from data_prep.store import ARRAYS_FILE
from data_prep.windows import WindowCorpus
from trainables.editions import split_options
from trainables.systems import described, system_of

WINNER: Final = "winner"
CHECKPOINT: Final = "checkpoint"

_FAULTS: Final = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What reading a damaged file may raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A trained system on disk."""

    trial: Path
    system: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    """Of the corpus, where its search varied them."""

    horizon: int
    """Bars of its full budget."""


def run_folder(name: Path) -> Path:
    """The folder of a run.

    Raises:
        UserError: no run is there, with the nearest name.
    """
    path = name.expanduser()
    try:
        if (path / "plan.json").is_file():
            return path.absolute()
        beside = [each.name for each in path.parent.iterdir() if (each / "plan.json").is_file()]
    except (OSError, ValueError, RuntimeError):
        beside = []
    near = get_close_matches(path.name, beside, n=1)
    hint = f"did you mean {str(path.parent / near[0])!r}?" if near else "name a folder that a run made, in results/."
    raise UserError(f"{shown(str(name)[:200])}: there is no run (no plan.json): {hint}")


def read_json(path: Path) -> Any:
    """What the file holds. UserError where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except _FAULTS as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> UserError:
    """What to say of a file that is missing or damaged."""
    return UserError(f"{shown(str(path))} cannot be read ({type(error).__name__}): is it a whole run?")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Whatever is wrong with the values of a file is a UserError that names it."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{shown(str(path))}: {error}") from error
    except _FAULTS as error:
        raise unreadable(path, error) from error


def find_trained(run: Path, trial: str | None) -> Trained:
    """A trial of a run: the one of that name, `winner`, or by default the winner of a search and the one of a training.

    Raises:
        UserError: there is none of that name, or its files are missing or damaged.
    """
    plan, folders = read_json(run / "plan.json"), _trials(run)
    names = [folder.name for folder in folders]
    if trial is None and len(names) == 1:
        trial = names[0]
    if trial in (None, WINNER):
        trial = _winner(run)
    if trial not in names:
        some = f"choose winner or one of: {', '.join(names[:20])}." if names else "no trial has begun."
        raise UserError(f"{shown(str(run))} has no trial {shown(str(trial))[:40]!r}: {some}")
    folder = run / "trials" / trial
    config = read_json(folder / "config.json")
    with reading(folder / "config.json"):
        settings, options = split_options(config["settings"])
    with reading(run / "plan.json"):
        system = system_of(plan["system"], settings)
        described(system, settings)
        horizon = int(plan["budget"]["bars"])
    if not (folder / CHECKPOINT).is_dir():
        raise UserError(
            f"{shown(str(folder))} has no checkpoint: it was not judged, or its run is still going on or was killed."
        )
    return Trained(trial=folder, system=system, settings=settings, options=options, horizon=horizon)


def _trials(run: Path) -> list[Path]:
    try:
        return sorted(path for path in (run / "trials").iterdir() if (path / "config.json").is_file())
    except OSError:
        return []


def _winner(run: Path) -> str:
    """Name of the best trial, by the leaderboard."""
    from reporting.leaderboard import rows_of, winner

    path = run / "leaderboard.json"
    lines = read_json(path)
    with reading(path):
        best = winner(rows_of(lines))
    if best is None:
        raise UserError(f"{shown(str(run))} has no winner, as no trial was judged: name one with --trial.")
    return best.name


def read_music(
    run: Path, progress: Progress | None = None, options: Mapping[str, Any] | None = None
) -> Corpus | WindowCorpus:
    """The music that a run was trained on, as it was then; of a search that varied its options, as these have it.

    Raises:
        UserError: it is no longer there, or is other music by now.
    """
    about = read_json(run / "provenance.json")
    plan = read_json(run / "plan.json")
    with reading(run / "provenance.json"):
        folder, digest = Path(about["corpus"]["folder"]), str(about["corpus"]["sha256"])
    if not (folder / ARRAYS_FILE).is_file():
        with reading(run / "plan.json"):
            data = str(plan["data"])
        folder = resolve(data, progress, jobs=cores())
    corpus = kinds.load(folder)
    if corpus.digest != digest:
        raise UserError(
            f"The music in {shown(str(folder))} is not what {shown(run.name)} was trained on: put that back, or train "
            "on this one."
        )
    if not options:
        return corpus
    with reading(run / "plan.json"):
        data = str(plan["data"])
    return kinds.load(resolve(data, progress, jobs=cores(), changes=options))
