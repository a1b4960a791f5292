"""Chords on the grid, against a look at each beat."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.chords import NO_CHORD
from data_prep.grid import lay_out_chords

WHOLE = 96
"""Ticks in a bar of four beats."""

Event = tuple[float, float, int]


def naive_chords(
    events: list[Event], beats: list[list[float]], bar_end: list[float], lead: float
) -> tuple[list[list[int]], list[int]]:
    on_beat, first = [], []
    for bar, times in enumerate(beats):
        told = []
        for beat in times:
            begun = [event for event in events if event[0] <= beat + lead]
            told.append(begun[-1][2] if begun and begun[-1][1] > beat + lead else NO_CHORD)
        on_beat.append(told)
        inside = [chord for start, _, chord in events if times[0] <= start < bar_end[bar] and chord != NO_CHORD]
        first.append(told[0] if told[0] != NO_CHORD else [*inside, NO_CHORD][0])
    return on_beat, first


def chords_of(events: list[Event], num_bars: int, lead: float = 0.0) -> tuple[list[list[int]], list[int]]:
    """Chords in bars of four beats, all times in beats."""
    start, end, chord = np.array(events, np.float64).reshape(-1, 3).T
    beats = np.arange(4.0 * num_bars).reshape(num_bars, 4)
    laid = lay_out_chords(start, end, chord.astype(np.int8), beats, beats[:, 0] + 4, lead=lead)
    assert laid.beats.dtype == laid.first.dtype == np.int8
    return laid.beats.tolist(), laid.first.tolist()


beat_times = st.one_of(st.integers(0, 80).map(lambda quarter: quarter / 4), st.integers(0, 60).map(lambda t: t / 3))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(beat_times, st.sampled_from([0.25, 0.5, 1, 4 / 3, 4, 30]), st.sampled_from([0, 5, 19, 24])),
        max_size=12,
    ),
    st.integers(0, 5),
    st.sampled_from([0.0, 1e-6, 0.1]),
)
def test_chords_are_those_of_a_look_at_each_beat(events: list[Event], num_bars: int, lead: float) -> None:
    events = sorted(((start, start + length, chord) for start, length, chord in events), key=lambda event: event[0])
    beats = [[4.0 * bar + beat for beat in range(4)] for bar in range(num_bars)]
    expected = naive_chords(events, beats, [4.0 * bar + 4 for bar in range(num_bars)], lead)
    assert chords_of(events, num_bars, lead) == expected


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.just(WHOLE), st.integers(1, 5 * WHOLE)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 300), st.integers(0, 24)), max_size=9),
)
def test_chords_in_bars_of_any_length(lengths: list[int], events: list[tuple[int, int, int]]) -> None:
    spans = [(float(start), float(start + length), chord) for start, length, chord in sorted(events)]
    lines = np.cumsum([0, *lengths])
    # In a short bar the last beats lie in the next one.
    beats, ends = lines[:-1, None] + np.arange(4) * WHOLE // 4, lines[1:]
    start, end, chord = np.array(spans, np.int64).reshape(-1, 3).T
    laid = lay_out_chords(start, end, chord.astype(np.int8), beats, ends)
    assert (laid.beats.tolist(), laid.first.tolist()) == naive_chords(spans, beats.tolist(), ends.tolist(), 0.0)


def test_a_chord_sounds_from_its_beat_up_to_its_end() -> None:
    assert chords_of([(1, 3, 7)], 2) == ([[24, 7, 7, 24], [24] * 4], [7, 24])
    assert chords_of([(0, 8, 7)], 2) == ([[7] * 4] * 2, [7, 7])


def test_the_bars_one_chord_is_that_on_beat_1_or_else_the_first_known_inside() -> None:
    assert chords_of([(0, 1, 3), (1, 4, 5)], 1)[1] == [3]
    assert chords_of([(0, 1, NO_CHORD), (1, 2, NO_CHORD), (2.5, 3, 5), (3, 4, 6)], 1) == ([[24, 24, 24, 6]], [5])
    assert chords_of([(4, 8, 5)], 2) == ([[24] * 4, [5] * 4], [24, 5])
    assert chords_of([(3.75, 8, 5)], 2) == ([[24] * 4, [5] * 4], [5, 5])


def test_no_chord_ends_the_chord_before() -> None:
    assert chords_of([(0, 8, 5), (2, 8, NO_CHORD)], 2) == ([[5, 5, 24, 24], [24] * 4], [5, 24])


def test_each_chord_ends_where_the_next_begins() -> None:
    assert chords_of([(0, 4, 5), (1, 2, 7)], 1) == ([[5, 7, 24, 24]], [5])


def test_the_lead_is_how_far_after_its_beat_a_chord_may_begin() -> None:
    assert chords_of([(0.1, 4, 5)], 1, lead=0.0) == ([[24, 5, 5, 5]], [5])
    assert chords_of([(0.1, 4, 5)], 1, lead=0.1) == ([[5, 5, 5, 5]], [5])
    assert chords_of([(0.1, 4, 5)], 1, lead=0.05) == ([[24, 5, 5, 5]], [5])
    late = [(0.0, 4.02, 5), (4.02, 8.0, 7)]
    assert chords_of(late, 2, lead=0.03) == ([[5] * 4, [7] * 4], [5, 7])
    assert chords_of(late, 2)[0] == [[5] * 4, [5, 7, 7, 7]]


def test_no_chords_are_no_chord_and_no_bars_none() -> None:
    assert chords_of([], 2) == ([[24] * 4] * 2, [24, 24])
    assert chords_of([(0, 4, NO_CHORD)], 1) == ([[24] * 4], [24])
    assert chords_of([], 0) == ([], [])
    assert chords_of([(0, 4, 5)], 0) == ([], [])


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e12])
def test_a_chord_at_no_time_breaks_nothing(value: float) -> None:
    assert chords_of([(0, 4, 5), (value, value, 7)], 2) == ([[5] * 4, [24] * 4], [5, 24])
