"""The baseline of counting: every step follows the one before it as often as it did in training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES, SILENCE
from data_prep.chords import NO_CHORD, NUM_CHORDS
from scores.baselines.music import Lines, TrainingMusic, begin
from scores.notes import NUM_STEPS

_Ints = NDArray[np.int32]

_UNKNOWN: Final = -2  # the pitch before a bar that has none before it
_REST: Final = 0
_LOWEST_SYMBOL: Final = 6  # pitch 0 over the lowest root: a relative pitch may be as low as -5, and 0 is the rest
_NUM_SYMBOLS: Final = NUM_PITCHES + 12
_NUM_STATES: Final = NUM_CHORDS * NUM_STEPS * _NUM_SYMBOLS


class _View(NamedTuple):
    """What a level of the chain sees of a chord and of the pitch that sounds."""

    context: _Ints
    """0-24: which chords share their counts."""
    root: _Ints
    """Semitones from which pitches are counted."""
    pitch: _Ints


_Level = Callable[[_Ints, _Ints], _View]


def _same_chord(chord: _Ints, pitch: _Ints) -> _View:
    return _View(chord, np.zeros_like(chord), pitch)


def _same_quality(chord: _Ints, pitch: _Ints) -> _View:
    # Roots from the F sharp below C to the F above it: so the music is moved little, and keeps its register.
    root = np.where(chord == NO_CHORD, 0, (chord + 6) % 12 - 6)
    return _View(chord // 12, root, pitch)


def _any_chord(chord: _Ints, pitch: _Ints) -> _View:
    return _View(np.zeros_like(chord), np.zeros_like(chord), pitch)


def _any_pitch(chord: _Ints, pitch: _Ints) -> _View:
    return _View(np.zeros_like(chord), np.zeros_like(chord), np.full_like(pitch, SILENCE))


class _Moves(NamedTuple):
    """Training steps: each with its chord, its place in the bar, the pitch before it and its own."""

    chord: _Ints
    step: _Ints
    before: _Ints
    pitch: _Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Transitions:
    """The symbols that followed each state in training, as one list in order of the states."""

    level: _Level
    first: NDArray[np.int64]
    """(S + 1,) where the list of each state begins."""
    following: NDArray[np.int16]
    """(K,) symbols."""

    @classmethod
    def count(cls, level: _Level, moves: _Moves) -> "_Transitions":
        view = level(moves.chord, moves.before)
        seen = view.pitch != _UNKNOWN
        # Sixteen bits hold every state, and NumPy sorts them by radix: many times faster than wider numbers.
        state = _state(view, moves.step)[seen].astype(np.uint16)
        first = np.concatenate([[0], np.cumsum(np.bincount(state, minlength=_NUM_STATES))])
        order = np.argsort(state, kind="stable")
        return cls(level, first, _symbol(moves.pitch, view.root)[seen].astype(np.int16)[order])

    def draw(
        self, chord: _Ints, step: int, pitch: _Ints, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which states (m,) training has seen, and one pitch that followed each of those."""
        view = self.level(chord, pitch)
        state = _state(view, step)
        first, end = self.first[state], self.first[state + 1]
        seen = end > first
        return seen, _pitch(self.following[rng.integers(first[seen], end[seen])], view.root[seen])


@dataclass(frozen=True, slots=True, eq=False)
class StepMarkov:
    """A Markov chain of first order from step to step, with or without a view of the chord. Build it with `fit`.

    State: the pitch or rest that sounds, the place in the bar (16 steps), and the chord of the bar being written.
    Place keeps the rhythm: without it, notes would change off the beat as often as on it. A pitch that lasts is one
    that follows itself. A state unseen in training falls back on all chords of the same quality, with pitches counted
    from a root between the F sharp below C and the F above it; then on any chord; at last on any pitch at that place.
    """

    levels: tuple[_Transitions, ...]

    @classmethod
    def fit(cls, training: TrainingMusic, *, by_chord: bool) -> "StepMarkov":
        """Count the transitions of the training bars; with `by_chord` false, the same for every chord."""
        levels: tuple[_Level, ...] = (_any_chord, _any_pitch)
        if by_chord:
            levels = (_same_chord, _same_quality, *levels)
        moves = _moves(training)
        return cls(tuple(_Transitions.count(level, moves) for level in levels))

    def generate(self, first_bar: Lines, chord: NDArray[np.int8], *, seed: int) -> Lines:
        """As `Baseline.generate`."""
        phrases, rng = begin(first_bar, chord), np.random.default_rng(seed)
        pitch = first_bar[:, -1].astype(np.int32)
        for bar in range(1, chord.shape[1]):
            over = chord[:, bar].astype(np.int32)
            for step in range(NUM_STEPS):
                pitch = self._next(over, step, pitch, rng)
                phrases[:, bar, step] = pitch
        return phrases

    def _next(self, chord: _Ints, step: int, pitch: _Ints, rng: np.random.Generator) -> _Ints:
        following = np.empty_like(pitch)
        open_rows = np.arange(len(pitch))
        for level in self.levels:
            seen, drawn = level.draw(chord[open_rows], step, pitch[open_rows], rng)
            following[open_rows[seen]] = drawn
            open_rows = open_rows[~seen]
        return following


def _moves(training: TrainingMusic) -> _Moves:
    last_before = training.melody[training.previous, -1].astype(np.int32)
    before = np.empty(training.melody.shape, np.int32)
    before[:, 0] = np.where(training.previous >= 0, last_before, _UNKNOWN)
    before[:, 1:] = training.melody[:, :-1]
    return _Moves(
        chord=np.repeat(training.chord.astype(np.int32), NUM_STEPS),
        step=np.tile(np.arange(NUM_STEPS, dtype=np.int32), len(training.melody)),
        before=before.ravel(),
        pitch=training.melody.astype(np.int32).ravel(),
    )


def _symbol(pitch: _Ints, root: _Ints) -> _Ints:
    """A pitch as counted from the root, 1 and above; 0 for a rest."""
    return np.where(pitch < 0, _REST, pitch - root + _LOWEST_SYMBOL)


def _pitch(symbol: NDArray[np.int16], root: _Ints) -> NDArray[np.int64]:
    """The reverse of `_symbol`; a pitch that the root carries out of MIDI comes back by an octave."""
    pitch = symbol - _LOWEST_SYMBOL + root.astype(np.int64)
    pitch += 12 * (pitch < 0) - 12 * (pitch >= NUM_PITCHES)
    return np.where(symbol == _REST, SILENCE, pitch)


def _state(view: _View, step: _Ints | int) -> _Ints:
    state: _Ints = (view.context * NUM_STEPS + step) * _NUM_SYMBOLS + _symbol(view.pitch, view.root)
    return state
