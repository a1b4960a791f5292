"""Real phrases out of a corpus: what generated ones are compared with, and begin with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import piano_roll
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases of eight bars."""

    melody: NDArray[np.int8]
    """(M, 8, 16) MIDI pitches, -1 rest."""
    chord: NDArray[np.int8]
    """(M, 8) chord class of each bar."""
    song: NDArray[np.int32] | None = None
    """(M,) number of the song that each is of, where they are real."""

    def __len__(self) -> int:
        return len(self.melody)

    @property
    def roll(self) -> NDArray[np.bool_]:
        """The melody as piano rolls (M, 8, 16, 128)."""
        return piano_roll(self.melody)

    def spread(self, most: int) -> "Phrases":
        """At most `most` of them, spread evenly."""
        rows = spread(len(self), most)
        return Phrases(self.melody[rows], self.chord[rows], None if self.song is None else self.song[rows])


def spread(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` of the rows 0 to count - 1, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def phrases(corpus: Corpus, split: Split, most: int, *, least: int = 2) -> Phrases:
    """At most `most` real eight-bar phrases of a split, spread evenly over its songs.

    Raises:
        UserError: fewer than `least`; with fewer than two, nothing can be compared.
    """
    rows = corpus.phrases(split)
    if len(rows) < least:
        raise UserError(
            f"The corpus has {len(rows)} eight-bar phrases in its {split.name.lower()} songs, but at least {least} "
            "are needed: prepare it from more songs."
        )
    rows = rows[spread(len(rows), most)]
    return Phrases(melody=corpus.melody[rows], chord=corpus.first_chord[rows], song=corpus.song[rows[:, 0]])
