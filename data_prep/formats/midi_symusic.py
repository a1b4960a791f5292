"""MIDI files through symusic (0.6)."""

from typing import Any, Final

import numpy as np
from symusic import Score

from data_prep.errors import UserError
from data_prep.formats.midi import Midi, Track, check_tracks, pedal_intervals

_SUSTAIN: Final = 64


def read_symusic(data: bytes, resolution: int) -> Midi:
    """The music as symusic reads it. UserError for what it does not take."""
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


def _track(track: Any) -> Track:
    note, control = track.notes.numpy(), track.controls.numpy()
    start, length = note["time"].astype(np.int64), note["duration"].astype(np.int64)
    notes = np.stack([start, start + length, note["pitch"], note["velocity"]], axis=1)
    notes = notes[np.lexsort((note["pitch"], start))]
    notes = notes[notes[:, 0] < notes[:, 1]]
    # Its own pedals begin at tick 0 on every channel but the first, so the control changes are read instead.
    sustain = control["number"] == _SUSTAIN
    changes = np.stack([control["time"], control["value"]], axis=1)[sustain].astype(np.int64)
    pedal = pedal_intervals(changes, int(notes[:, 1].max(initial=0)))
    return Track(name=track.name, is_drum=track.is_drum, notes=notes, pedal=pedal)
