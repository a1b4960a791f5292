"""The folder that a run is to have, of a search or of a training: looked at before any long work."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from data_prep.errors import UserError
from data_prep.folder import shown

_LONGEST_NAME: Final = 100


def check_name(name: str) -> None:
    """Refuse what is no plain name of a folder.

    Raises:
        UserError: it is empty, hidden, a path, too long, or has letters that cannot be shown.
    """
    plain = name == Path(name).name and not name.startswith(".") and name.isprintable()
    if not plain or not 0 < len(os.fsencode(name)) <= _LONGEST_NAME:
        rule = f"a plain folder name of at most {_LONGEST_NAME} bytes, such as my-first-run"
        raise UserError(f"--name is {shown(name[:80])!r}, but must be {rule}.")


def whole_path(path: Path, option: str) -> Path:
    """The path from the root, links followed.

    Raises:
        UserError: it cannot be told, as the option that gave it names no user or is too long.
    """
    try:
        return path.expanduser().resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{option} is {shown(str(path)[:200])!r}, but cannot be used: {error}.") from error


def free_name(results: Path, start: str) -> str:
    """`start` and the time, and a number if two runs begin within one second."""
    name = f"{start}-{datetime.now():%Y%m%d-%H%M%S}"
    tries = (name, *(f"{name}-{number}" for number in range(2, 100)))
    return next((each for each in tries if not os.path.lexists(results / each)), name)


def new_folder(results: Path, name: str) -> Path:
    """The absolute path of a run that is to be made.

    Raises:
        UserError: no name of a folder, a run that is there already, or a place where none can be made.
    """
    check_name(name)
    try:
        run = results.expanduser().absolute() / name
        if os.path.lexists(run):
            raise UserError(f"{shown(str(run))} is there already: choose another --name.")
        nearest = next(path for path in run.parents if path.exists())
    except UserError:
        raise
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a folder that may not be looked into
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"--results is {shown(str(results)[:200])!r}, but cannot be used: {reason}.") from error
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(
            f"--results is {shown(str(results))!r}, but {shown(str(nearest))} is no folder that can be written to."
        )
    return run
