"""Notes to chords: the best triad or seventh for what sounds on each beat, reduced to major, minor or none."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD, TRIADS

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


class Sounding(NamedTuple):
    """How long each pitch class sounds in each of B spans of time, float64 (B, 12), and the lowest one, int64 (B,)."""

    weights: NDArray[np.float64]
    bass: NDArray[np.int64]


def sounding(notes: NDArray[np.int64], starts: NDArray[np.int64], length: int) -> Sounding:
    """What sounds in the spans of `length` ticks from `starts` (B,) on.

    `notes` are (K, 3) start, end (ticks) and MIDI pitch of every note of every part.
    """
    start, end, pitch = notes.T
    bounds = np.concatenate([starts, starts + length])
    heard = np.zeros((128, len(starts)))
    for each in np.unique(pitch):
        of_it = pitch == each
        until = _passed(start[of_it], bounds) - _passed(end[of_it], bounds)
        heard[each] = until[len(starts) :] - until[: len(starts)]
    return Sounding((_PITCH_CLASSES @ heard).T, (heard > 0).argmax(axis=0) % 12)


def beat_chords(notes: NDArray[np.int64], beats: NDArray[np.int64], length: int) -> NDArray[np.int8]:
    """Chord class of each beat, int8 (B,), of `length` ticks from `beats` (B,) on; `notes` as for `sounding`."""
    return best_chords(*sounding(notes, beats, length))


def plain_triads(weights: NDArray[np.floating]) -> NDArray[np.int8]:
    """Chord classes, int8 (B,), where the pitch classes of some duration (B, 12) are just those of a triad."""
    alike = ((weights > 0)[:, None] == TRIADS[:NO_CHORD]).all(axis=2)
    return np.where(alike.any(axis=1), alike.argmax(axis=1), NO_CHORD).astype(np.int8)


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


def _passed(moments: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The time since the moments that are over, summed: without a table of all moments by all times."""
    moments = np.sort(moments)
    over = np.searchsorted(moments, times)
    return np.asarray(over * times - np.append(0, np.cumsum(moments))[over])


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
_PITCH_CLASSES: Final = np.tile(np.eye(12), 11)[:, :128]
