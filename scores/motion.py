"""Scores of the melodic motion: how far the line moves from note to note."""

import numpy as np

from scores.notes import Bars
from scores.undefined import FloatArray, ratio


def mean_abs_interval(bars: Bars) -> FloatArray:
    """Mean distance in pitch between successive notes of a bar's melody line.

    Formula: mean over i of |p_(i+1) - p_i|, p_i the pitch of the i-th note; rests in between are passed over.
    Unit and range: semitones, 0 to 127.
    Edge case: NaN with fewer than two notes.
    Source: Yang & Lerch 2018 (average pitch shift).
    """
    bar, _ = np.nonzero(bars.onsets)
    interval = np.abs(np.diff(bars.line[bars.onsets]))
    inside = bar[1:] == bar[:-1]
    total = np.bincount(bar[1:][inside], interval[inside], len(bars))
    return ratio(total, np.bincount(bar[1:][inside], minlength=len(bars)))
