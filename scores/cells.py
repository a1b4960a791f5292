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
    """(N, 16, 2) the pitches of each step, one bit each; None for one voice."""
    bits: NDArray[np.uint16] | None = None
    """(N, 128) the steps at which each pitch is on, bit s for step s; None for one voice."""

    @classmethod
    def of_roll(cls, roll: BoolArray) -> "Cells":
        """From piano rolls (N, 16, 128)."""
        line, one_voice = line_and_voices(roll)
        if one_voice:
            return cls(line=line)
        packed = np.packbits(roll, axis=-1).view(np.uint64)
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
        struck: BoolArray = starts.any(axis=-1)
        return struck

    @cached_property
    def num_voices(self) -> NDArray[np.int64]:
        """(N, 16): pitches that are on."""
        if self.packed is None:
            return self.sounding.astype(np.int64)
        counts: NDArray[np.int64] = np.bitwise_count(self.packed).sum(axis=-1, dtype=np.int64)
        return counts

    @cached_property
    def notes_by_pitch(self) -> NDArray[np.int64]:
        """(N, 128): notes that start on each pitch, over all voices."""
        if self.bits is None:
            return self._by_pitch(self.line_onsets)
        return _popcount(self.bits & ~(self.bits << np.uint16(1)))

    @cached_property
    def steps_by_pitch(self) -> NDArray[np.int64]:
        """(N, 128): steps at which each pitch is on."""
        if self.bits is None:
            return self._by_pitch(self.sounding)
        return _popcount(self.bits)

    @cached_property
    def notes_by_class(self) -> NDArray[np.int64]:
        """(N, 12): notes that start on each pitch class, over all voices."""
        padded = np.zeros((len(self), 12 * _OCTAVES), np.int64)
        padded[:, :NUM_PITCHES] = self.notes_by_pitch
        counts: NDArray[np.int64] = padded.reshape(-1, _OCTAVES, 12).sum(axis=1)
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
            long = _popcount(starts)
        else:
            width = NUM_STEPS - min_steps + 1
            long = self.line_onsets[:, :width].astype(np.int64)
            for later in range(1, min_steps):
                long &= self.line[:, later : later + width] == self.line[:, :width]
        counts: NDArray[np.int64] = long.sum(axis=1)
        return counts

    def _by_pitch(self, where: BoolArray) -> NDArray[np.int64]:
        bar = np.nonzero(where)[0]
        cell = bar * NUM_PITCHES + self.line[where]
        return np.bincount(cell, minlength=len(self) * NUM_PITCHES).reshape(-1, NUM_PITCHES)


def _popcount(bits: NDArray[np.uint16]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bitwise_count(bits).astype(np.int64)
    return counts


def line_and_voices(roll: BoolArray) -> tuple[NDArray[np.int16], bool]:
    """Highest sounding pitch of each step (..., 16), -1 for a rest, and whether that is all there is."""
    lowest = roll.argmax(-1)
    sounding = np.take_along_axis(roll, lowest[..., None], -1)[..., 0]
    one_voice = np.count_nonzero(roll) == np.count_nonzero(sounding)
    # Searching upwards is faster than on the mirrored view, and finds the only pitch of a single voice.
    highest = lowest if one_voice else NUM_PITCHES - 1 - roll[..., ::-1].argmax(-1)
    return np.where(sounding, highest, SILENCE).astype(np.int16), bool(one_voice)
