"""The normalised energy distance between two sets of feature vectors (Szekely & Rizzo 2013).

It needs no kernel width and no embedding, and its mean does not depend on how many phrases are compared.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scores.distances import mean_distance, mean_distance_within
from scores.features import FAMILIES, FEATURES, Family
from scores.undefined import FloatArray, defined_mean, defined_std

_CLIP: Final = 6.0
_LEAST_SPREAD: Final = 0.05
_LEAST_MEAN: Final = 0.01


class Standard(NamedTuple):
    """What a feature is measured by: its mean over real phrases, and their spread."""

    mean: FloatArray
    """(43,) over the phrases that define the feature; NaN where none does."""
    scale: FloatArray
    """(43,) standard deviation, not below 5 % of max(|mean|, .01)."""

    @classmethod
    def of(cls, features: FloatArray) -> "Standard":
        """From the features of real phrases (n, 43)."""
        mean = defined_mean(features, 0)
        least = _LEAST_SPREAD * np.maximum(np.abs(mean), _LEAST_MEAN)
        return cls(mean=mean, scale=np.maximum(defined_std(features, 0), least))

    def standardised(self, features: FloatArray) -> FloatArray:
        """Clip((f - mean) / scale, -6, 6), and 0 where a feature is undefined, here or in all real phrases."""
        return np.nan_to_num(np.clip((features - self.mean) / self.scale, -_CLIP, _CLIP), nan=0.0)


def _weights() -> FloatArray:
    families = [feature.family for feature in FEATURES.values()]
    return np.array([families.count(family) ** -0.5 for family in families])


WEIGHTS: Final = _weights()
"""(43,) 1 / sqrt(features in the family): every family counts alike, however many features it has."""

COLUMNS: Final[Mapping[Family, NDArray[np.intp]]] = MappingProxyType(
    {family: np.flatnonzero([feature.family == family for feature in FEATURES.values()]) for family in FAMILIES}
)
"""Family to its columns among the 43."""


def energy_distance(reference: FloatArray, generated: FloatArray, family: Family | None = None) -> float:
    """Music Energy Distance (MED) of generated phrases from real ones, overall or inside one family.

    Formula: (2A - B - C) / (2A); A is the mean distance of a real and a generated vector, B and C are the means over
        pairs of different vectors within either set. The vectors are standardised by the real phrases; overall every
        feature is weighted by 1 / sqrt(features in its family), inside a family not at all.
    Unit and range: none; 0 means the same distribution, 1 is the most. The numerator is unbiased, so values slightly
        below 0 occur.
    Edge case: 0 if A is 0; a set of one phrase has a spread of 0; undefined features (NaN) count as average.
    Source: Szekely & Rizzo 2013.

    Args:
        reference: features of real phrases (n, 43), n >= 1 (`scores.features.phrase_features`).
        generated: features of generated phrases (m, 43), m >= 1.
        family: one of `scores.features.FAMILIES`.

    Raises:
        ValueError: on another shape or family, or a set without phrases.
    """
    if family is not None and family not in FAMILIES:
        raise ValueError(f"There is no family {family!r}: one of {', '.join(FAMILIES)}.")
    for rows in (reference, generated):
        if rows.ndim != 2 or rows.shape[1] != len(FEATURES) or not len(rows):
            raise ValueError(f"Features must be of shape (phrases, {len(FEATURES)}), not {rows.shape}.")
    standard = Standard.of(reference)
    x, y = (view(standard.standardised(rows), family) for rows in (reference, generated))
    return normalised(mean_distance(x, y), mean_distance_within(x), mean_distance_within(y))


def view(z: FloatArray, family: Family | None = None) -> FloatArray:
    """Standardised features (n, 43) as they are compared: all of them weighted, or those of one family."""
    return z * WEIGHTS if family is None else z[:, COLUMNS[family]]


def normalised(between: float, within_one: float, within_other: float) -> float:
    """(2A - B - C) / (2A), 0 if A is 0."""
    return (2 * between - within_one - within_other) / (2 * between) if between else 0.0
