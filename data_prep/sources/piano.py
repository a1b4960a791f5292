"""Piano music as MIDI files, in any number of tracks: windows of steps of time, not of beats.

What is played keeps to no bar lines, so there is nothing to lay on a grid of sixteenths.
"""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep.assemble_windows import assemble_windows
from data_prep.errors import UserError
from data_prep.folder import read_inside, shown
from data_prep.formats.midi import MAX_BYTES, MAX_SECONDS, SUFFIXES, Midi, Track, read_midi, versions
from data_prep.options import SPLIT, Options
from data_prep.song import RawPiece
from data_prep.source import Found, Item, Source, find_by_suffix
from data_prep.windows import KIND

HEARS: Final = ("sampling_frequency", "pedal")
PEDAL_IGNORED: Final = "sustain pedal ignored"
DRUMS_LEFT_OUT: Final = "drums left out"

_ROUNDING: Final = 1e-6
"""How far from a step (in steps) a time may lie and still be on it: 3 hours at 200 Hz are exact to less than that."""


def find(path: Path | None) -> Found:
    """Every MIDI file."""
    return find_by_suffix(path, SUFFIXES)


def read(root: Path, item: Item, options: Options) -> list[RawPiece]:
    """The piece: the notes of all its tracks but drums, as steps of time. UserError where there are none."""
    data = read_inside(root, item.paths[0], MAX_BYTES)
    midi = read_midi(data)
    tracks = [track for track in midi.tracks if not track.is_drum]
    if not tracks:
        raise UserError("no note in it but drums.")
    ignored = options.pedal == "ignore" and any(len(track.pedal) for track in tracks)
    remarks = {PEDAL_IGNORED: ignored, DRUMS_LEFT_OUT: len(tracks) < len(midi.tracks)}
    notes = np.concatenate([_held(track) if options.pedal == "hold" else track.notes for track in tracks])
    name = shown(item.paths[0])
    piece = RawPiece(
        id=name,
        path=name,
        inputs={name: hashlib.sha256(data).hexdigest()},
        notes=_quantised(midi, notes, options.sampling_frequency),
        split=item.split,
        remarks={remark: 1 for remark, applies in remarks.items() if applies},
    )
    return [piece]


def _quantised(midi: Midi, notes: NDArray[np.int64], frequency: float) -> NDArray[np.int32]:
    """Notes (K, 4) with their times as steps, in order of start, then pitch; none is shorter than a step."""
    begin, stop = midi.seconds(notes[:, 0]), midi.seconds(notes[:, 1])
    if not stop.max() <= MAX_SECONDS:
        raise UserError(f"{stop.max():,.0f} s of music; at most {MAX_SECONDS:,} s are read.")
    start = np.floor(begin * frequency + _ROUNDING)
    end = np.maximum(start + 1, np.ceil(stop * frequency - _ROUNDING))
    pitch, velocity = notes[:, 2], notes[:, 3]
    order = np.lexsort((velocity, end, pitch, start))
    return np.stack([start, end, pitch, velocity], axis=1)[order].astype(np.int32)


def _held(track: Track) -> NDArray[np.int64]:
    """Notes (K, 4) in ticks as the pedal holds them.

    A note whose key is let go while the pedal is down sounds until that is released or its key struck again.
    """
    if not len(track.pedal):
        return track.notes
    start, end, pitch, velocity = track.notes.T
    down, up = track.pedal.T
    press = np.searchsorted(down, end, side="right") - 1
    held = (press >= 0) & (end < up[press])
    until = np.where(held, np.minimum(up[press], _struck_again(start, pitch)), end)
    return np.stack([start, np.maximum(until, end), pitch, velocity], axis=1)


def _struck_again(start: NDArray[np.int64], pitch: NDArray[np.int64]) -> NDArray[np.int64]:
    """The tick at which the key of each note is struck next; the largest number there is where it never is."""
    never = np.iinfo(np.int64).max
    strike = pitch * 2**32 + start  # ticks take 30 bits
    place = np.searchsorted(np.sort(strike), strike, side="right")
    following = np.append(np.sort(strike), never)[place]
    return np.where(following >> 32 == pitch, following & (2**32 - 1), never)


SOURCE: Final = Source(
    name="piano",
    help="piano music as MIDI files, in windows of 128 steps of time",
    find=find,
    read=read,
    assemble=assemble_windows,
    kind=KIND,
    hears=(*SPLIT, *HEARS),
    versions=versions,
)
