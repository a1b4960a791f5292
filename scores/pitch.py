"""Scores of the pitches used: which, how many, how spread, and whether one scale holds them."""

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES
from scores.notes import Bars
from scores.undefined import FloatArray, defined_mean, ratio, where

LOWEST_AUDIBLE: Final = 21
HIGHEST_AUDIBLE: Final = 108
"""The keys of a piano, A0 to C8."""
WINDOW_BARS: Final = 4
"""Bars of a window of `pitch_class_entropy_4`."""

Mode = Literal["major", "minor"]

_STEPS: Final = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_PITCH: Final = np.arange(NUM_PITCHES)


def scale(root: int, mode: Mode) -> NDArray[np.bool_]:
    """Whether each pitch class (12,) is in the major or natural minor scale on `root`, a pitch class."""
    return np.isin(np.arange(12), [(root + step) % 12 for step in _STEPS[mode]])


# muspy tries 24 scales, but its natural minor sets are the same twelve sets of pitch classes.
_SCALES: Final = np.stack([scale(root, "major") for root in range(12)], axis=1).astype(np.float64)


def entropy(counts: NDArray[np.integer[Any]]) -> FloatArray:
    """Entropy in bits of each row of counts (N, K); NaN for a row of zeros."""
    total = counts.sum(axis=1)
    # H = log2 n - (1/n) sum c log2 c, and as counts are small whole numbers, c log2 c comes from a table.
    count = np.arange(counts.max(initial=0) + 1)
    table = count * np.log2(np.maximum(count, 1))
    bits = np.log2(np.maximum(total, 1)) - ratio(table[counts].sum(axis=1), total)
    rounded: FloatArray = np.maximum(bits, 0.0)  # may be -1e-16; NaN stays
    return rounded


def best_scale_share(counts: NDArray[np.integer[Any]]) -> FloatArray:
    """Share of the counts by pitch class (N, 12) in the major scale that holds most; NaN for a row of zeros."""
    return ratio((counts @ _SCALES).max(axis=1), counts.sum(axis=1))


def pitch_class_entropy(bars: Bars) -> FloatArray:
    """Evenness of the pitch classes among a bar's notes.

    Formula: H = -sum_c q_c log2 q_c, where q_c is the share of the bar's notes on pitch class c.
    Unit and range: bits, 0 (one pitch class) to log2 12 = 3.585 (all twelve alike).
    Edge case: NaN in a bar without notes.
    Source: Wu & Yang 2020 (H1 of MusDr), with notes counted once each.
    """
    return entropy(bars.now.notes_by_class)


def phrase_pce(bars: Bars) -> FloatArray:
    """Evenness of the pitch classes among all notes of a phrase.

    Formula: H = -sum_c q_c log2 q_c, where q_c is the share of the phrase's notes on pitch class c.
    Unit and range: bits, 0 to log2 12 = 3.585.
    Edge case: NaN in a phrase without notes; a note held over a bar line counts in both bars.
    Source: muspy.pitch_class_entropy; Wu & Yang 2020.
    """
    return entropy(bars.by_phrase(bars.now.notes_by_class).sum(axis=1))


def pitch_class_entropy_4(bars: Bars) -> FloatArray:
    """Evenness of the pitch classes over four bars at a time.

    Formula: mean of H over all windows of four consecutive bars of the phrase.
    Unit and range: bits, 0 to log2 12 = 3.585.
    Edge case: windows without notes are left out, NaN if none is left; a shorter phrase is one window.
    Source: Wu & Yang 2020 (H4 of MusDr).
    """
    width = min(WINDOW_BARS, bars.bars_per_phrase)
    counts = bars.by_phrase(bars.now.notes_by_class).cumsum(axis=1)
    windows = counts[:, width - 1 :].copy()
    windows[:, 1:] -= counts[:, :-width]
    return defined_mean(entropy(windows.reshape(-1, 12)).reshape(windows.shape[:2]), 1)


def pitch_entropy(bars: Bars) -> FloatArray:
    """Evenness of the pitches among a bar's notes.

    Formula: H = -sum_p q_p log2 q_p, where q_p is the share of the bar's notes on pitch p.
    Unit and range: bits, 0 (one pitch) to 7 (all 128 alike).
    Edge case: NaN in a bar without notes.
    Source: muspy.pitch_entropy.
    """
    return entropy(bars.now.notes_by_pitch)


def pitch_count(bars: Bars) -> FloatArray:
    """Different pitches in a bar.

    Formula: number of pitches on at any step.
    Unit and range: pitches, 0 to 128.
    Edge case: 0 in an empty bar.
    Source: muspy.n_pitches_used; Yang & Lerch 2018.
    """
    return _used(bars.now.notes_by_pitch)


def pitch_class_count(bars: Bars) -> FloatArray:
    """Different pitch classes in a bar.

    Formula: number of pitch classes on at any step.
    Unit and range: pitch classes, 0 to 12.
    Edge case: 0 in an empty bar.
    Source: Dong et al. 2018 (UPC of MuseGAN); muspy.n_pitch_classes_used.
    """
    return _used(bars.now.notes_by_class)


