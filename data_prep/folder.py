"""A user's folder of music, looked at with care: no path leaves it, no link loops, nothing but regular files."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from data_prep.errors import UserError
from data_prep.files import read_limited
from data_prep.song import SkippedFile

MAX_FILES: Final = 1_000_000
LEADS_OUT: Final = "a link that leads out of the folder"


def shown(text: str) -> str:
    """A name from outside as one printable line: control characters and undecodable bytes as escapes."""
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
        return root, [path.expanduser().resolve().name], skipped
    found = []
    for relative in _walk(root, skipped):
        if not wanted(relative.rpartition("/")[2]):
            continue
        fault = _fault(root, relative)
        if fault:
            skipped.append(SkippedFile(path=shown(relative), reason=fault))
            continue
        found.append(relative)
        if len(found) > MAX_FILES:
            raise UserError(f"{shown(str(path))}: over {MAX_FILES:,} files; name a smaller folder.")
    return root, sorted(found), sorted(skipped, key=lambda item: item.path)


def read_inside(root: Path, relative: str, most: int) -> bytes:
    """The bytes of a regular file of at most `most` of them that lies under `root`; UserError for anything else."""
    fault = _fault(root, relative)
    if fault:
        raise UserError(fault)
    return read_limited(root / relative, most)


def _walk(root: Path, skipped: list[SkippedFile]) -> Iterator[str]:
    """Every path below that does not begin with a dot. A folder is entered once, however many links lead there."""
    info = root.stat()
    entered, waiting = {(info.st_dev, info.st_ino)}, [""]
    while waiting:
        place = waiting.pop()
        try:
            names = sorted(os.listdir(root / place))  # noqa: PTH208 -- names alone, and sorted, are what is needed
        except OSError as error:
            reason = f"a folder that cannot be read ({error.strerror})"
            skipped.append(SkippedFile(path=shown(place) or ".", reason=reason))
            continue
        for name in names:
            if name.startswith("."):
                continue
            relative = f"{place}/{name}" if place else name
            try:
                info = (root / relative).stat()
            except OSError:
                yield relative  # a link to nowhere: told of if it is wanted
                continue
            if not stat.S_ISDIR(info.st_mode):
                yield relative
            elif (info.st_dev, info.st_ino) not in entered:
                entered.add((info.st_dev, info.st_ino))
                if _inside(root, relative):
                    waiting.append(relative)
                else:
                    skipped.append(SkippedFile(path=shown(relative), reason=LEADS_OUT))


def _fault(root: Path, relative: str) -> str:
    try:
        mode = (root / relative).stat().st_mode
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if not _inside(root, relative):
        return LEADS_OUT
    return "" if stat.S_ISREG(mode) else "not a regular file"


def _inside(root: Path, relative: str) -> bool:
    return (root / relative).resolve().is_relative_to(root)
