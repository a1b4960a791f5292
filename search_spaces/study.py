"""The study: what was asked, what came of it. `results/<run>/study.journal` is the memory of a search."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from search_spaces.space import GUARDED

STUDY_FILE: Final = "study.journal"
STUDY_NAME: Final = "search"
_STARTUP_TRIALS: Final = 10


class Outcome(Enum):
    """What became of a trial."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"
    UNJUDGED = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One trial as the study remembers it.

    `objective` is its last, None where there is none. `objectives` are the last values of all that its search
    minimises; empty where that is `objective` alone, and where `objective` is None.
    """

    name: str
    outcome: Outcome
    objective: float | None
    parameters: Mapping[str, Any]
    known: str
    reason: str
    objectives: Mapping[str, float] = field(default_factory=dict)


def trial_name(number: int) -> str:
    """Name of a trial and of its folder, from its number in the study."""
    return f"{number:04d}"


def open_study(run: Path, *, seed: int, objectives: Sequence[str] = GUARDED) -> optuna.Study:
    """The study of a run, made for these objectives if there is none; one that is there keeps its own."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # `group`, the names of metrics
        sampler = optuna.samplers.TPESampler(multivariate=True, group=True, n_startup_trials=_STARTUP_TRIALS, seed=seed)
        study = optuna.create_study(
            study_name=STUDY_NAME,
            storage=JournalStorage(JournalFileBackend(str(run / STUDY_FILE))),
            sampler=sampler,
            directions=["minimize"] * len(objectives),
            load_if_exists=True,
        )
        if tuple(objectives) != GUARDED:
            study.set_metric_names(list(objectives))
    return study


def records(study: optuna.Study) -> list[TrialRecord]:
    """All trials that were begun, in their order."""
    trials = study.get_trials(deepcopy=False)
    return [_record(trial) for trial in trials if trial.state is not TrialState.WAITING]


def _record(trial: FrozenTrial) -> TrialRecord:
    attributes = trial.user_attrs
    outcome = _outcome(trial)
    diverged = outcome is Outcome.DIVERGED
    return TrialRecord(
        name=trial_name(trial.number),
        outcome=outcome,
        objective=None if diverged else _objective(trial),
        parameters=trial.params,
        known=attributes.get("known", ""),
        reason=attributes.get("reason", ""),
        objectives={} if diverged else attributes.get("objectives", {}),
    )


def _objective(trial: FrozenTrial) -> float | None:
    if "objective" in trial.user_attrs:  # the values are other ones
        return float(trial.user_attrs["objective"])
    if trial.value is None and trial.intermediate_values:
        return trial.intermediate_values[max(trial.intermediate_values)]
    return trial.value


def _outcome(trial: FrozenTrial) -> Outcome:
    if trial.state is TrialState.PRUNED and trial.user_attrs.get("diverged"):
        return Outcome.DIVERGED
    if trial.state is TrialState.FAIL and trial.user_attrs.get("unjudged"):
        return Outcome.UNJUDGED
    return {
        TrialState.COMPLETE: Outcome.FINISHED,
        TrialState.PRUNED: Outcome.STOPPED,
        TrialState.FAIL: Outcome.FAILED,
    }.get(trial.state, Outcome.RUNNING)
