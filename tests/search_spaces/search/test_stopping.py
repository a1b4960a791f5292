"""Rules against a plain reading of their papers, and successive halving against Ray's."""

import random
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler, TrialScheduler

from search_spaces.search.stopping import Decision, Halving, Median, Never, Pausing

EVALUATIONS = 8
values = st.floats(0, 1, allow_subnormal=False)
curves = st.lists(values, min_size=1, max_size=EVALUATIONS).map(lambda told: dict(enumerate(told, 1)))


def percentile(numbers: list[float], share: float) -> float:
    """By linear interpolation between the two nearest ranks."""
    ranked, at = sorted(numbers), share * (len(numbers) - 1)
    low = int(at)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (at - low)


@given(curves, st.lists(curves, max_size=9), st.integers(1, 4), st.integers(2, 4))
def test_halving_lets_the_best_share_of_a_rung_go_on(
    curve: dict[int, float], others: list[dict[int, float]], first: int, factor: int
) -> None:
    rule, at = Halving(first, EVALUATIONS, factor), max(curve)
    there = [other[at] for other in others if at in other]
    rung = at in [first * factor**k for k in range(4)] and at < EVALUATIONS
    stops = rung and bool(there) and curve[at] > percentile(there, 1 / factor)
    close = rung and bool(there) and curve[at] == pytest.approx(percentile(there, 1 / factor), rel=1e-9)
    if not close:  # numpy interpolates in another order
        assert rule.decide(at, curve, others) is (Decision.STOP if stops else Decision.GO_ON)


@given(curves, st.lists(curves, max_size=9), st.integers(1, 4))
def test_the_median_rule_compares_a_best_with_running_means(
    curve: dict[int, float], others: list[dict[int, float]], first: int
) -> None:
    at = max(curve)
    means = [statistics.fmean(other[step] for step in range(1, at + 1)) for other in others if at in other]
    judged = first <= at < EVALUATIONS and len(means) >= 4
    if judged and min(curve.values()) == pytest.approx(statistics.median(means), rel=1e-9):
        return  # numpy adds in another order
    stops = judged and min(curve.values()) > statistics.median(means)
    assert Median(first, EVALUATIONS).decide(at, curve, others) is (Decision.STOP if stops else Decision.GO_ON)


@given(curves, st.lists(curves, max_size=9), st.randoms(use_true_random=False))
def test_no_rule_depends_on_the_order_of_the_others(
    curve: dict[int, float], others: list[dict[int, float]], chance: random.Random
) -> None:
    shuffled = chance.sample(others, len(others))
    for rule in (Halving(2, EVALUATIONS), Median(1, EVALUATIONS, least=1), Never(), Pausing(2, EVALUATIONS)):
        assert rule.decide(max(curve), curve, others) is rule.decide(max(curve), curve, iter(shuffled))


@given(curves, st.lists(curves, max_size=9))
def test_nothing_stops_or_pauses_at_the_last_evaluation(
    curve: dict[int, float], others: list[dict[int, float]]
) -> None:
    whole = curve | dict.fromkeys(range(max(curve) + 1, EVALUATIONS + 1), 1.0)
    for rule in (Halving(2, EVALUATIONS), Halving(8, 8), Median(1, EVALUATIONS, least=1), Pausing(2, EVALUATIONS)):
        assert rule.decide(EVALUATIONS, whole, others) is Decision.GO_ON


def test_a_population_waits_from_its_first_evaluation_on() -> None:
    rule = Pausing(3, 5)
    decisions = [rule.decide(step, {step: 0.5}, ()) for step in range(1, 6)]
    assert decisions == [Decision.GO_ON, Decision.GO_ON, Decision.PAUSE, Decision.PAUSE, Decision.GO_ON]


def by_ray(results: list[tuple[str, int, float]], first: int) -> set[tuple[str, int]]:
    """Where Ray's scheduler, told of the same in the same order, stops trials of the full budget."""
    scheduler = ASHAScheduler(
        metric="objective",
        mode="min",
        grace_period=first,
        max_t=EVALUATIONS,
        reduction_factor=2,
        time_attr="training_iteration",
    )
    trials: dict[str, Any] = {}
    stopped: set[tuple[str, int]] = set()
    for name, step, value in results:
        if name not in trials:
            trials[name] = Trial("PPO", trial_id=name, stub=True)
            scheduler.on_trial_add(None, trials[name])
        if any(name == other for other, _ in stopped):
            continue
        told = {"training_iteration": step, "objective": value}
        if scheduler.on_trial_result(None, trials[name], told) == TrialScheduler.STOP and step < EVALUATIONS:
            stopped.add((name, step))
    return stopped


def by_rule(results: list[tuple[str, int, float]], rule: Halving) -> set[tuple[str, int]]:
    found: dict[str, dict[int, float]] = {}
    stopped: set[tuple[str, int]] = set()
    for name, step, value in results:
        if any(name == other for other, _ in stopped):
            continue
        curve = found.setdefault(name, {}) | {step: value}
        if rule.decide(step, curve, [each for key, each in found.items() if key != name]) is Decision.STOP:
            stopped.add((name, step))
        found[name] = curve
    return stopped


@pytest.mark.parametrize("first", [1, 2, 3])
@pytest.mark.parametrize("seed", range(10))
def test_halving_stops_the_same_trials_as_ray_s(seed: int, first: int) -> None:
    chance = random.Random(seed)
    left = {f"{number:04d}": 0 for number in range(20)}
    results = []
    while left:
        name = chance.choice(list(left)[:4])  # four at a time, at different speeds
        left[name] += 1
        results.append((name, left[name], chance.random() / left[name]))
        if left[name] == EVALUATIONS:
            del left[name]
    stopped = by_rule(results, Halving(first, EVALUATIONS))
    assert stopped == by_ray(results, first)
    assert 5 < len(stopped) < 20


def test_where_halving_and_ray_s_differ() -> None:
    # Ray never stops what is not a number, as it is below no limit; the ledger ends such trials as diverged.
    results = [("0000", 2, 0.1), ("0001", 2, float("nan"))]
    assert by_ray(results, 2) == set()
    assert by_rule(results, Halving(2, EVALUATIONS)) == {("0001", 2)}
