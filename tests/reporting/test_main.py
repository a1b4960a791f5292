"""`python -m reporting importances`: what is printed, what is written, and how mistakes end."""

import json
from pathlib import Path

import pytest

from reporting.__main__ import main
from search_spaces.search.study import open_study


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    study = open_study(tmp_path)
    study.set_user_attr("fixed", {"batch": 72})
    for number in range(8):
        trial = study.ask({})
        trial.suggest_categorical("updates_d:g", ["1:2", "5:1"])
        if number % 2:
            trial.suggest_float("rate", 1e-4, 1e-3)
        study.tell(trial, float(number))
    return tmp_path


def test_a_table_is_printed_and_the_same_is_written(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["importances", str(run_folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("search: 8 complete trials, the best 4 of them by objective\n")
    assert "rate" in printed
    assert "  in 4 trials" in printed
    assert "  held at one value: batch 72" in printed
    assert "Fewer than 20 trials: the order may be chance." in " ".join(printed.split())
    (stage,) = json.loads((run_folder / "importances.json").read_text())["stages"]
    assert {each["name"]: each["trials"] for each in stage["parameters"]} == {"updates_d:g": 8, "rate": 4}


def test_json_is_printed_and_nothing_written(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["importances", str(run_folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stages"][0]["trials"] == 8
    assert not (run_folder / "importances.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "COMMAND"),
        (["importance"], "importance"),
        (["importances"], "RUN"),
        (["importances", "nowhere"], "nowhere has no study.journal"),
        (["importances", "nowhere", "--jsn"], "did you mean --json?"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert told in errors


def test_a_stage_with_too_few_trials_is_told_beside_one_with_enough(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = open_study(run_folder, stage="narrow")
    study.tell(study.ask(), 0.5)
    assert main(["importances", str(run_folder)]) == 0
    assert "narrow: 1 complete trial, fewer than the 4 that it takes" in capsys.readouterr().out
