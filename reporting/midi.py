"""Phrases as notes and as MIDI files. Shapes: B bars of 16 steps, 4 steps to the beat, 4/4."""

import io
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pretty_midi
from numpy.typing import NDArray

from data_prep.chords import NUM_CHORDS, TRIADS, pitch_classes
from data_prep.files import write_atomic

STEPS_PER_BEAT: Final = 4
STEPS_PER_BAR: Final = 16
SLOWEST: Final = 20.0
FASTEST: Final = 400.0
_CHORD_OCTAVE: Final = 48  # the C an octave under middle C: roots lie below a melody's usual range
_MELODY_VELOCITY: Final = 96
_CHORD_VELOCITY: Final = 56


class Note(NamedTuple):
    """Sounds from step `start` up to but not including step `end`, counted from the phrase's beginning."""

    start: int
    end: int
    pitch: int


def notes(melody: NDArray[np.int8]) -> list[Note]:
    """Notes of a melody (B, 16) of MIDI pitches, -1 for silence, in order of time.

    Equal neighbours in a bar are one held note, because a roll cannot express a repeated one; a bar line
    always ends a note, because that is how the scores count notes.
    """
    steps = melody.ravel()
    starts = np.ones(steps.size, np.bool_)
    starts[1:] = steps[1:] != steps[:-1]
    starts[::STEPS_PER_BAR] = True
    edges = [*np.flatnonzero(starts).tolist(), steps.size]
    pitches = steps[edges[:-1]].tolist()
    runs = zip(edges, edges[1:], pitches, strict=False)  # `edges` has one more: the end of the last run
    return [Note(start, end, pitch) for start, end, pitch in runs if pitch >= 0]


def chord_notes(chord: NDArray[np.int8]) -> list[Note]:
    """The triads of the bars (B,), struck anew in each bar, in close position on the root; none for no chord."""
    return [
        Note(bar * STEPS_PER_BAR, (bar + 1) * STEPS_PER_BAR, _CHORD_OCTAVE + root + (pitch_class - root) % 12)
        for bar, triad in enumerate(map(pitch_classes, chord.tolist()))
        for root, pitch_class in ((triad[0], tone) for tone in triad)
    ]


def check_phrase(melody: NDArray[np.int8], chord: NDArray[np.int8]) -> None:
    """ValueError unless melody is integer (B, 16) in -1..127 and chord integer (B,) in 0..24, B at least 1."""
    if melody.ndim != 2 or melody.shape[1] != STEPS_PER_BAR or not len(melody):
        raise ValueError(f"A melody has the shape (bars, {STEPS_PER_BAR}), not {melody.shape}.")
    if chord.shape != melody.shape[:1]:
        raise ValueError(f"{len(melody)} bars need chords of the shape ({len(melody)},), not {chord.shape}.")
    if melody.dtype.kind not in "iu" or chord.dtype.kind not in "iu":
        raise ValueError(f"Pitches and chords are integers, not {melody.dtype} and {chord.dtype}.")
    if melody.min() < -1 or melody.max() > 127:
        raise ValueError(f"Pitches lie in -1..127, not in {melody.min()}..{melody.max()}.")
    if chord.min() < 0 or chord.max() >= len(TRIADS):
        raise ValueError(f"Chords lie in 0..{NUM_CHORDS - 1}, not in {chord.min()}..{chord.max()}.")


def step_seconds(tempo: float) -> float:
    """Length of a step at `tempo` beats a minute; ValueError outside 20..400."""
    if not SLOWEST <= tempo <= FASTEST:
        raise ValueError(f"The tempo must lie in {SLOWEST:g}..{FASTEST:g} beats a minute, not {tempo}.")
    return 60.0 / (tempo * STEPS_PER_BEAT)


def to_midi(
    melody: NDArray[np.int8],
    chord: NDArray[np.int8],
    *,
    tempo: float = 120.0,
    program: int = 0,
    title: str = "",
) -> pretty_midi.PrettyMIDI:
    """Two tracks, `melody` and `chords`, both on General MIDI `program` (0..127), exactly B bars long.

    `tempo` in beats a minute; `title` becomes a text event. ValueError for a phrase that is none.
    """
    check_phrase(melody, chord)
    if not 0 <= program <= 127:
        raise ValueError(f"A MIDI program lies in 0..127, not {program}.")
    seconds = step_seconds(tempo)
    midi = pretty_midi.PrettyMIDI(initial_tempo=tempo, charset="utf-8")
    midi.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0.0))
    if title:
        midi.text_events.append(pretty_midi.Text(title, 0.0))
    # A file ends with its last event: without this one, silence at the end of a phrase would be lost.
    midi.text_events.append(pretty_midi.Text("end", melody.size * seconds))
    midi.instruments = [
        _track("melody", notes(melody), program, _MELODY_VELOCITY, seconds),
        _track("chords", chord_notes(chord), program, _CHORD_VELOCITY, seconds),
    ]
    return midi


def _track(name: str, sounding: list[Note], program: int, velocity: int, seconds: float) -> pretty_midi.Instrument:
    track = pretty_midi.Instrument(program, name=name)
    track.notes = [
        pretty_midi.Note(velocity, note.pitch, note.start * seconds, note.end * seconds) for note in sounding
    ]
    return track


def write_midi(
    path: Path,
    melody: NDArray[np.int8],
    chord: NDArray[np.int8],
    *,
    tempo: float = 120.0,
    program: int = 0,
    title: str = "",
) -> None:
    """Write `to_midi` of the phrase to `path`, whole or not at all."""
    packed = io.BytesIO()
    to_midi(melody, chord, tempo=tempo, program=program, title=title).write(packed)
    write_atomic(path, packed.getvalue())
