"""Phrases of eight bars: what is generated, what it is compared with, and what it goes on from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import piano_roll

Music = NDArray[np.integer[Any]]
"""Either kind of music: int8 (..., 16) MIDI pitches, -1 rest, or uint8 (..., 16, 128) velocities, 0 silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """Phrases of eight bars of sixteen steps."""

    music: Music
    """(M, 8, 16) int8 MIDI pitches, -1 rest; of piano music (M, 8, 16, 128) uint8 velocities, 0 silence."""
    chord: NDArray[np.int8]
    """(M, 8) chord class of each bar."""
    beats: NDArray[np.int8]
    """(M, 8, 4) chord class on each beat."""
    song: NDArray[np.int32] | None = None
    """(M,) number of the song that each is of, where they are real."""

    def __len__(self) -> int:
        return len(self.music)

    @property
    def first_bar(self) -> Music:
        """What systems go on from, (M, 16) or (M, 16, 128)."""
        return self.music[:, 0]

    @property
    def roll(self) -> NDArray[np.bool_]:
        """The music as piano rolls (M, 8, 16, 128)."""
        return as_roll(self.music)

    def spread(self, most: int) -> "Phrases":
        """At most `most` of them, spread evenly."""
        rows = spread(len(self), most)
        return Phrases(
            music=self.music[rows],
            chord=self.chord[rows],
            beats=self.beats[rows],
            song=None if self.song is None else self.song[rows],
        )


def as_roll(music: Music) -> NDArray[np.bool_]:
    """Phrases (M, B, 16) of pitches or (M, B, 16, 128) of velocities as piano rolls, bool (M, B, 16, 128).

    Raises:
        ValueError: on another number of axes.
    """
    if music.ndim == 4:
        return music > 0
    if music.ndim != 3:
        raise ValueError(f"Phrases are (M, B, 16) pitches or (M, B, 16, 128) velocities, not {music.shape}.")
    return piano_roll(music.astype(np.int8, copy=False))


def spread(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` of the rows 0 to count - 1, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
