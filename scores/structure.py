"""Scores of repetition: bars like the bar before, phrases like other phrases."""

from typing import Final

import numpy as np

from data_prep.bars import SILENCE
from scores.notes import NUM_STEPS, Bars
from scores.undefined import FloatArray, ratio

_TAIL_BARS: Final = 4


def step_agreement_prev(bars: Bars) -> FloatArray:
    """Share of steps at which a bar's melody line does the same as the bar before.

    Formula: (steps with m_t equal to m_t of the bar before) / 16, where rest equals rest.
    Unit and range: share, 0 to 1.
    Edge case: NaN if there is no bar before, or it is silent; a silent bar after a sounding one is defined.
    Source: ours; the first diagonal of a self-similarity matrix of the melody line.
    """
    agreement = (bars.line == bars.previous).mean(1)
    return np.where(bars.has_previous, agreement, np.nan)


def copy_prev_rate(bars: Bars) -> FloatArray:
    """Share of a phrase's bars that repeat the bar before cell by cell.

    Formula: (bars equal to the bar before) / (bars with a sounding bar before).
    Unit and range: share, 0 to 1.
    Edge case: NaN if no bar of the phrase follows a sounding one.
    Source: ours, after the paper's remark that generated bars were exactly the same as the first.
    """
    copied = bars.by_phrase(bars.same_as_previous & bars.has_previous)
    return ratio(copied.sum(1), bars.by_phrase(bars.has_previous).sum(1))


def dup_rate(bars: Bars) -> FloatArray:
    """Share of a set's phrases whose ending another phrase already has, in any transposition.

    Formula: 1 - distinct / M, over the melody lines of the last four bars less their first pitch.
    Unit and range: share, 0 (all differ) to 1 - 1/M (all alike).
    Edge case: NaN for a set without phrases; silent endings equal each other.
    Source: ours; the plainest sign of mode collapse.
    """
    tail = bars.by_phrase(bars.line)[:, -_TAIL_BARS:]
    num_phrases, tail = len(tail), tail.reshape(-1, tail.shape[1] * NUM_STEPS)
    if num_phrases == 0:
        return np.array(np.nan)
    first = np.take_along_axis(tail, (tail != SILENCE).argmax(1)[:, None], 1)
    # A relative pitch lies within -127..127, so 999 can only be a rest.
    relative = np.where(tail == SILENCE, 999, tail - first)
    return np.array(1 - len(np.unique(relative, axis=0)) / num_phrases)
