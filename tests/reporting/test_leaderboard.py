import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting import leaderboard
from reporting.leaderboard import Row, pareto_front
from search_spaces.search.study import Outcome, TrialRecord

ANCHORS = {"real music": {"objective": 0.01}, "random bars": {"objective": 0.34}}


def record(name: str, outcome: Outcome, objective: float | None, **more: Any) -> TrialRecord:
    return TrialRecord(
        name=name,
        outcome=outcome,
        objective=objective,
        parameters={"learning_rate": 2e-4},
        known=more.get("known", ""),
        reason=more.get("reason", ""),
        objectives=more.get("objectives", {}),
    )


TRIALS = [
    record("0000", Outcome.FINISHED, 0.3, known="SAGAN"),
    record("0001", Outcome.STOPPED, 0.2, reason="among the worse half at its rung"),
    record("0002", Outcome.FINISHED, 0.25),
    record("0003", Outcome.DIVERGED, None),
    record("0004", Outcome.FAILED, None),
    record("0005", Outcome.RUNNING, 0.5),
]


def test_trials_of_the_full_budget_stand_first_and_anchors_among_them(tmp_path: Path) -> None:
    names = [line.name for line in leaderboard.rows(tmp_path, TRIALS, ANCHORS)]
    assert names[:4] == ["real music", "0002", "0000", "random bars"]
    assert set(names[4:]) == {"0001", "0003", "0004", "0005"}


def test_a_lucky_moment_of_a_stopped_trial_does_not_win(tmp_path: Path) -> None:
    best = leaderboard.winner(leaderboard.rows(tmp_path, TRIALS, ANCHORS))
    assert best is not None
    assert best.name == "0002"


def test_where_nothing_finished_the_best_of_the_stopped_wins(tmp_path: Path) -> None:
    best = leaderboard.winner(leaderboard.rows(tmp_path, [TRIALS[1], TRIALS[3]], ANCHORS))
    assert best is not None
    assert best.name == "0001"


def test_one_that_was_cut_off_counts_as_one_that_was_stopped(tmp_path: Path) -> None:
    cut = [record("0000", Outcome.INTERRUPTED, 0.4), record("0001", Outcome.INTERRUPTED, None)]
    best = leaderboard.winner(leaderboard.rows(tmp_path, cut, ANCHORS))
    assert best is not None
    assert best.name == "0000"


def test_a_crashed_trial_never_wins_nor_one_stopped_sooner_than_another(tmp_path: Path) -> None:
    trials = [
        record("0000", Outcome.FAILED, 0.1),
        record("0001", Outcome.STOPPED, 0.2),
        record("0002", Outcome.STOPPED, 0.3),
    ]
    for name, bars in (("0000", 9), ("0001", 1), ("0002", 4)):
        (tmp_path / "trials" / name).mkdir(parents=True)
        (tmp_path / "trials" / name / "scores.jsonl").write_text(json.dumps({"bars": bars}) + "\n")
    best = leaderboard.winner(leaderboard.rows(tmp_path, trials, ANCHORS))
    assert best is not None
    assert best.name == "0002"


def test_where_nothing_was_judged_nothing_wins(tmp_path: Path) -> None:
    assert leaderboard.winner(leaderboard.rows(tmp_path, TRIALS[3:5], ANCHORS)) is None


def test_both_files_tell_the_same_with_scores_from_the_trials_folders(tmp_path: Path) -> None:
    folder = tmp_path / "trials" / "0002"
    folder.mkdir(parents=True)
    rows = '{"bars": 500, "verdict": "copying", "scores": {"note_count": 3.5}}\n{"bars": 1000, "sco'
    (folder / "scores.jsonl").write_text(rows)
    lines = leaderboard.rows(tmp_path, TRIALS, ANCHORS)
    leaderboard.write(tmp_path, lines)
    content = {line["name"]: line for line in json.loads((tmp_path / "leaderboard.json").read_text())}
    # The second line of the scores was cut off by a crash: the last whole one counts.
    assert (content["0002"]["bars"], content["0002"]["verdict"]) == (500, "copying")
    assert content["0002"]["scores"] == {"note_count": 3.5}
    assert content["0000"]["note"] == "SAGAN"
    table = (tmp_path / "leaderboard.md").read_text().splitlines()
    row = next(line for line in table if line.startswith("| 0002 |"))
    assert "| finished | copying | 0.25 |" in row
    assert "3.5" in row
    cells = {line.count("|") for line in table if line.startswith("|")}
    assert len(cells) == 1  # as many cells in every line


@pytest.mark.parametrize("objective", [None, 0.0])
def test_an_objective_of_zero_is_not_a_missing_one(objective: float | None) -> None:
    line = Row(name="0000", outcome="finished", objective=objective, scores={}, parameters={}, note="", bars=0)
    assert (leaderboard.winner([line]) is None) == (objective is None)


# Few values, so that points are often equal, in one place or in all.
POINTS = st.integers(1, 4).flatmap(
    lambda size: st.lists(st.tuples(*[st.sampled_from([-0.01, 0.0, 0.25, 0.5, 3.0])] * size), max_size=30)
)


@given(POINTS)
def test_the_front_is_what_no_other_point_dominates(points: list[tuple[float, ...]]) -> None:
    named = {str(number): point for number, point in enumerate(points)}
    dominated = {
        name
        for name, point in named.items()
        for other in points
        if all(o <= p for o, p in zip(other, point, strict=True))
        and any(o < p for o, p in zip(other, point, strict=True))
    }
    assert pareto_front(named) == named.keys() - dominated


