"""The book of a stage without Ray: what the study, read anew, says of every way a trial can end and go on."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import BaseTrial, FrozenTrial, TrialState

from data_prep.errors import UserError
from search_spaces.search.evolution import Evolution
from search_spaces.search.ledger import ATTEMPTS, Ledger
from search_spaces.search.population import Change
from search_spaces.search.samplers import sampler_of
from search_spaces.search.stopping import Decision, Never, Pausing
from search_spaces.search.study import Outcome, TrialRecord, open_study, records
from search_spaces.space import Known, load_space
from tests.search_spaces.stubs import KNOWN, SPACE, ledger_of, result

FULL = SPACE.budget.evaluations

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return ledger_of(tmp_path)


def found(run: Path) -> list[TrialRecord]:
    """All records from the journal, as a later process reads it."""
    return records(open_study(run))


def entries(run: Path) -> list[FrozenTrial]:
    return open_study(run).trials


def begin(ledger: Ledger, *names: str) -> None:
    for name in names:
        trial = ledger.next()
        assert trial is not None
        assert trial.name == name


def test_the_known_balances_come_first_and_once(ledger: Ledger, tmp_path: Path) -> None:
    for number, known in enumerate(KNOWN):
        trial = ledger.next()
        assert trial is not None
        assert (trial.name, trial.seed, trial.goes_on) == (f"{number:04d}", 0, False)
        assert trial.settings == {name: value for name, value in known.parameters.items() if name != "kind"}
        ledger.end(trial.name, result(FULL, 0.5))
    begin(ledger, "0002")
    assert [record.known for record in found(tmp_path)] == ["first", "second", ""]


def test_there_are_no_more_trials_than_there_are_to_be(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, trials=2)
    begin(ledger, "0000", "0001")
    assert ledger.next() is None
    assert not ledger.over
    ledger.end("0000", result(FULL, 0.5))
    assert ledger.next() is None
    ledger.end("0001", result(FULL, 0.5))
    assert ledger.over
    more = ledger_of(tmp_path, trials=3)
    assert not more.over
    begin(more, "0002")
    assert more.next() is None


def test_a_full_budget_is_complete_with_the_last_objective(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger, "0000")
    for evaluation in range(1, FULL):
        assert ledger.report("0000", result(evaluation, 1 / evaluation)) is Decision.GO_ON
    ledger.end("0000", result(FULL, 0.25))
    (trial,) = entries(tmp_path)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.25)
    assert trial.intermediate_values == {step: 1 / step for step in range(1, FULL)} | {FULL: 0.25}
    assert set(trial.user_attrs) == {"name", "known", "seed"}
    assert found(tmp_path)[0].outcome is Outcome.FINISHED


def test_an_early_stop_is_pruned_and_keeps_the_value_it_was_stopped_at(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger, "0000", "0001")
    ledger.report("0000", result(2, 0.1))
    ledger.report("0001", result(1, 0.9))
    assert ledger.report("0001", result(2, 0.8)) is Decision.STOP
    ledger.end("0001", result(2, 0.8))
    trial = entries(tmp_path)[1]
    assert (trial.state, trial.intermediate_values) == (TrialState.PRUNED, {1: 0.9, 2: 0.8})
    record = found(tmp_path)[1]
    assert (record.outcome, record.objective) == (Outcome.STOPPED, 0.8)
    assert record.reason == "among the worse at evaluation 2"


@pytest.mark.parametrize("end", ["killed", "interrupted"])
def test_a_trial_that_was_to_stop_does_not_go_on(end: str, ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger, "0000", "0001")
    ledger.report("0000", result(2, 0.1))
    ledger.report("0001", result(2, 0.8))  # and the study is not told of its end
    if end == "interrupted":
        ledger.interrupt("out of time")
    resumed = ledger_of(tmp_path)
    assert found(tmp_path)[1].outcome is Outcome.STOPPED
    assert found(tmp_path)[0].outcome is Outcome.RUNNING
    begin(resumed, "0000", "0002")


def test_divergence_is_pruned_with_no_number_so_that_the_sampler_stays_away(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger, "0000")
    ledger.end("0000", result(1, 3.0, diverged=True))
    (trial,) = entries(tmp_path)
    assert trial.state is TrialState.PRUNED
    assert math.isnan(trial.intermediate_values[1])
    (record,) = found(tmp_path)
    assert (record.outcome, record.objective) == (Outcome.DIVERGED, None)
    assert record.reason == "losses were no longer finite"


def test_a_crash_goes_on_from_its_state_and_in_the_end_is_a_failure_with_its_reason(
    ledger: Ledger, tmp_path: Path
) -> None:
    begin(ledger, "0000")
    ledger.report("0000", result(1, 0.5))
    for attempt in range(2, ATTEMPTS + 1):
        ledger.crash("0000", "MemoryError")
        trial = ledger.next()
        assert trial is not None
        assert (trial.name, trial.goes_on) == ("0000", True)
        assert found(tmp_path)[0].outcome is Outcome.RUNNING
        assert found(tmp_path)[0].attempts == attempt
    ledger.crash("0000", "MemoryError: no room")
    (record,) = found(tmp_path)
    assert (record.outcome, record.attempts) == (Outcome.FAILED, ATTEMPTS)
    assert record.reason == f"crashed {ATTEMPTS} times: MemoryError: no room"
    assert ledger_of(tmp_path).next().name == "0001"  # type: ignore[union-attr]  # it stays a failure


def test_attempts_are_counted_over_interruptions(ledger: Ledger, tmp_path: Path) -> None:
    for attempt in range(1, ATTEMPTS):
        ledger.next()
        ledger.crash("0000", "MemoryError")
        assert found(tmp_path)[0].attempts == attempt + 1
        ledger = ledger_of(tmp_path)
    ledger.next()
    ledger.crash("0000", "MemoryError")
    assert found(tmp_path)[0].outcome is Outcome.FAILED


def test_evaluations_that_are_repeated_are_told_once(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger, "0000")
    for evaluation in (1, 2, 3, 2, 3, 4):  # lost after the third, and taken up from the first
        ledger.report("0000", result(evaluation, 1 / evaluation))
    ledger.end("0000", result(4, 1 / 4))  # Ray tells the last one twice
    assert entries(tmp_path)[0].intermediate_values == {step: 1 / step for step in (1, 2, 3, 4)}


def test_what_is_open_when_the_search_ends_is_interrupted(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger, "0000", "0001")
    ledger.report("0001", result(1, 0.7))
    ledger.end("0001", result(1, 0.7))  # cut off by Ray
    ledger.interrupt("out of time")
    assert [record.outcome for record in found(tmp_path)] == [Outcome.INTERRUPTED] * 2
    assert [record.objective for record in found(tmp_path)] == [None, 0.7]
    assert [record.reason for record in found(tmp_path)] == ["out of time"] * 2
    assert {trial.state for trial in entries(tmp_path)} == {TrialState.FAIL}


@pytest.mark.parametrize("end", ["killed", "interrupted", "killed twice"])
def test_an_interrupted_trial_goes_on_under_its_name_with_its_curve(end: str, ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger, "0000", "0001", "0002", "0003")
    for evaluation in (1, 2, 3):
        ledger.report("0003", result(evaluation, 0.4))
    ledger.end("0001", result(FULL, 0.3))
    before = found(tmp_path)
    if end == "interrupted":
        ledger.interrupt("out of time")
    resumed = ledger_of(tmp_path)
    if end == "killed twice":
        resumed = ledger_of(tmp_path)
    assert [record.parameters for record in found(tmp_path)] == [record.parameters for record in before]
    assert [record.known for record in found(tmp_path)] == ["first", "second", "", ""]
    asked = [resumed.next() for _ in range(4)]
    assert [(trial.name, trial.goes_on) for trial in asked if trial] == [
        ("0000", False),
        ("0002", False),  # nothing had come of these two
        ("0003", True),
        ("0004", False),
    ]
    assert resumed.report("0003", result(3, 0.4)) is Decision.GO_ON
    resumed.end("0003", result(FULL, 0.2))
    record = found(tmp_path)[3]
    assert (record.name, record.outcome, record.reason) == ("0003", Outcome.FINISHED, "")
    assert entries(tmp_path)[-2].intermediate_values == {1: 0.4, 2: 0.4, 3: 0.4, FULL: 0.2}


def test_a_rung_counts_those_of_before(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger, "0000", "0001")
    for name in ("0000", "0001"):
        ledger.end(name, result(2, 0.1))
    resumed = ledger_of(tmp_path)
    begin(resumed, "0000", "0001", "0002")
    assert resumed.report("0002", result(2, 0.2)) is Decision.STOP


def test_a_search_that_goes_on_asks_other_questions_of_the_same_sampler(tmp_path: Path) -> None:
    def ask(begun: int) -> dict[str, Any]:
        sampler = sampler_of("random", SPACE, seed=3, trials=9, begun=begun)
        ledger = ledger_of(tmp_path, rule=Never(), sampler=sampler)
        while (trial := ledger.next()) is not None and trial.name < "0002":
            ledger.end(trial.name, result(FULL, 0.5))
        assert trial is not None
        ledger.end(trial.name, result(FULL, 0.5))
        return dict(trial.settings)

    assert ask(0) != ask(3)


def test_a_trial_s_own_seed_and_what_is_pinned_are_noted(tmp_path: Path) -> None:
    from dataclasses import replace

    def seeded(trial: Any, system: str) -> dict[str, Any]:
        return SPACE.suggest(trial, system) | {"seed": trial.suggest_int("seed", 5, 5)}

    ledger = ledger_of(tmp_path, replace(SPACE, suggest=seeded, known=(), fixed={"kind": "plain"}))
    trial = ledger.next()
    assert trial is not None
    assert trial.seed == 5
    assert "seed" not in trial.settings
    (record,) = found(tmp_path)
    assert (record.seed, record.fixed) == (5, {"kind": "plain"})


def test_the_same_seed_asks_for_the_same_trials(tmp_path: Path) -> None:
    space = load_space("gan_balance")
    asked = []
    for folder in ("one", "two"):
        run = tmp_path / folder
        run.mkdir()
        ledger = ledger_of(
            run, space, trials=14, rule=Never(), sampler=sampler_of("tpe", space, seed=7, trials=14, begun=0)
        )
        trials = []
        while (trial := ledger.next()) is not None:
            trials.append(trial)
            ledger.end(trial.name, result(space.budget.evaluations, len(trials) / 14))
        asked.append(trials)
    assert len(asked[0]) == 14
    assert asked[0] == asked[1]


class Replaced:
    """A population of which the last by name goes on from the first, at every evaluation."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def evolve(self, members: Any) -> list[Change]:
        self.asked.append(max(max(member.curve) for member in members))
        settings = dict(members[0].periods[-1].settings) | {"feature_weight": self.asked[-1] / 10}
        return [Change(name=members[-1].name, donor=members[0].name, settings=settings)]


