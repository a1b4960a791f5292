import json
from pathlib import Path
from typing import Any

import pytest

from reporting import leaderboard
from reporting.leaderboard import Row
from search_spaces.study import Outcome, TrialRecord

ANCHORS = {"real music": {"objective": 0.01}, "random bars": {"objective": 0.34}}


def record(name: str, outcome: Outcome, objective: float | None, **more: Any) -> TrialRecord:
    return TrialRecord(
        name=name,
        outcome=outcome,
        objective=objective,
        parameters={"learning_rate": 2e-4},
        known=more.get("known", ""),
        reason=more.get("reason", ""),
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
    (folder / "scores.jsonl").write_text('{"bars": 500, "scores": {"note_count": 3.5}}\n{"bars": 1000, "sco')
    lines = leaderboard.rows(tmp_path, TRIALS, ANCHORS)
    leaderboard.write(tmp_path, lines)
    content = {line["name"]: line for line in json.loads((tmp_path / "leaderboard.json").read_text())}
    # The second line of the scores was cut off by a crash: the last whole one counts.
    assert content["0002"]["bars"] == 500
    assert content["0002"]["scores"] == {"note_count": 3.5}
    assert content["0000"]["note"] == "SAGAN"
    table = (tmp_path / "leaderboard.md").read_text().splitlines()
    row = next(line for line in table if line.startswith("| 0002 |"))
    assert "finished" in row
    assert "0.25" in row
    assert "3.5" in row
    cells = {line.count("|") for line in table if line.startswith("|")}
    assert len(cells) == 1  # as many cells in every line


@pytest.mark.parametrize("objective", [None, 0.0])
def test_an_objective_of_zero_is_not_a_missing_one(objective: float | None) -> None:
    line = Row(name="0000", outcome="finished", objective=objective, scores={}, parameters={}, note="", bars=0)
    assert (leaderboard.winner([line]) is None) == (objective is None)
