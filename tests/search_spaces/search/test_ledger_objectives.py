"""A search with other objectives than the guarded number alone, in the ledger and the study."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import BaseTrial, TrialState
from ray.tune.utils import flatten_dict

from reporting import leaderboard
from search_spaces.search.ledger import ATTEMPTS, Ledger
from search_spaces.search.samplers import sampler_of
from search_spaces.search.stopping import Never
from search_spaces.search.study import Outcome, TrialRecord, open_study, records
from search_spaces.space import Space, load_space
from tests.search_spaces.stubs import ledger_of

NAMES = ("realism", "diversity_deficit", "worst_family")
SPACE = replace(load_space("gan_balance"), objectives=NAMES)
FULL = SPACE.budget.evaluations

pytestmark = pytest.mark.filterwarnings("error")


def result(evaluation: int, objective: float, *values: float, **more: Any) -> dict[str, Any]:
    """What a trial reports, as Ray hands it to a searcher: `values` are those of NAMES."""
    objectives = {"objective": objective, "balance": 0.9} | dict(zip(NAMES, values, strict=True))
    told = {"training_iteration": evaluation, "bars": 1000 * evaluation, "diverged": False}
    flat: dict[str, Any] = flatten_dict(told | {"objective": objective, "objectives": objectives} | more)
    return flat


def diverged(evaluation: int) -> dict[str, Any]:
    return result(evaluation, 3.0, 3.0, 3.0, 3.0, diverged=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return ledger_of(tmp_path, SPACE)


def fail(ledger: Ledger, name: str) -> None:
    for _ in range(ATTEMPTS - 1):
        ledger.crash(name, "MemoryError")
        ledger.next()
    ledger.crash(name, "MemoryError")


def found(run: Path) -> list[TrialRecord]:
    return records(open_study(run, objectives=NAMES))


def test_a_full_budget_is_complete_with_the_space_s_values_in_its_order(ledger: Ledger, tmp_path: Path) -> None:
    ledger.next()
    ledger.report("0000", result(FULL - 1, 0.9, 0.8, 0.7, 0.6))
    ledger.end("0000", result(FULL, 0.5, 0.1, 0.2, 0.3))
    study = open_study(tmp_path, objectives=NAMES)
    assert study.metric_names == list(NAMES)
    assert study.trials[0].state is TrialState.COMPLETE
    assert study.trials[0].values == [0.1, 0.2, 0.3]
    (record,) = records(study)
    assert (record.outcome, record.objective) == (Outcome.FINISHED, 0.5)
    assert record.objectives == {"realism": 0.1, "diversity_deficit": 0.2, "worst_family": 0.3}


def test_an_early_stop_is_pruned_and_keeps_its_last_values(ledger: Ledger, tmp_path: Path) -> None:
    for _ in range(2):
        ledger.next()
    ledger.report("0000", result(SPACE.first_rung, 0.1, 0.8, 0.7, 0.6))
    last = result(SPACE.first_rung, 0.5, 0.1, 0.2, 0.3)
    ledger.report("0001", last)
    ledger.end("0001", last)
    trial = open_study(tmp_path, objectives=NAMES).trials[1]
    assert trial.state is TrialState.PRUNED
    assert trial.constraints == {}
    record = found(tmp_path)[1]
    assert (record.outcome, record.objective) == (Outcome.STOPPED, 0.5)
    assert record.objectives == {"realism": 0.1, "diversity_deficit": 0.2, "worst_family": 0.3}


def test_divergence_is_pruned_breaks_a_constraint_and_leaves_no_number(ledger: Ledger, tmp_path: Path) -> None:
    ledger.next()
    ledger.report("0000", result(1, 0.9, 0.8, 0.7, 0.6))
    ledger.end("0000", diverged(2))
    trial = open_study(tmp_path, objectives=NAMES).trials[0]
    assert trial.state is TrialState.PRUNED
    assert trial.constraints == {"diverged": 1.0}
    (record,) = found(tmp_path)
    assert (record.outcome, record.objective, record.objectives) == (Outcome.DIVERGED, None, {})


def test_crashes_and_the_end_of_the_search_are_told_as_they_are(ledger: Ledger, tmp_path: Path) -> None:
    ledger.next()
    fail(ledger, "0000")
    for _ in range(2):
        ledger.next()
    ledger.report("0001", result(1, 0.5, 0.1, 0.2, 0.3))
    ledger.interrupt("out of time")
    ended = found(tmp_path)
    assert [record.outcome for record in ended] == [Outcome.FAILED, Outcome.INTERRUPTED, Outcome.INTERRUPTED]
    assert [record.objective for record in ended] == [None, 0.5, None]
    assert [len(record.objectives) for record in ended] == [0, 3, 0]


def test_an_interrupted_trial_goes_on_with_its_curve_and_values(ledger: Ledger, tmp_path: Path) -> None:
    ledger.next()
    for evaluation in (1, 2):
        ledger.report("0000", result(evaluation, 0.5 / evaluation, 0.1, 0.2, 0.3))
    resumed = ledger_of(tmp_path, SPACE)
    (record,) = found(tmp_path)
    assert (record.outcome, record.objective) == (Outcome.RUNNING, 0.25)
    assert record.objectives == {"realism": 0.1, "diversity_deficit": 0.2, "worst_family": 0.3}
    resumed.next()
    resumed.report("0000", result(2, 0.25, 0.1, 0.2, 0.3))
    resumed.end("0000", result(FULL, 0.2, 0.4, 0.5, 0.6))
    trial = open_study(tmp_path, objectives=NAMES).trials[-1]
    assert trial.values == [0.4, 0.5, 0.6]
    assert trial.user_attrs["curve"] == {"1": 0.5, "2": 0.25, str(FULL): 0.2}


def test_evaluations_that_are_repeated_are_told_once(ledger: Ledger, tmp_path: Path) -> None:
    ledger.next()
    for evaluation, value in ((1, 0.1), (2, 0.2), (1, 0.9)):  # lost after the second
        ledger.report("0000", result(evaluation, value, value, value, value))
    assert found(tmp_path)[0].objective == 0.2
    assert set(found(tmp_path)[0].objectives.values()) == {0.2}


def test_one_objective_that_is_not_the_guarded_one_has_intermediate_values(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, replace(SPACE, objectives=("realism",)))
    for _ in range(2):
        ledger.next()
    ledger.report("0000", result(4, 0.2, 0.8, 0.7, 0.6))
    ledger.report("0001", result(4, 0.4, 0.3, 0.2, 0.1))  # stopped by `objective`, though its realism is better
    ledger.end("0001", result(4, 0.4, 0.3, 0.2, 0.1))
    ledger.end("0000", result(FULL, 0.5, 0.1, 0.2, 0.3))
    study = open_study(tmp_path, objectives=("realism",))
    finished, stopped = study.trials
    assert (finished.value, finished.intermediate_values) == (0.1, {4: 0.8, FULL: 0.1})
    assert (stopped.state, stopped.intermediate_values) == (TrialState.PRUNED, {4: 0.3})
    assert [record.objective for record in records(study)] == [0.5, 0.4]
    assert [dict(record.objectives) for record in records(study)] == [{"realism": 0.1}, {"realism": 0.3}]


def test_the_guarded_objective_alone_leaves_no_attributes(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, replace(SPACE, objectives=("objective",)))
    ledger.next()
    ledger.end("0000", result(FULL, 0.5, 0.1, 0.2, 0.3))
    study = open_study(tmp_path)
    assert set(study.trials[0].user_attrs) == {"name", "known", "seed"}
    assert study.metric_names is None
    assert records(study)[0].objectives == {}


def search(run: Path, space: Space, trials: int, train: Callable[[int, dict[str, Any]], dict[str, Any] | None]) -> None:
    """A search of one trial at a time, each ending with what `train` makes of it; None crashes."""
    run.mkdir()
    sampler = sampler_of("tpe", space, seed=7, trials=trials, begun=0)
    ledger = ledger_of(run, space, trials=trials, sampler=sampler, rule=Never())
    for number in range(trials):
        trial = ledger.next()
        assert trial is not None
        end = train(number, dict(trial.settings))
        if end is not None:
            ledger.end(trial.name, end)
        else:
            fail(ledger, trial.name)


def every_end(number: int, parameters: dict[str, Any]) -> dict[str, Any] | None:
    """Finished, diverged and crashed in turn."""
    value, ratio = number / 24, parameters["learning_rate_ratio"]
    return (result(FULL, value, value, 1 / ratio, ratio), diverged(1), None)[number % 3]


def test_the_sampler_goes_on_after_every_kind_of_end_and_repeats_itself_with_its_seed(tmp_path: Path) -> None:
    ended = []
    for name in ("one", "two"):
        search(tmp_path / name, SPACE, 24, every_end)
        ended.append([(record.outcome, dict(record.parameters)) for record in found(tmp_path / name)])
    assert ended[0] == ended[1]
    assert {outcome for outcome, _ in ended[0]} == {Outcome.FINISHED, Outcome.DIVERGED, Outcome.FAILED}


def test_the_front_is_the_one_that_optuna_finds(tmp_path: Path) -> None:
    search(tmp_path / "run", SPACE, 30, every_end)
    lines = leaderboard.rows(tmp_path, found(tmp_path / "run"), {})
    front = {line.name for line in lines if line.front}
    best = open_study(tmp_path / "run", objectives=NAMES).best_trials
    assert front == {trial.user_attrs["name"] for trial in best}
    assert 1 < len(front) <= 10


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    return {"x": trial.suggest_float("x", 0, 1), "y": trial.suggest_float("y", 0, 1)}


def test_the_sampler_stays_away_from_where_trials_diverge_though_next_to_none_finishes(tmp_path: Path) -> None:
    space = replace(SPACE, suggest=suggest, known=())

    def train(number: int, parameters: dict[str, Any]) -> dict[str, Any]:
        x, y = parameters["x"], parameters["y"]
        return diverged(1) if x > 0.4 else result(FULL, y, y, x, 1 - y)

    search(tmp_path / "run", space, 60, train)
    at_random = 0.6
    share = sum(record.outcome is Outcome.DIVERGED for record in found(tmp_path / "run")[20:]) / 40
    assert share < at_random / 2
