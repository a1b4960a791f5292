"""Objective scores of generated music, in NumPy alone: per bar, per phrase, and one number for the search."""

from scores.copying import TrainingWindows
from scores.energy import energy_distance
from scores.features import FEATURES, phrase_features
from scores.objective import OBJECTIVES, BaseLine, Reference
from scores.registry import SCORES, Score, score_bars, score_phrases

__all__ = [
    "FEATURES",
    "OBJECTIVES",
    "SCORES",
    "BaseLine",
    "Reference",
    "Score",
    "TrainingWindows",
    "energy_distance",
    "phrase_features",
    "score_bars",
    "score_phrases",
]
