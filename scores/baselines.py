"""Generators without a network: the anchor lines that give the leaderboard its scale.

Each takes training bars (N, 16), prompt phrases (M, 8, 16) and a random generator, and returns phrases
(M, 8, 16) with the prompts' first bars. All are melody lines in int8: MIDI pitch, -1 rest.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

Lines = NDArray[np.int8]
Baseline = Callable[[Lines, Lines, np.random.Generator], Lines]

_LOWEST, _HIGHEST = 60, 83


def real_continuations(melody: Lines, phrases: Lines, rng: np.random.Generator) -> Lines:
    """The phrases as they are: what a perfect generator would score. The other arguments play no part."""
    return np.array(phrases)


def random_training_bars(melody: Lines, phrases: Lines, rng: np.random.Generator) -> Lines:
    """Bars 2 to 8 are training bars drawn at random, whatever the chord: real bars in a senseless order.

    Raises:
        ValueError: if there is no training bar.
    """
    return _continued(phrases, melody[rng.integers(len(melody), size=_num_continued(phrases))])


def random_notes(melody: Lines, phrases: Lines, rng: np.random.Generator) -> Lines:
    """Bars 2 to 8 are a new pitch at every step, uniform over two octaves from middle C."""
    size = (*_num_continued(phrases), phrases.shape[2])
    return _continued(phrases, rng.integers(_LOWEST, _HIGHEST + 1, size, dtype=np.int8))


BASELINES: Final[Mapping[str, Baseline]] = MappingProxyType(
    {
        "real_continuations": real_continuations,
        "random_training_bars": random_training_bars,
        "random_notes": random_notes,
    }
)
"""Name to generator, best first."""


def _num_continued(phrases: Lines) -> tuple[int, int]:
    return phrases.shape[0], phrases.shape[1] - 1


def _continued(phrases: Lines, bars: Lines) -> Lines:
    return np.concatenate([phrases[:, :1], bars], axis=1)
