"""The last step of every reader of bars: faulty bars are counted and left out."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from data_prep.grid import OFF_GRID, Bars, Chords
from data_prep.song import Section


def readable(
    path: str,
    inputs: Mapping[str, str],
    faults: Sequence[str],
    bars: Bars,
    chords: Chords,
    remarks: Mapping[str, int] | None = None,
) -> Section:
    """The section of these n bars without those that have a fault (n texts, empty for none) or lie off the grid."""
    told = [fault or ("" if fits else OFF_GRID) for fault, fits in zip(faults, bars.exact.tolist(), strict=True)]
    keep = np.flatnonzero([not fault for fault in told])
    return Section(
        path=path,
        inputs=inputs,
        bar=keep.astype(np.int32),
        melody=bars.melody[keep],
        onset=bars.onset[keep],
        chord=chords.beats[keep],
        first_chord=chords.first[keep],
        unreadable=dict(sorted(Counter(fault for fault in told if fault).items())),
        remarks=dict(sorted((remarks or {}).items())),
    )
