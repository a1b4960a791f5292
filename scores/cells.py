"""What sounds in each of N bars, derived once and shared by all scores. 16 steps to a bar, 128 pitches."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES, SILENCE

NUM_STEPS: Final = 16

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.integer[Any]]

_OCTAVES: Final = 11  # 132 pitches: 128 and four that never sound


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells:
    """N bars. A note is a maximal run of steps with the same pitch on inside one bar.

    Bars of one voice are known by their line alone, which is the faster way; `packed` and `bits` tell of more.
    """

    line: NDArray[np.int16]
    """(N, 16) highest sounding pitch of each step, -1 rest."""
    packed: NDArray[np.uint64] | None = None
    """(N, 16, 2) the pitches of each step, bit p for pitch p; None for one voice."""
    bits: NDArray[np.uint16] | None = None
    """(N, 128) the steps at which each pitch is on, bit s for step s; None for one voice."""

    @classmethod
    def of_roll(cls, roll: BoolArray) -> "Cells":
        """From piano rolls (N, 16, 128)."""
        packed = np.packbits(np.ascontiguousarray(roll), axis=-1, bitorder="little").view("<u8")
        line = _highest(packed)
        if np.count_nonzero(roll) == np.count_nonzero(line != SILENCE):
            return cls(line=line)
        bits = np.zeros((len(roll), NUM_PITCHES), np.uint16)
        for step in range(NUM_STEPS):  # far faster than packing along an axis that is not the last
            bits |= roll[:, step].astype(np.uint16) << np.uint16(step)
        return cls(line=line, packed=packed, bits=bits)

    def __len__(self) -> int:
        return len(self.line)

    @cached_property
    def sounding(self) -> BoolArray:
        """(N, 16): a pitch is on."""
        sounds: BoolArray = self.line != SILENCE
        return sounds

    @cached_property
    def line_onsets(self) -> BoolArray:
        """(N, 16): a note of the melody line starts."""
        starts = np.array(self.sounding)
        starts[:, 1:] &= self.line[:, 1:] != self.line[:, :-1]
        return starts

    @cached_property
    def onset_steps(self) -> BoolArray:
        """(N, 16): a note starts, in any voice."""
        if self.packed is None:
            return self.line_onsets
        starts = self.packed.copy()
        starts[:, 1:] &= ~self.packed[:, :-1]
        struck: BoolArray = (starts[..., 0] | starts[..., 1]) != 0  # far faster than any()
        return struck

    @cached_property
    def num_voices(self) -> NDArray[np.int64]:
        """(N, 16): pitches that are on."""
        if self.packed is None:
            return self.sounding.astype(np.int64)
        low, high = np.moveaxis(np.bitwise_count(self.packed), -1, 0)
        counts: NDArray[np.int64] = (low + high).astype(np.int64)  # at most 128, which a byte holds
        return counts

    @cached_property
    def notes_by_pitch(self) -> NDArray[np.uint8]:
        """(N, 128): notes that start on each pitch."""
        if self.bits is None:
            return self._by_pitch(self.line_onsets)
        counts: NDArray[np.uint8] = np.bitwise_count(self.bits & ~(self.bits << np.uint16(1)))
        return counts

    @cached_property
    def steps_by_pitch(self) -> NDArray[np.uint8]:
        """(N, 128): steps at which each pitch is on."""
        return self._by_pitch(self.sounding) if self.bits is None else np.bitwise_count(self.bits)

    @cached_property
    def notes_by_class(self) -> NDArray[np.int64]:
        """(N, 12): notes that start on each pitch class, over all voices."""
        padded = np.zeros((len(self), 12 * _OCTAVES), np.uint8)
        padded[:, :NUM_PITCHES] = self.notes_by_pitch
        octaves = padded.reshape(-1, _OCTAVES, 12)
        total = octaves[:, 0].copy()
        for octave in range(1, _OCTAVES):  # at most 88 in all, which a byte holds; far faster than sum()
            total += octaves[:, octave]
        counts: NDArray[np.int64] = total.astype(np.int64)
        return counts

    @cached_property
    def num_notes(self) -> NDArray[np.int64]:
        """(N,): notes that start, over all voices."""
        counts: NDArray[np.int64] = self.notes_by_class.sum(axis=1)
        return counts

    @cached_property
    def num_cells(self) -> NDArray[np.int64]:
        """(N,): cells of the roll that are on, which is the notes' summed length in steps."""
        counts: NDArray[np.int64] = self.num_voices.sum(axis=1)
        return counts

    @cached_property
    def silent(self) -> BoolArray:
        """(N,): nothing sounds."""
        silent: BoolArray = (self.line == SILENCE).all(axis=1)
        return silent

    @cached_property
    def first_pitch(self) -> NDArray[np.int16]:
        """(N,): pitch of the line's first note, -1 for none."""
        return np.take_along_axis(self.line, self.sounding.argmax(axis=1)[:, None], axis=1)[:, 0]

    @cached_property
    def last_pitch(self) -> NDArray[np.int16]:
        """(N,): pitch of the line's last note, -1 for none."""
        last = NUM_STEPS - 1 - self.sounding[:, ::-1].argmax(axis=1)
        return np.take_along_axis(self.line, last[:, None], axis=1)[:, 0]

    @cached_property
    def contents(self) -> NDArray[Any]:
        """(N, K) all that a bar is: equal rows are bars equal cell by cell."""
        return self.line if self.bits is None else self.bits

    def num_long_notes(self, min_steps: int) -> NDArray[np.int64]:
        """(N,): notes of at least `min_steps` steps (1-16), over all voices."""
        if self.bits is not None:
            starts = self.bits & ~(self.bits << np.uint16(1))
            for later in range(1, min_steps):
                starts &= self.bits >> np.uint16(later)
            long = np.bitwise_count(starts)
        else:
            width = NUM_STEPS - min_steps + 1
            long = self.line_onsets[:, :width].astype(np.uint8)
            for later in range(1, min_steps):
                long &= self.line[:, later : later + width] == self.line[:, :width]
        counts: NDArray[np.int64] = long.sum(axis=1, dtype=np.int64)
        return counts

    def _by_pitch(self, where: BoolArray) -> NDArray[np.uint8]:
        bar = np.nonzero(where)[0]
        cell = bar * NUM_PITCHES + self.line[where]
        counts = np.bincount(cell, minlength=len(self) * NUM_PITCHES).astype(np.uint8)
        return counts.reshape(-1, NUM_PITCHES)


def _highest(packed: NDArray[np.uint64]) -> NDArray[np.int16]:
    """Highest pitch (...,) among the bits of each step (..., 2), -1 for none."""
    low, high = packed[..., 0], packed[..., 1]
    word = np.where(high, high, low)
    for shift in (1, 2, 4, 8, 16, 32):  # sets every bit below the highest, so that their number is its place
        word |= word >> np.uint64(shift)
    pitch: NDArray[np.int16] = np.bitwise_count(word) + np.where(high, np.int16(63), np.int16(-1))
    return pitch
