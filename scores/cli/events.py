"""Scores from note events in exact ticks, with no grid: what muspy computes from a file, and more.

They are the scores of the same names in `scores.registry`, over a whole piece instead of a bar, and a repeated or
held note is what it is. Polyphony counts different pitches: two instruments in unison are one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD
from data_prep.grid import PLAYED
from scores.pitch import HIGHEST_AUDIBLE, LOWEST_AUDIBLE, best_scale_share, entropy, scale
from scores.rhythm import MIN_STEPS

_STEPS_PER_QUARTER: Final = 4
_QUARTERS_PER_BAR: Final = 4
_NUM_PITCHES: Final = 128

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Events:
    """K notes of a piece, K at least 1, in any order.

    Attributes:
        notes: int64 (K, 3) start and end in ticks from the first bar line (0 <= start < end), and MIDI pitch.
        resolution: ticks in a quarter note.
        length: ticks from the first bar line to the end of the piece, which no note outlasts.
        num_bars: bars of four quarter notes that the piece fills, the last one rounded up.
        key: class of the tonic triad (0-11 major, 12-23 minor), 24 where it is not known.
    """

    notes: IntArray
    resolution: int
    length: int
    num_bars: int
    key: int = NO_CHORD

    @cached_property
    def steps(self) -> float:
        """Steps (sixteenths) in a tick."""
        return _STEPS_PER_QUARTER / self.resolution

    @cached_property
    def durations(self) -> NDArray[np.float64]:
        """(K,) length of each note in steps."""
        return np.asarray((self.notes[:, 1] - self.notes[:, 0]) * self.steps, np.float64)

    @cached_property
    def onsets(self) -> IntArray:
        """Ticks at which notes start, each once, ascending."""
        return np.unique(self.notes[:, 0])

    @cached_property
    def intervals(self) -> IntArray:
        """Semitones between the highest notes of successive onsets."""
        start, _, pitch = self.notes.T
        order = np.lexsort((pitch, start))
        highest = np.append(np.diff(start[order]) != 0, True)
        line: IntArray = pitch[order][highest]
        return np.abs(np.diff(line))

    @cached_property
    def by_pitch(self) -> IntArray:
        """(1, 128): notes on each pitch."""
        return np.bincount(self.notes[:, 2], minlength=_NUM_PITCHES)[None]

    @cached_property
    def by_class(self) -> IntArray:
        """(1, 12): notes on each pitch class."""
        return np.bincount(self.notes[:, 2] % 12, minlength=12)[None]

    @cached_property
    def time_by_voices(self) -> IntArray:
        """Ticks during which 0, 1, 2, ... different pitches sound, from the first change on."""
        start, end = _unions(self.notes)
        tick = np.concatenate([start, end])
        change = np.concatenate([np.ones_like(start), -np.ones_like(end)])
        order = np.argsort(tick, kind="stable")
        voices = np.cumsum(change[order])[:-1]
        return np.bincount(voices, weights=np.diff(tick[order])).astype(np.int64)


def _unions(notes: IntArray) -> tuple[IntArray, IntArray]:
    """Starts and ends of the stretches of time during which each pitch sounds, however many notes are on it."""
    # Pitch after pitch on one axis of time, so that the notes of one never reach those of the next.
    shift = notes[:, 2] * (notes[:, 1].max() + 1)
    order = np.argsort(notes[:, 0] + shift, kind="stable")
    start, end = (notes[:, :2] + shift[:, None])[order].T
    until = np.maximum.accumulate(end)
    first = np.append(True, start[1:] > until[:-1])
    last = np.append(first[1:], True)
    back = shift[order][first]
    return start[first] - back, until[last] - back


def score_events(events: Events) -> dict[str, float]:
    """Every score of `EVENT_SCORES` that the notes define, by name; all finite."""
    values = {name: float(function(events)) for name, (_, function) in EVENT_SCORES.items()}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _mean_ioi(events: Events) -> float:
    onsets = events.onsets
    return float(onsets[-1] - onsets[0]) / (len(onsets) - 1) * events.steps if len(onsets) > 1 else np.nan


def _rest_rate(events: Events) -> float:
    bars = events.num_bars * _QUARTERS_PER_BAR * events.resolution
    return 1 - float(events.time_by_voices[1:].sum()) / bars


def _out_of_register_rate(events: Events) -> float:
    pitch = events.notes[:, 2]
    return float(np.mean((pitch < LOWEST_AUDIBLE) | (pitch > HIGHEST_AUDIBLE)))


def _pitch_in_scale_rate(events: Events) -> float:
    if events.key == NO_CHORD:
        return np.nan
    members = scale(events.key % 12, "minor" if events.key >= 12 else "major")
    return float(events.by_class[0, members].sum() / len(events.notes))


def _polyphony(events: Events) -> float:
    time = events.time_by_voices
    return float(time @ np.arange(len(time)) / time[1:].sum())


def _share_at(events: Events, first: int, every: int) -> float:
    """Share of onsets at most a quarter of a step from step `first`, or so many more; triplets lie a third off."""
    away = np.mod(events.onsets * events.steps - first + PLAYED, every)
    return float(np.mean(away <= 2 * PLAYED))


EVENT_SCORES: Final[Mapping[str, tuple[str, Callable[[Events], SupportsFloat]]]] = MappingProxyType(
    {
        "note_count": ("notes per bar", lambda events: len(events.notes) / events.num_bars),
        "mean_duration": ("steps", lambda events: events.durations.mean()),
        "mean_ioi": ("steps", _mean_ioi),
        # A played eighth is often a little short.
        "qualified_note_rate": ("share", lambda events: np.mean(events.durations >= MIN_STEPS - PLAYED)),
        "rest_rate": ("share", _rest_rate),
        "out_of_register_rate": ("share", _out_of_register_rate),
        "pitch_range": ("semitones", lambda events: np.ptp(events.notes[:, 2])),
        "mean_pitch": ("MIDI number", lambda events: np.average(events.notes[:, 2], weights=events.durations)),
        "pitch_count": ("pitches", lambda events: np.count_nonzero(events.by_pitch)),
        "pitch_class_count": ("pitch classes", lambda events: np.count_nonzero(events.by_class)),
        "pitch_class_entropy": ("bits", lambda events: entropy(events.by_class)[0]),
        "pitch_entropy": ("bits", lambda events: entropy(events.by_pitch)[0]),
        "scale_consistency": ("share", lambda events: best_scale_share(events.by_class)[0]),
        "pitch_in_scale_rate": ("share", _pitch_in_scale_rate),
        "polyphony": ("pitches", _polyphony),
        "polyphonic_rate": ("share", lambda events: events.time_by_voices[2:].sum() / events.length),
        "on_beat_rate": ("share", lambda events: _share_at(events, 0, _STEPS_PER_QUARTER)),
        "off_eighth_rate": ("share", lambda events: _share_at(events, 1, 2)),
        "mean_abs_interval": ("semitones", lambda events: events.intervals.mean() if len(events.intervals) else np.nan),
        "max_abs_interval": ("semitones", lambda events: events.intervals.max() if len(events.intervals) else np.nan),
    }
)
"""Name to unit and function (NaN where undefined), in the order in which they are shown.

Where they are not those of the registry: `note_count` and `rest_rate` are over all `num_bars`, `polyphonic_rate` over
`length`, as muspy has it; `mean_ioi` is over different onsets; a note is qualified from 1.75 steps on; an onset is on
a beat, or on an odd sixteenth, if it is at most a quarter of a step away; intervals are between the highest notes of
successive onsets.
"""
