"""The study: what was asked, what came of it. `results/<run>/study.journal` is the memory of a search."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

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
    """One trial as the study remembers it; `objective` is its last, None where there is none."""

    name: str
    outcome: Outcome
    objective: float | None
    parameters: Mapping[str, Any]
    known: str
    reason: str


def trial_name(number: int) -> str:
    """Name of a trial and of its folder, from its number in the study."""
    return f"{number:04d}"


def open_study(run: Path, *, seed: int) -> optuna.Study:
    """The study of a run, made if there is none."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # `group`
        sampler = optuna.samplers.TPESampler(multivariate=True, group=True, n_startup_trials=_STARTUP_TRIALS, seed=seed)
    return optuna.create_study(
        study_name=STUDY_NAME,
        storage=JournalStorage(JournalFileBackend(str(run / STUDY_FILE))),
        sampler=sampler,
        direction="minimize",
        load_if_exists=True,
    )


def records(study: optuna.Study) -> list[TrialRecord]:
    """All trials that were begun, in their order."""
    trials = study.get_trials(deepcopy=False)
    return [_record(trial) for trial in trials if trial.state is not TrialState.WAITING]


def _record(trial: FrozenTrial) -> TrialRecord:
    attributes = trial.user_attrs
    last = trial.value
    if last is None and trial.intermediate_values:
        last = trial.intermediate_values[max(trial.intermediate_values)]
    return TrialRecord(
        name=trial_name(trial.number),
        outcome=_outcome(trial),
        objective=None if last is None or last != last else last,
        parameters=trial.params,
        known=attributes.get("known", ""),
        reason=attributes.get("reason", ""),
    )


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
