"""MIDI files through symusic (0.6)."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from symusic import Score

from data_prep.errors import UserError
from data_prep.formats.midi import Midi, Track, check_tracks, pedal_intervals

MAX_PROMISED: Final = 20_000
"""Most instruments that a file may promise: symusic sets 5 KB aside for each of them before they can be counted."""

_SUSTAIN: Final = 64


def read_symusic(data: bytes, resolution: int) -> Midi:
    """The music as symusic reads it. UserError for what it does not take."""
    if _promised(data) > MAX_PROMISED:
        raise UserError(f"over {MAX_PROMISED:,} instruments; that many are not read.")
    try:
        score: Any = Score.from_midi(data)  # typed without its attributes
    except (RuntimeError, ValueError, IndexError, OverflowError, MemoryError) as error:
        raise UserError(f"a damaged MIDI file ({str(error)[:200]}).") from error
    playing = [track for track in score.tracks if len(track.notes)]
    check_tracks(len(playing))
    tracks = tuple(track for track in map(_track, playing) if len(track.notes))
    metre, tempo = score.time_signatures.numpy(), score.tempos.numpy()
    metres = np.stack([metre[name].astype(np.int64) for name in ("time", "numerator", "denominator")], axis=1)
    tempi = np.stack([tempo["time"], tempo["mspq"]], axis=1).astype(np.float64)
    return Midi(resolution=resolution, tracks=tracks, metres=metres, tempi=tempi[tempi[:, 1] > 0])


def _promised(data: bytes) -> int:
    """No fewer instruments than symusic will make: one for every channel and program of a track that has a note."""
    kind = np.frombuffer(data, np.uint8) >> 4
    notes, programs = np.count_nonzero(kind == 0x9), np.count_nonzero(kind == 0xC)
    return min(int(notes), 16 * data.count(b"MTrk") + int(programs))


def _track(track: Any) -> Track:
    note = track.notes.numpy()
    notes = np.empty((len(note["time"]), 4), np.int64)
    for column, name in enumerate(("time", "duration", "pitch", "velocity")):
        notes[:, column] = note[name]
    notes = notes[notes[:, 1] > 0]
    notes[:, 1] += notes[:, 0]
    key = notes[:, 0] * 128 + notes[:, 2]
    if (key[1:] < key[:-1]).any():
        notes = notes[np.argsort(key, kind="stable")]
    pedal = pedal_intervals(_sustain(track.controls), int(notes[:, 1].max(initial=0)))
    return Track(name=track.name, is_drum=track.is_drum, notes=notes, pedal=pedal)


def _sustain(controls: Any) -> NDArray[np.int64]:
    """Tick and value of every change of the sustain pedal, int64 (n, 2)."""
    # Not the pedals that symusic makes of them: on every channel but the first these begin at tick 0.
    if not len(controls):
        return np.empty((0, 2), np.int64)
    control = controls.numpy()
    rows = np.flatnonzero(control["number"] == _SUSTAIN)
    return np.stack([control["time"].take(rows), control["value"].take(rows)], axis=1).astype(np.int64)