def population(run: Path, trials: int = 2) -> tuple[Ledger, Replaced]:
    replaced = Replaced()
    evolution = Evolution(replaced, run / "trials")  # type: ignore[arg-type]
    return ledger_of(run, trials=trials, rule=Pausing(2, FULL), evolution=evolution), replaced


def save(run: Path, name: str, state: bytes) -> None:
    folder = run / "trials" / name / "checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.pt").write_bytes(state)


def test_a_population_waits_for_all_then_the_worst_goes_on_from_a_better_one(tmp_path: Path) -> None:
    ledger, replaced = population(tmp_path)
    begin(ledger, "0000", "0001")
    for name in ("0000", "0001"):
        assert ledger.report(name, result(1, 0.5)) is Decision.GO_ON
        save(tmp_path, name, name.encode())
    assert ledger.report("0000", result(2, 0.4)) is Decision.PAUSE
    ledger.end("0000", result(2, 0.4))  # Ray ends what pauses
    assert ledger.next() is None
    assert found(tmp_path)[0].outcome is Outcome.RUNNING
    assert ledger.report("0001", result(2, 0.6)) is Decision.PAUSE
    first, second = ledger.next(), ledger.next()
    assert first is not None
    assert second is not None
    assert [(each.name, each.goes_on) for each in (first, second)] == [("0000", True), ("0001", True)]
    assert second.settings == first.settings | {"feature_weight": 0.2}
    assert (tmp_path / "trials" / "0001" / "checkpoint" / "state.pt").read_bytes() == b"0000"
    assert replaced.asked == [2]