def pitch_range(bars: Bars) -> FloatArray:
    """Distance from the lowest to the highest pitch of a bar.

    Formula: max p - min p over the pitches used.
    Unit and range: semitones, 0 to 127.
    Edge case: NaN in a bar without notes; 0 for a single pitch.
    Source: Yang & Lerch 2018 (PR); muspy.pitch_range.
    """
    return _span(bars.now.notes_by_pitch)


def phrase_range(bars: Bars) -> FloatArray:
    """Distance from the lowest to the highest pitch of a phrase.

    Formula: max p - min p over the pitches used.
    Unit and range: semitones, 0 to 127.
    Edge case: NaN in a phrase without notes; 0 for a single pitch.
    Source: Yang & Lerch 2018 (PR); muspy.pitch_range.
    """
    return _span(bars.by_phrase(bars.now.notes_by_pitch).sum(axis=1))


def mean_pitch(bars: Bars) -> FloatArray:
    """Mean pitch of a bar, every note weighing what it lasts.

    Formula: sum of the pitches of all cells that are on / number of such cells.
    Unit and range: MIDI number, 0 to 127.
    Edge case: NaN in a bar without notes.
    Source: ours; shows a register that drifts.
    """
    return ratio(bars.now.steps_by_pitch @ _PITCH, bars.now.num_cells)


def out_of_register_rate(bars: Bars, lowest: int = LOWEST_AUDIBLE, highest: int = HIGHEST_AUDIBLE) -> FloatArray:
    """Share of a bar's notes that lie below or above a register, by default the keys of a piano.

    Formula: (notes with p < lowest or p > highest) / NC.
    Unit and range: share, 0 to 1.
    Edge case: NaN in a bar without notes.
    Source: ours, after the paper's remark on low-pitched and high-pitched notes (§6).
    """
    outside = (lowest > _PITCH) | (highest < _PITCH)
    return ratio(bars.now.notes_by_pitch[:, outside].sum(axis=1), bars.now.num_notes)


def scale_consistency(bars: Bars) -> FloatArray:
    """Share of a bar's notes that the best-fitting diatonic scale holds.

    Formula: SC = max over 12 roots of (notes in the major scale on that root) / (notes).
    Unit and range: share, 7/12 (at worst, all twelve pitch classes alike) to 1.
    Edge case: NaN in a bar without notes; 1 for a single note.
    Source: Mogren 2016; muspy.scale_consistency.
    """
    return best_scale_share(bars.now.notes_by_class)


def phrase_scale_consistency(bars: Bars) -> FloatArray:
    """Share of a phrase's notes that the best-fitting diatonic scale holds.

    Formula: SC = max over 12 roots of (notes in the major scale on that root) / (notes).
    Unit and range: share, 7/12 to 1.
    Edge case: NaN in a phrase without notes; a note held over a bar line counts in both bars.
    Source: Mogren 2016; muspy.scale_consistency.
    """
    return best_scale_share(bars.by_phrase(bars.now.notes_by_class).sum(axis=1))


def pitch_in_scale_rate(bars: Bars, root: int = 0, mode: Mode = "major") -> FloatArray:
    """Share of a bar's notes that lie in one given scale, by default C major.

    Formula: (notes whose pitch class is in the scale) / NC.
    Unit and range: share, 0 to 1.
    Edge case: NaN in a bar without notes; means little for music in other keys than the scale's.
    Source: Dong et al. 2018; muspy.pitch_in_scale_rate.
    """
    inside = bars.now.notes_by_class[:, scale(root, mode)].sum(axis=1)
    return ratio(inside, bars.now.num_notes)


def polyphony(bars: Bars) -> FloatArray:
    """Pitches that sound at once in a bar, where any sounds.

    Formula: (cells of the roll that are on) / (steps with a pitch on).
    Unit and range: pitches, 1 to 128.
    Edge case: NaN in a bar without notes; 1 for a melody.
    Source: muspy.polyphony.
    """
    return ratio(bars.now.num_cells, bars.now.sounding.sum(axis=1))


def polyphonic_rate(bars: Bars) -> FloatArray:
    """Share of a bar's steps at which two or more pitches sound.

    Formula: (steps with at least two pitches on) / 16.
    Unit and range: share, 0 to 1.
    Edge case: 0 in an empty bar and for a melody.
    Source: Dong et al. 2018 (PP of MuseGAN); muspy.polyphony_rate with threshold 1.
    """
    rate: FloatArray = (bars.now.num_voices >= 2).mean(axis=1)
    return rate


def _used(counts: NDArray[np.integer[Any]]) -> FloatArray:
    number: FloatArray = (counts > 0).sum(axis=1).astype(np.float64)
    return number


def _span(counts: NDArray[np.integer[Any]]) -> FloatArray:
    used = counts > 0
    lowest, from_top = used.argmax(axis=1), used[:, ::-1].argmax(axis=1)
    return where(counts.sum(axis=1) > 0, NUM_PITCHES - 1 - from_top - lowest)
