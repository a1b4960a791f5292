"""Notes to chords: the best triad or seventh for what sounds on each beat, reduced to major, minor or none."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD

_SHAPES: Final = (
    # Semitones above the root, and the third's verdict: 0 major, 12 minor, None no chord of the codec.
    ((0, 4, 7), 0),
    ((0, 3, 7), 12),
    ((0, 3, 6), 12),
    ((0, 4, 8), 0),
    ((0, 4, 7, 10), 0),
    ((0, 4, 7, 11), 0),
    ((0, 3, 7, 10), 12),
    ((0, 3, 6, 10), 12),
    ((0, 3, 6, 9), 12),
    ((0, 5, 7), None),
)
BASS_BONUS: Final = 0.1
"""Added to the likeness (a cosine, 0-1) of a chord whose root is the lowest note."""


def beat_chords(notes: NDArray[np.int64], beats: NDArray[np.int64], length: int) -> NDArray[np.int8]:
    """Chord class of each beat, int8 (B,).

    Args:
        notes: (K, 3) start, end (ticks) and MIDI pitch of every note of every part.
        beats: (B,) first tick of each beat.
        length: ticks in a beat.
    """
    if not len(notes) or not len(beats):
        return np.full(len(beats), NO_CHORD, np.int8)
    start, end, pitch = notes.T
    latest_start = np.maximum(start, beats[:, None])
    sounding = np.maximum(np.minimum(end, beats[:, None] + length) - latest_start, 0)
    weights = sounding @ np.eye(12)[pitch % 12]
    bass = np.where(sounding > 0, pitch, 128).min(axis=1) % 12
    return best_chords(weights, bass)


def best_chords(weights: NDArray[np.floating], bass: NDArray[np.int64]) -> NDArray[np.int8]:
    """Chord classes, int8 (B,), of pitch-class durations (B, 12) over bass pitch classes (B,).

    A suspended fourth, or silence, is no chord. Equal likeness goes to the simpler shape, then lower root.
    """
    norm = np.linalg.norm(weights, axis=1, keepdims=True)
    likeness = weights / np.where(norm > 0, norm, 1) @ _TEMPLATES.T
    likeness += BASS_BONUS * (bass[:, None] == _ROOTS)
    # Rounded, so that which of two equal chords wins does not hang on the order of a sum.
    best = _CLASSES[np.argmax(likeness.round(9), axis=1)]
    return np.where(norm[:, 0] > 0, best, NO_CHORD).astype(np.int8)


def first_chords(chord: NDArray[np.int8]) -> NDArray[np.int8]:
    """The bar's one chord, int8 (N,): on beat 1, else the first that begins later in the bar, else none."""
    known = chord != NO_CHORD
    first = np.take_along_axis(chord, known.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(known.any(axis=1), first, NO_CHORD).astype(np.int8)


def _template_rows() -> NDArray[np.float64]:
    rows = np.zeros((len(_SHAPES) * 12, 12))
    for row, (tones, root) in enumerate((tones, root) for tones, _ in _SHAPES for root in range(12)):
        rows[row, [(root + tone) % 12 for tone in tones]] = len(tones) ** -0.5
    return rows


_TEMPLATES: Final = _template_rows()
_ROOTS: Final = np.tile(np.arange(12), len(_SHAPES))
_CLASSES: Final = np.array(
    [NO_CHORD if third is None else root + third for _, third in _SHAPES for root in range(12)], np.int8
)
