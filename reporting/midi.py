"""Phrases as notes and as MIDI files. Shapes: B bars of 16 steps, 4 steps to the beat, 4/4.

Music is of one of two kinds: a melody, int8 (B, 16) MIDI pitches with -1 for silence, or piano music, uint8
(B, 16, 128) velocities with 0 for silence. Chords are classes (B,) of the bars or (B, 4) of their beats.
"""

import io
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pretty_midi
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES
from data_prep.chords import NUM_CHORDS, TRIADS, pitch_classes
from data_prep.files import write_atomic

STEPS_PER_BEAT: Final = 4
STEPS_PER_BAR: Final = 16
SLOWEST: Final = 15.0
FASTEST: Final = 3000.0
"""Beats a minute at 1 and at 200 steps a second, as slow and as fast as piano music is sampled."""
_CHORD_OCTAVE: Final = 48  # the C an octave under middle C: roots lie below a melody's usual range
_MELODY_VELOCITY: Final = 96
_CHORD_VELOCITY: Final = 56

Music = NDArray[np.integer[Any]]
"""A melody (B, 16), or piano music (B, 16, 128)."""


class Note(NamedTuple):
    """Sounds from step `start` up to but not including step `end`, counted from the phrase's beginning."""

    start: int
    end: int
    pitch: int
    velocity: int = _MELODY_VELOCITY


class ChordSpan(NamedTuple):
    """A chord class holds from step `start` up to but not including step `end`."""

    start: int
    end: int
    chord: int


def is_piano(music: Music) -> bool:
    """Whether it is piano music, and no melody."""
    return music.ndim == 3


def notes(music: Music) -> list[Note]:
    """Notes of a melody (B, 16) or of piano music (B, 16, 128), in order of time.

    Equal neighbours are one held note, because a roll cannot express a repeated one. In a melody a bar line always
    ends a note, because that is how the scores count notes; piano music has no bar lines, and a note lasts as long as
    its velocity.
    """
    return _piano_notes(music) if is_piano(music) else _melody_notes(music)


def _melody_notes(melody: Music) -> list[Note]:
    steps = melody.ravel()
    starts = np.ones(steps.size, np.bool_)
    starts[1:] = steps[1:] != steps[:-1]
    starts[::STEPS_PER_BAR] = True
    edges = [*np.flatnonzero(starts).tolist(), steps.size]
    pitches = steps[edges[:-1]].tolist()
    runs = zip(edges, edges[1:], pitches, strict=False)  # `edges` has one more: the end of the last run
    return [Note(start, end, pitch) for start, end, pitch in runs if pitch >= 0]


def _piano_notes(velocities: Music) -> list[Note]:
    by_pitch = velocities.reshape(-1, NUM_PITCHES).T
    last = by_pitch.shape[1]
    edges = np.ones((NUM_PITCHES, last + 1), np.bool_)
    edges[:, 1:last] = by_pitch[:, 1:] != by_pitch[:, :-1]
    pitch, step = np.nonzero(edges)
    begins = np.flatnonzero(step < last)
    start, end, pitch = step[begins], step[begins + 1], pitch[begins]
    velocity = by_pitch[pitch, start]
    found = np.stack([start, end, pitch, velocity], axis=1)[velocity > 0]
    return [Note(*row) for row in found[np.lexsort((found[:, 2], found[:, 0]))].tolist()]


def chord_spans(chord: NDArray[np.int8]) -> list[ChordSpan]:
    """The chords in order of time; equal ones on neighbouring beats of a bar are one, and every bar begins anew."""
    classes = chord.reshape(len(chord), -1)
    length = STEPS_PER_BAR // classes.shape[1]
    begins = np.ones(classes.shape, np.bool_)
    begins[:, 1:] = classes[:, 1:] != classes[:, :-1]
    first = np.flatnonzero(begins)
    edges = [*(first * length).tolist(), classes.size * length]
    return [ChordSpan(*span) for span in zip(edges, edges[1:], classes.ravel()[first].tolist(), strict=False)]


def chord_notes(chord: NDArray[np.int8]) -> list[Note]:
    """The triads of the chords (B,) or (B, 4), struck anew in each bar, in close position on the root."""
    return [
        Note(span.start, span.end, _CHORD_OCTAVE + root + (pitch_class - root) % 12, _CHORD_VELOCITY)
        for span in chord_spans(chord)
        for triad in (pitch_classes(span.chord),)
        for root, pitch_class in ((triad[0], tone) for tone in triad)
    ]


