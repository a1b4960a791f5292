"""Times to bars of sixteen steps: the one place where music is laid on the grid.

Positions are in steps on an axis on which bar i of a file covers 16 i to 16 i + 16, whatever it lasted.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import SILENCE
from data_prep.chords import NO_CHORD
from data_prep.errors import UserError

STEPS: Final = 16
"""Steps in a bar: sixteenths of 4/4."""
EXACT: Final = 1e-3
"""How far from a step (in steps) a written note may lie and still count as on it: rounding of the file, no more."""
PLAYED: Final = 0.25
"""The same for a played note, which no one strikes exactly; triplets lie .33 off."""
MAX_BARS: Final = 10_000
"""Longest piece read."""

WHOLE_BARS: Final = ((4, 4), (2, 2))
"""The metres whose bars are four quarter notes: common and cut time."""

OTHER_METRE: Final = "not in 4/4"
PARTIAL: Final = "partial bar"
OFF_GRID: Final = "off the 16-step grid"

Times = NDArray[np.floating[Any] | np.integer[Any]]

_MAX_CELLS: Final = 4_000_000
_BEFORE: Final = -1.0


class Bars(NamedTuple):
    """Pitches int8 (n, 16), onset bits uint16 (n,), and bool (n,) whether every note of the bar lies on steps."""

    melody: NDArray[np.int8]
    onset: NDArray[np.uint16]
    exact: NDArray[np.bool_]


class Chords(NamedTuple):
    """Chord class on each beat int8 (n, 4), and the bar's one chord int8 (n,)."""

    beats: NDArray[np.int8]
    first: NDArray[np.int8]


def positions(time: Times, bar_start: Times, steps: float, *, ends: bool) -> NDArray[np.float64]:
    """Times as positions, for bars that begin at `bar_start` and have `steps` steps per unit of time.

    What lies before the first bar, or where there is none, is at -1; what lies after the last one on its end. In
    a bar that lasts longer than sixteen steps (which is no 4/4 bar, and will be dropped), later starts fall on its
    last step and later `ends` on its end.
    """
    if not len(bar_start):
        return np.full(time.shape, _BEFORE)
    bar = np.searchsorted(bar_start, time, side="left" if ends else "right") - 1
    longer = np.diff(bar_start) * steps > STEPS + EXACT
    most = np.append(np.where(longer & (not ends), STEPS - 1, STEPS), STEPS)
    within = np.minimum((time - bar_start[np.maximum(bar, 0)]) * steps, most[bar])
    return np.where(bar < 0, _BEFORE, bar * STEPS + within)


def lay_out(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    pitch: NDArray[np.integer],
    num_bars: int,
    *,
    tolerance: float = EXACT,
    ends_matter: bool = True,
    monophonic: bool = False,
) -> Bars:
    """Notes (K,) at these positions as bars.

    Where two notes sound at once the higher one is heard; none is shorter than a step. A `monophonic` line is played
    legato: there a note ends where the next begins. `ends_matter`: a note must end on a step, not just begin on one,
    to count as exact.
    """
    off = np.abs(start - np.rint(start)) > tolerance
    # A note off the grid spoils its own bar; rounded up at its end, it would spoil the next one as well.
    first = np.where(off, np.floor(start), np.rint(start)).astype(np.int64)
    last = np.maximum(np.rint(end).astype(np.int64), first + 1)
    faulty = [np.floor(start[off] / STEPS)]
    if ends_matter:
        off = np.abs(end - np.rint(end)) > tolerance
        faulty.append(np.ceil(end[off] / STEPS) - 1)
    bars = np.concatenate(faulty).astype(np.int64)
    exact = np.ones(num_bars, np.bool_)
    exact[bars[(bars >= 0) & (bars < num_bars)]] = False
    if monophonic:
        first, last, pitch = _one_at_a_time(first, last, pitch)
    return Bars(*rasterise(first, last, pitch, num_bars), exact)


def rasterise(
    start: NDArray[np.int64], end: NDArray[np.int64], pitch: NDArray[np.integer], num_bars: int
) -> tuple[NDArray[np.int8], NDArray[np.uint16]]:
    """Notes (K,) from one step up to another as pitches (n, 16) and onset bits (n,); the highest note wins."""
    size = num_bars * STEPS
    heard = (np.maximum(start, 0) < size) & (end > 0)
    order = np.flatnonzero(heard)[np.lexsort((start[heard], pitch[heard]))]
    start, pitch = start[order], pitch[order]
    begin, stop = np.maximum(start, 0), np.minimum(end[order], size)
    lengths = stop - begin
    total = int(lengths.sum())
    if total > _MAX_CELLS:
        raise UserError("too many notes at once; it is no melody.")
    cells = np.arange(total) + np.repeat(begin - (np.cumsum(lengths) - lengths), lengths)
    owner = np.full(size, -1)
    np.maximum.at(owner, cells, np.repeat(np.arange(len(order)), lengths))
    line = np.full(size, SILENCE, np.int8)
    line[owner >= 0] = pitch[owner[owner >= 0]]
    struck = np.zeros(size, np.bool_)
    struck[start[(start >= 0) & (owner[begin] == np.arange(len(order)))]] = True
    bits = np.packbits(struck.reshape(num_bars, STEPS), axis=1, bitorder="little")
    return line.reshape(num_bars, STEPS), bits.view("<u2").reshape(num_bars).astype(np.uint16)


def lay_out_chords(
    start: Times,
    end: Times,
    chord: NDArray[np.int8],
    beats: Times,
    bar_end: Times,
    *,
    lead: float = 0.0,
) -> Chords:
    """Chords (E,) in order of start as bars, all times in one unit; each ends where the next begins, if not before.

    Args:
        start: when each begins.
        end: when each ends.
        chord: class of each.
        beats: (n, 4) when each beat begins.
        bar_end: (n,) when each bar ends.
        lead: how far after its beat a chord may begin and still be on it.

    Returns:
        The chord sounding on each beat; and the one on beat 1 or else the first that begins inside the bar.
    """
    if not len(start):
        return Chords(np.full(beats.shape, NO_CHORD, np.int8), np.full(len(beats), NO_CHORD, np.int8))
    at = beats + lead
    latest = np.searchsorted(start, at, side="right") - 1
    sounding = (latest >= 0) & (end[latest] > at)
    on_beat = np.where(sounding, chord[latest], NO_CHORD).astype(np.int8)
    known = np.flatnonzero(chord != NO_CHORD)
    following = np.searchsorted(start[known], beats[:, 0])
    event = np.append(known, 0)[following]
    inside = (following < len(known)) & (start[event] < bar_end)
    first = np.where(on_beat[:, 0] != NO_CHORD, on_beat[:, 0], np.where(inside, chord[event], NO_CHORD))
    return Chords(on_beat, first.astype(np.int8))


def _one_at_a_time(
    start: NDArray[np.int64], end: NDArray[np.int64], pitch: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.integer]]:
    """Of the notes that begin together the highest; each ends where the next begins, if not before."""
    order = np.lexsort((pitch, start))
    start, end, pitch = start[order], end[order], pitch[order]
    top = np.append(np.diff(start) != 0, True)[: len(start)]
    start, end, pitch = start[top], end[top], pitch[top]
    return start, np.minimum(end, np.append(start[1:], np.iinfo(np.int64).max)[: len(start)]), pitch
