"""MIDI files to plain notes in ticks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One instrument.

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
        tracks: those with notes, in the order of the file.
        metres: int64 (n, 3) tick, numerator and denominator of every time signature, in order of tick.
        tempi: float64 (n, 2) tick, and microseconds per quarter note from there on, in order of tick.
    """

    resolution: int
    tracks: tuple[Track, ...]
    metres: NDArray[np.int64]
    tempi: NDArray[np.float64]

    def seconds(self, ticks: NDArray[np.integer]) -> NDArray[np.float64]:
        """Ticks as seconds from the start of the file."""
        raise NotImplementedError


def read_midi(data: bytes) -> Midi:
    """The music in the bytes of a MIDI file. UserError, without the file's name, for anything but sound music."""
    raise NotImplementedError
