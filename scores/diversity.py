"""Scores of the spread of a set: is it as varied as real music, and does it reach all of it?

They compare rows (n, F) of feature vectors, float64 and finite: standardised, weighted, the undefined imputed.
"""

from typing import Final

import numpy as np

from scores.distances import (
    PAIRS_AT_ONCE,
    distance_blocks,
    mean_distance_within,
    nearest_distances,
    pairwise_distances,
)
from scores.undefined import FloatArray

_NAN: Final = float("nan")
_JUST_BELOW: Final = 1 - 1e-9


def intra_set_distance(generated: FloatArray, reference: FloatArray) -> float:
    """Spread of the generated set, measured by the spread of the real one.

    Formula: (mean distance of two generated rows) / (mean distance of two reference rows), over distinct pairs.
    Unit and range: ratio, from 0; 1 is as varied as real, less is mode collapse, more is noise.
    Edge case: NaN if either set has fewer than two rows, or all reference rows are equal.
    Source: Yang & Lerch 2018 (intra-set distance).
    """
    if min(len(generated), len(reference)) < 2:
        return _NAN
    real = mean_distance_within(reference)
    return mean_distance_within(generated) / real if real > 0 else _NAN


def recall(reference: FloatArray, generated: FloatArray, k: int = 5) -> float:
    """Share of the real rows that lie where the generator also goes.

    Formula: share of reference rows nearer to some generated row than that row's k-th other generated row is.
    Unit and range: share, 0 to 1.
    Edge case: NaN with at most k generated rows, or no reference row; 0 if all generated rows are equal.
    Source: Kynkaanniemi et al. 2019 (improved recall).
    """
    if len(generated) <= k or len(reference) == 0:
        return _NAN
    radii = _neighbour_distances(generated, k)
    return sum(np.count_nonzero((d < radii).any(1)) for d in distance_blocks(reference, generated)) / len(reference)


def coverage(reference: FloatArray, generated: FloatArray, k: int = 5) -> float:
    """Share of the real rows that have a generated row in their own neighbourhood.

    Formula: share of reference rows nearer to some generated row than to their k-th other reference row.
    Unit and range: share, 0 to 1.
    Edge case: NaN with at most k reference rows, or no generated row; rows with k equals are never covered.
    Source: Naeem et al. 2020.
    """
    if len(reference) <= k or len(generated) == 0:
        return _NAN
    nearest = nearest_distances(reference, generated)
    return np.count_nonzero(nearest < _neighbour_distances(reference, k)) / len(reference)


def vendi_score(features: FloatArray, width: float) -> float:
    """Effective number of different rows of a set.

    Formula: exp(-sum_i l_i ln l_i), l_i the eigenvalues of K / n, K_ij = exp(-d_ij^2 / (2 width^2)).
    Unit and range: rows, 1 (all equal) to n (all far apart in terms of the width).
    Edge case: NaN without rows, or if the width is not above 0. Time grows with n^3, memory with n^2.
    Source: Friedman & Dieng 2023.
    """
    if len(features) == 0 or not width > 0:
        return _NAN
    with np.errstate(over="ignore"):  # a width near 0 puts rows infinitely far apart, as it should
        kernel = np.exp(-((pairwise_distances(features, features) / width) ** 2) / 2)
    share = np.linalg.eigvalsh(kernel / len(features))
    share = share[share > 0]  # rounding leaves some just below
    return float(np.exp(-(share * np.log(share)).sum()))


def median_distance(rows: FloatArray) -> float:
    """Median distance of two rows (n, F) of a set, the width of `vendi_score`; NaN with fewer than two rows.

    A set of more than 2048 rows is represented by up to 2048 of them, evenly spaced.
    """
    limit = int(PAIRS_AT_ONCE**0.5)
    some = rows[:: max(1, -(-len(rows) // limit))]
    pairs = np.triu_indices(len(some), 1)
    return float(np.median(pairwise_distances(some, some)[pairs])) if len(some) > 1 else _NAN


def _neighbour_distances(rows: FloatArray, k: int) -> FloatArray:
    """Distance (n,) of each row to its k-th other row, k < n, less a trifle."""
    # A row itself, at 0, is among the k + 1 nearest.
    blocks = (np.partition(distances, k, axis=1)[:, k] for distances in distance_blocks(rows, rows))
    # A row of the other set that equals the k-th neighbour is just not nearer, which rounding must not decide.
    return np.concatenate([_JUST_BELOW * radii for radii in blocks])
