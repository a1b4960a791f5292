"""A search with other objectives than the guarded number alone, through the real searcher."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import BaseTrial, TrialState
from ray.tune.utils import flatten_dict

from reporting import leaderboard
from search_spaces.searcher import StudySearcher
from search_spaces.space import Space, load_space
from search_spaces.study import Outcome, open_study, records

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
def searcher(tmp_path: Path) -> StudySearcher:
    return StudySearcher(tmp_path, SPACE, seed=0, concurrency=4)


def test_a_full_budget_is_complete_with_the_space_s_values_in_its_order(
    searcher: StudySearcher, tmp_path: Path
) -> None:
    searcher.suggest("a")
    searcher.on_trial_result("a", result(FULL - 1, 0.9, 0.8, 0.7, 0.6))
    searcher.on_trial_complete("a", result(FULL, 0.5, 0.1, 0.2, 0.3))
    study = open_study(tmp_path, seed=0)
    assert study.metric_names == list(NAMES)
    assert study.trials[0].state is TrialState.COMPLETE
    assert study.trials[0].values == [0.1, 0.2, 0.3]
    (record,) = records(study)
    assert (record.outcome, record.objective) == (Outcome.FINISHED, 0.5)
    assert record.objectives == {"realism": 0.1, "diversity_deficit": 0.2, "worst_family": 0.3}


def test_an_early_stop_is_pruned_and_keeps_its_last_values(searcher: StudySearcher, tmp_path: Path) -> None:
    searcher.suggest("a")
    searcher.on_trial_result("a", result(1, 0.9, 0.8, 0.7, 0.6))
    searcher.on_trial_complete("a", result(2, 0.5, 0.1, 0.2, 0.3))
    study = open_study(tmp_path, seed=0)
    assert study.trials[0].state is TrialState.PRUNED
    assert study.trials[0].constraints == {}
    (record,) = records(study)
    assert (record.outcome, record.objective) == (Outcome.STOPPED, 0.5)
    assert record.objectives == {"realism": 0.1, "diversity_deficit": 0.2, "worst_family": 0.3}


def test_divergence_is_pruned_breaks_a_constraint_and_leaves_no_number(searcher: StudySearcher, tmp_path: Path) -> None:
    searcher.suggest("a")
    searcher.on_trial_result("a", result(1, 0.9, 0.8, 0.7, 0.6))
    searcher.on_trial_complete("a", diverged(2))
    study = open_study(tmp_path, seed=0)
    assert study.trials[0].state is TrialState.PRUNED
    assert study.trials[0].constraints == {"diverged": 1.0}
    (record,) = records(study)
    assert (record.outcome, record.objective, record.objectives) == (Outcome.DIVERGED, None, {})


def test_crashes_and_the_end_of_the_search_are_told_as_they_are(searcher: StudySearcher, tmp_path: Path) -> None:
    for name in "abc":
        searcher.suggest(name)
    searcher.on_trial_complete("a", error=True)
    searcher.on_trial_result("b", result(1, 0.5, 0.1, 0.2, 0.3))
    searcher.close("out of time")
    found = records(open_study(tmp_path, seed=0))
    assert [record.outcome for record in found] == [Outcome.FAILED, Outcome.STOPPED, Outcome.UNJUDGED]
    assert [record.objective for record in found] == [None, 0.5, None]
    assert [len(record.objectives) for record in found] == [0, 3, 0]


def test_a_retried_trial_tells_its_evaluations_once(searcher: StudySearcher) -> None:
    searcher.suggest("a")
    for evaluation, value in ((1, 0.1), (2, 0.2), (1, 0.9)):  # lost after the second
        searcher.on_trial_result("a", result(evaluation, value, value, value, value))
    assert records(searcher.study)[0].objective == 0.2
    assert set(records(searcher.study)[0].objectives.values()) == {0.2}


def test_one_objective_that_is_not_the_guarded_one_has_intermediate_values(tmp_path: Path) -> None:
    searcher = StudySearcher(tmp_path, replace(SPACE, objectives=("realism",)), seed=0, concurrency=2)
    searcher.suggest("a")
    searcher.suggest("b")
    searcher.on_trial_result("a", result(1, 0.9, 0.8, 0.7, 0.6))
    searcher.on_trial_complete("a", result(FULL, 0.5, 0.1, 0.2, 0.3))
    searcher.on_trial_complete("b", result(1, 0.4, 0.3, 0.2, 0.1))
    finished, stopped = open_study(tmp_path, seed=0).trials[:2]
    assert (finished.value, finished.intermediate_values) == (0.1, {1: 0.8, FULL: 0.1})
    assert (stopped.state, stopped.intermediate_values) == (TrialState.PRUNED, {1: 0.3})
    assert [record.objective for record in records(searcher.study)] == [0.5, 0.4]
    assert [dict(record.objectives) for record in records(searcher.study)] == [{"realism": 0.1}, {"realism": 0.3}]


def test_the_guarded_objective_alone_leaves_no_attributes(tmp_path: Path) -> None:
    searcher = StudySearcher(tmp_path, replace(SPACE, objectives=("objective",)), seed=0, concurrency=1)
    searcher.suggest("a")
    searcher.on_trial_complete("a", result(FULL, 0.5, 0.1, 0.2, 0.3))
    study = open_study(tmp_path, seed=0)
    assert set(study.trials[0].user_attrs) == {"known"}
    assert study.metric_names is None
    assert records(study)[0].objectives == {}


def every_end(number: int, parameters: dict[str, Any]) -> dict[str, Any] | None:
    """Finished, stopped, diverged and crashed in turn."""
    value, ratio = number / 24, parameters["learning_rate_ratio"]
    return (
        result(FULL, value, value, 1 / ratio, ratio),
        result(4, value, value, 1 / ratio, ratio),
        diverged(1),
        None,
    )[number % 4]


def search(
    run: Path, space: Space, trials: int, train: Callable[[int, dict[str, Any]], dict[str, Any] | None]
) -> StudySearcher:
    """A search of one trial at a time, each ending with what `train` makes of it; None crashes."""
    run.mkdir()
    searcher = StudySearcher(run, space, seed=7, concurrency=1)
    for number in range(trials):
        config = searcher.suggest(str(number))
        assert config is not None
        end = train(number, config["settings"])
        searcher.on_trial_complete(str(number), end, error=end is None)
    return searcher


def test_the_sampler_goes_on_after_every_kind_of_end_and_repeats_itself_with_its_seed(tmp_path: Path) -> None:
    searches = [search(tmp_path / name, SPACE, 32, every_end) for name in ("one", "two")]
    found = [[(record.outcome, dict(record.parameters)) for record in records(each.study)] for each in searches]
    assert found[0] == found[1]
    assert Outcome.RUNNING not in {outcome for outcome, _ in found[0]}


def test_the_front_is_the_one_that_optuna_finds(tmp_path: Path) -> None:
    study = search(tmp_path / "run", SPACE, 40, every_end).study
    lines = leaderboard.rows(tmp_path, records(study), {})
    front = {line.name for line in lines if line.front}
    assert front == {f"{trial.number:04d}" for trial in study.best_trials}
    assert 1 < len(front) < 10


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    return {"x": trial.suggest_float("x", 0, 1), "y": trial.suggest_float("y", 0, 1)}


def test_the_sampler_stays_away_from_where_trials_diverge_though_next_to_none_finishes(tmp_path: Path) -> None:
    space = replace(SPACE, suggest=suggest, known=())

    def train(number: int, parameters: dict[str, Any]) -> dict[str, Any]:
        x, y = parameters["x"], parameters["y"]
        return diverged(1) if x > 0.4 else result(FULL if number % 20 == 0 else 4, y, y, x, 1 - y)

    found = records(search(tmp_path / "run", space, 60, train).study)
    at_random = 0.6
    share = sum(record.outcome is Outcome.DIVERGED for record in found[20:]) / 40
    assert share < at_random / 2
