"""The key of a song, estimated from how long each pitch class sounds."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep import chords

_MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""How well each degree fits a key, by listeners (Krumhansl & Kessler 1982, Psychological Review 89)."""


def estimate_key(melody: NDArray[np.int8], chord: NDArray[np.int8]) -> int:
    """Class of the tonic triad (0-11 major, 12-23 minor; 24: nothing sounds) of a song's bars.

    Args:
        melody: (n, 16) pitches, -1 silence.
        chord: (n, 4) chord on each beat; each tone of a triad counts as much as a sixteenth of melody.
    """
    heard = np.bincount(melody[melody >= 0] % 12, minlength=12) + chords.TRIADS[chord].sum(axis=(0, 1))
    if not heard.any():
        return chords.NO_CHORD
    return int(np.argmax(_PROFILES @ (heard - heard.mean())))


def _profiles() -> NDArray[np.float64]:
    rows = np.array([np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)])
    centred = rows - rows.mean(axis=1, keepdims=True)
    normed: NDArray[np.float64] = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return normed


_PROFILES: Final = _profiles()
