"""Scores of the harmony: how the melody line fits the chord."""

import numpy as np

from data_prep.chords import NO_CHORD, TRIADS
from scores.notes import Bars
from scores.undefined import FloatArray, ratio


def chord_tone_rate(bars: Bars) -> FloatArray:
    """Share of a bar's sounding steps whose pitch is a tone of the chord.

    Formula: (steps with m_t mod 12 in the triad) / (steps with a pitch on), m_t the melody line.
    Unit and range: share, 0 to 1.
    Edge case: NaN in a bar without notes, and in a bar without a chord.
    Source: the classic chord-tone ratio, as in Yeh et al. 2021.
    """
    fits = TRIADS[bars.chord[:, None], bars.line % 12] & bars.sounding
    heard = np.where(bars.chord == NO_CHORD, 0, np.count_nonzero(bars.sounding, axis=1))
    return ratio(np.count_nonzero(fits, axis=1), heard)
