"""From a named source, a folder and options to a corpus: the one place where finding, reading and assembling meet."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from data_prep.assemble import NO_MUSIC
from data_prep.corpus import Corpus
from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.options import Options
from data_prep.pool import Progress, read_all
from data_prep.song import SkippedFile
from data_prep.source import Found, Item, Read, Source
from data_prep.sources import SOURCES
from data_prep.windows import WindowCorpus


def prepare(
    source: Source,
    path: Path | None = None,
    options: Options | None = None,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Corpus | WindowCorpus:
    """The corpus of the music at `path`; the same for any number of processes.

    UserError where the path is bad or nothing in it is usable; single bad files are skipped and listed.
    """
    found = source.find(path)
    if not found.items and not found.skipped:
        raise UserError(f"{shown(str(path))}: {NO_MUSIC}")
    return prepare_found(source, found, options or source.defaults, jobs=jobs, progress=progress)


def prepare_found(
    source: Source, found: Found, options: Options, *, jobs: int = 1, progress: Progress | None = None
) -> Corpus | WindowCorpus:
    """The corpus of these songs."""
    read = read_all(partial(read_item, source.name, found.root, options), found.items, jobs, progress)
    songs: list[Read] = [*found.skipped, *(song for songs in read for song in songs)]
    return source.assemble(songs, options, source=source.name, hears=source.hears, versions=source.versions())


def read_item(source: str, root: Path, options: Options, item: Item) -> Sequence[Read]:
    """The songs of one item, or why there are none."""
    try:
        return SOURCES[source].read(root, item, options)
    except UserError as error:
        reason = str(error)
    except Exception as error:  # whatever one file does to its reader, the others must not be lost
        reason = f"its reader failed ({type(error).__name__}: {error})"
    return [SkippedFile(path=shown(item.paths[0]), reason=shown(reason)[:300])]
