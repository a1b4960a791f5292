"""A user's folder of music, looked at with care: no path leaves it, no link loops, nothing but regular files."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from data_prep.errors import UserError
from data_prep.files import read_regular
from data_prep.song import SkippedFile

MAX_FILES: Final = 1_000_000
_MAX_BYTES: Final = 64 * 2**20
"""Larger than any file that a source reads."""
LEADS_OUT: Final = "a link that leads out of the folder"


def shown(text: str) -> str:
    """A name from outside as one printable line: control characters and undecodable bytes as escapes."""
    if text.isprintable():
        return text
    printable = (
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text.encode("utf-8", "backslashreplace").decode("utf-8")
    )
    return "".join(printable)


def root_of(path: Path) -> Path:
    """The folder given, or the one that holds the file given. UserError where there is neither."""
    try:
        path = path.expanduser()
        mode = path.stat().st_mode
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{shown(str(path))}: cannot be read ({reason}); name a folder of music or a file.") from error
    if stat.S_ISDIR(mode):
        return path.resolve()
    if stat.S_ISREG(mode):
        return path.resolve().parent
    raise UserError(f"{shown(str(path))}: neither a folder nor a regular file; name a folder of music or a file.")


def find_files(path: Path, wanted: Callable[[str], bool]) -> tuple[Path, list[str], list[SkippedFile]]:
    """The files under `path` (or `path` itself) whose name is wanted.

    Returns:
        The root, the paths of the files relative to it with forward slashes, sorted, and what was skipped on the way.
    """
    root = root_of(path)
    skipped: list[SkippedFile] = []
    if path.expanduser().is_file():
        return root, [path.expanduser().resolve().name] if wanted(path.name) else [], skipped
    found = []
    for relative, plain in _walk(root, skipped):
        if not wanted(relative.rpartition("/")[2]):
            continue
        fault = "" if plain else _fault(root, relative)
        if fault:
            skipped.append(SkippedFile(path=shown(relative), reason=fault))
            continue
        found.append(relative)
        if len(found) > MAX_FILES:
            raise UserError(f"{shown(str(path))}: over {MAX_FILES:,} files; name a smaller folder.")
    return root, sorted(found), sorted(skipped, key=lambda item: item.path)


def read_inside(root: Path, relative: str, most: int) -> bytes:
    """The bytes of a regular file of at most `most` of them that lies under `root`; UserError for anything else."""
    _check_inside(root, relative)
    return read_regular(root / relative, most)


def digest_inside(root: Path, relative: str) -> str:
    """SHA-256 (hex) of such a file; of one larger than any that is read, its size says enough."""
    _check_inside(root, relative)
    path = root / relative
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})") from error
    return f"{size} bytes" if size > _MAX_BYTES else hashlib.sha256(read_regular(path, _MAX_BYTES)).hexdigest()


def _check_inside(root: Path, relative: str) -> None:
    try:
        inside = _inside(root, relative)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not inside:
        raise UserError(LEADS_OUT)


def _walk(root: Path, skipped: list[SkippedFile]) -> Iterator[tuple[str, bool]]:
    """Every path below that does not begin with a dot, and whether it is a regular file and no link to one.

    A folder is entered once, however many links lead there.
    """
    info = root.stat()
    entered, waiting = {(info.st_dev, info.st_ino)}, [""]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(root / place) as entries:
                names = sorted((entry.name, _kind(entry)) for entry in entries)
        except OSError as error:
            skipped.append(_unreadable(place, error))
            continue
        for name, kind in names:
            if name.startswith("."):
                continue
            relative = f"{place}/{name}" if place else name
            if kind == stat.S_IFREG:
                yield relative, True
                continue
            try:
                info = (root / relative).stat()
            except OSError as error:
                if kind == stat.S_IFDIR:
                    skipped.append(_unreadable(relative, error))
                else:
                    yield relative, False  # such as a link to nowhere: told of if it is wanted
                continue
            if not stat.S_ISDIR(info.st_mode):
                yield relative, False
            elif (info.st_dev, info.st_ino) in entered:
                continue
            elif _inside(root, relative):
                entered.add((info.st_dev, info.st_ino))
                waiting.append(relative)
            else:
                skipped.append(SkippedFile(path=shown(relative), reason=LEADS_OUT))


def _kind(entry: "os.DirEntry[str]") -> int:
    """Whether it is a file or a folder itself (stat.S_IFREG, stat.S_IFDIR), or something else, such as a link."""
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    return stat.S_IFDIR if entry.is_dir(follow_symlinks=False) else 0


def _unreadable(place: str, error: OSError) -> SkippedFile:
    return SkippedFile(path=shown(place) or ".", reason=f"a folder that cannot be read ({error.strerror})")


def _fault(root: Path, relative: str) -> str:
    try:
        mode = (root / relative).stat().st_mode
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if not _inside(root, relative):
        return LEADS_OUT
    return "" if stat.S_ISREG(mode) else "not a regular file"


def _inside(root: Path, relative: str) -> bool:
    path = os.path.realpath(os.path.join(root, relative))  # noqa: PTH118 -- half the time of pathlib's, for every file
    return path == str(root) or path.startswith(f"{str(root).rstrip(os.sep)}{os.sep}")