def check_phrase(music: Music, chord: NDArray[np.int8] | None = None) -> None:
    """ValueError unless it is a phrase of B >= 1 bars.

    A melody is integer (B, 16) in -1..127 and has chords, integer (B,) or (B, 4) in 0..24; piano music is integer
    (B, 16, 128) in 0..127 and has none.
    """
    shapes = ((STEPS_PER_BAR,), (STEPS_PER_BAR, NUM_PITCHES))
    if music.shape[1:] not in shapes or not len(music):
        raise ValueError(
            f"A melody has the shape (bars, {STEPS_PER_BAR}), piano music (bars, {STEPS_PER_BAR}, {NUM_PITCHES}), "
            f"not {music.shape}."
        )
    if music.dtype.kind not in "iu":
        raise ValueError(f"Pitches and velocities are integers, not {music.dtype}.")
    lowest = 0 if is_piano(music) else -1
    if music.min() < lowest or music.max() > 127:
        what = "Velocities" if is_piano(music) else "Pitches"
        raise ValueError(f"{what} lie in {lowest}..127, not in {music.min()}..{music.max()}.")
    if (chord is None) != is_piano(music):
        raise ValueError("A melody needs chords, and piano music has none.")
    if chord is not None:
        _check_chords(chord, len(music))


def _check_chords(chord: NDArray[np.int8], bars: int) -> None:
    if chord.shape not in ((bars,), (bars, STEPS_PER_BAR // STEPS_PER_BEAT)):
        raise ValueError(f"{bars} bars need chords of the shape ({bars},) or ({bars}, 4), not {chord.shape}.")
    if chord.dtype.kind not in "iu":
        raise ValueError(f"Chords are integers, not {chord.dtype}.")
    if chord.min() < 0 or chord.max() >= len(TRIADS):
        raise ValueError(f"Chords lie in 0..{NUM_CHORDS - 1}, not in {chord.min()}..{chord.max()}.")


def tempo_of(steps_per_second: float) -> float:
    """Beats a minute of music that is timed in seconds: four steps make a beat, whatever they sound like."""
    return 60.0 * steps_per_second / STEPS_PER_BEAT


def step_seconds(tempo: float) -> float:
    """Length of a step at `tempo` beats a minute; ValueError outside 15..3000."""
    if not SLOWEST <= tempo <= FASTEST:
        raise ValueError(f"The tempo must lie in {SLOWEST:g}..{FASTEST:g} beats a minute, not {tempo}.")
    return 60.0 / (tempo * STEPS_PER_BEAT)


def to_midi(
    music: Music,
    chord: NDArray[np.int8] | None = None,
    *,
    tempo: float = 120.0,
    program: int = 0,
    title: str = "",
) -> pretty_midi.PrettyMIDI:
    """Two tracks, `melody` and `chords`, or `piano` alone, on General MIDI `program` (0..127), exactly B bars long.

    `tempo` in beats a minute; `title` becomes a text event. ValueError for a phrase that is none.
    """
    check_phrase(music, chord)
    if not 0 <= program <= 127:
        raise ValueError(f"A MIDI program lies in 0..127, not {program}.")
    seconds = step_seconds(tempo)
    midi = pretty_midi.PrettyMIDI(initial_tempo=tempo, charset="utf-8")
    midi.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0.0))
    if title:
        midi.text_events.append(pretty_midi.Text(title, 0.0))
    # A file ends with its last event: without this one, silence at the end of a phrase would be lost.
    midi.text_events.append(pretty_midi.Text("end", len(music) * STEPS_PER_BAR * seconds))
    tracks = {"piano": notes(music)} if chord is None else {"melody": notes(music), "chords": chord_notes(chord)}
    midi.instruments = [_track(name, sounding, program, seconds) for name, sounding in tracks.items()]
    return midi


def _track(name: str, sounding: list[Note], program: int, seconds: float) -> pretty_midi.Instrument:
    track = pretty_midi.Instrument(program, name=name)
    track.notes = [
        pretty_midi.Note(note.velocity, note.pitch, note.start * seconds, note.end * seconds) for note in sounding
    ]
    return track


def write_midi(
    path: Path,
    music: Music,
    chord: NDArray[np.int8] | None = None,
    *,
    tempo: float = 120.0,
    program: int = 0,
    title: str = "",
) -> None:
    """Write `to_midi` of the phrase to `path`, whole or not at all."""
    packed = io.BytesIO()
    to_midi(music, chord, tempo=tempo, program=program, title=title).write(packed)
    write_atomic(path, packed.getvalue())
