"""A corpus on disk, of whatever kind: arrays in `corpus.npz`, and `corpus.json` that says what they are."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep.errors import UserError
from data_prep.files import pack_npz, read_limited, unpack_npz, write_atomic

FORMAT: Final = 2
"""Version of the stored form; raised whenever the same inputs would give other bytes."""
ARRAYS_FILE: Final = "corpus.npz"
ABOUT_FILE: Final = "corpus.json"


def write(folder: Path, arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
    """Write both files, byte for byte the same for the same corpus.

    Each file appears whole or not at all, and the second names the first's digest: however this is
    interrupted, `read` never takes half a corpus for one.
    """
    about = {**about, "format": FORMAT, "digest": digest(arrays)}
    text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / ARRAYS_FILE, pack_npz(arrays))
        # A name may hold bytes that are no UTF-8: written so, they are escapes of JSON.
        write_atomic(folder / ABOUT_FILE, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}); choose another folder.") from error


def check_can_write(folder: Path) -> None:
    """UserError where no corpus could be written, to be asked before long work."""
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if _is_there(path))
    except (OSError, ValueError) as error:  # a name too long, or with a null byte
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{folder}: cannot be written ({reason}); choose another folder.") from error
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"{folder}: cannot be written ({nearest} is no folder to write to); choose another folder.")


def _is_there(path: Path) -> bool:
    """Whether anything lies at the path, and be it a link to nowhere."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def read_about(folder: Path) -> dict[str, Any]:
    """What `corpus.json` says, UserError unless it is of this format."""
    path = folder / ABOUT_FILE
    try:
        about = json.loads(read_limited(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path}: not sound JSON ({error}); prepare the corpus again.") from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise UserError(f"{path}: it is not of format {FORMAT}; prepare the corpus again.")
    return about


def read(folder: Path, kind: str, dtypes: dict[str, str]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and `corpus.json` of a corpus of this kind, whole and belonging together; UserError for any other."""
    about = read_about(folder)
    if about.get("kind") != kind:
        raise UserError(f"{folder}: {other_kind(str(about.get('kind')), kind)}")
    arrays = unpack_npz(folder / ARRAYS_FILE, dtypes)
    if about.get("digest") != digest(arrays):
        raise UserError(f"{folder}: {ABOUT_FILE} belongs to another {ARRAYS_FILE}; prepare the corpus again.")
    return arrays, about


def other_kind(found: str, *wanted: str) -> str:
    """What to say of a corpus of one kind where others are wanted."""
    known = {"bars": "bars with chords", "windows": "windows of piano music"}
    told, needed = known.get(found, repr(found[:40])), " or ".join(known[kind] for kind in wanted)
    return f"it holds {told}, but this needs {needed}; choose music of another source (python -m data_prep --help)."


def digest(arrays: dict[str, NDArray[Any]]) -> str:
    """SHA-256 (hex) over names, dtypes, shapes and bytes."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.tobytes())
    return total.hexdigest()
