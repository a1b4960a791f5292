"""Scores of the pitches used: which, how many, and whether one scale holds them."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scores.notes import Bars
from scores.undefined import FloatArray, ratio

_MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
# muspy tries 24 scales, but its natural minor sets are the same twelve sets of pitch classes.
_SCALES: Final = np.array([[(pc - root) % 12 in _MAJOR for root in range(12)] for pc in range(12)], float)


def _entropy(counts: NDArray[Any]) -> FloatArray:
    share = ratio(counts, counts.sum(1, keepdims=True).repeat(counts.shape[1], 1))
    log_share = np.log2(share, out=np.zeros_like(share), where=share > 0)
    entropy: FloatArray = 0.0 - (share * log_share).sum(1)
    return entropy


def _best_scale_share(counts: NDArray[Any]) -> FloatArray:
    return ratio((counts @ _SCALES).max(1), counts.sum(1))


def pitch_class_entropy(bars: Bars) -> FloatArray:
    """Evenness of the pitch classes among a bar's notes.

    Formula: H = -sum_c q_c log2 q_c, where q_c is the share of the bar's notes on pitch class c.
    Unit and range: bits, 0 (one pitch class) to log2 12 = 3.585 (all twelve alike).
    Edge case: NaN in a bar without notes.
    Source: Wu & Yang 2020 (H1 of MusDr), with notes counted once each.
    """
    return _entropy(bars.pitch_class_counts)


def scale_consistency(bars: Bars) -> FloatArray:
    """Share of a bar's notes that the best-fitting diatonic scale holds.

    Formula: SC = max over 12 roots of (notes in the major scale on that root) / (notes).
    Unit and range: share, 7/12 (at worst, all twelve pitch classes alike) to 1.
    Edge case: NaN in a bar without notes; 1 for a single note.
    Source: Mogren 2016; muspy.scale_consistency.
    """
    return _best_scale_share(bars.pitch_class_counts)


def phrase_pce(bars: Bars) -> FloatArray:
    """Evenness of the pitch classes among all notes of a phrase.

    Formula: H = -sum_c q_c log2 q_c, where q_c is the share of the phrase's notes on pitch class c.
    Unit and range: bits, 0 to log2 12 = 3.585.
    Edge case: NaN in a phrase without notes; a note held over a bar line counts in both bars.
    Source: muspy.pitch_class_entropy; Wu & Yang 2020.
    """
    return _entropy(bars.by_phrase(bars.pitch_class_counts).sum(1))


def phrase_scale_consistency(bars: Bars) -> FloatArray:
    """Share of a phrase's notes that the best-fitting diatonic scale holds.

    Formula: SC = max over 12 roots of (notes in the major scale on that root) / (notes).
    Unit and range: share, 7/12 to 1.
    Edge case: NaN in a phrase without notes; a note held over a bar line counts in both bars.
    Source: Mogren 2016; muspy.scale_consistency.
    """
    return _best_scale_share(bars.by_phrase(bars.pitch_class_counts).sum(1))
