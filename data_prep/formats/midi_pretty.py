"""MIDI files through pretty_midi, where symusic cannot be imported: the same bars, a hundred times more slowly.

It takes fewer damaged files than symusic. Where a pitch is struck again before it is released, one release ends both
notes; symusic ends them in turn.
"""

import warnings
from io import BytesIO
from typing import Any, Final

import numpy as np
import pretty_midi
from mido import KeySignatureError

from data_prep.errors import UserError
from data_prep.formats.midi import Midi, Track, check_tracks, pedal_intervals

MAX_BYTES: Final = 2 * 2**20
"""Largest file read without symusic: some ten seconds of work."""

_SUSTAIN: Final = 64


def read_pretty_midi(data: bytes, resolution: int) -> Midi:
    """The music as pretty_midi reads it. UserError for what it does not take."""
    if len(data) > MAX_BYTES:
        raise UserError(f"{len(data):,} bytes; without symusic at most {MAX_BYTES:,} are read: pip install symusic.")
    try:
        with warnings.catch_warnings():  # of signatures outside the first track, which few programs mind
            warnings.simplefilter("ignore", RuntimeWarning)
            music = pretty_midi.PrettyMIDI(BytesIO(data))
    except (OSError, EOFError, ValueError, ArithmeticError, LookupError, TypeError, KeySignatureError) as error:
        raise UserError(f"a damaged MIDI file ({str(error)[:200] or type(error).__name__}).") from error
    playing = [instrument for instrument in music.instruments if instrument.notes]
    check_tracks(len(playing))
    # A file may say that the denominator is 2^255, which no array holds: from 2^8 on it is as good as 0.
    metres = [(change.time, change.numerator, change.denominator % 256) for change in music.time_signature_changes]
    at, tempi = music.get_tempo_changes()
    return Midi(
        resolution=resolution,
        tracks=tuple(_track(music, instrument) for instrument in playing),
        metres=np.array([(_tick(music, time), *metre) for time, *metre in metres], np.int64).reshape(-1, 3),
        tempi=np.array([(_tick(music, time), 6e7 / tempo) for time, tempo in zip(at, tempi, strict=True)]),
    )


def _track(music: Any, instrument: Any) -> Track:
    notes = np.array(
        [(_tick(music, n.start), _tick(music, n.end), n.pitch, n.velocity) for n in instrument.notes], np.int64
    )
    notes = notes[np.lexsort((notes[:, 2], notes[:, 0]))]
    pedal = [(_tick(music, c.time), c.value) for c in instrument.control_changes if c.number == _SUSTAIN]
    intervals = pedal_intervals(np.array(pedal, np.int64).reshape(-1, 2), int(notes[:, 1].max()))
    name = instrument.name.encode("latin-1", "replace").decode(
        "utf-8", "replace"
    )  # decoded as Latin-1, which few write
    return Track(name=name, is_drum=instrument.is_drum, notes=notes, pedal=intervals)


def _tick(music: Any, seconds: float) -> int:
    return int(music.time_to_tick(seconds))
