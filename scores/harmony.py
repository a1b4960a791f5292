"""Scores of the harmony: how the melody line fits the chord. All are undefined where there is no chord."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD, NUM_CHORDS, TRIADS, pitch_classes
from scores.notes import Bars
from scores.undefined import FloatArray, ratio

_PASSING: Final = 2
_CONSONANCE: Final = {0: 1.0, 3: 1.0, 4: 1.0, 7: 1.0, 8: 1.0, 9: 1.0, 5: 0.0}
"""Semitones above a chord tone: how consonant; all others are -1."""


def _consonance_table() -> FloatArray:
    """(25, 12) mean consonance of each pitch class with the tones of each chord; 0 without a chord."""
    table = np.zeros((NUM_CHORDS, 12))
    for chord in range(NUM_CHORDS):
        for tone in pitch_classes(chord):
            table[chord] += [_CONSONANCE.get((pc - tone) % 12, -1.0) / 3 for pc in range(12)]
    return table


def _tonal_centroids() -> FloatArray:
    """(12, 6) each pitch class on the circles of fifths, minor thirds and major thirds (radii 1, 1 and 1/2)."""
    angle = np.arange(12)[:, None] * np.pi * np.array([7 / 6, 3 / 2, 2 / 3])
    circles: FloatArray = np.stack([np.sin(angle), np.cos(angle)], axis=2) * np.array([1, 1, 0.5])[:, None]
    return circles.reshape(12, 6)


def _tonal_distance_table() -> FloatArray:
    """(25, 12) distance of each pitch class from each chord in tonal space; 0 without a chord."""
    pitch_class = _tonal_centroids()
    chord = TRIADS.astype(np.float64) @ pitch_class / 3
    distance: FloatArray = np.linalg.norm(chord[:, None] - pitch_class, axis=2)
    distance[NO_CHORD] = 0
    return distance


_CONSONANCES: Final = _consonance_table()
_TONAL_DISTANCES: Final = _tonal_distance_table()


def chord_tone_rate(bars: Bars) -> FloatArray:
    """Share of a bar's sounding steps whose pitch is a tone of the chord.

    Formula: (steps with m_t mod 12 in the triad) / (steps with a pitch on), m_t the melody line.
    Unit and range: share, 0 to 1.
    Edge case: NaN in a bar without notes, and in a bar without a chord.
    Source: the classic chord-tone ratio, as in Yeh et al. 2021.
    """
    return _mean_over_steps(bars, TRIADS)


def ctnctr(bars: Bars) -> FloatArray:
    """Share of a bar's notes that are chord tones, tones passing by step to the next note counted as well.

    Formula: CTnCTR = (n_c + n_p) / (n_c + n_n); of the melody line's notes n_c are chord tones, n_n are not, and n_p of
        the latter have a next note in the phrase at most two semitones away, be it behind the bar line.
    Unit and range: share, 0 to 1.
    Edge case: NaN in a bar without notes, and in a bar without a chord; a bar alone knows no next note after its last.
    Source: Yeh et al. 2021.
    """
    bar, _, pitch = bars.line
    phrase = bar // bars.bars_per_phrase
    passes = np.zeros(len(bar), np.bool_)
    passes[:-1] = (phrase[1:] == phrase[:-1]) & (np.abs(np.diff(pitch)) <= _PASSING)
    fits = TRIADS[bars.chord[bar], pitch % 12] | passes
    heard = np.where(bars.chord == NO_CHORD, 0, np.bincount(bar, minlength=len(bars)))
    return ratio(np.bincount(bar[fits], minlength=len(bars)), heard)


def pcs(bars: Bars) -> FloatArray:
    """Consonance of a bar's melody with the tones of its chord.

    Formula: mean over sounding steps of the mean over the chord's tones c of s((m_t - c) mod 12), where s is 1 for
        0, 3, 4, 7, 8 and 9, is 0 for 5, and -1 for the rest.
    Unit and range: none, -1 to 1.
    Edge case: NaN in a bar without notes, and in a bar without a chord.
    Source: Yeh et al. 2021 (pitch consonance score).
    """
    return _mean_over_steps(bars, _CONSONANCES)


def mctd(bars: Bars) -> FloatArray:
    """Distance of a bar's melody from its chord in tonal space.

    Formula: mean over sounding steps of the Euclidean distance between the tonal centroids of m_t mod 12 and of the
        triad, on the circles of fifths, minor thirds and major thirds with radii 1, 1 and 1/2.
    Unit and range: none, 1.029 to 2.355 for triads.
    Edge case: NaN in a bar without notes, and in a bar without a chord.
    Source: Yeh et al. 2021 (melody-chord tonal distance); Harte, Sandler & Gasser 2006 (the space).
    """
    return _mean_over_steps(bars, _TONAL_DISTANCES)


def _mean_over_steps(bars: Bars, table: NDArray[Any]) -> FloatArray:
    """Mean over the sounding steps of what a table (25 chords, 12 pitch classes) says of the line."""
    sounding = bars.now.sounding
    values = np.where(sounding, table[bars.chord[:, None], bars.now.line % 12], 0)
    heard = np.where(bars.chord == NO_CHORD, 0, np.count_nonzero(sounding, axis=1))
    return ratio(values.sum(axis=1), heard)
