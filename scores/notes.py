"""What every score looks at, computed once per call and shared.

Shapes: N bars, M phrases of B bars, 16 steps to a bar, 128 pitches.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES, SILENCE
from data_prep.chords import NUM_CHORDS

NUM_STEPS: Final = 16

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Bars:
    """A set of bars, each with its chord and the bar before it; phrases are runs of `bars_per_phrase` rows.

    A note is a maximal run of steps with the same pitch on inside one bar. A bar before that is silent or
    missing counts as none. The melody line is the highest sounding pitch of each step.
    """

    line: NDArray[np.int16]
    """(N, 16) MIDI pitch, -1 rest."""
    previous: NDArray[np.int16]
    """(N, 16) melody line of the bar before; all rests where there is none."""
    chord: IntArray
    """(N,) chord class 0-24, 24 none."""
    rolls: tuple[BoolArray, BoolArray] | None
    """Piano rolls (N, 16, 128) of the bars and of those before; None if the lines already say everything."""
    bars_per_phrase: int = 1

    @classmethod
    def of_bars(cls, roll: BoolArray, chord: IntArray, previous: BoolArray) -> "Bars":
        """From rolls (N, 16, 128), chords (N,) and the rolls of the bars before (N, 16, 128)."""
        _check(roll=roll, previous=previous, ndim=3)
        if roll.shape != previous.shape:
            raise ValueError(f"Every bar needs a bar before it: {len(roll)} bars, {len(previous)} before.")
        line, one_voice = line_and_voices(roll)
        line_before, one_voice_before = line_and_voices(previous)
        rolls = None if one_voice and one_voice_before else (roll, previous)
        return cls(line=line, previous=line_before, chord=_checked_chord(chord, roll.shape[:1]), rolls=rolls)

    @classmethod
    def of_phrases(cls, roll: BoolArray, chord: IntArray) -> "Bars":
        """From rolls (M, B, 16, 128) and chords (M, B); the first bar of a phrase has no bar before it."""
        _check(roll=roll, ndim=4)
        chord = _checked_chord(chord, roll.shape[:2])
        line, one_voice = line_and_voices(roll)
        rolls = None
        if not one_voice:
            flat = (-1, NUM_STEPS, NUM_PITCHES)
            rolls = (roll.reshape(flat), _bar_before(roll, False).reshape(flat))
        return cls(
            line=line.reshape(-1, NUM_STEPS),
            previous=_bar_before(line, SILENCE).reshape(-1, NUM_STEPS),
            chord=chord.reshape(-1),
            rolls=rolls,
            bars_per_phrase=roll.shape[1],
        )

    def __len__(self) -> int:
        return len(self.line)

    def by_phrase(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values of bars (N, ...) as (M, B, ...)."""
        return values.reshape(-1, self.bars_per_phrase, *values.shape[1:])

    @cached_property
    def sounding(self) -> BoolArray:
        """(N, 16): a pitch is on."""
        sounds: BoolArray = self.line != SILENCE
        return sounds

    @cached_property
    def onsets(self) -> BoolArray:
        """(N, 16): a note of the melody line starts."""
        starts = np.array(self.sounding)
        starts[:, 1:] &= self.line[:, 1:] != self.line[:, :-1]
        return starts

    @cached_property
    def pitch_class_counts(self) -> NDArray[np.int64]:
        """(N, 12): notes that start, by pitch class, over all voices."""
        if self.rolls is not None:
            return _polyphonic_counts(self.rolls[0])
        bar = np.nonzero(self.onsets)[0]
        cell = bar * 12 + self.line[self.onsets] % 12
        return np.bincount(cell, minlength=12 * len(self)).reshape(-1, 12)

    @cached_property
    def num_notes(self) -> NDArray[np.int64]:
        """(N,): notes that start, over all voices."""
        counts: NDArray[np.int64] = self.pitch_class_counts.sum(1)
        return counts

    @cached_property
    def num_cells(self) -> NDArray[np.int64]:
        """(N,): cells of the roll that are on, the notes' summed length in steps."""
        cells = self.sounding if self.rolls is None else self.rolls[0].reshape(-1, NUM_STEPS * NUM_PITCHES)
        counts: NDArray[np.int64] = cells.sum(1)
        return counts

    @cached_property
    def has_previous(self) -> BoolArray:
        """(N,): there is a bar before, and it sounds."""
        sounds: BoolArray = (self.previous != SILENCE).any(1)
        return sounds

    @cached_property
    def same_as_previous(self) -> BoolArray:
        """(N,): every cell equals that of the bar before."""
        now, before = (self.line, self.previous) if self.rolls is None else self.rolls
        same: BoolArray = (now == before).all(axis=tuple(range(1, now.ndim)))
        return same


def line_and_voices(roll: BoolArray) -> tuple[NDArray[np.int16], bool]:
    """Highest sounding pitch of each step (..., 16), -1 for a rest, and whether that is all there is."""
    lowest = roll.argmax(-1)
    sounding = np.take_along_axis(roll, lowest[..., None], -1)[..., 0]
    one_voice = np.count_nonzero(roll) == np.count_nonzero(sounding)
    # Searching upwards is faster than on the mirrored view, and finds the only pitch of a single voice.
    highest = lowest if one_voice else NUM_PITCHES - 1 - roll[..., ::-1].argmax(-1)
    return np.where(sounding, highest, SILENCE).astype(np.int16), bool(one_voice)


def _bar_before(phrases: NDArray[Any], nothing: int) -> NDArray[Any]:
    before = np.full_like(phrases, nothing)
    before[:, 1:] = phrases[:, :-1]
    return before


def _polyphonic_counts(roll: BoolArray) -> NDArray[np.int64]:
    starts = roll.copy()
    starts[:, 1:] &= ~roll[:, :-1]
    # A pitch starts at most 8 times in 16 steps, so a byte holds the sum; 132 = 11 whole octaves.
    by_pitch = np.zeros((len(roll), 132), np.uint8)
    by_pitch[:, :NUM_PITCHES] = starts.sum(1, dtype=np.uint8)
    counts: NDArray[np.int64] = by_pitch.reshape(-1, 11, 12).sum(1, dtype=np.int64)
    return counts


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
