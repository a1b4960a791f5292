"""A played melody to bars of sixteen steps."""

import numpy as np
from numpy.typing import NDArray

from data_prep.grid import PLAYED, STEPS, Bars, Times, lay_out, positions


def melody_bars(start: Times, end: Times, pitch: NDArray[np.integer], bar_start: Times, whole: float) -> Bars:
    """The notes (K,) of a melody, played legato, in bars; a 4/4 bar lasts `whole` units of time.

    Of a longer bar, which will be dropped, the last sixteen steps are laid out as well: what begins there may be held
    into the next bar.
    """
    tail = bar_start[1:] - whole
    starts = np.sort(np.concatenate([bar_start, tail[tail > bar_start[:-1]]]))
    steps = STEPS / whole
    begin = positions(on_time(start, starts, steps), starts, steps, ends=False)
    # Rounded, so that the end of a note in the middle of a step does not hang on the last bit of a float.
    stop = positions(end, starts, steps, ends=True).round(6)
    bars = lay_out(begin, stop, pitch, len(starts), tolerance=PLAYED, ends_matter=False, monophonic=True)
    rows = np.searchsorted(starts, bar_start)
    return Bars(bars.melody[rows], bars.onset[rows], bars.exact[rows])


def on_time(start: Times, bar_start: Times, steps: float) -> Times:
    """Starts (K,), those a little before a bar line moved onto it.

    Between whole bars rounding would do that; after a bar of another length it would not.
    """
    bar = np.searchsorted(bar_start, start + PLAYED / steps, side="right") - 1
    return np.where(bar < 0, start, np.maximum(start, bar_start[np.maximum(bar, 0)]))
