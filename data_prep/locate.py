"""What a user may name as data: the built-in corpus, or a folder that holds a prepared one."""

from difflib import get_close_matches
from pathlib import Path
from typing import Final

from data_prep.builtin import Progress
from data_prep.cache import cached_builtin
from data_prep.corpus import ARRAYS_FILE
from data_prep.errors import UserError

BUILTIN: Final = "builtin"


def resolve(data: str, progress: Progress | None = None) -> Path:
    """Folder of the corpus that `data` names: `builtin` (prepared once, then cached) or an existing folder.

    UserError, naming the nearest valid choice, for anything else. `progress` hears of files read.
    """
    return cached_builtin(progress=progress) if data == BUILTIN else existing(data)


def existing(data: str) -> Path:
    """The folder that `data` names, if a corpus is in it; UserError, naming the nearest valid choice, if not."""
    folder = Path(data)
    try:
        folder = folder.expanduser()
        if (folder / ARRAYS_FILE).is_file():
            return folder.resolve()
        found = folder.is_dir()
    except (OSError, ValueError, RuntimeError):  # a name too long, or with a null byte
        found = False
    raise UserError(_no_such_data(data, folder, found))


def _no_such_data(data: str, folder: Path, found: bool) -> str:
    if found:
        return f"{data!r} has no {ARRAYS_FILE}; make one with: python -m data_prep builtin --out DIR"
    told = f"{data!r} is neither 'builtin' nor a folder with a corpus"
    parent = folder.parent
    if folder.name == ARRAYS_FILE and folder.is_file():
        return f"{told}; did you mean {str(parent)!r}?"
    siblings = list(parent.iterdir()) if "\0" not in data and parent.is_dir() else []
    names = [path.name for path in siblings if (path / ARRAYS_FILE).is_file()]
    near = get_close_matches(folder.name, [BUILTIN, *names], n=1, cutoff=0.6)
    if not near:
        return f"{told}; make one with: python -m data_prep builtin --out DIR"
    return f"{told}; did you mean {(BUILTIN if near[0] == BUILTIN else str(parent / near[0]))!r}?"