def test_a_population_that_was_killed_goes_on_with_what_it_had_learnt(tmp_path: Path) -> None:
    ledger, _ = population(tmp_path)
    begin(ledger, "0000", "0001")
    for name in ("0000", "0001"):
        save(tmp_path, name, name.encode())
        ledger.report(name, result(2, 0.5))
    learnt = [ledger.next(), ledger.next()]
    resumed, replaced = population(tmp_path)
    assert [resumed.next(), resumed.next()] == learnt
    assert replaced.asked == [2]  # the same decision again, as nobody had gone on from it
    assert resumed.report("0000", result(3, 0.4)) is Decision.PAUSE
    again, replaced = population(tmp_path)
    behind = again.next()
    assert behind is not None
    assert behind.name == "0001"  # it has to come as far as the other first
    assert behind == learnt[1]
    assert again.next() is None
    assert again.report("0001", result(3, 0.4)) is Decision.PAUSE
    again.next()
    assert replaced.asked == [3]


def test_members_that_are_gone_keep_nobody_waiting(tmp_path: Path) -> None:
    ledger, replaced = population(tmp_path, trials=3)
    begin(ledger, "0000", "0001", "0002")
    for name in ("0000", "0001"):
        save(tmp_path, name, name.encode())
        ledger.report(name, result(2, 0.5))
    assert ledger.next() is None
    ledger.end("0002", result(1, 3.0, diverged=True))
    begin(ledger, "0000", "0001")
    assert replaced.asked == [2]


def test_points_of_one_source_are_each_tried_once_over_a_resume(tmp_path: Path) -> None:
    points = tuple(
        Known(source="grid", parameters={**KNOWN[0].parameters, "feature_weight": x}) for x in (0.1, 0.2, 0.3)
    )
    space = replace(SPACE, known=points, grid=True, trials=3)
    tried = []
    for _ in points:
        ledger = ledger_of(tmp_path, space=space, trials=3)
        trial = ledger.next()
        assert trial is not None
        tried.append(trial.settings["feature_weight"])
        ledger.end(trial.name, result(8, 0.5))
    assert tried == [0.1, 0.2, 0.3]


def test_a_suggest_that_raises_in_the_middle_is_told_in_a_line(tmp_path: Path) -> None:
    def broken(trial: BaseTrial, system: str) -> dict[str, Any]:
        raise ZeroDivisionError("by the user's own hand")

    ledger = ledger_of(tmp_path, space=SPACE)
    ledger._space = replace(SPACE, suggest=broken)
    with pytest.raises(UserError, match="suggest of the space raised ZeroDivisionError: by the user's own hand"):
        ledger.next()
