"""Scores of repetition: bars like the bars before them, phrases like other phrases."""

from typing import Final

import numpy as np

from scores.copying import distinct, relative
from scores.notes import NUM_STEPS, Bars
from scores.undefined import FloatArray, ratio, where

_TAIL_BARS: Final = 4


def step_agreement_prev(bars: Bars) -> FloatArray:
    """Share of steps at which a bar's melody line does the same as the bar before.

    Formula: (steps with m_t equal to m_t of the bar before) / 16, where rest equals rest.
    Unit and range: share, 0 to 1.
    Edge case: NaN if there is no bar before, or it is silent; a silent bar after a sounding one is defined.
    Source: ours; the first diagonal of a self-similarity matrix of the melody line.
    """
    return where(~bars.before.silent, (bars.now.line == bars.before.line).mean(axis=1))


def step_agreement(bars: Bars, lag: int) -> FloatArray:
    """Share of steps at which a phrase's melody line does the same as `lag` bars before.

    Formula: mean over bars b > L and steps t of [m_(b,t) = m_(b-L,t)], where rest equals rest.
    Unit and range: share, 0 to 1.
    Edge case: silent bars agree with each other; NaN in a phrase of L bars or fewer.
    Source: ours; a diagonal of the self-similarity matrix of the melody line.
    """
    line = bars.by_phrase(bars.now.line)
    agreeing = (line[:, lag:] == line[:, :-lag]).sum(axis=(1, 2))
    return ratio(agreeing, np.full(len(line), NUM_STEPS * max(line.shape[1] - lag, 0)))


def pc_similarity_prev(bars: Bars) -> FloatArray:
    """Likeness of a bar's pitch classes to those of the bar before.

    Formula: cosine of the two bars' counts of notes by pitch class.
    Unit and range: none, 0 (no pitch class in common) to 1.
    Edge case: NaN if either bar is empty or there is none before.
    Source: ours.
    """
    now, before = bars.now.notes_by_class, bars.before.notes_by_class
    squares = (now**2).sum(axis=1) * (before**2).sum(axis=1)
    return np.minimum(ratio((now * before).sum(axis=1), np.sqrt(squares)), 1.0)


def copy_prev_rate(bars: Bars) -> FloatArray:
    """Share of bars that repeat the bar before cell by cell.

    Formula: (bars equal to the bar before) / (bars with a sounding bar before).
    Unit and range: share, 0 to 1; of a single bar 0 or 1.
    Edge case: NaN if no bar follows a sounding one.
    Source: ours, after the paper's remark that generated bars were exactly the same as the first (§6).
    """
    return where(~bars.before.silent, bars.same_as_before)


def copy_first_rate(bars: Bars) -> FloatArray:
    """Share of a phrase's later bars that repeat its first bar cell by cell.

    Formula: (bars 2 to B equal to bar 1) / (B - 1).
    Unit and range: share, 0 to 1.
    Edge case: NaN if the first bar is silent or the only one.
    Source: ours, after the paper's remark that generated bars were exactly the same as the first (§6).
    """
    contents = bars.by_phrase(bars.now.contents)
    same = (contents[:, 1:] == contents[:, :1]).all(axis=2)
    sounds = ~bars.by_phrase(bars.now.silent)[:, 0]
    return ratio(same.sum(axis=1), np.where(sounds, same.shape[1], 0))


def distinct_bar_ratio(bars: Bars) -> FloatArray:
    """Share of a phrase's bars that remain if every bar is counted once.

    Formula: (different bars) / B, compared cell by cell.
    Unit and range: share, 1/B to 1.
    Edge case: silent bars equal each other; always defined.
    Source: ours, after the paper's remark on few notes repeated along the bars (§6).
    """
    contents = np.ascontiguousarray(bars.now.contents)
    whole = contents.view(np.dtype((np.void, contents.itemsize * contents.shape[1])))[:, 0]
    kind = np.unique(whole, return_inverse=True)[1].reshape(-1)
    kinds = np.sort(bars.by_phrase(kind), axis=1)
    rate: FloatArray = 1 - (np.diff(kinds, axis=1) == 0).sum(axis=1) / bars.bars_per_phrase
    return rate


def dup_rate(bars: Bars) -> FloatArray:
    """Share of a set's phrases whose ending another phrase already has, in any transposition.

    Formula: 1 - distinct / M, over the melody lines of the last four bars less their first pitch.
    Unit and range: share, 0 (all differ) to 1 - 1/M (all alike).
    Edge case: NaN for a set without phrases; silent endings equal each other.
    Source: ours; the plainest sign of mode collapse.
    """
    endings = bars.by_phrase(bars.now.line)[:, -_TAIL_BARS:]
    if len(endings) == 0:
        return np.array(np.nan)
    return np.array(1 - len(distinct(relative(endings))[0]) / len(endings))
