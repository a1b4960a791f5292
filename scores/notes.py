"""What every score looks at: bars, each with its chord and the bar before it, and phrases as runs of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES, SILENCE
from data_prep.chords import NUM_CHORDS
from scores.cells import NUM_STEPS, BoolArray, Cells, IntArray

__all__ = ["NUM_STEPS", "Bars", "BoolArray", "Cells", "IntArray", "Line"]


class Line(NamedTuple):
    """The notes of the melody line in order of time, over all bars."""

    bar: NDArray[np.int64]
    """(K,) row of the bar."""
    step: NDArray[np.int64]
    """(K,) step in it at which the note starts."""
    pitch: NDArray[np.int64]
    """(K,) MIDI pitch."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Bars:
    """N bars with their chords and the bars before them; M phrases are runs of `bars_per_phrase` rows.

    A bar before that is silent or missing counts as none.
    """

    now: Cells
    before: Cells
    """The bar before each; silence where there is none."""
    chord: IntArray
    """(N,) chord class 0-24, 24 none."""
    bars_per_phrase: int = 1

    @classmethod
    def of_bars(cls, roll: BoolArray, chord: IntArray, previous: BoolArray) -> "Bars":
        """From rolls (N, 16, 128), chords (N,) and the rolls of the bars before (N, 16, 128)."""
        _check(roll=roll, previous=previous, ndim=3)
        if roll.shape != previous.shape:
            raise ValueError(f"Every bar needs a bar before it: {len(roll)} bars, {len(previous)} before.")
        now, before = Cells.of_roll(roll), Cells.of_roll(previous)
        return cls(now=now, before=before, chord=_checked_chord(chord, roll.shape[:1]))

    @classmethod
    def of_phrases(cls, roll: BoolArray, chord: IntArray) -> "Bars":
        """From rolls (M, B, 16, 128) and chords (M, B); the first bar of a phrase has no bar before it."""
        _check(roll=roll, ndim=4)
        chord = _checked_chord(chord, roll.shape[:2])
        now = Cells.of_roll(roll.reshape(-1, NUM_STEPS, NUM_PITCHES))
        bars_per_phrase = roll.shape[1]
        before = Cells(
            line=_bar_before(now.line, bars_per_phrase, SILENCE),
            packed=None if now.packed is None else _bar_before(now.packed, bars_per_phrase, 0),
            bits=None if now.bits is None else _bar_before(now.bits, bars_per_phrase, 0),
        )
        return cls(now=now, before=before, chord=chord.reshape(-1), bars_per_phrase=bars_per_phrase)

    def __len__(self) -> int:
        return len(self.now)

    def by_phrase(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of bars (N, ...) as (M, B, ...)."""
        return values.reshape(len(self) // self.bars_per_phrase, self.bars_per_phrase, *values.shape[1:])

    @cached_property
    def line(self) -> Line:
        """The notes of the melody line."""
        bar, step = np.nonzero(self.now.line_onsets)
        return Line(bar=bar, step=step, pitch=self.now.line[bar, step].astype(np.int64))

    @cached_property
    def same_as_before(self) -> BoolArray:
        """(N,): every cell equals that of the bar before."""
        now, before = self.now, self.before
        # Bars of one voice and bars of more are known by different arrays; their lines and voices tell them apart.
        if (now.bits is None) != (before.bits is None):
            alike: BoolArray = ((now.line == before.line) & (now.num_voices == before.num_voices)).all(axis=1)
            return alike
        same: BoolArray = (now.contents == before.contents).all(axis=1)
        return same


def _bar_before(values: NDArray[Any], bars_per_phrase: int, nothing: int) -> NDArray[Any]:
    before = np.empty_like(values)
    before[1:] = values[:-1]
    before[::bars_per_phrase] = nothing
    return before


def _check(*, ndim: int, **rolls: BoolArray) -> None:
    wanted = "(bars, 16, 128)" if ndim == 3 else "(phrases, bars, 16, 128)"
    for name, roll in rolls.items():
        fits = roll.ndim == ndim and roll.shape[-2:] == (NUM_STEPS, NUM_PITCHES) and 0 not in roll.shape[1:]
        if not fits or roll.dtype != np.bool_:
            raise ValueError(f"`{name}` must be Boolean of shape {wanted}, not {roll.dtype} of {roll.shape}.")


def _checked_chord(chord: IntArray, shape: tuple[int, ...]) -> IntArray:
    if chord.shape != shape or not np.issubdtype(chord.dtype, np.integer):
        raise ValueError(f"`chord` must be integers of shape {shape}, not {chord.dtype} of {chord.shape}.")
    if chord.size and not (chord.min() >= 0 and chord.max() < NUM_CHORDS):
        raise ValueError(f"A chord is a class from 0 to 24; found {chord.min()} to {chord.max()}.")
    return chord
