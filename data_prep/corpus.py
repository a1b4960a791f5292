"""The corpus: every bar of every song, in arrays; the one thing that training and scoring read."""

from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep import store
from data_prep.check import check_arrays, check_songs
from data_prep.store import ARRAYS_FILE

KIND: Final = "bars"


class Split(IntEnum):
    """What a song is for. Songs with the same tune always share a split."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2
    PROMPTS = 3


DTYPES: Final = {
    "melody": "int8",
    "onset": "uint16",
    "chord": "int8",
    "first_chord": "int8",
    "prev": "int32",
    "song": "int32",
    "bar": "int32",
    "split": "int8",
}
"""The arrays of a corpus, by name, and what each is made of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corpus:
    """N bars of M songs, rows in song order.

    Attributes:
        melody: int8 (N, 16), MIDI pitch sounding in each sixteenth, -1 silence.
        onset: uint16 (N,), bit s set where a note starts in step s.
        chord: int8 (N, 4), chord class on each beat (`data_prep.chords`).
        first_chord: int8 (N,), the bar's one chord: on beat 1, else the first that begins inside the bar.
        prev: int32 (N,), row of the bar directly before in the same song; -1 where there is none.
        song: int32 (N,), row in the song table.
        bar: int32 (N,), index of the bar in its source file; bars that were dropped leave gaps.
        split: int8 (M,), a `Split` for every song.
        about: `corpus.json`: the song table, options, counts, input hashes, versions.
    """

    melody: NDArray[np.int8]
    onset: NDArray[np.uint16]
    chord: NDArray[np.int8]
    first_chord: NDArray[np.int8]
    prev: NDArray[np.int32]
    song: NDArray[np.int32]
    bar: NDArray[np.int32]
    split: NDArray[np.int8]
    about: dict[str, Any]

    @property
    def num_bars(self) -> int:
        """N."""
        return len(self.melody)

    @property
    def num_songs(self) -> int:
        """M."""
        return len(self.split)

    @property
    def told(self) -> str:
        """Its size in words."""
        return f"{self.num_bars:,} bars of {self.num_songs} songs"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all arrays: two corpora with one digest hold the same music in the same splits."""
        return store.digest(self.arrays())

    def bare(self) -> "Corpus":
        """The same bars without `about`: to a trial the table of songs is nothing but tens of megabytes."""
        return replace(self, about={})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The eight arrays by name."""
        return {name: getattr(self, name) for name in DTYPES}

    def rows(self, split: Split) -> NDArray[np.int64]:
        """Rows of the bars of one split, ascending."""
        return np.flatnonzero(self.split[self.song] == split)

    def phrases(self, split: Split, length: int = 8) -> NDArray[np.int32]:
        """Every run of `length` directly consecutive bars of one split, int32 rows (P, length), overlapping."""
        if length < 1:
            raise ValueError(f"A phrase has at least 1 bar, not {length}.")
        row = np.arange(self.num_bars)
        run_start = np.maximum.accumulate(np.where(self.prev < 0, row, 0))
        last = row[(row - run_start >= length - 1) & (self.split[self.song] == split)]
        rows: NDArray[np.int32] = (last[:, None] + np.arange(1 - length, 1)).astype(np.int32)
        return rows


def save(corpus: Corpus, folder: Path) -> None:
    """Write `corpus.npz` and `corpus.json` into `folder`, byte for byte the same for the same corpus."""
    store.write(folder, corpus.arrays(), {**corpus.about, "kind": KIND})


def load(folder: Path) -> Corpus:
    """The corpus in `folder`. UserError, naming what is wrong, for anything but a sound corpus of bars."""
    arrays, about = store.read(folder, KIND, DTYPES)
    check_arrays(arrays, str(folder / ARRAYS_FILE))
    check_songs(about, arrays["split"], arrays["song"], str(folder / store.ABOUT_FILE))
    return Corpus(about=about, **arrays)
