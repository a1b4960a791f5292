"""MIDI files to plain notes in ticks.

symusic reads them, a hundred times faster than anything in Python; where it cannot be imported pretty_midi does
(`midi_pretty`). What either takes for music is checked here.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep.errors import UserError

SUFFIXES: Final = (".mid", ".midi")
"""How the name of a MIDI file ends, in lower case."""
MAX_BYTES: Final = 16 * 2**20
"""Largest file read: as many notes as are read take 7 MB at most (two events each of up to seven bytes)."""
MAX_NOTES: Final = 500_000
"""Most notes read; a piano piece of an hour has 40,000."""
MAX_TRACKS: Final = 1_000
"""Most instruments read; an orchestra has under 100."""
MAX_SECONDS: Final = 3 * 3600
"""Longest piece read."""
MAX_TICKS: Final = 10**9
"""Last tick read: 3 hours at the finest resolution there is make 7 * 10^8 of them at 120 beats per minute."""
DEFAULT_TEMPO: Final = 500_000.0
"""Microseconds per quarter note where the file sets none: 120 beats per minute, as the MIDI file format has it."""

_HEADER: Final = struct.Struct(">4sIHHH")
_SMPTE: Final = 0x8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One instrument: what one track of the file plays on one channel with one program.

    Attributes:
        name: as the file has it, "" for none.
        is_drum: True for percussion (channel 10).
        notes: int64 (K, 4) start and end in ticks, MIDI pitch, velocity; in order of start, then pitch.
        pedal: int64 (P, 2) ticks between which the sustain pedal is down, in order.
    """

    name: str
    is_drum: bool
    notes: NDArray[np.int64]
    pedal: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Midi:
    """A whole file.

    Attributes:
        resolution: ticks in a quarter note.
        tracks: those with notes, in the order of the file, then of channel, then of program.
        metres: int64 (n, 3) tick, numerator and denominator of every time signature, in order of tick; 0 or another
            number that is no power of two where the file has nonsense.
        tempi: float64 (n, 2) tick, and microseconds per quarter note from there on, in order of tick.
    """

    resolution: int
    tracks: tuple[Track, ...]
    metres: NDArray[np.int64]
    tempi: NDArray[np.float64]

    def seconds(self, ticks: NDArray[np.integer]) -> NDArray[np.float64]:
        """Ticks as seconds from the start of the file."""
        change, tempo = np.concatenate(([[0.0, DEFAULT_TEMPO]], self.tempi)).T
        passed = np.cumsum(np.diff(change) * tempo[:-1])
        at = np.searchsorted(change, ticks, side="right") - 1
        micro = np.concatenate(([0.0], passed))[at] + (ticks - change[at]) * tempo[at]
        return np.asarray(micro / (1e6 * self.resolution))


def read_midi(data: bytes) -> Midi:
    """The music in the bytes of a MIDI file, of which the caller has read no more than MAX_BYTES.

    Notes that never end, or end where they begin, are no notes; a tempo of 0 is none. UserError, without the file's
    name, for anything but sound music: another format than 0 or 1, time codes for ticks, damage, no note at all, or
    more than the limits above.
    """
    resolution = _resolution(data)
    midi = _reader()(data, resolution)
    if not midi.tracks:
        raise UserError("no note in it.")
    count = sum(len(track.notes) for track in midi.tracks)
    if count > MAX_NOTES:
        raise UserError(f"{count:,} notes; at most {MAX_NOTES:,} are read.")
    ticks = np.concatenate([midi.metres[:, 0], midi.tempi[:, 0], *(track.notes[:, 0] for track in midi.tracks)])
    last = max(int(track.notes[:, 1].max()) for track in midi.tracks)
    if last > MAX_TICKS or ticks.min() < 0:  # so many ticks that 32 bits did not hold them
        raise UserError(f"over {MAX_TICKS:,} ticks; that many are not read.")
    length = float(midi.seconds(np.array([last]))[0])
    if length > MAX_SECONDS:
        raise UserError(f"{length:,.0f} s of music; at most {MAX_SECONDS:,} s are read.")
    return midi


def versions() -> dict[str, str]:
    """The package that reads MIDI files here, and its version."""
    package = "symusic" if _reader().__module__.endswith("symusic") else "pretty_midi"
    return {package: version(package)}


def check_tracks(count: int) -> None:
    """UserError for more instruments than are read."""
    if count > MAX_TRACKS:
        raise UserError(f"{count:,} tracks with notes; at most {MAX_TRACKS:,} are read.")


def pedal_intervals(controls: NDArray[np.int64], last: int) -> NDArray[np.int64]:
    """When the sustain pedal is down, int64 (P, 2), by its control changes (n, 2): tick, and value (64 on: down).

    A pedal that is never released is down until the tick `last`.
    """
    tick = np.concatenate((controls[:, 0], [last]))
    down = np.concatenate(([False], controls[:, 1] >= 64, [False]))
    change = np.flatnonzero(down[1:] != down[:-1])
    intervals = tick.take(change).reshape(-1, 2)
    return intervals.compress(intervals[:, 0] < intervals[:, 1], axis=0)


def _resolution(data: bytes) -> int:
    """Ticks in a quarter note, of a header of a kind that can be read."""
    if len(data) < _HEADER.size or not data.startswith(b"MThd"):
        raise UserError("no MIDI file: it does not begin with MThd.")
    _, length, form, _, resolution = _HEADER.unpack_from(data)
    if length < 6:
        raise UserError(f"a damaged MIDI file: a header of {length} bytes, not 6.")
    if form > 1:
        raise UserError(f"a MIDI file of format {form}; save it as format 0 or 1.")
    if not 0 < resolution < _SMPTE:
        raise UserError("its time is not counted in ticks of a quarter note; save it so.")
    return int(resolution)


def _reader() -> Callable[[bytes, int], Midi]:
    try:
        from data_prep.formats.midi_symusic import read_symusic
    except ImportError:
        from data_prep.formats.midi_pretty import read_pretty_midi

        return read_pretty_midi
    return read_symusic
