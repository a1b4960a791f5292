"""Euclidean distances between rows of feature vectors, a bounded number of pairs at a time."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from scores.undefined import FloatArray

PAIRS_AT_ONCE: Final = 2**22


def pairwise_distances(x: FloatArray, y: FloatArray) -> FloatArray:
    """Distances (n, m) between the rows of `x` (n, F) and `y` (m, F); rows equal but for rounding are at exactly 0.

    It takes 8 bytes a pair twice over: meant for n * m up to 2**22, see `distance_blocks` for more.
    """
    norms = (x**2).sum(1)[:, None] + (y**2).sum(1)
    squared = norms - 2 * (x @ y.T)
    # Equal rows cancel to rounding noise, whose root would look like a distance of 1e-7.
    squared[squared < 1e-13 * norms] = 0
    distances: FloatArray = np.sqrt(squared, out=squared)
    return distances


def distance_blocks(x: FloatArray, y: FloatArray) -> Iterator[FloatArray]:
    """The rows of `pairwise_distances` in order, as many at once as keep the memory bounded."""
    rows = max(1, PAIRS_AT_ONCE // max(1, len(y)))
    for start in range(0, len(x), rows):
        yield pairwise_distances(x[start : start + rows], y)


def nearest_distances(x: FloatArray, y: FloatArray) -> FloatArray:
    """Distance (n,) of each row of `x` (n, F) to the nearest row of `y` (m, F), m >= 1."""
    return np.concatenate([np.empty(0), *(distances.min(1) for distances in distance_blocks(x, y))])


def mean_distance(x: FloatArray, y: FloatArray) -> float:
    """Mean over all pairs of a row of `x` (n, F) and a row of `y` (m, F), n and m at least 1."""
    return float(sum(distances.sum() for distances in distance_blocks(x, y))) / (len(x) * len(y))


def mean_distance_within(rows: FloatArray) -> float:
    """Mean over all pairs of different rows (n, F); 0 for a single row, whose spread nothing shows."""
    total = sum(distances.sum() for distances in distance_blocks(rows, rows))
    return float(total) / max(1, len(rows) * (len(rows) - 1))
