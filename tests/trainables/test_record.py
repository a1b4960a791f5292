"""What is reported of a trial, with a judge and a system whose numbers are given."""

import json
import math
from typing import Any

import pytest

from scores.objective import OBJECTIVES, WORST
from trainables.config import Budget
from trainables.record import Record

BUDGET = Budget(bars=100, evaluations=5, rollouts=8, early_rollouts=4)
OBJECTIVE = (0.9, 0.7, 0.5, 0.4, 0.2)
GOOD = {"loss": 1.0}


class Told:
    """A judge that has its scores from a list, and remembers what it was asked."""

    def __init__(self) -> None:
        self.usual = {"copy_prev_rate": 0.1}
        self.early: list[bool] = []

    def evaluate(self, system: Any, *, early: bool) -> dict[str, float]:
        self.early.append(early)
        objective = OBJECTIVE[len(self.early) - 1]
        return {name: objective for name in OBJECTIVES if name != "balance"} | {"dup_rate": 0.0}

    def samples(self, system: Any, *, by_beat: bool) -> dict[str, Any]:
        return {"by_beat": by_beat}


class Player:
    """A system with these diagnostics."""

    bars_seen = 20
    cancelled_spectral_norms = ("a", "b")

    def __init__(self, diagnostics: dict[str, float] | None = None) -> None:
        self.diagnostics = diagnostics or {}

    def diagnose(self, *, seed: int) -> dict[str, float]:
        return self.diagnostics


def record(judge: Any = None, *, by_beat: bool = False) -> Record:
    return Record(judge or Told(), BUDGET, by_beat=by_beat)


def run(kept: Record, evaluations: int, system: Any = None) -> list[dict[str, Any]]:
    return [kept.add(system or Player(), GOOD, evaluation) for evaluation in range(1, evaluations + 1)]


def test_the_objective_is_the_mean_of_the_last_three_evaluations() -> None:
    results = run(record(), 5)
    assert [result["objective_now"] for result in results] == list(OBJECTIVE)
    means = [0.9, 0.8, (0.9 + 0.7 + 0.5) / 3, (0.7 + 0.5 + 0.4) / 3, (0.5 + 0.4 + 0.2) / 3]
    assert [result["objective"] for result in results] == pytest.approx(means)
    assert [result["objectives"]["realism"] for result in results] == pytest.approx(means)
    assert [result["done"] for result in results] == [False] * 4 + [True]


def test_evaluations_that_do_not_make_the_objective_are_early_ones() -> None:
    judge = Told()
    run(record(judge), 5)
    assert judge.early == [True, True, False, False, False]


def test_of_one_network_alone_there_is_no_balance() -> None:
    (alone,) = run(record(), 1)
    (pair,) = run(record(), 1, Player({"balance": 0.25}))
    assert set(alone["objectives"]) == set(OBJECTIVES) - {"balance"}
    assert "balance" not in alone["scores"]
    assert set(pair["objectives"]) == set(OBJECTIVES)
    assert pair["scores"]["balance"] == pair["objectives"]["balance"] == 0.25


def test_there_is_a_verdict_from_the_first_evaluation_on() -> None:
    for result in run(record(), 2):
        assert result["verdict"] == "healthy"
        assert result["verdict_reason"]


@pytest.mark.parametrize(
    ("losses", "diagnostics"),
    [({"loss": math.nan, "other": 0.5}, {}), ({"loss": 1.0, "other": 0.5}, {"balance": math.inf, "gradient": 0.5})],
)
def test_divergence_keeps_finite_numbers_only_and_sends_no_music(
    losses: dict[str, float], diagnostics: dict[str, float]
) -> None:
    judge = Told()
    result = record(judge).add(Player(diagnostics), losses, 1)
    assert result["verdict"] == "diverged"
    assert result["diverged"] is result["done"] is True
    assert result["objectives"] == WORST
    assert result["objective"] == result["objective_now"] == WORST["objective"]
    assert result["losses"]["other"] == 0.5
    assert all(map(math.isfinite, [*result["losses"].values(), *result["diagnostics"].values()]))
    assert not {"_media", "scores"} & set(result)
    assert judge.early == []


def test_what_is_reported_besides() -> None:
    result = record(by_beat=True).add(Player(), GOOD, 1)
    assert result["bars"] == 20
    assert result["cancelled_spectral_norms"] == "a,b"
    assert result["_media"] == {"by_beat": True}


def test_a_record_goes_on_from_its_state() -> None:
    judge = Told()
    whole, resumed = record(judge), record(judge)
    run(whole, 4, Player({"balance": 0.25}))
    resumed.load_state_dict(json.loads(json.dumps(whole.state_dict())))
    assert resumed.state_dict() == whole.state_dict()
    last = resumed.add(Player({"balance": 0.75}), GOOD, 5)
    assert last["objective"] == pytest.approx((0.5 + 0.4 + 0.2) / 3)
    assert last["objectives"]["balance"] == pytest.approx((0.25 + 0.25 + 0.75) / 3)
