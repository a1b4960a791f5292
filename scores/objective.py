"""The number that the search minimises: how far generated phrases are from real ones.

It is the normalised energy distance of Szekely & Rizzo (2013) between the two sets of feature vectors:
no kernel width, no embedding, and a mean that does not depend on the number of phrases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep.errors import UserError
from scores.features import FAMILIES, FEATURES, feature_matrix, phrase_features
from scores.notes import Bars, BoolArray, IntArray
from scores.registry import measure
from scores.undefined import FloatArray, defined_mean, defined_std

WORST_OBJECTIVE: Final = 3.0
"""The objective of output that cannot be measured at all: worse than anything that can."""
WORST_DISTANCE: Final = 1.0
"""The upper bound of an energy distance, reported per family when nothing can be measured."""
_CLIP: Final = 6.0
_ROWS_AT_ONCE: Final = 512


def _columns_by_report() -> dict[str, tuple[NDArray[np.intp], FloatArray]]:
    """Name of each reported distance to its columns and their weights."""
    family_of = np.array(list(FEATURES.values()))
    size = np.array([np.count_nonzero(family_of == family) for family in family_of])
    columns = {"objective": (np.arange(len(size)), 1 / np.sqrt(size))}
    for family in FAMILIES:
        (members,) = np.nonzero(family_of == family)
        columns[f"med_{family}"] = (members, np.ones(len(members)))
    return columns


_COLUMNS: Final = _columns_by_report()


def _distance_sum(x: FloatArray, y: FloatArray) -> float:
    """Sum of the Euclidean distances of all pairs, a block of rows at a time to bound the memory."""
    norm_y, total = (y**2).sum(1), 0.0
    for start in range(0, len(x), _ROWS_AT_ONCE):
        block = x[start : start + _ROWS_AT_ONCE]
        norms = (block**2).sum(1)[:, None] + norm_y
        squared = norms - 2 * (block @ y.T)
        # Equal rows cancel to rounding noise, whose root would look like a distance of 1e-7.
        squared[squared < 1e-13 * norms] = 0
        total += float(np.sqrt(squared).sum())
    return total


def self_distance(rows: FloatArray) -> float:
    """Mean distance over pairs of different rows; 0 for a single row, whose spread nothing shows."""
    return _distance_sum(rows, rows) / max(1, len(rows) * (len(rows) - 1))


def energy_distance(reference: FloatArray, generated: FloatArray, *, reference_self: float | None = None) -> float:
    """Normalised energy distance between two sets of weighted feature vectors.

    Formula: (2A - B - C) / (2A); A is the mean distance of a reference and a generated row, B and C are the
    means over pairs of different rows within either set.
    Unit and range: none; 0 means the same distribution, 1 is the most. The numerator is unbiased, so values
    slightly below 0 occur.
    Edge case: 0 if A is 0; a set of one row has a self-distance of 0.
    Source: Szekely & Rizzo 2013.

    Args:
        reference: float (n, F), finite, n >= 1.
        generated: float (m, F), finite, m >= 1.
        reference_self: B, if it is already known.
    """
    between = _distance_sum(reference, generated) / (len(reference) * len(generated))
    if between == 0:
        return 0.0
    within = self_distance(reference) if reference_self is None else reference_self
    return (2 * between - within - self_distance(generated)) / (2 * between)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """Real phrases, reduced to what comparing others with them needs. Build it with `Reference.fit`."""

    mean: FloatArray
    """(F,) of each feature over the phrases that define it."""
    scale: FloatArray
    """(F,) standard deviation, not below 5 % of max(|mean|, .01)."""
    z: FloatArray
    """(n, F) standardised features."""
    self_distances: Mapping[str, float]
    """Distance within the reference, by reported name."""

    @classmethod
    def fit(cls, roll: BoolArray, chord: IntArray) -> "Reference":
        """From real phrases, bool (n, 8, 16, 128), and their chords (n, 8).

        Raises:
            UserError: with fewer than two phrases.
        """
        if len(roll) < 2:
            raise UserError(f"The reference has {len(roll)} phrases of 8 bars, but at least 2 are needed.")
        features = phrase_features(roll, chord)
        mean = defined_mean(features, 0)
        scale = np.maximum(defined_std(features, 0), 0.05 * np.maximum(np.abs(mean), 0.01))
        z = _standardise(features, mean, scale)
        distances = {name: self_distance(z[:, cols] * weight) for name, (cols, weight) in _COLUMNS.items()}
        return cls(mean=mean, scale=scale, z=z, self_distances=distances)

    def evaluate(self, roll: BoolArray, chord: IntArray) -> dict[str, float]:
        """Everything reported about generated phrases; every value is finite, whatever they are.

        Args:
            roll: bool (M, 8, 16, 128); M may be 0.
            chord: whole numbers (M, 8), classes 0-24.

        Returns:
            `objective`: the energy distance with every family weighted alike, about 0 (as real) to 1; lower
            is better; 3 if there is no phrase. It is unguarded: it hardly sees copies of training bars or of
            each other, so watch `dup_rate`. `med_<family>`: the same inside one family. `<score>`: its mean
            over the bars or phrases that define it; absent if none does.
        """
        bars = Bars.of_phrases(roll, chord)
        by_bar, by_phrase = measure(bars, "bar"), measure(bars, "phrase")
        features = feature_matrix(by_phrase, by_bar, bars.bars_per_phrase)
        scores = by_bar | by_phrase | measure(bars, "set")
        means = {name: float(defined_mean(values.reshape(-1), 0)) for name, values in scores.items()}
        return self._distances(features) | {name: mean for name, mean in means.items() if np.isfinite(mean)}

    def _distances(self, features: FloatArray) -> dict[str, float]:
        if len(features) == 0:
            return {name: WORST_OBJECTIVE if name == "objective" else WORST_DISTANCE for name in _COLUMNS}
        z = _standardise(features, self.mean, self.scale)
        return {
            name: energy_distance(
                self.z[:, cols] * weight, z[:, cols] * weight, reference_self=self.self_distances[name]
            )
            for name, (cols, weight) in _COLUMNS.items()
        }


def _standardise(features: FloatArray, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Clip((f - mean) / scale, -6, 6), and 0 where a feature is undefined here or in the whole reference."""
    return np.nan_to_num(np.clip((features - mean) / scale, -_CLIP, _CLIP), nan=0.0)
