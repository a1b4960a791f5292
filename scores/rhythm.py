"""Scores of the rhythm: how many notes, how long, when, and where there are none."""

import numpy as np

from scores.notes import NUM_STEPS, Bars
from scores.undefined import FloatArray, ratio, where

MIN_STEPS = 2
"""Steps that a note lasts at least to be qualified: an eighth note."""


def note_count(bars: Bars) -> FloatArray:
    """Notes that start in a bar.

    Formula: NC = number of cells that are on while the same pitch was off one step before.
    Unit and range: notes per bar, 0 to 16 in one voice (1024 in any number of voices).
    Edge case: 0 in an empty bar; a note held over the bar line starts again.
    Source: Yang & Lerch 2018.
    """
    return bars.now.num_notes.astype(np.float64)


def mean_duration(bars: Bars) -> FloatArray:
    """Mean length of a bar's notes.

    Formula: (cells of the roll that are on) / NC.
    Unit and range: steps of a sixteenth, 1 to 16.
    Edge case: NaN in a bar without notes; notes end at the bar line.
    Source: Yang & Lerch 2018 (mgeval's note length).
    """
    return ratio(bars.now.num_cells, bars.now.num_notes)


def mean_ioi(bars: Bars) -> FloatArray:
    """Mean time from one onset of a bar to the next.

    Formula: mean of the differences of successive steps at which a note starts, in any voice.
    Unit and range: steps of a sixteenth, 1 to 15.
    Edge case: NaN with fewer than two onsets.
    Source: Yang & Lerch 2018 (average inter-onset interval).
    """
    return _mean_difference(bars.now.onset_steps)


def phrase_mean_ioi(bars: Bars) -> FloatArray:
    """Mean time from one onset of a phrase to the next, over bar lines as well.

    Formula: mean of the differences of successive steps at which a note starts, in any voice.
    Unit and range: steps of a sixteenth, 1 to 127 in eight bars.
    Edge case: NaN with fewer than two onsets; a note held over a bar line starts again.
    Source: Yang & Lerch 2018 (average inter-onset interval).
    """
    return _mean_difference(bars.by_phrase(bars.now.onset_steps).reshape(-1, bars.bars_per_phrase * NUM_STEPS))


def qualified_note_rate(bars: Bars, min_steps: int = MIN_STEPS) -> FloatArray:
    """Share of a bar's notes that are no shorter than an eighth.

    Formula: (notes of at least `min_steps` steps) / NC.
    Unit and range: share, 0 to 1.
    Edge case: NaN in a bar without notes; notes end at the bar line.
    Source: Dong et al. 2018 (QN of MuseGAN).
    """
    if not 1 <= min_steps <= NUM_STEPS:
        raise ValueError(f"A note of a bar lasts from 1 to {NUM_STEPS} steps; min_steps is {min_steps}.")
    return ratio(bars.now.num_long_notes(min_steps), bars.now.num_notes)


def empty_bar_rate(bars: Bars) -> FloatArray:
    """Share of bars in which no note sounds.

    Formula: (bars with NC = 0) / (bars).
    Unit and range: share, 0 to 1; of a single bar 0 or 1.
    Edge case: 1 for a silent bar or phrase; always defined.
    Source: Dong et al. 2018 (EB of MuseGAN).
    """
    return bars.now.silent.astype(np.float64)


def inner_empty_rate(bars: Bars) -> FloatArray:
    """Share of a phrase's bars between the first and the last in which no note sounds.

    Formula: (bars 2 to B-1 with NC = 0) / (B - 2).
    Unit and range: share, 0 to 1.
    Edge case: NaN in a phrase of fewer than three bars.
    Source: ours, after the paper's remark on a sample with notes in its first and last bar alone (§6).
    """
    inner = bars.by_phrase(bars.now.silent)[:, 1:-1]
    return ratio(inner.sum(axis=1), np.full(len(inner), inner.shape[1]))


def rest_rate(bars: Bars) -> FloatArray:
    """Share of a bar's steps at which nothing sounds.

    Formula: (steps without a pitch on) / 16.
    Unit and range: share, 0 to 1.
    Edge case: 1 in an empty bar.
    Source: the rate of empty beats of muspy, by steps.
    """
    rate: FloatArray = 1 - bars.now.sounding.mean(axis=1)
    return rate


def on_beat_rate(bars: Bars) -> FloatArray:
    """Share of the steps with an onset that lie on one of the four beats.

    Formula: (steps t with an onset and t mod 4 = 0) / (steps with an onset).
    Unit and range: share, 0 to 1.
    Edge case: NaN in a bar without notes.
    Source: ours; metrical salience in its plainest form.
    """
    return _share_of_onsets(bars, slice(0, None, 4))


def off_eighth_rate(bars: Bars) -> FloatArray:
    """Share of the steps with an onset that lie between two eighths.

    Formula: (odd steps t with an onset) / (steps with an onset).
    Unit and range: share, 0 to 1.
    Edge case: NaN in a bar without notes.
    Source: ours; metrical salience in its plainest form.
    """
    return _share_of_onsets(bars, slice(1, None, 2))


def groove_similarity_prev(bars: Bars) -> FloatArray:
    """Likeness of a bar's rhythm to that of the bar before.

    Formula: 1 - (1/16) sum_t XOR(an onset at t, an onset at t of the bar before).
    Unit and range: share, 0 to 1.
    Edge case: NaN if there is no bar before, or it is silent; a silent bar after a sounding one is defined.
    Source: Wu & Yang 2020 (GS of MusDr), for neighbouring bars.
    """
    return where(~bars.before.silent, (bars.now.onset_steps == bars.before.onset_steps).mean(axis=1))


def groove_similarity(bars: Bars) -> FloatArray:
    """Likeness of the rhythms of all pairs of bars of a phrase.

    Formula: mean over pairs of bars of 1 - (1/16) sum_t XOR(onset_t of one, onset_t of the other).
    Unit and range: share, 0 to 1.
    Edge case: NaN in a phrase of one bar; silent bars take part.
    Source: Wu & Yang 2020 (GS of MusDr).
    """
    struck = bars.by_phrase(bars.now.onset_steps).sum(axis=1)
    count = bars.bars_per_phrase
    # Of all pairs those differ at step t in which one bar has an onset there and the other has none.
    differing = (struck * (count - struck)).sum(axis=1)
    return 1 - ratio(differing, np.full(len(differing), NUM_STEPS * count * (count - 1) // 2))


def _mean_difference(onsets: np.ndarray) -> FloatArray:
    """Mean difference of successive True places of each row, which is the whole way over one less than their number."""
    count = np.count_nonzero(onsets, axis=1)
    first, from_end = onsets.argmax(axis=1), onsets[:, ::-1].argmax(axis=1)
    return ratio(np.where(count > 1, onsets.shape[1] - 1 - from_end - first, 0), np.maximum(count - 1, 0))


def _share_of_onsets(bars: Bars, steps: slice) -> FloatArray:
    onsets = bars.now.onset_steps
    return ratio(np.count_nonzero(onsets[:, steps], axis=1), np.count_nonzero(onsets, axis=1))
