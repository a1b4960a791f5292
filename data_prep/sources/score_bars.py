"""A written score to bars of sixteen steps: which measures are whole 4/4 bars, and what the melody does."""

from typing import NamedTuple

import numpy as np

from data_prep.formats.musicxml import Measure, Note, Score
from data_prep.grid import OTHER_METRE, PARTIAL, STEPS, WHOLE_BARS, Bars, lay_out, positions


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
        if (measure.beats, measure.beat_type) not in WHOLE_BARS:
            fault = OTHER_METRE
        else:
            fault = "" if joined or measure.length == 4 * resolution else PARTIAL
        spans.append(Span(measure.start, fault))
        place += 2 if joined else 1
    return spans


def melody_bars(score: Score, melody: tuple[Note, ...], spans: list[Span]) -> Bars:
    """The tune (ticks of the score) in all these bars; its highest note where it divides."""
    starts = np.array([span.start for span in spans], np.int64)
    start, end, pitch = np.array(melody, np.int64).reshape(-1, 3).T
    steps = STEPS / 4 / score.resolution
    return lay_out(
        positions(start, starts, steps, ends=False), positions(end, starts, steps, ends=True), pitch, len(spans)
    )


def _is_cut_bar(pair: tuple[Measure, ...], resolution: int) -> bool:
    # Where a phrase ends or repeats in mid-bar, editions write the bar as two short ones.
    if len(pair) < 2 or pair[0][2:] != pair[1][2:]:
        return False
    return min(pair[0].length, pair[1].length) > 0 and pair[0].length + pair[1].length == pair[0].full(resolution)
