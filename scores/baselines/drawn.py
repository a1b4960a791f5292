"""Baselines of chance: bars or notes drawn at random, whatever went before."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scores.baselines.music import Lines, TrainingMusic, begin

_LOWEST: Final = 60
_HIGHEST: Final = 83


@dataclass(frozen=True, slots=True, eq=False)
class RandomBarsByChord:
    """Every bar is a training bar with its chord, drawn at random: real bars, right harmony, no connection."""

    training: TrainingMusic

    def generate(self, first_bar: Lines, chord: NDArray[np.int8], *, seed: int) -> Lines:
        """As `Baseline.generate`; a chord that training lacks borrows bars as `TrainingMusic.over` says."""
        phrases, rng = begin(first_bar, chord), np.random.default_rng(seed)
        for value in np.unique(chord[:, 1:]):
            phrase, bar = np.nonzero(chord[:, 1:] == value)
            rows, shift = self.training.over(int(value))
            drawn = rng.integers(len(rows), size=len(phrase))
            phrases[phrase, bar + 1] = self.training.transposed(rows[drawn], shift[drawn])
        return phrases


@dataclass(frozen=True, slots=True, eq=False)
class RandomBars:
    """Every bar is a training bar drawn at random, whatever the chord: real bars in a senseless order."""

    training: TrainingMusic

    def generate(self, first_bar: Lines, chord: NDArray[np.int8], *, seed: int) -> Lines:
        """As `Baseline.generate`."""
        phrases, rng = begin(first_bar, chord), np.random.default_rng(seed)
        melody = self.training.melody
        phrases[:, 1:] = melody[rng.integers(len(melody), size=chord[:, 1:].shape)]
        return phrases


@dataclass(frozen=True, slots=True, eq=False)
class RandomNotes:
    """Every step is a new pitch, uniform over the two octaves from middle C (60-83)."""

    def generate(self, first_bar: Lines, chord: NDArray[np.int8], *, seed: int) -> Lines:
        """As `Baseline.generate`."""
        phrases, rng = begin(first_bar, chord), np.random.default_rng(seed)
        phrases[:, 1:] = rng.integers(_LOWEST, _HIGHEST + 1, phrases[:, 1:].shape, dtype=np.int8)
        return phrases
