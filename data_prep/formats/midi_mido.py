"""MIDI files through mido, where symusic cannot be imported: the same music, a hundred times more slowly.

It takes fewer damaged files than symusic: none with a malformed meta event or a chunk that is no track.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import mido  # type: ignore[import-untyped]
import numpy as np

from data_prep.errors import UserError
from data_prep.formats.midi import Midi, Track, check_tracks, pedal_intervals

MAX_BYTES: Final = 2 * 2**20
"""Largest file read without symusic: some ten seconds of work."""

_SUSTAIN: Final = 64


@dataclass(slots=True)
class _Player:
    """What one program plays on one channel of a track: changes of the pedal, and notes as in a Track."""

    pedal: list[tuple[int, int]]
    notes: list[tuple[int, int, int, int]] = field(default_factory=list)


def read_mido(data: bytes, resolution: int) -> Midi:
    """The music as mido reads it. UserError for what it does not take."""
    if len(data) > MAX_BYTES:
        raise UserError(f"{len(data):,} bytes; without symusic at most {MAX_BYTES:,} are read: pip install symusic.")
    try:
        tracks = mido.MidiFile(file=BytesIO(data)).tracks
    except (OSError, EOFError, ValueError, LookupError, TypeError, mido.KeySignatureError) as error:
        raise UserError(f"a damaged MIDI file ({str(error)[:200] or type(error).__name__}).") from error
    metres, tempi = [], []
    for track in tracks:
        for tick, event in _timed(track):
            if event.type == "time_signature":
                metres.append((tick, event.numerator, event.denominator % 256))
            elif event.type == "set_tempo" and event.tempo:
                tempi.append((tick, event.tempo))
    playing = tuple(track for events in tracks for track in _tracks(events))
    check_tracks(len(playing))
    return Midi(
        resolution=resolution,
        tracks=playing,
        metres=np.array(sorted(metres, key=lambda row: row[0]), np.int64).reshape(-1, 3),
        tempi=np.array(sorted(tempi, key=lambda row: row[0]), np.float64).reshape(-1, 2),
    )


def _timed(events: Any) -> Iterator[tuple[int, Any]]:
    tick = 0
    for event in events:
        tick += event.time
        yield tick, event


def _tracks(events: Any) -> Iterator[Track]:
    """The instruments of a track of the file, by channel, then program."""
    name = next((event.name for event in reversed(events) if event.type == "track_name"), "")
    for (channel, _), player in sorted(_players(events).items()):
        if player.notes:
            notes = np.array(sorted(player.notes, key=lambda note: (note[0], note[2])), np.int64)
            pedal = pedal_intervals(np.array(player.pedal, np.int64).reshape(-1, 2), int(notes[:, 1].max()))
            # mido decodes text as Latin-1; files of today have UTF-8.
            named = name.encode("latin-1").decode("utf-8", "replace")
            yield Track(name=named, is_drum=channel == 9, notes=notes, pedal=pedal)


def _players(events: Any) -> dict[tuple[int, int], _Player]:
    """Players by channel and program. A release ends the oldest note of its pitch.

    A player enters with its first note, and then has what the pedal of its channel did since the last one entered.
    """
    players: dict[tuple[int, int], _Player] = {}
    program = [0] * 16
    pedal: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    struck: defaultdict[tuple[int, int], deque[tuple[int, int, _Player]]] = defaultdict(deque)
    for tick, event in _timed(events):
        if event.type == "program_change":
            program[event.channel] = event.program
        elif event.type == "control_change" and event.control == _SUSTAIN:
            player = players.get((event.channel, program[event.channel]))
            (player.pedal if player else pedal[event.channel]).append((tick, event.value))
        elif event.type == "note_on" and event.velocity:
            key = event.channel, program[event.channel]
            if key not in players:
                players[key] = _Player(pedal.pop(event.channel, []))
            struck[event.channel, event.note].append((tick, event.velocity, players[key]))
        elif event.type in ("note_on", "note_off") and struck[event.channel, event.note]:
            start, velocity, player = struck[event.channel, event.note].popleft()
            if start < tick:
                player.notes.append((start, tick, event.note, velocity))
    return players
