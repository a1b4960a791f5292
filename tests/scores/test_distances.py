import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scores import distances
from scores.distances import mean_distance, mean_distance_within, nearest_distances, pairwise_distances


def naive(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array([[float(np.sqrt(((p - q) ** 2).sum())) for q in y] for p in x])


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 12), st.integers(1, 200))
@settings(deadline=None, max_examples=60)
def test_distances_equal_a_double_loop_however_many_are_taken_at_once(seed: int, n: int, m: int, at_once: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 5)), rng.normal(0.5, 2, size=(m, 5))
    x[1] = x[0]  # equal rows, within a set and between them, are where rounding bites
    y[-1] = x[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "PAIRS_AT_ONCE", at_once)
        expected = naive(x, y)
        np.testing.assert_allclose(pairwise_distances(x, y), expected, atol=1e-9)
        np.testing.assert_allclose(nearest_distances(x, y), expected.min(1), atol=1e-9)
        assert mean_distance(x, y) == pytest.approx(expected.mean(), abs=1e-9)
        assert mean_distance_within(x) == pytest.approx(naive(x, x).sum() / (n * (n - 1)), abs=1e-9)


def test_equal_rows_are_at_no_distance_and_one_row_shows_no_spread() -> None:
    rows = np.random.default_rng(0).normal(size=(1, 7)) * 1e3
    assert mean_distance(np.repeat(rows, 3, 0), rows) == 0
    assert mean_distance_within(np.repeat(rows, 3, 0)) == 0
    assert mean_distance_within(rows) == 0
