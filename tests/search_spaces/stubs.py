"""A small space, what its trials report, and a ledger over a study on disk: a search without Ray or training."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.trial import BaseTrial

from search_spaces.search.evolution import Evolution
from search_spaces.search.journal import mend
from search_spaces.search.ledger import Ledger
from search_spaces.search.stopping import Halving, Rule
from search_spaces.search.study import open_study
from search_spaces.space import Known, Space
from trainables.config import Budget


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """Two numbers, a choice, and a number that some trials alone have."""
    settings = {
        "feature_weight": trial.suggest_float("feature_weight", 0, 1),
        "mean_weight": trial.suggest_float("mean_weight", 1e-3, 1, log=True),
    }
    if trial.suggest_categorical("kind", ("plain", "fancy")) == "fancy":
        settings["d_updates"] = trial.suggest_int("d_updates", 1, 5)
    return settings


KNOWN = (
    Known(source="first", parameters={"feature_weight": 0.25, "mean_weight": 0.1, "kind": "plain"}),
    Known(source="second", parameters={"feature_weight": 0.5, "mean_weight": 0.2, "kind": "fancy", "d_updates": 3}),
)
SPACE = Space(
    title="a toy",
    system="baseline",
    suggest=suggest,
    known=KNOWN,
    budget=Budget(bars=8, evaluations=8, rollouts=16),
    trials=12,
    first_rung=2,
)


def result(evaluation: int, objective: float, **more: Any) -> dict[str, Any]:
    """An evaluation as a trial reports it and Ray hands it over."""
    return {
        "training_iteration": evaluation,
        "bars": 1000 * evaluation,
        "objective": objective,
        "diverged": False,
    } | more


def with_objectives(space: Space, *names: str) -> Space:
    return replace(space, objectives=names)


def ledger_of(
    run: Path,
    space: Space = SPACE,
    *,
    trials: int | None = None,
    rule: Rule | None = None,
    evolution: Evolution | None = None,
    sampler: Any = None,
) -> Ledger:
    """The ledger of a search in this folder as a new process has it."""
    mend(run)
    return Ledger(
        open_study(run, sampler=sampler, objectives=space.objectives),
        space,
        trials=trials or space.trials,
        seed=0,
        rule=rule or Halving(space.first_rung, space.budget.evaluations),
        evolution=evolution,
    )


def objective_of(name: str, evaluation: int, weight: Callable[[int], float] = math.sqrt) -> float:
    """What the trial of that name comes to, whenever it is asked: the same number at every attempt."""
    number = int(name[-4:])
    return round(0.5 + 0.4 * math.sin(7 * number + 1) + 0.1 * math.cos(3 * number + evaluation) / weight(evaluation), 6)
