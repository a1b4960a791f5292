"""Names that a user typed: what is said of those that nothing has, with the nearest one that something has."""

import shlex
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.formats.midi import SUFFIXES
from data_prep.source import find_by_suffix

_MOST_LOOKED_AT: Final = 10_000


def is_there(name: str) -> bool:
    """Whether a file or a folder has that name, be it one that may not be looked at."""
    try:
        Path(name).expanduser().stat()
    except PermissionError:
        return True  # told of where it is opened
    except (OSError, ValueError, RuntimeError):  # such as a name too long, or with a null byte
        return False
    return True


def check_there(name: str, what: str, known: Iterable[str] = ()) -> None:
    """UserError where no file and no folder has that name; `known` are other names that the user may have meant."""
    if not name:
        raise UserError(f"A {what} has a name, and this one is empty.")
    if not is_there(name):
        raise UserError(f"{shown(name)}: there is no such {what}{_nearest(Path(name), known)}")


def files_in(folder: Path) -> str:
    """What a user may type for the MIDI files in a folder; UserError where there are none."""
    found = find_by_suffix(folder, SUFFIXES)
    if not found.items:
        raise UserError(f"{shown(str(folder))}: a folder, and no MIDI file in it.")
    first = PurePosixPath(found.items[0].paths[0])
    return f"{shlex.quote(shown(str(folder / first.parent)))}/*{first.suffix}"


def _nearest(path: Path, known: Iterable[str]) -> str:
    others = list(known)
    try:
        beside = (other.name for other in islice(path.expanduser().parent.iterdir(), _MOST_LOOKED_AT))
        names = [name for name in beside if name != path.name]  # a link to nothing has that name
    except (OSError, ValueError, RuntimeError):
        names = []
    near = get_close_matches(path.name, [*others, *names], n=1)
    if not near:
        return "; see --help."
    return f"; did you mean {shown(near[0] if near[0] in others else str(path.parent / near[0]))!r}?"
