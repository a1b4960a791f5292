"""Pure functions on bars of sixteen steps: rolls, lines, transposition, rests."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

NUM_PITCHES: Final = 128
SILENCE: Final = -1


def piano_roll(melody: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Bars (..., 16) as piano rolls, bool (..., 16, 128): True at the sounding pitch, silence all False."""
    roll: NDArray[np.bool_] = melody[..., None] == np.arange(NUM_PITCHES, dtype=np.int8)
    return roll


def melody_line(roll: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Highest sounding pitch of each step of (..., 16, 128), int8 (..., 16); -1 where nothing sounds."""
    highest = NUM_PITCHES - 1 - roll[..., ::-1].argmax(axis=-1)
    return np.where(roll.any(axis=-1), highest, SILENCE).astype(np.int8)


def transpose(melody: NDArray[np.int8], shift: int | NDArray[np.integer]) -> NDArray[np.int8]:
    """Bars (..., 16) moved by `shift` semitones (-12 to 12, one or (...,)); silence stays.

    A bar that would leave 0..127 is moved an octave back the other way: the same key, within MIDI.
    """
    steps = np.broadcast_to(np.asarray(shift, np.int16)[..., None], (*melody.shape[:-1], 1))
    if np.abs(steps).max(initial=0) > 12:
        raise ValueError(f"A transposition is from -12 to 12 semitones, not {np.ravel(shift)[:3]}…")
    sounding, moved = melody >= 0, melody.astype(np.int16) + steps
    outside = (((moved < 0) | (moved >= NUM_PITCHES)) & sounding).any(axis=-1, keepdims=True)
    moved -= 12 * np.sign(steps) * outside
    return np.where(sounding, moved, SILENCE).astype(np.int8)


def fill_rests(melody: NDArray[np.int8], onset: NDArray[np.uint16]) -> tuple[NDArray[np.int8], NDArray[np.uint16]]:
    """Consecutive bars (n, 16) and (n,) without silence, as MidiNet has them (Yang et al. 2017).

    A rest prolongs the note before it; a leading rest takes the first note's pitch, which so begins earlier.
    Wholly silent bars come back as they are when no note is there at all.
    """
    line, bits = melody.ravel(), np.unpackbits(onset.astype("<u2").view(np.uint8), bitorder="little")
    sounding = np.flatnonzero(line >= 0)
    if not len(sounding):
        return melody.copy(), onset.copy()
    source = np.maximum.accumulate(np.where(line >= 0, np.arange(len(line)), sounding[0]))
    if bits[sounding[0]]:
        bits[[sounding[0], 0]] = 0, 1
    filled = np.packbits(bits, bitorder="little").view("<u2").astype(np.uint16)
    return line[source].reshape(melody.shape), filled
