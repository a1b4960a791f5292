"""Scores of the spread of a set: is it as varied as real music, and does it reach all of it?

They compare rows (n, F) of feature vectors, float64 and finite: standardised, weighted, the undefined imputed.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from scores.cells import IntArray
from scores.distances import PAIRS_AT_ONCE, distance_blocks, mean_distance_within, pairwise_distances
from scores.undefined import FloatArray

_NAN: Final = float("nan")
_JUST_BELOW: Final = 1 - 1e-9


def intra_set_distance(
    generated: FloatArray, reference: FloatArray, *, reference_distance: float | None = None
) -> float:
    """Spread of the generated set, measured by the spread of the real one.

    Formula: (mean distance of two generated rows) / (mean distance of two reference rows), over distinct pairs.
    Unit and range: ratio, from 0; 1 is as varied as real, less is mode collapse, more is noise.
    Edge case: NaN if either set has fewer than two rows, or all reference rows are equal.
    Source: Yang & Lerch 2018 (intra-set distance).

    Args:
        generated: float (m, F).
        reference: float (n, F).
        reference_distance: mean distance of two reference rows, if it is already known.
    """
    if min(len(generated), len(reference)) < 2:
        return _NAN
    real = mean_distance_within(reference) if reference_distance is None else reference_distance
    return mean_distance_within(generated) / real if real > 0 else _NAN


def recall(
    reference: FloatArray,
    generated: FloatArray,
    k: int = 5,
    *,
    reference_song: IntArray | None = None,
    generated_song: IntArray | None = None,
) -> float:
    """Share of the real rows that lie where the generator also goes.

    Formula: share of reference rows nearer to some generated row than that row's k-th other generated row is. Rows of
        one song, where songs are named, are no neighbours of each other.
    Unit and range: share, 0 to 1.
    Edge case: NaN with at most k generated rows, or no reference row; 0 if all generated rows are equal.
    Source: Kynkaanniemi et al. 2019 (improved recall); ours in telling songs apart.

    Args:
        reference: float (n, F).
        generated: float (m, F).
        k: how many neighbours span a row's neighbourhood.
        reference_song: (n,) number of each row's song: overlapping phrases of one song are nearly equal.
        generated_song: (m,) the same, where real rows stand in for generated ones.
    """
    if len(generated) <= k or len(reference) == 0:
        return _NAN
    radii = _neighbour_distances(generated, k, generated_song)
    blocks = _distances(reference, generated, reference_song, generated_song)
    return float(sum(np.count_nonzero((distances < radii).any(1)) for distances in blocks)) / len(reference)


def coverage(
    reference: FloatArray,
    generated: FloatArray,
    k: int = 5,
    *,
    reference_song: IntArray | None = None,
    generated_song: IntArray | None = None,
) -> float:
    """Share of the real rows that have a generated row in their own neighbourhood.

    Formula: share of reference rows nearer to some generated row than to their k-th other reference row. Rows of one
        song, where songs are named, are no neighbours of each other.
    Unit and range: share, 0 to 1.
    Edge case: NaN with at most k reference rows, or no generated row; rows with k equals are never covered.
    Source: Naeem et al. 2020; ours in telling songs apart.

    Args: as of `recall`.
    """
    if len(reference) <= k or len(generated) == 0:
        return _NAN
    blocks = _distances(reference, generated, reference_song, generated_song)
    nearest = np.concatenate([distances.min(1) for distances in blocks])
    covered = nearest < _neighbour_distances(reference, k, reference_song)
    return float(np.count_nonzero(covered)) / len(reference)


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


def _neighbour_distances(rows: FloatArray, k: int, song: IntArray | None) -> FloatArray:
    """Distance (n,) of each row to its k-th other row, k < n, less a trifle."""
    # Without songs every row is one of its own, and no neighbour of itself.
    own = np.arange(len(rows)) if song is None else song
    blocks = (np.partition(distances, k - 1, axis=1)[:, k - 1] for distances in _distances(rows, rows, own, own))
    # A row of the other set that equals the k-th neighbour is just not nearer, which rounding must not decide.
    return np.concatenate([_JUST_BELOW * radii for radii in blocks])


def _distances(x: FloatArray, y: FloatArray, song_x: IntArray | None, song_y: IntArray | None) -> Iterator[FloatArray]:
    """Blocks of rows of the distances of `x` from `y`, infinite between rows of one song."""
    start = 0
    for distances in distance_blocks(x, y):
        if song_x is not None and song_y is not None:
            distances[song_x[start : start + len(distances), None] == song_y] = np.inf
        start += len(distances)
        yield distances
