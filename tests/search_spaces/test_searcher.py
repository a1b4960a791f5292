"""The searcher without Ray's loop: what the study is told of every way a trial can end."""

import math
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from optuna.trial import TrialState

from search_spaces.searcher import StudySearcher
from search_spaces.space import Space, load_space
from search_spaces.study import Outcome, open_study, records

SPACE = load_space("gan_balance")
FULL = SPACE.budget.evaluations


def result(evaluation: int, objective: float, **more: Any) -> dict[str, Any]:
    return {
        "training_iteration": evaluation,
        "bars": 1000 * evaluation,
        "objective": objective,
        "diverged": False,
    } | more


@pytest.fixture
def searcher(tmp_path: Path) -> StudySearcher:
    return StudySearcher(tmp_path, SPACE, seed=0, concurrency=2)


def outcomes(run: Path) -> list[Outcome]:
    # Read from the journal anew, as a later process would.
    return [record.outcome for record in records(open_study(run, seed=0))]


def test_the_known_balances_come_first_and_are_named(searcher: StudySearcher, tmp_path: Path) -> None:
    for number, known in enumerate(SPACE.known):
        config = searcher.suggest(f"ray-{number}")
        assert config is not None
        assert config["trial"] == f"{number:04d}"
        assert config["settings"]["learning_rate"] == known.parameters["learning_rate"]
        searcher.on_trial_complete(f"ray-{number}", result(FULL, 0.5))
    assert [record.known for record in records(searcher.study)] == [known.source for known in SPACE.known]
    searcher.suggest("ray-next")
    assert records(searcher.study)[-1].known == ""


def test_no_more_trials_than_may_run_at_a_time(searcher: StudySearcher) -> None:
    assert searcher.suggest("a")
    assert searcher.suggest("b")
    assert searcher.suggest("c") is None
    searcher.on_trial_complete("a", result(FULL, 0.5))
    assert searcher.suggest("c")


def test_a_full_budget_is_complete_with_the_last_objective(searcher: StudySearcher, tmp_path: Path) -> None:
    searcher.suggest("a")
    for evaluation in range(1, FULL):
        searcher.on_trial_result("a", result(evaluation, 1 / evaluation))
    searcher.on_trial_complete("a", result(FULL, 0.25))
    trial = open_study(tmp_path, seed=0).trials[0]
    assert trial.state is TrialState.COMPLETE
    assert trial.value == 0.25
    assert len(trial.intermediate_values) == FULL


def test_an_early_stop_is_pruned_and_keeps_the_value_it_was_stopped_at(searcher: StudySearcher, tmp_path: Path) -> None:
    searcher.suggest("a")
    searcher.on_trial_result("a", result(1, 0.9))
    searcher.on_trial_complete("a", result(2, 0.8))
    trial = open_study(tmp_path, seed=0).trials[0]
    assert trial.state is TrialState.PRUNED
    assert trial.intermediate_values == {1: 0.9, 2: 0.8}
    assert records(searcher.study)[0].objective == 0.8


@pytest.mark.filterwarnings("error")
def test_a_last_result_that_arrives_twice_is_told_once(searcher: StudySearcher) -> None:
    searcher.suggest("a")
    searcher.on_trial_result("a", result(2, 0.8))
    searcher.on_trial_complete("a", result(2, 0.8))
    assert records(searcher.study)[0].outcome is Outcome.STOPPED


@pytest.mark.filterwarnings("error")
def test_a_retried_trial_tells_its_evaluations_once(searcher: StudySearcher, tmp_path: Path) -> None:
    searcher.suggest("a")
    for evaluation in (1, 2, 3, 2, 3, 4):  # lost after the third, and resumed from the first
        searcher.on_trial_result("a", result(evaluation, 1 / evaluation))
    trial = open_study(tmp_path, seed=0).trials[0]
    assert trial.intermediate_values == {step: 1 / step for step in (1, 2, 3, 4)}


def test_divergence_is_pruned_with_no_number_so_that_the_sampler_stays_away(
    searcher: StudySearcher, tmp_path: Path
) -> None:
    searcher.suggest("a")
    searcher.on_trial_complete("a", result(1, 3.0, diverged=True))
    trial = open_study(tmp_path, seed=0).trials[0]
    assert trial.state is TrialState.PRUNED
    assert math.isnan(trial.intermediate_values[1])
    assert outcomes(tmp_path) == [Outcome.DIVERGED]
    assert records(searcher.study)[0].objective is None


def test_a_crash_is_a_failure_with_a_reason(searcher: StudySearcher, tmp_path: Path) -> None:
    searcher.suggest("a")
    searcher.on_trial_complete("a", error=True)
    assert outcomes(tmp_path) == [Outcome.FAILED]
    assert "error.txt" in records(searcher.study)[0].reason


def test_nothing_is_running_after_the_end(searcher: StudySearcher, tmp_path: Path) -> None:
    searcher.suggest("a")
    searcher.suggest("b")
    searcher.on_trial_result("b", result(1, 0.7))
    searcher.close("out of time")
    assert outcomes(tmp_path) == [Outcome.UNJUDGED, Outcome.STOPPED]
    assert [record.objective for record in records(searcher.study)] == [None, 0.7]
    assert [record.reason for record in records(searcher.study)] == ["out of time"] * 2


def test_a_study_that_cannot_be_written_is_told_later(
    searcher: StudySearcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher.suggest("a")
    searcher.on_trial_result("a", result(1, 0.7))
    with monkeypatch.context() as patch:
        patch.setattr(searcher.study, "tell", Mock(side_effect=OSError("No space left on device")))
        with pytest.raises(OSError, match="No space"):
            searcher.on_trial_complete("a", result(2, 0.6))
    searcher.close("the disk was full")
    assert outcomes(tmp_path) == [Outcome.STOPPED]


def test_the_sampler_goes_on_after_every_kind_of_end(tmp_path: Path) -> None:
    space: Space = SPACE
    searcher = StudySearcher(tmp_path, space, seed=0, concurrency=1)
    for number in range(24):
        assert searcher.suggest(str(number))
        end = number % 4
        if end == 0:
            searcher.on_trial_complete(str(number), result(FULL, number / 24))
        elif end == 1:
            searcher.on_trial_complete(str(number), result(4, number / 24))
        elif end == 2:
            searcher.on_trial_complete(str(number), result(1, 3.0, diverged=True))
        else:
            searcher.on_trial_complete(str(number), error=True)
    assert len(outcomes(tmp_path)) == 24
    assert Outcome.RUNNING not in outcomes(tmp_path)


def test_the_same_seed_asks_for_the_same_trials(tmp_path: Path) -> None:
    asked = []
    for folder in ("one", "two"):
        run = tmp_path / folder
        run.mkdir()
        searcher = StudySearcher(run, SPACE, seed=7, concurrency=1)
        configs = []
        for number in range(14):
            configs.append(searcher.suggest(str(number)))
            searcher.on_trial_complete(str(number), result(FULL, number / 14))
        asked.append(configs)
    assert asked[0] == asked[1]