def measured(name: str, outcome: Outcome, objective: float, realism: float, balance: float) -> TrialRecord:
    return record(name, outcome, objective, objectives={"realism": realism, "balance": balance})


SEVERAL = [
    measured("0000", Outcome.FINISHED, 0.30, 0.30, 0.4),
    measured("0001", Outcome.FINISHED, 0.20, 0.25, 0.5),  # no other has a lower objective, but two beat it in both
    measured("0002", Outcome.FINISHED, 0.25, 0.20, 0.5),
    measured("0003", Outcome.STOPPED, 0.10, 0.10, 0.1),
    measured("0004", Outcome.FINISHED, 0.60, 0.20, 0.45),
    record("0005", Outcome.DIVERGED, None),
    measured("0006", Outcome.RUNNING, 0.05, 0.05, 0.05),
]
SEVERAL_ANCHORS = {"real music": {"objective": 0.01, "realism": 0.02}}  # which has no discriminator


def test_with_several_objectives_the_lowest_objective_on_the_front_of_full_trials_wins(tmp_path: Path) -> None:
    lines = leaderboard.rows(tmp_path, SEVERAL, SEVERAL_ANCHORS)
    assert [line.name for line in lines][:5] == ["real music", "0001", "0002", "0000", "0004"]
    assert {line.name for line in lines if line.front} == {"0000", "0004"}
    best = leaderboard.winner(lines)
    assert best is not None
    assert best.name == "0000"


def test_with_several_objectives_where_nothing_finished_there_is_no_front(tmp_path: Path) -> None:
    lines = leaderboard.rows(tmp_path, SEVERAL[3:4] + SEVERAL[5:], {})
    assert not any(line.front for line in lines)
    best = leaderboard.winner(lines)
    assert best is not None
    assert best.name == "0003"


def test_both_files_tell_the_objectives_and_the_front(tmp_path: Path) -> None:
    leaderboard.write(tmp_path, leaderboard.rows(tmp_path, SEVERAL, SEVERAL_ANCHORS))
    content = {line["name"]: line for line in json.loads((tmp_path / "leaderboard.json").read_text())}
    assert (content["0000"]["objective"], content["0000"]["front"]) == (0.3, True)
    assert content["0000"]["objectives"] == {"realism": 0.3, "balance": 0.4}
    assert (content["0003"]["front"], content["0005"]["objectives"]) == (False, {})
    assert content["real music"]["objectives"] == {"realism": 0.02}

    told = (tmp_path / "leaderboard.md").read_text()
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in told.splitlines() if line.startswith("|")]
    assert table[0][:7] == ["trial", "outcome", "verdict", "objective", "front", "realism", "balance"]
    cells = {row[0]: row[3:7] for row in table}
    assert cells["0000"] == ["0.3", "yes", "0.3", "0.4"]
    assert cells["0001"] == ["0.2", "", "0.25", "0.5"]
    assert cells["0005"] == ["", "", "", ""]
    assert cells["*real music*"] == ["0.01", "", "0.02", ""]
    assert len({len(row) for row in table}) == 1
    assert "On the front, by realism, balance" in told


def test_the_objective_is_one_column_where_it_is_one_of_several(tmp_path: Path) -> None:
    trials = [record("0000", Outcome.FINISHED, 0.3, objectives={"objective": 0.3, "balance": 0.4})]
    leaderboard.write(tmp_path, leaderboard.rows(tmp_path, trials, {}))
    header = next(line for line in (tmp_path / "leaderboard.md").read_text().splitlines() if line.startswith("| trial"))
    assert header.startswith("| trial | outcome | verdict | objective | front | balance | learning_rate |")


def test_with_the_one_objective_neither_file_speaks_of_a_front(tmp_path: Path) -> None:
    leaderboard.write(tmp_path, leaderboard.rows(tmp_path, TRIALS, ANCHORS))
    assert "front" not in (tmp_path / "leaderboard.md").read_text()
    assert not {"front", "objectives"} & set(json.loads((tmp_path / "leaderboard.json").read_text())[0])


def test_folders_of_ended_trials_are_read_once_and_those_that_may_change_again(tmp_path: Path) -> None:
    def judged(bars: int) -> None:
        for number in range(4):
            (tmp_path / "trials" / f"{number:04d}").mkdir(parents=True, exist_ok=True)
            (tmp_path / "trials" / f"{number:04d}" / "scores.jsonl").write_text(json.dumps({"bars": bars}) + "\n")

    board = leaderboard.Leaderboard(tmp_path, {})
    trials = [
        record("0000", Outcome.FINISHED, 0.3),
        record("0001", Outcome.RUNNING, 0.2),
        record("0002", Outcome.INTERRUPTED, 0.4),
        record("0003", Outcome.FAILED, 0.4),
    ]
    judged(1)
    assert {line.bars for line in board.rows(trials)} == {1}
    judged(2)
    assert {line.name: line.bars for line in board.rows(trials)} == {"0000": 1, "0001": 2, "0002": 2, "0003": 1}
    trials[1:] = [
        record("0001", Outcome.FINISHED, 0.2),
        record("0002", Outcome.RUNNING, 0.4),
        replace(trials[3], attempts=2),
    ]
    assert {line.name: line.bars for line in board.rows(trials)} == {"0000": 1, "0001": 2, "0002": 2, "0003": 2}
