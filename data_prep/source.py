"""What a source of music is: where its songs are found, how one is read, which options it hears."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_prep.corpus import KIND, Corpus, Split
from data_prep.folder import find_files
from data_prep.options import Options
from data_prep.song import RawPiece, RawSong, SkippedFile
from data_prep.windows import WindowCorpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The files of one song, as paths relative to the folder given, and its split where the source lays that down."""

    paths: tuple[str, ...]
    split: Split | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All songs of a folder, in the order of their paths, and what cannot be one."""

    root: Path
    items: tuple[Item, ...]
    skipped: tuple[SkippedFile, ...] = ()


def find_by_suffix(path: Path | None, suffixes: tuple[str, ...]) -> Found:
    """Every file whose name ends so, in any case, as a song of its own."""
    root, paths, skipped = find_files(path or Path(), lambda name: name.lower().endswith(suffixes))
    return Found(root=root, items=tuple(Item(paths=(path,)) for path in paths), skipped=tuple(skipped))


Read = RawSong | RawPiece | SkippedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A kind of music.

    Attributes:
        name: what the user calls it.
        help: what it is, in a line.
        find: the songs in the folder or file that the user named; UserError where that is bad in itself.
        read: one song out of its files, a list because some files hold many. UserError: it is skipped, with the reason.
        assemble: all songs, sorted, to a corpus.
        hears: names of the `Options` that make a difference to it.
        defaults: options as they are unless the user says otherwise.
        versions: of what it reads with.
        takes_path: False for music that lies in an installed package.
        kind: of corpus that it makes, bars or windows.
    """

    name: str
    help: str
    find: Callable[[Path | None], Found]
    read: Callable[[Path, Item, Options], Sequence[Read]]
    assemble: Callable[..., Corpus | WindowCorpus]
    hears: tuple[str, ...]
    defaults: Options = field(default_factory=Options)
    versions: Callable[[], dict[str, str]] = dict
    takes_path: bool = True
    kind: str = KIND

    def choices(self, options: Options) -> dict[str, Any]:
        """The options that this source hears, as plain values."""
        return options.chosen(self.hears)
