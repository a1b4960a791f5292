"""Notes on the grid, against loops over single notes and bars written from what the docstrings say."""

import math
import tracemalloc
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from data_prep import grid
from data_prep.errors import UserError
from data_prep.grid import EXACT, PLAYED, Bars, lay_out, positions, rasterise

Note = tuple[float, float, int]
C, D, E, G = 60, 62, 64, 67
REST = -1


def columns(notes: Sequence[Note]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    start, end, pitch = np.array(notes, np.float64).reshape(-1, 3).T
    return start, end, pitch.astype(np.int64)


def laid_out(notes: Sequence[Note], num_bars: int, **options: bool | float) -> Bars:
    return lay_out(*columns(notes), num_bars, **options)  # type: ignore[arg-type]


def line(bars: Bars) -> list[int]:
    return [int(pitch) for pitch in bars.melody.ravel()]


def struck(bars: Bars) -> list[int]:
    """The steps, counted from the first bar, in which a note begins."""
    return [16 * bar + step for bar, bits in enumerate(bars.onset.tolist()) for step in range(16) if bits >> step & 1]


def naive_line(notes: list[tuple[int, int, int]], num_bars: int) -> tuple[list[int], list[int]]:
    """Pitch of each step and the steps struck; of notes of one pitch the one that begins last is heard."""
    pitches, onsets = [], []
    for step in range(16 * num_bars):
        sounding = [(pitch, first) for first, last, pitch in notes if first <= step < last]
        pitch, first = max(sounding, default=(REST, REST))
        pitches.append(pitch)
        if sounding and first == step:
            onsets.append(step)
    return pitches, onsets


def naive_step(start: float, tolerance: float) -> int:
    """A note off the grid begins on the step before it, so that it stays in its bar."""
    return math.floor(start) if abs(start - round(start)) > tolerance else round(start)


def naive_exact(notes: list[Note], num_bars: int, tolerance: float, written: bool) -> list[bool]:
    """A note off the grid spoils the bar in which it begins, and one that ends off it where that matters too."""
    spoilt = set()
    for start, end, _ in notes:
        if abs(start - round(start)) > tolerance:
            spoilt.add(start // 16)
        if written and abs(end - round(end)) > tolerance:
            spoilt.add(next(bar for bar in range(-2, num_bars + 9) if 16 * bar < end <= 16 * bar + 16))
    return [bar not in spoilt for bar in range(num_bars)]


def naive_steps(notes: list[Note], tolerance: float, monophonic: bool) -> list[tuple[int, int, int]]:
    begun = [(naive_step(start, tolerance), round(end), pitch) for start, end, pitch in notes]
    steps = [(first, max(last, first + 1), pitch) for first, last, pitch in begun]
    if not monophonic:
        return steps
    cut = []
    for first, last, pitch in steps:
        if pitch < max(other for begin, _, other in steps if begin == first):
            continue
        following = min((begin for begin, _, _ in steps if begin > first), default=last)
        cut.append((first, min(last, following), pitch))
    return cut


near_steps = st.builds(
    lambda step, off: step + off, st.integers(-3, 60), st.sampled_from([0, 5e-4, -5e-4, 2e-3, -2e-3])
)
thirds = st.integers(-6, 180).map(lambda third: third / 3)
tenths = st.integers(0, 600).map(lambda tenth: 0.1 * tenth)
halves = st.integers(-4, 120).map(lambda half: half / 2)
anywhere = st.floats(-4, 70)
times = st.one_of(near_steps, thirds, tenths, halves, anywhere, st.just(-1.0))
lengths = st.one_of(st.just(0.0), thirds.map(abs), tenths, st.floats(0, 40))
# Notes of one pitch that begin together are the same note twice: which of them is heard no one can tell.
melodies = st.lists(
    st.builds(lambda start, length, pitch: (start, start + length, pitch), times, lengths, st.integers(0, 127)),
    max_size=8,
    unique_by=(lambda note: (round(note[0]), note[2]), lambda note: (math.floor(note[0]), note[2])),
)


@settings(max_examples=300, deadline=None)
@given(melodies, st.integers(0, 4), st.booleans(), st.booleans(), st.sampled_from([EXACT, PLAYED]))
def test_notes_are_laid_out_as_one_by_one(
    notes: list[Note], num_bars: int, monophonic: bool, written: bool, tolerance: float
) -> None:
    steps = naive_steps(notes, tolerance, monophonic)
    assume(len({(first, pitch) for first, _, pitch in steps}) == len(steps))
    bars = laid_out(notes, num_bars, monophonic=monophonic, ends_matter=written, tolerance=tolerance)
    pitches, onsets = naive_line(steps, num_bars)
    assert line(bars) == pitches
    assert struck(bars) == onsets
    assert bars.exact.tolist() == naive_exact(notes, num_bars, tolerance, written)
    assert [array.dtype.name for array in bars] == ["int8", "uint16", "bool"]
    assert [array.shape for array in bars] == [(num_bars, 16), (num_bars,), (num_bars,)]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-40, 70), st.integers(1, 80), st.integers(0, 127)), max_size=10), st.integers(0, 3)
)
def test_rasterising_is_the_highest_note_of_each_step(notes: list[tuple[int, int, int]], num_bars: int) -> None:
    whole = [(start, start + length, pitch) for start, length, pitch in notes]
    start, end, pitch = np.array(whole, np.int64).reshape(-1, 3).T
    melody, onset = rasterise(start, end, pitch, num_bars)
    pitches, onsets = naive_line(whole, num_bars)
    assert melody.ravel().tolist() == pitches
    assert struck(Bars(melody, onset, np.ones(num_bars, np.bool_))) == onsets


