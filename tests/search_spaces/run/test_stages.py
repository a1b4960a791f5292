"""The stages of a long search on disk: derived from one another, taken up as they were, and extended."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import tune
from search_spaces.run.options import new_plan, parser
from search_spaces.run.plan import INTERRUPTED, Plan
from search_spaces.run.resources import Packing
from search_spaces.run.stages import Stage, all_records, closed, open_stage, seconds_for
from search_spaces.search.study import Outcome, stages_of
from search_spaces.space import Space
from tests.search_spaces.stubs import result

SPACE_FILE = """
from dataclasses import replace

from search_spaces import smoke
from trainables.config import Budget

SPACE = replace(smoke.SPACE, budget=Budget(bars=3_000, evaluations=3, rollouts=16), first_rung=2)
"""


@pytest.fixture
def planned(tmp_path: Path) -> tuple[Plan, Space]:
    (tmp_path / "toy.py").write_text(SPACE_FILE)
    told = ["--space", str(tmp_path / "toy.py"), "--results", str(tmp_path), "--name", "run", "--trials", "9"]
    protocol = ["--protocol", "wide,narrow,repeat", "--scheduler", "none", "--finalists", "2", "--repeats", "2"]
    plan, space = new_plan(parser().parse_args([*told, *protocol]))
    plan.make_folder()
    return plan, space


def train(word: str, plan: Plan, space: Space, *, until: int = 1000) -> list[str]:
    """Let so many trials of a stage finish, the later the better; the names of all that were asked."""
    stage = open_stage(word, plan, space)
    assert stage is not None
    ledger, names = stage.ledger(plan), list[str]()
    while len(names) < until and (trial := ledger.next()) is not None:
        names.append(trial.name)
        ledger.end(trial.name, result(3, 1 / (1 + int(trial.name[-4:])) + 0.1 * (trial.seed % 7)))
    return names


def test_each_stage_is_made_of_what_came_of_those_before(planned: tuple[Plan, Space]) -> None:
    plan, space = planned
    assert train("wide", plan, space) == [f"{number:04d}" for number in range(6)]
    assert not closed("wide", plan)
    assert train("narrow", plan, space) == [f"narrow-{number:04d}" for number in range(3)]
    assert closed("wide", plan)
    assert train("repeat", plan, space) == [f"repeat-{number:04d}" for number in range(4)]
    assert stages_of(plan.run) == ["search", "narrow", "repeat"]
    found = all_records(plan.run)
    assert {record.outcome for record in found} == {Outcome.FINISHED}
    repeated = [record for record in found if record.stage == "repeat"]
    assert [record.seed for record in repeated] == [1, 1, 2, 2]
    candidates = {record.parameters["candidate"] for record in repeated}
    ranked = sorted((record for record in found if record.stage != "repeat"), key=lambda record: record.objective or 0)
    assert len(candidates) == 2
    assert ranked[0].name in candidates


@pytest.mark.parametrize("word", ["wide", "narrow", "repeat"])
def test_a_stage_that_was_killed_goes_on_where_it_was(word: str, planned: tuple[Plan, Space]) -> None:
    plan, space = planned
    for each in plan.protocol[: plan.protocol.index(word)]:
        train(each, plan, space)
    first = train(word, plan, space, until=2)
    stage = open_stage(word, plan, space)
    assert stage is not None
    cut = stage.ledger(plan).next()
    assert cut is not None
    begun = [record for record in all_records(plan.run) if record.name == cut.name]
    later = train(word, plan, space)
    assert later[0] == cut.name
    assert len({*first, *later}) == len(first) + len(later)
    again = [record for record in all_records(plan.run) if record.name == cut.name]
    assert [record.parameters for record in again] == [record.parameters for record in begun]


def test_more_finalists_and_seeds_can_be_added_to_a_finished_run(planned: tuple[Plan, Space]) -> None:
    plan, space = planned
    for word in plan.protocol:
        train(word, plan, space)
    more = replace(plan, finalists=3, repeats=3)
    train("repeat", more, space)
    repeated = [record for record in all_records(plan.run) if record.stage == "repeat"]
    pairs = [(record.parameters["candidate"], record.parameters["seed"]) for record in repeated]
    assert len(pairs) == len(set(pairs)) == 9


def test_without_a_finished_trial_there_is_nothing_to_narrow_or_repeat(planned: tuple[Plan, Space]) -> None:
    plan, space = planned
    assert open_stage("wide", plan, space) is not None
    assert open_stage("narrow", plan, space) is None
    assert open_stage("repeat", plan, space) is None


def test_time_is_shared_out_and_the_last_stage_has_all_that_is_left(planned: tuple[Plan, Space]) -> None:
    plan, _ = planned
    shares: dict[str, Any] = {word: seconds_for(word, plan, 100.0) for word in plan.protocol}
    assert shares == {"wide": pytest.approx(40), "narrow": pytest.approx(100 / 3), "repeat": 100.0}
    assert seconds_for("wide", plan, None) is None


def test_ctrl_c_in_a_stage_opens_none_after_it(planned: tuple[Plan, Space], monkeypatch: pytest.MonkeyPatch) -> None:
    plan, space = planned

    def interrupted(run: tune.Run, stage: Stage, seconds: float | None, given: dict[str, Any]) -> str:
        ledger = stage.ledger(plan)
        trial = ledger.next()
        assert trial is not None
        ledger.end(trial.name, result(3, 0.5))  # something that a later stage could be made of
        return INTERRUPTED

    monkeypatch.setattr(tune.Run, "_stage", interrupted)
    packing = Packing(cpus=1, gpus=0, concurrency=1, per_node=(1,))
    ending, _ = tune.Run(plan, space, packing, Console(file=io.StringIO()), {}).search({})
    assert ending == INTERRUPTED
    assert stages_of(plan.run) == ["search"]
    assert not closed("wide", plan)


def test_the_narrow_stage_knows_each_wide_trial_once_however_often_it_is_opened(planned: tuple[Plan, Space]) -> None:
    plan, space = planned
    train("wide", plan, space)
    opened = [open_stage("narrow", plan, space) for _ in range(2)]
    carried = [len(stage.study.trials) for stage in opened if stage]
    assert carried[0] == carried[1] > 0
    assert all_records(plan.run, ["narrow"]) == []
