from collections import Counter
from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_prep.corpus import load
from data_prep.locate import resolve
from scores.transitions import interval_class_histogram, jensen_shannon, nltm, pctm

pytestmark = pytest.mark.filterwarnings("error")

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16)
Phrases = hnp.arrays(np.int8, st.tuples(st.integers(0, 3), st.integers(1, 3), st.just(16)), elements=st.integers(-1, 4))


def transitions(lines: np.ndarray) -> Counter[tuple[tuple[int, int], tuple[int, int]]]:
    """How often ((pitch, length), (pitch, length)) follow each other, note by note."""
    found: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    for phrase in lines.tolist():
        runs = [(pitch, len(list(run))) for bar in phrase for pitch, run in groupby(bar)]
        found.update(pairwise(run for run in runs if run[0] != -1))
    return found


@given(Phrases)
@settings(deadline=None)
def test_matrices_equal_a_walk_through_the_notes(lines: np.ndarray) -> None:
    pitches, lengths, intervals = np.zeros((12, 12)), np.zeros((8, 8)), np.zeros(12)
    for ((pitch, length), (next_pitch, next_length)), times in transitions(lines).items():
        pitches[pitch % 12, next_pitch % 12] += times
        intervals[(next_pitch - pitch) % 12] += times
        bins = [min(range(8), key=lambda i: (abs(LENGTHS[i] - n), i)) for n in (length, next_length)]
        lengths[bins[0], bins[1]] += times
    for score, counts in ((pctm, pitches), (nltm, lengths), (interval_class_histogram, intervals)):
        np.testing.assert_allclose(score(lines), counts / max(1, counts.sum()), atol=1e-12)


def test_a_bar_by_hand() -> None:
    # C4 (4), rest (4), E4 (5), G3 (3); then G3 over the bar line (16).
    lines = np.array([[[60] * 4 + [-1] * 4 + [64] * 5 + [55] * 3, [55] * 16]], np.int8)
    pitches, lengths = pctm(lines), nltm(lines)
    third = pytest.approx(1 / 3)
    assert (pitches[0, 4], pitches[4, 7], pitches[7, 7]) == (third, third, third)
    assert (lengths[3, 3], lengths[3, 2], lengths[2, 7]) == (third, third, third)  # 5 steps count as 4
    intervals = interval_class_histogram(lines)
    assert (intervals[4], intervals[3], intervals[0]) == (third, third, third)  # a sixth down is a third up


@pytest.mark.parametrize(
    ("length", "as_length"), [(5, 4), (7, 6), (9, 8), (10, 8), (11, 12), (13, 12), (14, 12), (15, 16)]
)
def test_a_length_goes_to_the_nearest_and_midway_to_the_shorter(length: int, as_length: int) -> None:
    bar = [60] * length + [-1] * (16 - length)
    row = column = LENGTHS.index(as_length)
    assert nltm(np.array([[bar, bar]], np.int8))[row, column] == 1


@pytest.mark.parametrize(
    "lines",
    [
        np.zeros((0, 8, 16), np.int8),
        np.full((3, 8, 16), -1, np.int8),
        np.full((3, 1, 16), 60, np.int8),  # a note each, and phrases do not follow each other
    ],
)
def test_without_transitions_all_is_zero_and_the_divergence_undefined(lines: np.ndarray) -> None:
    for matrix in (pctm(lines), nltm(lines), interval_class_histogram(lines)):
        assert not matrix.any()
        assert np.isnan(jensen_shannon(matrix, np.ones_like(matrix)))
        assert np.isnan(jensen_shannon(np.ones_like(matrix), matrix))


def test_real_music_in_another_key_has_other_classes_but_the_same_intervals_and_lengths() -> None:
    melody = load(resolve("builtin")).melody[:800].reshape(100, 8, 16)
    higher = np.where(melody < 0, -1, melody + 5)
    np.testing.assert_allclose(pctm(higher), np.roll(pctm(melody), (5, 5), (0, 1)), atol=1e-12)
    np.testing.assert_allclose(interval_class_histogram(higher), interval_class_histogram(melody), atol=1e-12)
    np.testing.assert_array_equal(nltm(higher), nltm(melody))
    backwards = melody[:, ::-1, ::-1]
    np.testing.assert_allclose(pctm(backwards), pctm(melody).T, atol=1e-12)
    assert 0.02 < jensen_shannon(pctm(higher), pctm(melody)) < 1


Histograms = hnp.arrays(np.float64, (2, 9), elements=st.floats(0, 10, allow_subnormal=False) | st.just(0.0))


@given(Histograms)
@settings(deadline=None)
def test_jensen_shannon_equals_the_square_of_scipys_distance(histograms: np.ndarray) -> None:
    distance = pytest.importorskip("scipy.spatial.distance")
    p, q = histograms
    if p.sum() < 1e-6 or q.sum() < 1e-6:
        return
    expected = np.nan_to_num(distance.jensenshannon(p, q, 2)) ** 2  # a root of rounding noise below 0 is NaN there
    assert jensen_shannon(p, q) == pytest.approx(expected, abs=1e-9)


@given(Histograms)
@settings(deadline=None)
def test_jensen_shannon_is_symmetric_and_between_0_and_1(histograms: np.ndarray) -> None:
    value = jensen_shannon(histograms[0], histograms[1])
    assert np.isnan(value) or 0 <= value <= 1
    assert jensen_shannon(histograms[1], histograms[0]) == pytest.approx(value, nan_ok=True, abs=1e-12)


def test_jensen_shannon_of_equals_strangers_and_misfits() -> None:
    p = np.array([[1.0, 2], [3, 4]])
    assert jensen_shannon(p, 7 * p) == pytest.approx(0, abs=1e-12)
    assert jensen_shannon(np.array([1, 0, 2]), np.array([0, 5, 0])) == 1
    with pytest.raises(ValueError, match="one shape"):
        jensen_shannon(p, p[0])
