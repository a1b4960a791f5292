"""The music that baselines are built from, and the method that they share with trained systems."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from data_prep import bars, chords
from data_prep.errors import UserError
from scores.notes import NUM_STEPS, IntArray

Lines = NDArray[np.int8]
"""Melody lines (..., 16): MIDI pitch of each step, -1 for a rest."""


class Baseline(Protocol):
    """What a baseline can do: the same as a trained system."""

    def generate(self, first_bar: Lines, chord: NDArray[np.int8], *, seed: int) -> Lines:
        """Phrases int8 (M, B, 16) that begin with `first_bar` (M, 16) over the chords (M, B); M may be 0.

        The same arguments give the same bytes.

        Raises:
            ValueError: if the shapes do not fit, or a value is no pitch or chord class.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingMusic:
    """N bars of the training songs.

    Attributes:
        melody: int8 (N, 16), MIDI pitch of each step, -1 for a rest.
        chord: int8 (N,), chord class of each bar.
        previous: (N,), row of the bar before; -1 where there is none.

    Raises:
        UserError: if there is no bar.
        ValueError: if the shapes do not fit, or a value is no pitch, chord class or row.
    """

    melody: Lines
    chord: NDArray[np.int8]
    previous: IntArray

    def __post_init__(self) -> None:
        num = len(self.melody)
        if not num:
            raise UserError(
                "The corpus has 0 training bars, but baselines need at least 1: prepare it from more songs."
            )
        if self.melody.shape != (num, NUM_STEPS) or self.chord.shape != (num,) or self.previous.shape != (num,):
            shapes = f"{self.melody.shape}, {self.chord.shape}, {self.previous.shape}"
            raise ValueError(f"Training bars are (N, 16) with (N,) chords and (N,) rows before, not {shapes}.")
        _check_values(self.melody, self.chord)
        if self.previous.min() < -1 or self.previous.max() >= num:
            found = f"{self.previous.min()} to {self.previous.max()}"
            raise ValueError(f"The bar before is a row from 0 to {num - 1}, or -1; found {found}.")

    def over(self, chord: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Bars that can stand over a chord: rows (n,) and the semitones (n,) by which to transpose each; n >= 1.

        They are the bars with this very chord; where training has none, those with a chord of the same quality,
        brought to this root by the shorter way; where it has none either, all bars as they are.
        """
        rows = np.flatnonzero(self.chord == chord)
        if not len(rows) and chord != chords.NO_CHORD:
            rows = np.flatnonzero(self.chord // 12 == chord // 12)
        if not len(rows):
            return np.arange(len(self.chord)), np.zeros(len(self.chord), np.int64)
        upwards = chord - self.chord[rows].astype(np.int64)
        return rows, (upwards + 6) % 12 - 6

    def transposed(self, rows: IntArray, shift: IntArray) -> Lines:
        """Bars (n, 16) in those rows, each moved by its shift (n,) in semitones."""
        return bars.transpose(self.melody[rows], shift)


def begin(first_bar: Lines, chord: NDArray[np.int8]) -> Lines:
    """Phrases (M, B, 16) with `first_bar` in place and rests behind it.

    Raises:
        ValueError: if the shapes do not fit, or a value is no pitch or chord class.
    """
    if chord.ndim != 2 or chord.shape[1] < 1 or first_bar.shape != (len(chord), NUM_STEPS):
        raise ValueError(f"Prompts are (M, 16) with (M, B) chords, B >= 1, not {first_bar.shape} with {chord.shape}.")
    _check_values(first_bar, chord)
    phrases = np.full((*chord.shape, NUM_STEPS), bars.SILENCE, np.int8)
    phrases[:, 0] = first_bar
    return phrases


def _check_values(melody: Lines, chord: NDArray[np.int8]) -> None:
    if melody.dtype != np.int8 or melody.min(initial=0) < bars.SILENCE:
        raise ValueError(f"A pitch is int8 from -1 to 127; found {melody.dtype} from {melody.min(initial=0)}.")
    if chord.dtype != np.int8 or chord.min(initial=0) < 0 or chord.max(initial=0) >= chords.NUM_CHORDS:
        found = f"{chord.dtype} from {chord.min(initial=0)} to {chord.max(initial=0)}"
        raise ValueError(f"A chord is an int8 class from 0 to 24; found {found}.")
