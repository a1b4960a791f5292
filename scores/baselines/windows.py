"""Baselines of chance for piano music: windows, bars or notes drawn at random, whatever went before."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES
from data_prep.corpus import Split
from data_prep.errors import UserError
from data_prep.windows import STEPS, WindowCorpus
from scores.notes import NUM_STEPS, IntArray

Velocities = NDArray[np.uint8]
"""Piano music (..., 16, 128): velocity of each pitch in each step, 0 silence."""

_BARS: Final = STEPS // NUM_STEPS
_MEASURED: Final = 1024
"""Most training windows that density is measured on: 16 MB."""


class PianoBaseline(Protocol):
    """What a baseline of piano music can do: the same as a trained system."""

    def generate(self, first_bar: Velocities, chord: NDArray[np.int8], *, seed: int) -> Velocities:
        """Phrases uint8 (M, B, 16, 128) that begin with `first_bar` (M, 16, 128), B at most 8.

        Chords (M, B) say how many bars there are, and go unheard.
        The same arguments give the same bytes.

        Raises:
            ValueError: if the shapes do not fit.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class RandomWindows:
    """Every phrase is a training window drawn at random, but for its first bar: true music, and all of it copied."""

    corpus: WindowCorpus
    rows: IntArray
    """(N,) windows to draw from, N at least 1."""

    def generate(self, first_bar: Velocities, chord: NDArray[np.int8], *, seed: int) -> Velocities:
        """As `PianoBaseline.generate`."""
        phrases, rng = _begin(first_bar, chord), np.random.default_rng(seed)
        phrases[:, 1:] = _drawn(self.corpus, self.rows, len(phrases), rng)[:, 1 : phrases.shape[1]]
        return phrases


@dataclass(frozen=True, slots=True, eq=False)
class RandomWindowBars:
    """Every sixteen steps are those of a training window drawn at random: real bars in a senseless order."""

    corpus: WindowCorpus
    rows: IntArray
    """(N,) windows to draw from, N at least 1."""

    def generate(self, first_bar: Velocities, chord: NDArray[np.int8], *, seed: int) -> Velocities:
        """As `PianoBaseline.generate`; a bar keeps its place in the window, of which it is one in eight."""
        phrases, rng = _begin(first_bar, chord), np.random.default_rng(seed)
        for bar in range(1, phrases.shape[1]):
            phrases[:, bar] = _drawn(self.corpus, self.rows, len(phrases), rng)[:, bar]
        return phrases


@dataclass(frozen=True, slots=True, eq=False)
class RandomWindowNotes:
    """Every cell of the register sounds or does not, as often as those of the training music do."""

    density: float
    """Share of the cells of the register that sound."""
    register: tuple[int, int]
    """Lowest and highest pitch of the training music."""
    velocity: int
    """Median of the training music: how hard every note is struck."""

    @classmethod
    def fit(cls, corpus: WindowCorpus, rows: IntArray) -> "RandomWindowNotes":
        """Measure windows (N,) of the training music, in which something sounds."""
        cells = corpus.rasterise(rows[np.linspace(0, len(rows) - 1, min(len(rows), _MEASURED)).astype(np.int64)])
        used = np.flatnonzero(cells.any(axis=(0, 1)))
        low, high = int(used[0]), int(used[-1])
        share = np.count_nonzero(cells) / cells[:, :, low : high + 1].size
        return cls(share, (low, high), int(np.median(cells[cells > 0])))

    def generate(self, first_bar: Velocities, chord: NDArray[np.int8], *, seed: int) -> Velocities:
        """As `PianoBaseline.generate`."""
        phrases, rng = _begin(first_bar, chord), np.random.default_rng(seed)
        low, high = self.register
        rest = phrases[:, 1:, :, low : high + 1]
        rest[rng.random(rest.shape, np.float32) < self.density] = self.velocity
        return phrases


def window_baselines(corpus: WindowCorpus) -> Mapping[str, PianoBaseline]:
    """Every baseline of piano music by name.

    "random windows" is what copying comes to. "random bars" and "random notes" are what they are of bars with chords.

    Raises:
        UserError: if there is no training window.
    """
    rows = corpus.rows(Split.TRAIN)
    if not len(rows):
        raise UserError("The corpus has 0 training windows, but baselines need at least 1: prepare it from more songs.")
    return MappingProxyType(
        {
            "random windows": RandomWindows(corpus, rows),
            "random bars": RandomWindowBars(corpus, rows),
            "random notes": RandomWindowNotes.fit(corpus, rows),
        }
    )


def _begin(first_bar: Velocities, chord: NDArray[np.int8]) -> Velocities:
    """Phrases (M, B, 16, 128) with `first_bar` in place and silence behind it."""
    fits = chord.ndim == 2 and 1 <= chord.shape[1] <= _BARS
    if not fits or first_bar.shape != (len(chord), NUM_STEPS, NUM_PITCHES):
        raise ValueError(
            f"Prompts are (M, 16, 128) with (M, B) chords, B from 1 to {_BARS}, "
            f"not {first_bar.shape} with {chord.shape}."
        )
    phrases = np.zeros((*chord.shape, NUM_STEPS, NUM_PITCHES), np.uint8)
    phrases[:, 0] = first_bar
    return phrases


def _drawn(corpus: WindowCorpus, rows: IntArray, count: int, rng: np.random.Generator) -> Velocities:
    """Windows drawn at random, (count, 8, 16, 128)."""
    drawn = rows[rng.integers(len(rows), size=count)]
    return corpus.rasterise(drawn).reshape(-1, _BARS, NUM_STEPS, NUM_PITCHES)
