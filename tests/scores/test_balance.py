import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scores.balance import auc, d_balance

pytestmark = pytest.mark.filterwarnings("error")

# Few different values, so that ties are the rule.
Values = st.lists(st.sampled_from([-np.inf, -1.5, 0.0, 1e-9, 0.5, 2.0, np.inf]), min_size=1, max_size=20)
Floats = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=20)


@given(Values, Values)
@settings(deadline=None)
def test_auc_equals_a_double_loop(low: list[float], high: list[float]) -> None:
    pairs = [1.0 if a < b else 0.5 if a == b else 0.0 for a in low for b in high]
    assert auc(np.array(low), np.array(high)) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)


@given(Floats, Floats)
@settings(deadline=None)
def test_auc_equals_the_u_statistic_of_scipy(low: list[float], high: list[float]) -> None:
    stats = pytest.importorskip("scipy.stats")
    u = stats.mannwhitneyu(high, low, method="asymptotic").statistic
    assert auc(np.array(low), np.array(high)) == pytest.approx(u / (len(low) * len(high)), abs=1e-12)


def test_auc_of_sets_whose_pairs_nobody_could_count() -> None:
    rng = np.random.default_rng(0)
    low, high = rng.normal(0, 1, 200_000), rng.normal(1, 1, 200_000)
    assert auc(low, high) == pytest.approx(0.7602, abs=0.003)  # Phi(1 / sqrt 2)


@pytest.mark.parametrize(
    ("low", "high"), [([], [1.0]), ([1.0], []), ([], []), ([np.nan, 1.0], [1.0]), ([1.0], [0.0, np.nan])]
)
def test_auc_of_nothing_or_of_nan_is_undefined(low: list[float], high: list[float]) -> None:
    assert np.isnan(auc(np.array(low), np.array(high)))
    assert np.isnan(d_balance(np.array(high), np.array(low)))


@given(Floats, Floats)
@settings(deadline=None)
def test_d_balance_says_how_well_and_not_which_way(real: list[float], fake: list[float]) -> None:
    value = d_balance(np.array(real), np.array(fake))
    assert 0 <= value <= 1
    assert d_balance(np.array(fake), np.array(real)) == pytest.approx(value, abs=1e-12)


def test_d_balance_of_blind_perfect_and_half_right_discriminators() -> None:
    assert d_balance(np.full(7, 0.5), np.full(3, 0.5)) == 0
    assert d_balance(np.array([0.9, 0.8]), np.array([0.1, 0.2, 0.3])) == 1
    assert d_balance(np.array([0.0, 0.1]), np.array([0.9])) == 1
    assert d_balance(np.array([1.0, 3.0]), np.array([2.0, 0.0])) == 0.5


def test_d_balance_is_the_same_of_logits_and_probabilities_whatever_their_shape_and_type() -> None:
    rng = np.random.default_rng(1)
    real, fake = rng.normal(1, 1, (50, 1)).astype(np.float32), rng.normal(0, 1, (40, 1)).astype(np.float32)
    sigmoid = [1 / (1 + np.exp(-logits.astype(np.float64))) for logits in (real, fake)]
    assert d_balance(real, fake) == d_balance(sigmoid[0].ravel(), sigmoid[1].ravel()) > 0
