"""What a user may name as data: a source of music, a source and a folder of it, or a prepared corpus."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from data_prep.assemble import NO_MUSIC
from data_prep.cache import cached
from data_prep.corpus import KIND
from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.pool import Progress
from data_prep.sources import SOURCES
from data_prep.store import ARRAYS_FILE, other_kind, read_about

BUILTIN: Final = "builtin"


def resolve(
    data: str, progress: Progress | None = None, *, jobs: int = 1, changes: Mapping[str, Any] | None = None
) -> Path:
    """Folder of the corpus that `data` names: `builtin`, `SOURCE:PATH` (prepared once, then cached) or `DIR`.

    `changes` are options (`data_prep.options.Options`) other than the source's own, which a corpus that is prepared
    already cannot have. UserError, naming the nearest valid choice, for anything else. `progress` hears of files read.
    """
    source, path = _source_and_path(data)
    _check_changes(data, source, changes or {})
    if source is None:
        return existing(data)
    options = replace(SOURCES[source].defaults, **(changes or {}))
    return cached(SOURCES[source], path, options, jobs=jobs, progress=progress)


def check(data: str, kinds: Collection[str] = (KIND,), changes: Collection[str] = ()) -> None:
    """UserError where `data` names nothing of these kinds that could be prepared or read; nothing is prepared.

    The same where an option named in `changes` cannot be other than it is.
    """
    source, path = _source_and_path(data)
    _check_changes(data, source, changes)
    found = str(read_about(existing(data)).get("kind")) if source is None else SOURCES[source].kind
    if found not in kinds:
        raise UserError(f"{shown(data)!r}: {other_kind(found, *kinds)}")
    if source and path and not SOURCES[source].find(path).items:
        raise UserError(f"{shown(data)!r}: {NO_MUSIC}")


def _check_changes(data: str, source: str | None, changes: Collection[str]) -> None:
    told = ", ".join(changes)
    if changes and source is None:
        existing(data)
        raise UserError(
            f"{shown(data)!r} is a prepared corpus, but {told} must be varied: name the music that it was made of, as "
            "SOURCE:PATH."
        )
    for name in changes:
        if source is not None and name not in SOURCES[source].hears:
            able = ", ".join(other for other in SOURCES if name in SOURCES[other].hears)
            raise UserError(f"{shown(data)!r}: {source} has no option {name}, which must be varied; these do: {able}.")


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


def _source_and_path(data: str) -> tuple[str | None, Path | None]:
    """The source and the folder that `data` names, or none: then it is a corpus."""
    if data in SOURCES and not (Path(data) / ARRAYS_FILE).is_file():
        if SOURCES[data].takes_path:
            raise UserError(f"{data!r} needs a folder of such music: {data}:PATH")
        return data, None
    source, colon, path = data.partition(":")
    if not colon or source not in SOURCES:
        return None, None
    if not SOURCES[source].takes_path:
        raise UserError(f"{shown(data)!r}: {source!r} is installed music and takes no folder; write {source}")
    if not path:
        raise UserError(f"{data!r} needs a folder of such music: {data}PATH")
    return source, Path(path)


def _no_such_data(data: str, folder: Path, found: bool) -> str:
    if found:
        return (
            f"{data!r} has no {ARRAYS_FILE}; is it music? Write SOURCE:{data} ({_folders()}), or make a corpus: "
            "python -m data_prep SOURCE PATH --out DIR"
        )
    source, colon, _ = data.partition(":")
    near = get_close_matches(source, SOURCES, n=1)
    if colon and source and "/" not in source:
        return f"There is no source {shown(source)!r}: " + (f"did you mean {near[0]!r}?" if near else _folders())
    told = f"{data!r} is neither a source ({', '.join(SOURCES)}) nor a folder with a corpus"
    if folder.name == ARRAYS_FILE and _has_corpus(folder.parent):
        return f"{told}; did you mean {str(folder.parent)!r}?"
    near = near or get_close_matches(folder.name, _corpora_in(folder.parent), n=1, cutoff=0.6)
    if not near:
        return f"{told}; make one with: python -m data_prep SOURCE PATH --out DIR"
    return f"{told}; did you mean {(near[0] if near[0] in SOURCES else str(folder.parent / near[0]))!r}?"


def _corpora_in(folder: Path) -> list[str]:
    """Names of the folders with a corpus; none where it cannot be looked at."""
    try:
        return [path.name for path in folder.iterdir() if _has_corpus(path)]
    except (OSError, ValueError):
        return []


def _has_corpus(folder: Path) -> bool:
    try:
        return (folder / ARRAYS_FILE).is_file()
    except (OSError, ValueError):
        return False


def _folders() -> str:
    return "one of " + ", ".join(f"{name}:" for name, source in SOURCES.items() if source.takes_path)
