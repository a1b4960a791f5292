"""The study: what was asked, what came of it. `results/<run>/study.journal` is the memory of a search."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from search_spaces.search.journal import STUDY_FILE, SoundJournal
from search_spaces.space import GUARDED

SEARCH: Final = "search"
"""Name of the study of a search's first stage; a later stage has a study of its own, in the same file."""

_NAME: Final = re.compile(r"([a-z]+-)?\d{4,}")


class Outcome(Enum):
    """What became of a trial."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One trial as the study remembers it.

    `objective` is its last, None where there is none. `objectives` are the last values of all that its search
    minimises; empty where that is `objective` alone, and where `objective` is None. `fixed` are the dimensions that
    were pinned, `attempts` counts how often it was begun or taken up after a crash.
    """

    name: str
    outcome: Outcome
    objective: float | None
    parameters: Mapping[str, Any]
    known: str
    reason: str
    objectives: Mapping[str, float] = field(default_factory=dict)
    stage: str = SEARCH
    attempts: int = 1
    seed: int = 0
    fixed: Mapping[str, Any] = field(default_factory=dict)


def trial_name(stage: str, number: int) -> str:
    """Name of a trial and of its folder: the how manieth it is of its stage, from 0."""
    return f"{number:04d}" if stage == SEARCH else f"{stage}-{number:04d}"


def open_study(
    run: Path, *, stage: str = SEARCH, sampler: BaseSampler | None = None, objectives: Sequence[str] = GUARDED
) -> optuna.Study:
    """The study of a stage, made for these objectives if there is none; one that is there keeps its own."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(SoundJournal(str(run / STUDY_FILE)))
    if stage not in optuna.get_all_study_names(storage):  # whoever only reads must not write
        optuna.create_study(study_name=stage, storage=storage, directions=["minimize"] * len(objectives))
    study = optuna.load_study(study_name=stage, storage=storage, sampler=sampler)
    if tuple(objectives) != GUARDED and study.metric_names != list(objectives):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(objectives))
    return study


def stages_of(run: Path) -> list[str]:
    """Names of the stages that have begun, in their order; none where nothing has."""
    if not (run / STUDY_FILE).is_file():
        return []
    return optuna.get_all_study_names(JournalStorage(SoundJournal(str(run / STUDY_FILE))))


def records(study: optuna.Study) -> list[TrialRecord]:
    """All trials of a study that were begun, in their order.

    One that was interrupted and went on stands several times in the study, each time under its name; it is as it was
    last.
    """
    return Records([study])()


def _record(trial: FrozenTrial, stage: str, fixed: Mapping[str, Any]) -> TrialRecord:
    attributes = trial.user_attrs
    outcome = outcome_of(trial)
    diverged = outcome is Outcome.DIVERGED
    return TrialRecord(
        name=attributes["name"],
        outcome=outcome,
        objective=None if diverged else _objective(trial),
        parameters=trial.params,
        known=attributes.get("known", ""),
        reason=attributes.get("reason", ""),
        objectives={} if diverged else attributes.get("objectives", {}),
        stage=stage,
        attempts=attributes.get("attempts", 1),
        seed=attributes.get("seed", 0),
        fixed=fixed,
    )


def latest_entries(study: optuna.Study) -> dict[str, FrozenTrial]:
    """The last entry of each trial, by its name."""
    trials = study.get_trials(deepcopy=False)
    return {trial.user_attrs["name"]: trial for trial in trials if named(trial)}


def named(trial: FrozenTrial) -> bool:
    """Whether the entry is a trial's: others are what a sampler is to know, or no name of ours, which is a folder's."""
    return bool(_NAME.fullmatch(str(trial.user_attrs.get("name", ""))))


def curve_of(trial: FrozenTrial) -> dict[int, float]:
    """The trial's `objective` by evaluation, whatever else the study minimises."""
    curve = trial.user_attrs.get("curve", trial.intermediate_values)
    return {int(step): float(value) for step, value in curve.items()}


def _objective(trial: FrozenTrial) -> float | None:
    curve = curve_of(trial)
    return curve[max(curve)] if curve else None


def outcome_of(trial: FrozenTrial) -> Outcome:
    """What became of a trial, from its state in Optuna and what was noted beside it."""
    if trial.state is TrialState.PRUNED and trial.user_attrs.get("diverged"):
        return Outcome.DIVERGED
    if trial.state is TrialState.FAIL and trial.user_attrs.get("interrupted"):
        return Outcome.INTERRUPTED
    return {
        TrialState.COMPLETE: Outcome.FINISHED,
        TrialState.PRUNED: Outcome.STOPPED,
        TrialState.FAIL: Outcome.FAILED,
    }.get(trial.state, Outcome.RUNNING)


class Records:
    """The records of studies, each built once after its trial has ended: a search asks for them all the time.

    Args:
        studies: grows as stages begin.
    """

    def __init__(self, studies: Sequence[optuna.Study]) -> None:
        self._studies = studies
        self._ended: dict[tuple[str, int], TrialRecord] = {}
        self._latest: dict[str, TrialRecord] = {}

    def __call__(self) -> list[TrialRecord]:
        """All trials that were begun, in their order."""
        for study in self._studies:
            fixed = study.user_attrs.get("fixed", {})
            for trial in study.get_trials(deepcopy=False):
                key = (study.study_name, trial.number)
                if key in self._ended or not named(trial):
                    continue
                record = _record(trial, study.study_name, fixed)
                self._latest[record.name] = record
                if trial.state.is_finished():
                    self._ended[key] = record
        return list(self._latest.values())

    def of(self, name: str) -> TrialRecord:
        """The record of the trial of that name. KeyError where there is none."""
        self()
        return self._latest[name]
