from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scores import distances
from scores.diversity import coverage, intra_set_distance, median_distance, recall, vendi_score

pytestmark = pytest.mark.filterwarnings("error")

NOTHING, ROW, EQUAL = np.zeros((0, 4)), np.ones((1, 4)), np.ones((9, 4))
Share = Callable[[np.ndarray, np.ndarray, int], float]


def loop(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    return [[float(np.sqrt(((a - b) ** 2).sum())) for b in y] for a in x]


def radii(x: np.ndarray, k: int) -> list[float]:
    return [sorted(row)[k] for row in loop(x, x)]


def recall_by_loop(reference: np.ndarray, generated: np.ndarray, k: int) -> float:
    radius = radii(generated, k)
    inside = [any(d < r for d, r in zip(row, radius, strict=True)) for row in loop(reference, generated)]
    return sum(inside) / len(inside)


def coverage_by_loop(reference: np.ndarray, generated: np.ndarray, k: int) -> float:
    pairs = zip(loop(reference, generated), radii(reference, k), strict=True)
    return sum(min(row) < radius for row, radius in pairs) / len(reference)


def sets(seed: int, n: int, m: int, repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """Two overlapping clouds with rows in common, within a set and between the two."""
    rng = np.random.default_rng(seed)
    reference, generated = rng.normal(size=(n, 4)), rng.normal(0.4, 0.7, size=(m, 4))
    reference[:repeats] = reference[-1]
    generated[:repeats] = generated[-1]
    generated[repeats : 2 * repeats] = reference[-1]
    return reference, generated


@pytest.mark.parametrize(("score", "by_loop"), [(recall, recall_by_loop), (coverage, coverage_by_loop)])
@given(st.integers(0, 2**32 - 1), st.integers(6, 20), st.integers(6, 20), st.integers(0, 5), st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_recall_and_coverage_equal_their_definition(
    score: Share, by_loop: Share, seed: int, n: int, m: int, repeats: int, k: int
) -> None:
    reference, generated = sets(seed, n, m, repeats)
    assert score(reference, generated, k) == pytest.approx(by_loop(reference, generated, k), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(8, 20), st.integers(8, 20), st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_rows_of_one_song_are_no_neighbours(seed: int, n: int, m: int, k: int) -> None:
    reference, generated = sets(seed, n, m, 2)
    songs = np.arange(n) % 4, np.arange(m) % 4

    def apart(x: np.ndarray, y: np.ndarray, of_x: np.ndarray, of_y: np.ndarray) -> np.ndarray:
        return np.where(of_x[:, None] == of_y, np.inf, loop(x, y))

    cross = apart(reference, generated, *songs)
    around_generated = np.sort(apart(generated, generated, songs[1], songs[1]))[:, k - 1]
    around_reference = np.sort(apart(reference, reference, songs[0], songs[0]))[:, k - 1]
    named = {"reference_song": songs[0], "generated_song": songs[1]}
    assert recall(reference, generated, k, **named) == pytest.approx((cross < around_generated).any(1).mean())
    assert coverage(reference, generated, k, **named) == pytest.approx((cross.min(1) < around_reference).mean())


def test_rows_that_both_sets_have_are_counted_as_the_definition_says_whatever_the_rounding() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        reference, rest = rng.normal(size=(25, 43)), rng.normal(size=(8, 43))
        generated = np.concatenate([reference[:12], rest])
        assert recall(reference, generated) == recall_by_loop(reference, generated, 5)
        assert coverage(reference, generated) == coverage_by_loop(reference, generated, 5)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("width", [0.3, 1.0, 1.6])
def test_recall_and_coverage_equal_those_of_the_prdc_package(width: float) -> None:
    prdc = pytest.importorskip("prdc")
    rng = np.random.default_rng(3)
    reference, generated = rng.normal(size=(300, 12)), rng.normal(0.3, width, size=(120, 12))
    expected = prdc.compute_prdc(reference, generated, 5)
    assert recall(reference, generated) == pytest.approx(expected["recall"], abs=1e-6)
    assert coverage(reference, generated) == pytest.approx(expected["coverage"], abs=1e-6)
    assert 0 < expected["coverage"] < 1


def test_collapse_lowers_recall_coverage_spread_and_vendi_score() -> None:
    rng = np.random.default_rng(4)
    reference, varied = rng.normal(size=(400, 6)), rng.normal(size=(256, 6))
    width = median_distance(reference)
    scores = [
        (recall(reference, rows), coverage(reference, rows), vendi_score(rows, width))
        for rows in (varied, varied[rng.integers(64, size=256)], varied[rng.integers(8, size=256)])
    ]
    for values in zip(*scores, strict=True):
        assert values[0] > 1.05 * values[1] > 1.2 * values[2]
    assert intra_set_distance(varied, reference) == pytest.approx(1, abs=0.05)
    assert intra_set_distance(varied[rng.integers(2, size=256)], reference) < 0.8
    assert intra_set_distance(3 * varied, reference) == pytest.approx(3 * intra_set_distance(varied, reference))


@given(st.integers(0, 2**32 - 1), st.integers(3, 12), st.integers(3, 12))
@settings(deadline=None, max_examples=30)
def test_intra_set_distance_and_median_equal_a_loop_over_distinct_pairs(seed: int, n: int, m: int) -> None:
    reference, generated = sets(seed, n, m, 1)
    pairs = [[d for i, row in enumerate(loop(x, x)) for d in row[:i]] for x in (generated, reference)]
    ratio = float(np.mean(pairs[0]) / np.mean(pairs[1]))
    assert intra_set_distance(generated, reference) == pytest.approx(ratio, abs=1e-9)
    assert median_distance(reference) == pytest.approx(float(np.median(pairs[1])), abs=1e-9)


def test_sets_too_large_for_one_matrix_give_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    reference, generated = sets(5, 60, 40, 3)

    def values() -> list[float]:
        return [score(reference, generated) for score in (recall, coverage, intra_set_distance)]

    whole = values()
    monkeypatch.setattr(distances, "PAIRS_AT_ONCE", 130)
    assert values() == pytest.approx(whole, abs=1e-12)


def test_the_median_of_many_rows_is_that_of_evenly_spaced_ones() -> None:
    rows = np.random.default_rng(6).normal(size=(5000, 3))
    assert median_distance(rows) == median_distance(rows[::3])
    assert median_distance(rows) == pytest.approx(median_distance(rows[:2048]), rel=0.05)


def test_vendi_score_equals_its_definition_by_the_singular_values() -> None:
    rows = sets(7, 15, 6, 2)[0]
    kernel = np.array([[np.exp(-(d**2) / (2 * 1.3**2)) for d in row] for row in loop(rows, rows)]) / len(rows)
    share = np.linalg.svd(kernel, compute_uv=False)
    entropy = -sum(value * np.log(value) for value in share if value > 1e-15)
    assert vendi_score(rows, 1.3) == pytest.approx(np.exp(entropy), abs=1e-9)


def test_vendi_score_counts_rows_that_are_far_apart() -> None:
    far = 1000.0 * np.eye(5)
    assert vendi_score(far, 1.0) == pytest.approx(5)
    assert vendi_score(far[[0, 1, 0, 1, 0, 1]], 1.0) == pytest.approx(2)
    assert vendi_score(EQUAL, 1.0) == pytest.approx(1)
    assert vendi_score(ROW, 1.0) == pytest.approx(1)
    assert vendi_score(far, 1e-200) == pytest.approx(5)
    assert vendi_score(far, 1e200) == pytest.approx(1)


@pytest.mark.parametrize("score", [recall, coverage, intra_set_distance])
@pytest.mark.parametrize("rows", [NOTHING, ROW])
def test_too_few_rows_are_undefined(score: Callable[[np.ndarray, np.ndarray], float], rows: np.ndarray) -> None:
    assert np.isnan(score(NOTHING, rows))
    assert np.isnan(score(rows, NOTHING))
    assert np.isnan(score(rows, rows))


def test_k_rows_are_too_few_and_one_more_is_enough() -> None:
    reference, generated = sets(8, 6, 6, 0)
    assert np.isnan(recall(reference, generated[:5]))
    assert 0 <= recall(reference[:1], generated) <= 1
    assert np.isnan(coverage(reference[:5], generated))
    assert 0 <= coverage(reference, generated[:1]) <= 1


def test_rows_that_are_all_equal() -> None:
    other = sets(9, 30, 6, 0)[0]
    assert recall(other, EQUAL) == recall(EQUAL, EQUAL) == coverage(EQUAL, EQUAL) == 0
    assert intra_set_distance(EQUAL, other) == 0
    assert np.isnan(intra_set_distance(other, EQUAL))
    assert median_distance(EQUAL) == 0
    assert np.isnan(vendi_score(other, median_distance(EQUAL)))


def test_no_rows_no_width_no_vendi_score() -> None:
    assert np.isnan(median_distance(NOTHING))
    assert np.isnan(median_distance(ROW))
    assert np.isnan(vendi_score(EQUAL, float("nan")))
    assert np.isnan(vendi_score(NOTHING, 1.0))
