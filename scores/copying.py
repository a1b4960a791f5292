"""Scores of memorisation: how much of what is generated already stands in the training music."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import SILENCE
from scores.balance import auc
from scores.distances import nearest_distances
from scores.undefined import FloatArray

WINDOW_BARS: Final = 4
MIN_ONSETS: Final = 6
MAX_DIFFERING: Final = 6
"""Steps of the 64 in a window that a near copy may change: at most 10 %."""

_STEPS: Final = WINDOW_BARS * 16
_REST: Final = -128  # no pitch less another is that
_PAIRS_AT_ONCE: Final = 2**14  # what a processor's cache holds

# Six changed steps leave four of ten blocks of steps intact, and of four blocks two lie in one of these three
# groups: windows that are near copies agree in the whole of at least one of these twelve pairs of blocks. A block is
# every tenth step, because notes are held: neighbouring steps say the same and would tell windows apart badly.
_BLOCKS: Final = 10
_BLOCK_PAIRS: Final = np.array(
    [pair for group in ((0, 1, 2), (3, 4, 5), (6, 7, 8, 9)) for pair in combinations(group, 2)]
)
# Powers of an odd number: a hash that every machine of a cluster computes alike.
_WEIGHTS: Final = np.array([pow(0x9E3779B1, step + 1, 2**32) for step in range(_STEPS)], np.uint32)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingWindows:
    """Index of all distinct four-bar windows of the training music. Build it with `TrainingWindows.of_lines`."""

    windows: NDArray[np.int8]
    """(U, 64) semitones above the window's first note, -128 rest."""
    keys: NDArray[np.uint32]
    """(12, U) hash of the steps of each pair of blocks, in ascending order."""
    order: NDArray[np.int32]
    """(12, U) row of `windows` that each key belongs to."""

    @classmethod
    def of_lines(cls, lines: NDArray[np.integer[Any]]) -> "TrainingWindows":
        """From melody lines (W, 4, 16) of MIDI pitches, -1 rest; W may be 0.

        Raises:
            ValueError: on another shape, or a value outside -1..127.
        """
        _check(lines)
        windows, _ = distinct(relative(lines))
        keys = _keys(windows)
        order = np.argsort(keys, axis=1).astype(np.int32)
        return cls(windows=windows, keys=np.take_along_axis(keys, order, 1), order=order)

    def near_copies(self, windows: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Which of the windows (Q, 64), relative as ours are, differ from one of ours in at most 6 steps."""
        keys = _keys(windows)
        first, last = (self._positions(keys, side) for side in ("left", "right"))
        # A window that has more candidates than there are windows, as some counted in several keys, is compared
        # with each window once, which bounds the time whatever the music.
        crowded = (last - first).sum(0) >= len(self.windows)
        first[:, crowded] = last[:, crowded] = 0
        last[0, crowded] = len(self.windows)
        found = np.zeros(len(windows), bool)
        for begin, end, order in zip(first, last, self.order, strict=True):
            for query, position in _candidates(begin, np.where(found, begin, end)):
                there = ~found[query]
                query, position = query[there], position[there]
                differing = windows.take(query, 0) != self.windows.take(order[position], 0)
                found[query[differing.sum(1, dtype=np.uint8) <= MAX_DIFFERING]] = True
        return found

    def _positions(self, keys: NDArray[np.uint32], side: Any) -> NDArray[np.intp]:
        """(12, Q): where each key of Q windows stands among ours."""
        pairs = zip(self.keys, keys, strict=True)
        return np.array([np.searchsorted(ours, theirs, side) for ours, theirs in pairs])


def near_copy_rate(phrases: NDArray[np.integer[Any]], training: TrainingWindows) -> float:
    """Share of the generated four-bar windows that are in the training music but for a few steps, in any key.

    Formula: (windows with at least 6 onsets that differ in at most 6 of 64 steps from some training window) /
        (windows), over all windows of bars 2 to B of each phrase, as bar 1 is the prompt. Both are taken less
        their first sounding pitch; a rest equals only a rest; an onset is where a run of one pitch in a bar starts.
    Unit and range: share, 0 to 1.
    Edge case: NaN without windows (no phrase, or fewer than five bars); windows with fewer than 6 onsets count
        as windows and never as copies, so silence has 0.
    Source: ours, after Meehan et al. 2020 (data copying) and Alaa et al. 2022 (authenticity).

    Args:
        phrases: melody lines (M, B, 16) of MIDI pitches, -1 rest.
        training: the index of the training music.

    Raises:
        ValueError: on another shape, or a value outside -1..127.
    """
    windows = _generated_windows(phrases)
    _check(windows)
    if len(windows) == 0:
        return float("nan")
    lively, times = distinct(relative(windows)[_num_onsets(windows) >= MIN_ONSETS])
    return float(times[training.near_copies(lively)].sum()) / len(windows)


def copy_auc(generated: FloatArray, held_out: FloatArray, training: FloatArray) -> float:
    """Probability that a generated phrase is nearer to the training music than a held-out real one is.

    Formula: P(d(generated, training) < d(held-out, training)) + P(equal) / 2, d the distance of a feature vector
        to the nearest of the training set.
    Unit and range: probability, 0 to 1; 1/2 is as near as real music, 1 is full copying.
    Edge case: NaN if one of the three sets is empty.
    Source: Meehan et al. 2020.

    Args:
        generated: float (n, F), finite, standardised.
        held_out: float (m, F), as `generated`.
        training: float (k, F), as `generated`.
    """
    if len(training) == 0:
        return float("nan")
    return auc(nearest_distances(generated, training), nearest_distances(held_out, training))


def _generated_windows(phrases: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """All windows (W, 4, 16) of the bars after the first."""
    if phrases.ndim != 3:
        raise ValueError(f"Phrases must be of shape (phrases, bars, 16), not {phrases.shape}.")
    starts = np.arange(1, max(1, phrases.shape[1] - WINDOW_BARS + 1))
    windows = phrases[:, starts[:, None] + np.arange(WINDOW_BARS)]
    return windows.reshape(-1, WINDOW_BARS, phrases.shape[2])


def _check(windows: NDArray[np.integer[Any]]) -> None:
    if windows.shape[1:] != (WINDOW_BARS, 16):
        raise ValueError(f"Windows must be of shape (windows, 4, 16), not {windows.shape}.")
    if windows.size and not (windows.min() >= SILENCE and windows.max() <= 127):
        raise ValueError(f"A step is a pitch from 0 to 127 or -1; found {windows.min()} to {windows.max()}.")


def relative(lines: NDArray[np.integer[Any]]) -> NDArray[np.int8]:
    """Lines (W, B, 16) as semitones above their first note, (W, 16 B), the same in every key; -128 rest."""
    line = lines.reshape(len(lines), lines.shape[1] * lines.shape[2]).astype(np.int16)
    first = np.take_along_axis(line, (line != SILENCE).argmax(1)[:, None], 1)
    return np.where(line == SILENCE, _REST, line - first).astype(np.int8)


def distinct(windows: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.intp]]:
    """The distinct rows (U, 16 B) of rows of whole bars, and how many times each is there."""
    # Two words a bar sort much faster than sixteen columns.
    words, times = np.unique(windows.view(np.int64), axis=0, return_counts=True)
    return words.view(np.int8), times


def _keys(windows: NDArray[np.int8]) -> NDArray[np.uint32]:
    """(12, W): a hash of the steps of each pair of blocks. Equal steps have equal keys; the reverse is likely."""
    blocks = np.stack(
        [windows[:, block::_BLOCKS].astype(np.uint32) @ _WEIGHTS[block::_BLOCKS] for block in range(_BLOCKS)]
    )
    keys: NDArray[np.uint32] = blocks[_BLOCK_PAIRS[:, 0]] + blocks[_BLOCK_PAIRS[:, 1]]
    return keys


def _candidates(first: NDArray[np.intp], last: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """All (query, position) with first <= position < last of the query, a bounded number at a time."""
    ends = np.cumsum(last - first)
    shift = last - ends
    for start in range(0, int(ends[-1]) if len(ends) else 0, _PAIRS_AT_ONCE):
        pair = np.arange(start, min(start + _PAIRS_AT_ONCE, int(ends[-1])))
        query = np.searchsorted(ends, pair, "right")
        yield query, pair + shift[query]


def _num_onsets(windows: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    onsets = windows != SILENCE
    onsets[..., 1:] &= windows[..., 1:] != windows[..., :-1]
    counts: NDArray[np.intp] = np.count_nonzero(onsets, axis=(1, 2))
    return counts
