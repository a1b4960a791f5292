"""Scores of the melodic motion: how far the line moves from note to note."""

import numpy as np

from data_prep.bars import SILENCE
from scores.notes import Bars
from scores.undefined import FloatArray, ratio, where


def mean_abs_interval(bars: Bars) -> FloatArray:
    """Mean distance in pitch between successive notes of a bar's melody line.

    Formula: mean over i of |p_(i+1) - p_i|, p_i the pitch of the i-th note; rests in between are passed over.
    Unit and range: semitones, 0 to 127.
    Edge case: NaN with fewer than two notes.
    Source: Yang & Lerch 2018 (average pitch shift).
    """
    bar, interval = _intervals(bars)
    total = np.bincount(bar, interval, len(bars))
    return ratio(total, np.bincount(bar, minlength=len(bars)))


def max_abs_interval(bars: Bars) -> FloatArray:
    """Largest distance in pitch between successive notes of a bar's melody line.

    Formula: max over i of |p_(i+1) - p_i|, p_i the pitch of the i-th note; rests in between are passed over.
    Unit and range: semitones, 0 to 127.
    Edge case: NaN with fewer than two notes.
    Source: Yang & Lerch 2018 (pitch shift); ours in taking the largest.
    """
    bar, interval = _intervals(bars)
    largest = np.full(len(bars), -1.0)
    np.maximum.at(largest, bar, interval)
    return where(largest >= 0, largest)


def join_interval(bars: Bars) -> FloatArray:
    """Distance in pitch from the last note of the bar before to a bar's first note.

    Formula: |first pitch of the bar - last pitch of the bar before|, of the melody lines.
    Unit and range: semitones, 0 to 127.
    Edge case: NaN if either bar is empty or there is none before.
    Source: ours; large where bars do not connect.
    """
    first, last = bars.now.first_pitch, bars.before.last_pitch
    return where((first != SILENCE) & (last != SILENCE), np.abs(first - last))


def _intervals(bars: Bars) -> tuple[np.ndarray, np.ndarray]:
    """Row of the bar and size of every interval between successive notes of one bar."""
    bar, _, pitch = bars.line
    inside = bar[1:] == bar[:-1]
    return bar[1:][inside], np.abs(np.diff(pitch))[inside].astype(np.float64)
