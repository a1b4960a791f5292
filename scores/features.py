"""A phrase as a vector of numbers in five families: what the objective compares."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from scores.notes import Bars, BoolArray, IntArray
from scores.registry import measure
from scores.undefined import FloatArray, defined_mean, defined_std

Family = Literal["pitch", "motion", "rhythm", "harmony", "structure"]
FAMILIES: Final[tuple[Family, ...]] = ("pitch", "motion", "rhythm", "harmony", "structure")

FEATURES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "phrase_pce": "pitch",
        "phrase_scale_consistency": "pitch",
        "copy_prev_rate": "structure",
        "empty_bar_rate": "rhythm",
        "mean_note_count": "rhythm",
        "mean_pitch_class_entropy": "pitch",
        "mean_mean_duration": "rhythm",
        "mean_mean_abs_interval": "motion",
        "mean_scale_consistency": "pitch",
        "mean_chord_tone_rate": "harmony",
        "mean_step_agreement_prev": "structure",
        "std_note_count": "rhythm",
        "std_pitch_class_entropy": "pitch",
        "std_mean_duration": "rhythm",
    }
)
"""Column name to family, in column order: a phrase score, or `mean_`/`std_` of a bar score over the bars."""


def phrase_features(roll: BoolArray, chord: IntArray) -> FloatArray:
    """Feature vectors (M, F) float64 of phrases, one column per entry of `FEATURES`.

    Means and deviations (ddof 0) over a phrase's bars leave undefined bars out; a column is NaN for a phrase
    that defines none. The first bar of a phrase has no bar before it.

    Args:
        roll: bool (M, 8, 16, 128).
        chord: whole numbers (M, 8), classes 0-24.
    """
    bars = Bars.of_phrases(roll, chord)
    return feature_matrix(measure(bars, "phrase"), measure(bars, "bar"), bars.bars_per_phrase)


def feature_matrix(
    phrase_scores: Mapping[str, FloatArray], bar_scores: Mapping[str, FloatArray], bars_per_phrase: int
) -> FloatArray:
    """The matrix of `phrase_features` from scores that are already there: (M,) per phrase, (N,) per bar."""

    def column(name: str) -> FloatArray:
        if name in phrase_scores:
            return phrase_scores[name]
        statistic, _, score = name.partition("_")
        values = bar_scores[score].reshape(-1, bars_per_phrase)
        return defined_mean(values, 1) if statistic == "mean" else defined_std(values, 1)

    return np.column_stack([column(name) for name in FEATURES])
