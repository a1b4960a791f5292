"""The one chord codec: 25 classes, 0-11 major triads by root, 12-23 minor triads by root, 24 no chord."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

NUM_CHORDS: Final = 25
NO_CHORD: Final = 24
PITCH_CLASS_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def encode(root: int, *, minor: bool) -> int:
    """Class of the triad on `root` (a pitch class, 0-11)."""
    if not 0 <= root < 12:
        raise ValueError(f"A chord root is a pitch class from 0 to 11, not {root}.")
    return root + 12 * minor


def name(chord: int) -> str:
    """Readable name: `Eb`, `Am`; `-` for no chord."""
    if chord == NO_CHORD:
        return "-"
    return PITCH_CLASS_NAMES[chord % 12] + ("m" if chord >= 12 else "")


def pitch_classes(chord: int) -> tuple[int, ...]:
    """Root, third and fifth of the triad as pitch classes; empty for no chord."""
    if chord == NO_CHORD:
        return ()
    root, third = chord % 12, 3 if chord >= 12 else 4
    return root, (root + third) % 12, (root + 7) % 12


def transpose(chord: NDArray[np.int8], shift: int | NDArray[np.integer]) -> NDArray[np.int8]:
    """Chord classes moved by `shift` semitones (broadcast); no chord stays no chord."""
    moved = (chord % 12 + shift) % 12 + chord // 12 * 12
    return np.where(chord == NO_CHORD, NO_CHORD, moved).astype(np.int8)


def _code_table() -> NDArray[np.float32]:
    table = np.zeros((NUM_CHORDS, 13), np.float32)
    for chord in range(NO_CHORD):
        table[chord, chord % 12] = 1
        table[chord, 12] = chord >= 12
    return table


def _triad_table() -> NDArray[np.bool_]:
    table = np.zeros((NUM_CHORDS, 12), np.bool_)
    for chord in range(NUM_CHORDS):
        table[chord, list(pitch_classes(chord))] = True
    return table


CODE: Final = _code_table()
"""float32 (25, 13): the paper's chord vector (§4.2), one-hot root and a minor flag; zeros for no chord."""

TRIADS: Final = _triad_table()
"""bool (25, 12): pitch classes of each triad; all False for no chord."""
