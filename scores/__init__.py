"""Objective scores of generated music, in NumPy alone: per bar, per phrase, and one number for the search."""

from scores.features import FEATURES, phrase_features
from scores.objective import Reference, energy_distance
from scores.registry import SCORES, Score, score_bars, score_phrases

__all__ = [
    "FEATURES",
    "SCORES",
    "Reference",
    "Score",
    "energy_distance",
    "phrase_features",
    "score_bars",
    "score_phrases",
]
