"""What every reader of a source yields: raw songs, before anything is filtered, filled or split."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The n readable 4/4 bars of one file, in order, rests as they are.

    `bar` int32 (n,) is the index in the file; `melody`, `onset`, `chord`, `first_chord` are as in a Corpus.
    `unreadable` counts the bars left out by reason, and `sha256` names the file's bytes.
    """

    path: str
    sha256: str
    bar: NDArray[np.int32]
    melody: NDArray[np.int8]
    onset: NDArray[np.uint16]
    chord: NDArray[np.int8]
    first_chord: NDArray[np.int8]
    unreadable: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSong:
    """A song: sections that must stay together in one split."""

    id: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A file that gave no song, and why."""

    path: str
    reason: str
