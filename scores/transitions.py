"""Scores of what follows what: from pitch class to pitch class, and from note length to note length.

Melody lines are integers (M, B, 16): MIDI pitch, -1 rest. A note is a maximal run of one pitch inside one bar.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import SILENCE
from scores.undefined import FloatArray

LENGTHS: Final = (1, 2, 3, 4, 6, 8, 12, 16)
"""The lengths in steps that `nltm` tells apart."""

# argmin takes the first of two equally near lengths, which is the shorter.
_LENGTH_BIN: Final = np.abs(np.arange(17)[:, None] - np.array(LENGTHS)).argmin(1)
_CLASSES: Final = np.arange(12)


def pctm(lines: NDArray[np.integer[Any]]) -> FloatArray:
    """Pitch-class transition matrix (12, 12): how often class j follows class i.

    Formula: (successive notes of a phrase with classes i, j) / (successive notes), rests between passed over.
    Unit and range: shares, 0 to 1, sum 1.
    Edge case: all 0 if no phrase has two notes; a note held over a bar line follows itself.
    Source: Yang & Lerch 2018.
    """
    notes = _notes(lines)
    return _transitions(notes.phrase, notes.pitch % 12, 12)


def nltm(lines: NDArray[np.integer[Any]]) -> FloatArray:
    """Note-length transition matrix (8, 8) over lengths of 1, 2, 3, 4, 6, 8, 12 and 16 steps.

    Formula: (successive notes of a phrase with lengths i, j) / (successive notes), rests between passed over;
        a length is put to the nearest of the eight, midway (5, 7, 10, 14) to the shorter.
    Unit and range: shares, 0 to 1, sum 1.
    Edge case: all 0 if no phrase has two notes; a note ends at the bar line.
    Source: Yang & Lerch 2018.
    """
    notes = _notes(lines)
    return _transitions(notes.phrase, _LENGTH_BIN[notes.length], len(LENGTHS))


def interval_class_histogram(lines: NDArray[np.integer[Any]]) -> FloatArray:
    """Histogram (12,) of the intervals between successive notes, whatever the key: the key-free form of `pctm`.

    Formula: (successive notes of a phrase with (p_(i+1) - p_i) mod 12 = c) / (successive notes).
    Unit and range: shares, 0 to 1, sum 1; c is the interval upwards in semitones, less its octaves.
    Edge case: all 0 if no phrase has two notes.
    Source: Yang & Lerch 2018 (the pitch-class transition matrix, summed along its diagonals).
    """
    upwards = (_CLASSES - _CLASSES[:, None]) % 12
    return np.bincount(upwards.ravel(), pctm(lines).ravel(), 12).astype(np.float64)


def jensen_shannon(p: NDArray[Any], q: NDArray[Any]) -> float:
    """Divergence of two histograms or matrices of one shape, each divided by its sum.

    Formula: JSD = (KL(p || r) + KL(q || r)) / 2 with r = (p + q) / 2 and logarithms to base 2.
    Unit and range: bits, 0 (equal) to 1 (nothing in common).
    Edge case: NaN if either is all 0.
    Source: Lin 1991.

    Raises:
        ValueError: if the shapes differ.
    """
    if np.shape(p) != np.shape(q):
        raise ValueError(f"Histograms must have one shape, not {np.shape(p)} and {np.shape(q)}.")
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if not (p.any() and q.any()):
        return float("nan")
    p, q = p / p.sum(), q / q.sum()
    mean = (p + q) / 2
    return min(1.0, max(0.0, (_relative_entropy(p, mean) + _relative_entropy(q, mean)) / 2))


class _Notes(NamedTuple):
    """The K notes of all phrases in order of time: row of the phrase, MIDI pitch, length in steps."""

    phrase: NDArray[np.int64]
    pitch: NDArray[np.int64]
    length: NDArray[np.int64]


def _notes(lines: NDArray[np.integer[Any]]) -> _Notes:
    num_bars, num_steps = lines.shape[1:]
    starts = np.ones(lines.shape, bool)
    starts[..., 1:] = lines[..., 1:] != lines[..., :-1]
    (start,) = np.nonzero(starts.ravel())
    length = np.diff(start, append=lines.size)
    pitch = lines.ravel()[start].astype(np.int64)
    note = pitch != SILENCE
    return _Notes(phrase=start[note] // (num_bars * num_steps), pitch=pitch[note], length=length[note])


def _transitions(phrase: NDArray[np.int64], state: NDArray[np.int64], num_states: int) -> FloatArray:
    inside = phrase[1:] == phrase[:-1]
    pairs = (state[:-1] * num_states + state[1:])[inside]
    counts = np.bincount(pairs, minlength=num_states**2).reshape(num_states, num_states)
    return counts / max(1, len(pairs))


def _relative_entropy(p: FloatArray, q: FloatArray) -> float:
    """KL divergence in bits; `q` is positive wherever `p` is."""
    there = p > 0
    return float((p[there] * np.log2(p[there] / q[there])).sum())
