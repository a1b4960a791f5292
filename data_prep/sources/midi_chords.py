"""The chords that a track of a MIDI file plays, block or broken."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD
from data_prep.formats.midi import Track
from data_prep.grid import STEPS, Chords, positions
from data_prep.harmony import best_chords, first_chords, plain_triads, sounding
from data_prep.sources.played import on_time

_BEATS: Final = 4
_BEAT: Final = STEPS // _BEATS
_HALF_BAR: Final = STEPS // 2
_TRIAD: Final = 3


def played_chords(track: Track | None, bar_start: NDArray[np.int64], resolution: int, *, strict: bool) -> Chords:
    """The chord of each beat: of all that sounds in it, so that one struck a little late is heard all the same.

    Where fewer than three pitch classes sound the chord is broken, and the half bar decides: with POP909's piano that
    names 89 % of the first chords of its bars as annotated, and 81 % without. `strict`: only plain triads count.
    """
    count = len(bar_start)
    if track is None:
        return Chords(np.full((count, _BEATS), NO_CHORD, np.int8), np.full(count, NO_CHORD, np.int8))
    notes = _on_steps(track, bar_start, resolution)
    beats = np.arange(count * _BEATS)
    beat = sounding(notes, beats * _BEAT, _BEAT)
    half = sounding(notes, beats[: count * 2] * _HALF_BAR, _HALF_BAR)
    classes = (beat.weights > 0).sum(axis=1)
    broken = (classes > 0) & (classes < _TRIAD)
    weights = np.where(broken[:, None], half.weights[beats // 2], beat.weights)
    bass = np.where(broken, half.bass[beats // 2], beat.bass)
    chord = (plain_triads(weights) if strict else best_chords(weights, bass)).reshape(-1, _BEATS)
    return Chords(chord, first_chords(chord))


def _on_steps(track: Track, bar_start: NDArray[np.int64], resolution: int) -> NDArray[np.int64]:
    """Its notes as first step, step after the last, and pitch: what is left of the chord before does not count."""
    start, end, pitch, _ = track.notes.T
    steps = _BEAT / resolution
    begin = np.rint(positions(on_time(start, bar_start, steps), bar_start, steps, ends=False)).astype(np.int64)
    stop = np.rint(positions(end, bar_start, steps, ends=True)).astype(np.int64)
    return np.stack([begin, np.maximum(stop, begin + 1), pitch], axis=1)
