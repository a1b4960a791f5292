"""A set of phrases that is never more than a bounded number of them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scores.phrases import spread

NUM_BARS: Final = 8
"""Bars in a phrase."""
MAX_PHRASES: Final = 1_024
"""Phrases taken of a set, spread evenly over all there are."""


class Thinned:
    """Phrases spread evenly over all that are added; of the more there are, only every 2nd, 4th, 8th is kept."""

    def __init__(self) -> None:
        self._rolls: list[NDArray[np.bool_]] = []
        self._chords: list[NDArray[np.int8]] = []
        self._songs: list[int] = []
        self._seen, self._every = 0, 1

    def add(self, roll: NDArray[np.bool_], chord: NDArray[np.int8], song: int) -> None:
        """One phrase, (8, 16, 128) over (8,), of the song of that number."""
        if self._seen % self._every == 0:
            self._rolls.append(roll.copy())  # a view would keep the whole song in memory
            self._chords.append(chord)
            self._songs.append(song)
        self._seen += 1
        if len(self._rolls) == 2 * MAX_PHRASES:
            self._every *= 2
            self._rolls, self._chords, self._songs = self._rolls[::2], self._chords[::2], self._songs[::2]

    def arrays(self) -> tuple[NDArray[np.bool_], NDArray[np.int8], NDArray[np.int32]]:
        """At most 1,024 of them, (M, 8, 16, 128) and (M, 8), and the numbers of their songs (M,)."""
        places = spread(len(self._rolls), MAX_PHRASES)
        roll = np.empty((len(places), NUM_BARS, 16, 128), np.bool_)
        chord = np.empty((len(places), NUM_BARS), np.int8)
        for row, place in enumerate(places):
            roll[row], chord[row] = self._rolls[place], self._chords[place]
        return roll, chord, np.array(self._songs, np.int32)[places]
