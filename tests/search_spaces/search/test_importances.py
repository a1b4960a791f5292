"""Importances come from the study alone, are right where the truth is known, and touch nothing of a running search."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import Trial, TrialState

from data_prep.errors import UserError
from search_spaces.search.importances import FRONT, importances
from search_spaces.search.journal import STUDY_FILE
from search_spaces.search.study import open_study

ROOT = Path(__file__).parents[3]


def suggest(trial: Trial) -> dict[str, Any]:
    settings = {
        "ratio": trial.suggest_float("ratio", 0.0625, 16, log=True),
        "idle": trial.suggest_float("idle", 0, 1),
        "norm": trial.suggest_categorical("norm", ["none", "d", "g"]),
    }
    if settings["norm"] == "d":
        settings["iterations"] = trial.suggest_int("iterations", 1, 4)
    return settings


def search(run: Path, trials: int, *, stage: str = "search", names: tuple[str, ...] = ("objective",)) -> optuna.Study:
    """A study in which `ratio` decides the objective, and `idle` the balance."""
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = open_study(run, stage=stage, sampler=sampler, objectives=names)
    rng = random.Random(0)
    for _ in range(trials):
        trial = study.ask()
        settings = suggest(trial)
        values = {
            "objective": (settings["ratio"] - 2) ** 2 / 100 + rng.gauss(0, 0.01),
            "balance": (settings["idle"] - 0.5) ** 2 + rng.gauss(0, 0.01),
        }
        trial.set_user_attr("curve", {"8": values["objective"]})
        study.tell(trial, [values[name] for name in names])
    return study


def shares(run: Path, objective: str | None = None) -> dict[str, float]:
    (stage,) = importances(run, objective)
    return {each.name: each.importance or 0.0 for each in stage.parameters}


def test_the_parameter_that_decides_comes_first_and_all_shares_make_one(tmp_path: Path) -> None:
    search(tmp_path, 60)
    found = shares(tmp_path)
    assert next(iter(found)) == "ratio"
    assert found["ratio"] > 0.5
    assert sum(found.values()) == pytest.approx(1)


def test_of_several_objectives_each_has_its_own_and_the_front_is_the_default(tmp_path: Path) -> None:
    search(tmp_path, 80, names=("objective", "balance"))
    assert next(iter(shares(tmp_path, "objective"))) == "ratio"
    assert next(iter(shares(tmp_path, "balance"))) == "idle"
    assert {stage.objective for stage in importances(tmp_path)} == {FRONT}
    assert set(list(shares(tmp_path))[:2]) == {"ratio", "idle"}


def test_the_guarded_objective_can_be_asked_though_it_is_not_searched(tmp_path: Path) -> None:
    search(tmp_path, 60, names=("balance",))
    assert next(iter(shares(tmp_path))) == "idle"
    assert next(iter(shares(tmp_path, "objective"))) == "ratio"


def test_a_conditional_parameter_tells_how_many_trials_have_it(tmp_path: Path) -> None:
    study = search(tmp_path, 60)
    (stage,) = importances(tmp_path)
    counted = {each.name: each.trials for each in stage.parameters}
    assert counted["ratio"] == stage.trials == 60
    assert counted["iterations"] == sum("iterations" in trial.params for trial in study.trials) < 60


def test_each_stage_has_its_own_and_held_dimensions_are_named(tmp_path: Path) -> None:
    search(tmp_path, 12)
    study = search(tmp_path, 3, stage="narrow")
    study.set_user_attr("fixed", {"batch": 72})
    wide, narrow = importances(tmp_path)
    assert (wide.stage, wide.trials, wide.best, dict(wide.fixed)) == ("search", 12, 5, {})
    assert (narrow.stage, narrow.trials, narrow.parameters, dict(narrow.fixed)) == ("narrow", 3, (), {"batch": 72})


def test_stopped_failed_and_running_trials_do_not_count(tmp_path: Path) -> None:
    study = search(tmp_path, 5)
    for state in (TrialState.PRUNED, TrialState.FAIL):
        trial = study.ask()
        suggest(trial)
        trial.report(0.0, 1)
        study.tell(trial, state=state)
    suggest(study.ask())
    (stage,) = importances(tmp_path)
    assert stage.trials == 5


def test_a_parameter_that_never_changes_has_no_share(tmp_path: Path) -> None:
    study = open_study(tmp_path)
    for value in range(6):
        trial = study.ask()
        trial.suggest_categorical("only", [1])
        study.tell(trial, value)
    (stage,) = importances(tmp_path)
    assert [(each.name, each.importance) for each in stage.parameters] == [("only", None)]


@pytest.mark.parametrize(
    ("trials", "told"), [(0, "no complete trial"), (1, "1 complete trial"), (3, "3 complete trials")]
)
def test_too_few_trials_are_refused(tmp_path: Path, trials: int, told: str) -> None:
    search(tmp_path, trials)
    with pytest.raises(UserError, match=f"has {told}: importances need at least 4"):
        importances(tmp_path)


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no study\.journal: name a folder"):
        importances(tmp_path)
    search(tmp_path, 5)
    with pytest.raises(UserError, match=r"objektive.*objective"):
        importances(tmp_path, "objektive")
    for content in (b"not a journal\n{}\n", b'{"op_code": 99}\n{"op_code": 4}\n', b"[]\n[]\n"):
        (tmp_path / STUDY_FILE).write_bytes(content)
        with pytest.raises(UserError, match="cannot be read"):
            importances(tmp_path)


def test_a_search_that_writes_a_line_is_not_disturbed(tmp_path: Path) -> None:
    search(tmp_path, 5)
    path = tmp_path / STUDY_FILE
    with path.open("ab") as file:
        file.write(b'{"op_code": 4, "worker')
    before = path.read_bytes()
    (stage,) = importances(tmp_path)
    assert stage.trials == 5
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [STUDY_FILE]


def test_nothing_beyond_our_own_dependencies_is_needed(tmp_path: Path) -> None:
    search(tmp_path, 6)
    blocked = "import sys; sys.modules.update(dict.fromkeys(['scipy', 'sklearn', 'pandas', 'plotly']))"
    code = f"{blocked}; from pathlib import Path; from search_spaces.search.importances import importances"
    code += f"; print(importances(Path({str(tmp_path)!r}))[0].trials)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "6\n", done.stderr
