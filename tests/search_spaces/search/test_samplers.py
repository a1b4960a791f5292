"""Every sampler asks, is told of every kind of end, and goes on; what a space does not allow is refused beforehand."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_prep.errors import UserError
from search_spaces.run.options import new_plan, parser
from search_spaces.search.samplers import GRID, SAMPLERS, sampler_of
from search_spaces.search.stopping import Never
from search_spaces.space import Space, load_space
from tests.search_spaces.stubs import SPACE, ledger_of, result, with_objectives

FULL = SPACE.budget.evaluations
NEEDED = {"gp": "scipy", "cmaes": "cmaes"}


def numbers(trial: Any, system: str) -> dict[str, Any]:
    return {
        "feature_weight": trial.suggest_float("feature_weight", 0, 1),
        "mean_weight": trial.suggest_float("mean_weight", 1e-3, 1, log=True),
    }


NUMBERS = replace(SPACE, suggest=numbers, known=())
SPACES = {name: NUMBERS if name == "cmaes" else SPACE for name in SAMPLERS if name != GRID}


def search(run: Path, name: str, space: Space, *, begun: int, trials: int) -> list[dict[str, Any]]:
    """What a sampler asks from one process to the next, each trial ending in its own way."""
    sampler = sampler_of(name, space, seed=5, trials=24, begun=begun)
    ledger, asked = ledger_of(run, space, trials=begun + trials, rule=Never(), sampler=sampler), list[dict[str, Any]]()
    while (trial := ledger.next()) is not None:
        asked.append(dict(trial.settings))
        value = trial.settings["feature_weight"] ** 2
        told = {"objectives/realism": value, "objectives/balance": 1 - value}
        diverged = len(asked) % 5 == 4
        ledger.end(trial.name, result(1 if diverged else FULL, value, diverged=diverged, **told))
    return asked


@pytest.mark.parametrize("name", SPACES)
def test_each_sampler_asks_is_told_and_goes_on_with_other_draws(name: str, tmp_path: Path) -> None:
    if name in NEEDED and not importlib.util.find_spec(NEEDED[name]):
        pytest.skip(f"{NEEDED[name]} is not installed")
    first = search(tmp_path, name, SPACES[name], begun=0, trials=14)
    later = search(tmp_path, name, SPACES[name], begun=14, trials=4)
    assert (len(first), len(later)) == (14, 4)
    assert len({tuple(settings.items()) for settings in first + later}) == 18


@pytest.mark.parametrize("name", ["tpe", "nsga2", "random"])
def test_several_objectives_are_searched_too(name: str, tmp_path: Path) -> None:
    space = with_objectives(SPACE, "realism", "balance")
    assert len(search(tmp_path, name, space, begun=0, trials=8)) == 8
    assert len(search(tmp_path, name, space, begun=8, trials=4)) == 4


@pytest.mark.parametrize(
    ("name", "space", "message"),
    [
        ("cmaes", SPACE, "kind is a choice: pin it (--set kind=...) or choose tpe."),
        ("cmaes", with_objectives(NUMBERS, "realism", "balance"), "has several: choose nsga2 or tpe."),
        ("tpee", SPACE, "did you mean 'tpe'?"),
    ],
)
def test_what_a_sampler_cannot_search_is_refused(name: str, space: Space, message: str) -> None:
    if name in NEEDED and not importlib.util.find_spec(NEEDED[name]):
        pytest.skip(f"{NEEDED[name]} is not installed")
    with pytest.raises(UserError) as refused:
        sampler_of(name, space, seed=0, trials=8, begun=0)
    assert message in str(refused.value)


def test_a_number_that_only_some_trials_have_is_refused_by_cmaes() -> None:
    pytest.importorskip("cmaes")

    def sometimes(trial: Any, system: str) -> dict[str, Any]:
        settings = numbers(trial, system)
        return settings | ({"beta1": trial.suggest_float("beta1", 0, 1)} if settings["feature_weight"] > 0.5 else {})

    with pytest.raises(UserError, match="beta1 is asked for in some trials only"):
        sampler_of("cmaes", replace(NUMBERS, suggest=sometimes), seed=0, trials=8, begun=0)


@pytest.mark.parametrize("name", NEEDED)
def test_a_package_that_is_missing_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(UserError, match=rf"needs the package {NEEDED[name]}, which is not installed: pip install"):
        sampler_of(name, NUMBERS, seed=0, trials=8, begun=0)


def test_a_space_that_is_a_grid_is_tried_point_by_point_and_once(tmp_path: Path) -> None:
    arguments = parser().parse_args(["--space", "paper", "--results", str(tmp_path)])
    plan, space = new_plan(arguments)
    assert load_space("paper").grid
    assert plan.sampler == GRID
    sampler = sampler_of(GRID, space, seed=0, trials=plan.trials, begun=0)
    ledger = ledger_of(tmp_path, space, trials=plan.trials, rule=Never(), sampler=sampler)
    tried = []
    while (trial := ledger.next()) is not None:
        tried.append((trial.seed, tuple(sorted(trial.settings.items()))))
        ledger.end(trial.name, result(space.budget.evaluations, 0.5))
    assert len(tried) == len(set(tried)) == len(space.known) == plan.trials
