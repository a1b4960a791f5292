"""What every reader of a source yields: raw songs, before anything is filtered, filled or split."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The n readable 4/4 bars of one file, in order, rests as they are.

    `bar` int32 (n,) is the index in the file; `melody`, `onset`, `chord`, `first_chord` are as in a Corpus.
    `inputs` gives the SHA-256 of every file read for it, `unreadable` counts the bars left out by reason and
    `remarks` whatever else a user should know of, by what it is.
    """

    path: str
    inputs: Mapping[str, str]
    bar: NDArray[np.int32]
    melody: NDArray[np.int8]
    onset: NDArray[np.uint16]
    chord: NDArray[np.int8]
    first_chord: NDArray[np.int8]
    unreadable: Mapping[str, int] = field(default_factory=dict)
    remarks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSong:
    """A song: sections that must stay together in one split. `doubt` says what may be wrong with it, if anything."""

    id: str
    sections: tuple[Section, ...]
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A file that gave no song, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPiece:
    """A piece of piano music without bars.

    `notes` int32 (K, 4) first step, step after the last, MIDI pitch and velocity (1-127), in order of start, then
    pitch; `split` where the source lays one down. `inputs` and `remarks` as in a Section.
    """

    id: str
    path: str
    inputs: Mapping[str, str]
    notes: NDArray[np.int32]
    split: int | None = None
    remarks: Mapping[str, int] = field(default_factory=dict)
