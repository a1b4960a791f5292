"""Scores of the rhythm: how many notes, how long, and where there are none."""

import numpy as np

from scores.notes import Bars
from scores.undefined import FloatArray, ratio


def note_count(bars: Bars) -> FloatArray:
    """Notes that start in a bar.

    Formula: NC = number of cells that are on while the same pitch was off one step before.
    Unit and range: notes per bar, 0 to 16 in one voice (1024 in any number of voices).
    Edge case: 0 in an empty bar; a note held over the bar line starts again.
    Source: Yang & Lerch 2018.
    """
    return bars.num_notes.astype(np.float64)


def mean_duration(bars: Bars) -> FloatArray:
    """Mean length of a bar's notes.

    Formula: (cells of the roll that are on) / NC.
    Unit and range: steps of a sixteenth, 1 to 16.
    Edge case: NaN in a bar without notes; notes end at the bar line.
    Source: Yang & Lerch 2018 (mgeval's note length).
    """
    return ratio(bars.num_cells, bars.num_notes)


def empty_bar_rate(bars: Bars) -> FloatArray:
    """Share of a phrase's bars in which no note sounds.

    Formula: (bars with NC = 0) / (bars).
    Unit and range: share, 0 to 1.
    Edge case: 1 for a silent phrase; always defined.
    Source: Dong et al. 2018 (EB of MuseGAN).
    """
    rate: FloatArray = bars.by_phrase(bars.num_notes == 0).mean(1)
    return rate
