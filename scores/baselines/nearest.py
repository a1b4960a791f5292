"""The baseline of memory: every bar follows the nearest thing that training has to what was just written."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scores.baselines.music import Lines, TrainingMusic, begin
from scores.notes import NUM_STEPS

_MAX_CANDIDATES: Final = 8_192
_PHRASES_AT_ONCE: Final = 256  # with 8,192 candidates, 8 MB to each array of keys
_NOTHING: Final = -2  # as the bar before: unlike any pitch or rest, so at the greatest distance from every bar


@dataclass(frozen=True, slots=True, eq=False)
class NearestBars:
    """Every bar is a training bar with its chord, one of the k whose bars before were nearest to the one just written.

    Distance: the number of steps (0-16) in which two bars differ, the Hamming distance; among bars equally near,
    chance decides. Of more than 8,192 bars with the chord, as many drawn anew by the seed take part in each bar.
    """

    training: TrainingMusic
    neighbours: int = 5
    """k; where there are fewer bars, all of them."""

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"At least 1 neighbour is needed, not {self.neighbours}.")

    def generate(self, first_bar: Lines, chord: NDArray[np.int8], *, seed: int) -> Lines:
        """As `Baseline.generate`; a chord that training lacks borrows bars as `TrainingMusic.over` says."""
        phrases, rng = begin(first_bar, chord), np.random.default_rng(seed)
        for bar in range(1, chord.shape[1]):
            for value in np.unique(chord[:, bar]):
                (here,) = np.nonzero(chord[:, bar] == value)
                phrases[here, bar] = self._continue(phrases[here, bar - 1], int(value), rng)
        return phrases

    def _continue(self, before: Lines, chord: int, rng: np.random.Generator) -> Lines:
        rows, shift = self.training.over(chord)
        candidates = rng.permutation(len(rows))[:_MAX_CANDIDATES]
        rows, shift = rows[candidates], shift[candidates]
        previous = self.training.previous[rows]
        known = np.where(previous[:, None] >= 0, self.training.transposed(previous, shift), np.int8(_NOTHING))
        nearest = _nearest(before, known, min(self.neighbours, len(rows)), rng)
        chosen = nearest[np.arange(len(before)), rng.integers(nearest.shape[1], size=len(before))]
        return self.training.transposed(rows[chosen], shift[chosen])


def _nearest(bars: Lines, known: Lines, neighbours: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows (m, k) of `known` (n, 16) with the least Hamming distance to each of `bars` (m, 16), nearest first."""
    start = rng.integers(len(known), size=len(bars), dtype=np.int32)
    blocks = [slice(first, first + _PHRASES_AT_ONCE) for first in range(0, len(bars), _PHRASES_AT_ONCE)]
    return np.concatenate([_nearest_in_block(bars[block], known, neighbours, start[block]) for block in blocks])


def _nearest_in_block(bars: Lines, known: Lines, neighbours: int, start: NDArray[np.int32]) -> NDArray[np.int64]:
    """Of rows equally near, the first behind the row `start` (m,): were it the same for all, so were the choice."""
    num = np.int32(len(known))
    turn = (np.arange(num, dtype=np.int32) - start[:, None]) % num
    # No two keys of a bar are equal, so that the k least do not depend on the machine's way of partitioning.
    key = _distances(bars, known).astype(np.int32) * num + turn
    least = np.sort(np.partition(key, neighbours - 1, axis=1)[:, :neighbours], axis=1)
    rows: NDArray[np.int64] = (least % num + start[:, None]).astype(np.int64) % num
    return rows


def _distances(bars: Lines, known: Lines) -> NDArray[np.uint8]:
    distance = np.zeros((len(bars), len(known)), np.uint8)
    columns = np.ascontiguousarray(known.T)
    for step in range(NUM_STEPS):
        distance += bars[:, step, None] != columns[step]
    return distance
