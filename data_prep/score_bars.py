"""A written score to bars of sixteen steps: which measures are whole 4/4 bars, and what the melody does."""

from collections import Counter
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.harmony import beat_chords, first_chords
from data_prep.musicxml import Measure, Note, Score
from data_prep.song import Section

OTHER_METRE: Final = "not in 4/4"
PARTIAL: Final = "partial bar"
OFF_GRID: Final = "off the 16-step grid"


class Span(NamedTuple):
    """A bar of the piece: first tick, and why it is no whole 4/4 bar (empty if it is one)."""

    start: int
    fault: str


def bar_spans(measures: tuple[Measure, ...], resolution: int) -> list[Span]:
    """The bars of a piece, without its pick-up; the two halves of a bar cut where a phrase ends are one again."""
    spans: list[Span] = []
    place = 1 if measures and measures[0].length < measures[0].full(resolution) else 0
    while place < len(measures):
        measure, joined = measures[place], _is_cut_bar(measures[place : place + 2], resolution)
        if (measure.beats, measure.beat_type) != (4, 4):
            fault = OTHER_METRE
        else:
            fault = "" if joined or measure.length == 4 * resolution else PARTIAL
        spans.append(Span(measure.start, fault))
        place += 2 if joined else 1
    return spans


def section_of(score: Score, melody: tuple[Note, ...], *, path: str, sha256: str) -> Section:
    """The readable bars of a score whose tune is `melody` (ticks of the score) and whose chords all parts make."""
    spans = bar_spans(score.measures, score.resolution)
    steps, onset, exact = _on_grid(melody, np.array([span.start for span in spans], np.int64), score.resolution)
    faults = [span.fault or ("" if fits else OFF_GRID) for span, fits in zip(spans, exact, strict=True)]
    keep = np.flatnonzero([not fault for fault in faults])
    chord = _chords(score, np.array([spans[i].start for i in keep], np.int64))
    return Section(
        path=path,
        sha256=sha256,
        bar=keep.astype(np.int32),
        melody=steps[keep],
        onset=onset[keep],
        chord=chord,
        first_chord=first_chords(chord),
        unreadable=dict(sorted(Counter(fault for fault in faults if fault).items())),
    )


def _is_cut_bar(pair: tuple[Measure, ...], resolution: int) -> bool:
    # Where a phrase ends or repeats in mid-bar, editions write the bar as two short ones.
    if len(pair) < 2 or pair[0][2:] != pair[1][2:]:
        return False
    return min(pair[0].length, pair[1].length) > 0 and pair[0].length + pair[1].length == pair[0].full(resolution)


def _on_grid(
    melody: tuple[Note, ...], starts: NDArray[np.int64], resolution: int
) -> tuple[NDArray[np.int8], NDArray[np.uint16], NDArray[np.bool_]]:
    """Pitches (n, 16), onset bits (n,) and whether every note begins and ends on a step (n,), per bar."""
    steps = np.full((len(starts), 16), -1, np.int8)
    onset = np.zeros(len(starts), np.uint16)
    exact = np.ones(len(starts), np.bool_)
    length = 4 * resolution
    # Lower notes first: where two sound at once the higher one stays.
    for start, end, pitch in sorted(melody, key=lambda note: note.pitch):
        first, last = np.searchsorted(starts, (start - length, end), side="right")
        for bar in range(first, last):
            begin, stop = max(start - starts[bar], 0) * 4, min(end - starts[bar], length) * 4
            if stop <= begin:
                continue
            exact[bar] &= begin % resolution == 0 == stop % resolution
            a, b = begin // resolution, -(-stop // resolution)
            mask = (1 << b) - (1 << a)
            steps[bar, a:b] = pitch
            onset[bar] = onset[bar] & ~np.uint16(mask) | np.uint16(start >= starts[bar]) << np.uint16(a)
    return steps, onset, exact


def _chords(score: Score, starts: NDArray[np.int64]) -> NDArray[np.int8]:
    notes = np.array([note for part in score.parts for note in part.notes], np.int64).reshape(-1, 3)
    beats = (starts[:, None] + np.arange(4) * score.resolution).ravel()
    return beat_chords(notes, beats, score.resolution).reshape(-1, 4)