@settings(max_examples=200, deadline=None)
@given(melodies, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_notes_does_not_matter(notes: list[Note], random: object, monophonic: bool) -> None:
    shuffled = list(notes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for one, other in zip(*(laid_out(each, 3, monophonic=monophonic) for each in (notes, shuffled)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_higher_of_two_notes_is_heard_and_the_lower_goes_on_after_it() -> None:
    bars = laid_out([(0, 8, C), (2, 5, E)], 1)
    assert line(bars) == [C] * 2 + [E] * 3 + [C] * 3 + [REST] * 8
    assert struck(bars) == [0, 2]


def test_a_note_that_begins_under_a_higher_one_has_no_onset() -> None:
    bars = laid_out([(0, 8, G), (4, 12, C)], 1)
    assert line(bars) == [G] * 8 + [C] * 4 + [REST] * 4
    assert struck(bars) == [0]


def test_a_repeated_note_is_struck_again_though_the_first_is_held() -> None:
    bars = laid_out([(0, 8, C), (4, 6, C)], 1)
    assert line(bars) == [C] * 8 + [REST] * 8
    assert struck(bars) == [0, 4]


def test_a_note_over_the_bar_line_sounds_in_both_bars_and_begins_in_one() -> None:
    bars = laid_out([(12, 20, C)], 2)
    assert line(bars) == [REST] * 12 + [C] * 8 + [REST] * 12
    assert struck(bars) == [12]


def test_what_lies_before_the_first_bar_and_after_the_last_is_cut_off() -> None:
    bars = laid_out([(-5, 3, C), (-9, -1, G), (30, 99, E), (32, 40, G), (-4, 0, G)], 2)
    assert line(bars) == [C] * 3 + [REST] * 27 + [E] * 2
    assert struck(bars) == [30]
    held = laid_out([(-5, 99, C)], 2)
    assert line(held) == [C] * 32
    assert struck(held) == []


def test_a_note_rounds_up_into_the_next_bar() -> None:
    bars = laid_out([(15.8, 17.9, C)], 2, tolerance=PLAYED)
    assert line(bars) == [REST] * 16 + [C] * 2 + [REST] * 14
    assert struck(bars) == [16]
    last = laid_out([(31.8, 40, C)], 2, tolerance=PLAYED)
    assert line(last) == [REST] * 32
    assert last.exact.tolist() == [True, True]


def test_a_note_off_the_grid_spoils_its_own_bar_alone() -> None:
    for start in (15.3, 15.5, 15.7):
        for monophonic in (False, True):
            bars = laid_out([(0, start, C), (start, 16, G), (16, 20, E)], 2, monophonic=monophonic)
            assert line(bars)[15:] == [G] + [E] * 4 + [REST] * 12
            assert struck(bars) == [0, 15, 16]
            assert bars.exact.tolist() == [False, True]


def test_a_played_note_off_the_grid_does_not_spoil_the_bar_after_it() -> None:
    bars = laid_out([(15.7, 17.2, G)], 2, tolerance=PLAYED, ends_matter=False)
    assert line(bars) == [REST] * 15 + [G] * 2 + [REST] * 15
    assert bars.exact.tolist() == [False, True]


def test_no_note_is_shorter_than_a_step() -> None:
    for note in ((3, 3, C), (3, 3.2, C), (2.9, 3.1, C), (3, 2, C)):
        bars = laid_out([note], 1, tolerance=PLAYED)
        assert line(bars) == [REST] * 3 + [C] + [REST] * 12
        assert struck(bars) == [3]
    assert line(laid_out([(15, 15, C)], 2)) == [REST] * 15 + [C] + [REST] * 16


def test_a_monophonic_line_is_played_legato() -> None:
    notes = [(0, 9, G), (4, 6, C), (10, 12, E)]
    assert line(laid_out(notes, 1, monophonic=True)) == [G] * 4 + [C] * 2 + [REST] * 4 + [E] * 2 + [REST] * 4
    assert line(laid_out(notes, 1)) == [G] * 9 + [REST] + [E] * 2 + [REST] * 4
    assert struck(laid_out(notes, 1, monophonic=True)) == [0, 4, 10]


def test_a_monophonic_line_holds_the_higher_of_two_notes_that_begin_together() -> None:
    notes = [(0, 8, C), (0, 2, G), (4, 8, D)]
    assert line(laid_out(notes, 1, monophonic=True)) == [G] * 2 + [REST] * 2 + [D] * 4 + [REST] * 8


def test_a_note_held_into_the_next_bar_is_cut_by_the_first_note_there() -> None:
    bars = laid_out([(8, 32, G), (16, 20, C)], 2, monophonic=True)
    assert line(bars) == [REST] * 8 + [G] * 8 + [C] * 4 + [REST] * 12
    assert struck(bars) == [8, 16]


def test_ends_matter_to_written_music_and_not_to_played() -> None:
    notes = [(0, 3.5, C)]
    assert laid_out(notes, 2).exact.tolist() == [False, True]
    assert laid_out(notes, 2, ends_matter=False).exact.tolist() == [True, True]


@pytest.mark.parametrize(
    ("notes", "exact"),
    [
        ([(4.3, 8, C)], [False, True, True]),
        ([(15.6, 20, C)], [False, True, True]),  # it begins in the first bar, and is held in the second
        ([(16.4, 20, C)], [True, False, True]),
        ([(4, 15.6, C)], [False, True, True]),  # it ends in the first bar and is not heard in the second
        ([(4, 16.4, C)], [True, False, True]),
        ([(4, 16, C)], [True, True, True]),
        ([(-0.4, 4, C)], [True, True, True]),
        ([(47.6, 50, C)], [True, True, False]),
        ([(48.4, 50.5, C)], [True, True, True]),
        ([(1e-4, 15.9999, C)], [True, True, True]),
        ([(16 - 1e-4, 32 + 1e-4, C)], [True, True, True]),
        ([(0, 16 / 3, C), (16 / 3, 32 / 3, C)], [False, True, True]),
    ],
)
def test_the_bars_with_a_note_off_the_grid(notes: list[Note], exact: list[bool]) -> None:
    assert laid_out(notes, 3).exact.tolist() == exact


def test_float_noise_is_no_reason_to_leave_the_grid() -> None:
    notes = [(0.1 * 10 * step, 0.1 * 10 * (step + 1), C) for step in range(48)]
    notes += [(step / 3 * 3, (step + 1) / 3 * 3, G) for step in range(48)]
    bars = laid_out(notes, 3)
    assert bars.exact.all()
    assert line(bars) == [G] * 48
    assert struck(bars) == list(range(48))


@pytest.mark.parametrize("tolerance", [EXACT, PLAYED])
def test_the_tolerance_is_how_far_off_a_start_may_lie(tolerance: float) -> None:
    for off, exact in ((0.9 * tolerance, True), (1.1 * tolerance, False)):
        for start in (5 + off, 5 - off):
            assert laid_out([(start, 8, C)], 1, tolerance=tolerance).exact.tolist() == [exact]


def test_triplets_are_off_the_grid_even_where_they_are_played() -> None:
    assert laid_out([(4 / 3, 4, C)], 1, tolerance=PLAYED, ends_matter=False).exact.tolist() == [False]


@pytest.mark.parametrize("monophonic", [False, True])
@pytest.mark.parametrize("num_bars", [0, 1, 3])
def test_no_notes_are_silence_and_no_bars_are_none(num_bars: int, monophonic: bool) -> None:
    bars = laid_out([], num_bars, monophonic=monophonic)
    assert line(bars) == [REST] * 16 * num_bars
    assert struck(bars) == []
    assert bars.exact.tolist() == [True] * num_bars
    assert line(laid_out([(0, 4, C), (-1.3, 2, C)], 0, monophonic=monophonic)) == []


@pytest.mark.parametrize("monophonic", [False, True])
def test_notes_ages_away_cost_nothing(monophonic: bool) -> None:
    notes = [(0.0, 1e12, C), (-1e12, 2.0, G), (1e12, 2e12, E), (-2e12, -1e12, E), (8.0, 1e15, D)]
    tracemalloc.start()
    bars = laid_out(notes, 2, monophonic=monophonic)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = [C] * 8 + [D] * 24 if monophonic else [G] * 2 + [C] * 6 + [D] * 24
    assert line(bars) == held
    assert most < 2**20


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e19, 1e300])
def test_what_is_no_position_breaks_nothing(value: float) -> None:
    for notes in ([(value, value, C)], [(value, 3.0, C)], [(3.0, value, C)]):
        for monophonic in (False, True):
            bars = laid_out([*notes, (16.0, 20.0, G)], 2, monophonic=monophonic)
            assert bars.melody[1, :4].tolist() == [G] * 4


def test_too_many_notes_at_once_are_refused_before_they_are_drawn() -> None:
    count = 100_000
    start, end, pitch = np.zeros(count, np.int64), np.full(count, 160_000), np.full(count, C)
    tracemalloc.start()
    with pytest.raises(UserError, match="too many notes at once"):
        rasterise(start, end, pitch, grid.MAX_BARS)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 * 2**20
    twelve = np.arange(12)
    melody, _ = rasterise(0 * twelve, 0 * twelve + 160_000, C + twelve, grid.MAX_BARS)
    assert (melody == C + 11).all()
    voices = np.arange(36)
    with pytest.raises(UserError, match="too many notes at once"):
        rasterise(0 * voices, 0 * voices + 160_000, C + voices, grid.MAX_BARS)


def test_the_limit_of_notes_at_once_is_met_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "_MAX_CELLS", 20)
    assert line(laid_out([(0, 16, C), (-9, 4, G)], 1)) == [G] * 4 + [C] * 12
    with pytest.raises(UserError, match="too many notes at once"):
        laid_out([(0, 16, C), (0, 5, G)], 1)


WHOLE = 96


def naive_position(time: int, bar_start: list[int], *, ends: bool) -> Fraction:
    bars = [bar for bar, start in enumerate(bar_start) if (start < time if ends else start <= time)]
    if not bars:
        return Fraction(-1)
    bar = bars[-1]
    within = Fraction(time - bar_start[bar]) * 16 / WHOLE
    too_long = bar + 1 < len(bar_start) and bar_start[bar + 1] - bar_start[bar] > WHOLE
    return 16 * bar + min(within, Fraction(16 if ends or not too_long else 15))


bar_lines = st.builds(
    lambda first, lengths: [first + sum(lengths[:bar]) for bar in range(len(lengths) + 1)],
    st.integers(0, 300),
    st.lists(st.one_of(st.just(WHOLE), st.integers(1, 5 * WHOLE)), max_size=5),
)


@settings(max_examples=300, deadline=None)
@given(bar_lines, st.lists(st.integers(0, 2500), max_size=30))
def test_positions_are_those_of_a_search_bar_by_bar(bar_start: list[int], ticks: list[int]) -> None:
    ticks += [start + off for start in bar_start for off in (-1, 0, 1)]
    for ends in (False, True):
        expected = [float(naive_position(tick, bar_start, ends=ends)) for tick in ticks]
        for kind in (np.int64, np.float64):
            found = positions(np.array(ticks, kind), np.array(bar_start, kind), 16 / WHOLE, ends=ends)
            np.testing.assert_allclose(found, expected, atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(bar_lines, st.lists(st.floats(0, 2500), max_size=30), st.floats(0.3, 3.7), st.booleans())
def test_what_comes_later_never_lies_before(bar_start: list[int], ticks: list[float], scale: float, ends: bool) -> None:
    ticks = sorted([*ticks, *map(float, bar_start)])
    found = positions(np.array(ticks) * scale, np.array(bar_start) * scale, 16 / WHOLE / scale, ends=ends)
    assert all(before <= after + 1e-9 for before, after in pairwise(found.tolist()))


def test_a_short_bar_ends_early_and_the_next_begins_on_its_line() -> None:
    lines = np.array([0, 12, 28])
    assert positions(np.array([0, 11, 12, 28]), lines, 1.0, ends=False).tolist() == [0, 11, 16, 32]
    assert positions(np.array([11, 12, 13]), lines, 1.0, ends=True).tolist() == [11, 12, 17]


def test_in_a_long_bar_later_starts_fall_on_its_last_step_and_later_ends_on_its_end() -> None:
    lines = np.array([0.0, 20.0, 36.0])
    starts = positions(np.array([14, 15, 15.5, 15.9, 16, 19, 20]), lines, 1.0, ends=False)
    assert starts.tolist() == [14, 15, 15, 15, 15, 15, 16]
    assert positions(np.array([15.5, 16, 19, 20, 21]), lines, 1.0, ends=True).tolist() == [15.5, 16, 16, 16, 17]


def test_a_late_note_of_a_long_bar_is_not_heard_in_the_next() -> None:
    lines = np.array([0, 200])  # in tenths of a step: a bar of 5/4, and a demisemiquaver before its fifth beat
    start = positions(np.array([155, 200]), lines, 0.1, ends=False)
    end = positions(np.array([160, 240]), lines, 0.1, ends=True)
    bars = lay_out(start, end, np.array([G, C]), 2)
    assert bars.melody[1].tolist() == [C] * 4 + [REST] * 12
    assert bars.onset.tolist()[1] == 1
    assert bars.exact.tolist()[1]


def test_what_lies_after_the_last_bar_is_on_its_end_and_before_the_first_at_minus_one() -> None:
    lines = np.array([8, 24])
    assert positions(np.array([0, 7, 8, 39, 40, 41, 10**12]), lines, 1.0, ends=False).tolist() == [
        *(-1, -1, 0, 31, 32, 32, 32)
    ]
    assert positions(np.array([0, 8, 9, 40, 41, 10**12]), lines, 1.0, ends=True).tolist() == [-1, -1, 1, 32, 32, 32]


def test_a_note_before_the_first_bar_is_heard_only_where_it_reaches_into_it() -> None:
    lines = np.array([16, 32])
    start = positions(np.array([4, 0]), lines, 1.0, ends=False)
    end = positions(np.array([16, 18]), lines, 1.0, ends=True)
    bars = lay_out(start, end, np.array([G, C]), 2)
    assert line(bars) == [C] * 2 + [REST] * 30
    assert struck(bars) == []


@pytest.mark.parametrize("ends", [False, True])
def test_without_bars_everything_lies_before_them(ends: bool) -> None:
    nothing = np.array([])
    assert positions(np.array([0.0, 7.0]), nothing, 1.0, ends=ends).tolist() == [-1, -1]
    assert positions(nothing, nothing, 1.0, ends=ends).tolist() == []
    assert positions(nothing, np.array([0.0, 16.0]), 1.0, ends=ends).tolist() == []


@pytest.mark.parametrize("whole", [0.3, 1 / 3, 0.7, 2.1, 60 / 119 * 4])
def test_bar_lines_with_float_noise_are_still_where_notes_begin(whole: float) -> None:
    lines = np.arange(200) * whole
    step = np.arange(199 * 16)
    time = step // 16 * whole + step % 16 * (whole / 16)
    for shift in (0.0, 1e-12, -1e-12):
        start = positions(np.maximum(time + shift, 0), lines, 16 / whole, ends=False)
        np.testing.assert_allclose(start, step, atol=1e-6)
        end = positions(time[1:] + shift, lines, 16 / whole, ends=True)
        np.testing.assert_allclose(end, step[1:], atol=1e-6)
