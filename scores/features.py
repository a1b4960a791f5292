"""A phrase as a vector of 43 numbers in five families: what the objective compares."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import numpy as np

from scores.notes import Bars, BoolArray, IntArray
from scores.registry import SCORES, bar_scores, phrase_scores
from scores.undefined import FloatArray, defined_std

Family = Literal["pitch", "motion", "rhythm", "harmony", "structure"]
FAMILIES: Final[tuple[Family, ...]] = ("pitch", "motion", "rhythm", "harmony", "structure")


class Feature(NamedTuple):
    """One column: a score of the phrase, or how much the score spreads over the phrase's bars."""

    family: Family
    score: str
    spread: bool = False


FEATURES: Final[Mapping[str, Feature]] = MappingProxyType(
    {
        "phrase_pce": Feature("pitch", "phrase_pce"),
        "phrase_scale_consistency": Feature("pitch", "phrase_scale_consistency"),
        "phrase_range": Feature("pitch", "phrase_range"),
        "distinct_bar_ratio": Feature("structure", "distinct_bar_ratio"),
        "copy_prev_rate": Feature("structure", "copy_prev_rate"),
        "copy_first_rate": Feature("structure", "copy_first_rate"),
        "sim_lag1": Feature("structure", "step_agreement_lag1"),
        "sim_lag2": Feature("structure", "step_agreement_lag2"),
        "sim_lag4": Feature("structure", "step_agreement_lag4"),
        "groove_all": Feature("rhythm", "groove_similarity"),
        "H4": Feature("pitch", "pitch_class_entropy_4"),
        "empty_bar_rate": Feature("rhythm", "empty_bar_rate"),
        "mean_note_count": Feature("rhythm", "note_count"),
        "mean_pitch_count": Feature("pitch", "pitch_count"),
        "mean_pitch_class_count": Feature("pitch", "pitch_class_count"),
        "mean_pitch_range": Feature("pitch", "pitch_range"),
        "mean_mean_pitch": Feature("pitch", "mean_pitch"),
        "mean_pitch_class_entropy": Feature("pitch", "pitch_class_entropy"),
        "mean_mean_duration": Feature("rhythm", "mean_duration"),
        "mean_rest_rate": Feature("rhythm", "rest_rate"),
        "mean_qualified_note_rate": Feature("rhythm", "qualified_note_rate"),
        "mean_mean_abs_interval": Feature("motion", "mean_abs_interval"),
        "mean_max_abs_interval": Feature("motion", "max_abs_interval"),
        "mean_scale_consistency": Feature("pitch", "scale_consistency"),
        "mean_on_beat_rate": Feature("rhythm", "on_beat_rate"),
        "mean_off_eighth_rate": Feature("rhythm", "off_eighth_rate"),
        "mean_polyphony": Feature("pitch", "polyphony"),
        "mean_chord_tone_rate": Feature("harmony", "chord_tone_rate"),
        "mean_ctnctr": Feature("harmony", "ctnctr"),
        "mean_pcs": Feature("harmony", "pcs"),
        "mean_mctd": Feature("harmony", "mctd"),
        "mean_groove_similarity": Feature("rhythm", "groove_similarity_prev"),
        "mean_step_agreement_prev": Feature("structure", "step_agreement_prev"),
        "mean_pc_similarity_prev": Feature("structure", "pc_similarity_prev"),
        "mean_join_interval": Feature("motion", "join_interval"),
        "std_note_count": Feature("rhythm", "note_count", spread=True),
        "std_pitch_class_count": Feature("pitch", "pitch_class_count", spread=True),
        "std_mean_pitch": Feature("pitch", "mean_pitch", spread=True),
        "std_pitch_class_entropy": Feature("pitch", "pitch_class_entropy", spread=True),
        "std_mean_duration": Feature("rhythm", "mean_duration", spread=True),
        "std_pcs": Feature("harmony", "pcs", spread=True),
        "std_on_beat_rate": Feature("rhythm", "on_beat_rate", spread=True),
        "std_rest_rate": Feature("rhythm", "rest_rate", spread=True),
    }
)
"""Column name to what it holds, in column order."""


class Measured(NamedTuple):
    """Everything that is measured of a set of phrases by itself."""

    features: FloatArray
    """(M, 43), NaN where undefined."""
    scores: dict[str, FloatArray]
    """Score to its values: per phrase (M,) where it is defined by phrases, else per bar (N,)."""


def measured(bars: Bars) -> Measured:
    """Features and scores of phrases; means and deviations (ddof 0) leave undefined bars out."""
    of_bars = bar_scores(bars)
    of_phrases = phrase_scores(bars, of_bars)
    columns = [
        defined_std(bars.by_phrase(of_bars[feature.score]), 1) if feature.spread else of_phrases[feature.score]
        for feature in FEATURES.values()
    ]
    own = {name: values for name, values in of_phrases.items() if SCORES[name].phrase}
    return Measured(features=np.column_stack(columns), scores=of_bars | own)


def phrase_features(roll: BoolArray, chord: IntArray) -> FloatArray:
    """Feature vectors (M, 43) float64 of phrases, one column per entry of `FEATURES`, NaN where undefined.

    Args:
        roll: bool (M, 8, 16, 128).
        chord: whole numbers (M, 8), classes 0-24.

    Raises:
        ValueError: on another shape or dtype, or a chord outside 0-24.
    """
    return measured(Bars.of_phrases(roll, chord)).features
