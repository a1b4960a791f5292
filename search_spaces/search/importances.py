"""Which parameters mattered: what the best trials of a study have in common and the others have not."""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from data_prep.errors import UserError, unknown
from data_prep.folder import shown
from search_spaces.search.journal import STUDY_FILE, SoundJournal
from search_spaces.search.study import curve_of
from search_spaces.space import GUARDED

FEWEST: Final = 4
"""Complete trials below which nothing is said."""

FRONT: Final = "the Pareto front"

_FAULTS: Final = (OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError)
"""What Optuna may raise of a damaged journal."""

_BEST: Final = 5
"""Trials that are to be among the best, as far as that leaves as many others."""

_SMALLEST_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """How much one parameter mattered."""

    name: str
    importance: float | None
    """Its share, of 1 in all; None where no parameter tells the best trials from the others."""
    trials: int
    """Complete trials that have it; fewer than all where it is conditional."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageImportances:
    """The parameters of one stage of a search, from the most important."""

    stage: str
    objective: str
    """What the best trials are the best in."""
    trials: int
    """Complete trials that it rests on."""
    best: int
    """How many of them count as the best."""
    parameters: tuple[Importance, ...]
    """None where there are fewer than `FEWEST` trials."""
    fixed: Mapping[str, Any]
    """Dimensions that were held at one value, of which nothing can be said."""


def importances(run: Path, objective: str | None = None) -> list[StageImportances]:
    """Importances of the parameters in every stage of a run, which may still be searching.

    By PED-ANOVA (S. Watanabe, A. Bansal, F. Hutter, IJCAI 2023): the Pearson divergence between the density of a
    parameter's values among the best trials and that among all, so it asks which parameters a good trial depends on,
    not which move the objective where it is bad anyway. Parameters that only some trials have are weighed by how many
    do (Conditional PED-ANOVA, arXiv 2601.20800). Trials that were stopped early or diverged do not count.

    Args:
        run: folder of the search.
        objective: `objective` or another that the search minimises; by default what it minimises, which with several
            objectives is their Pareto front.

    Raises:
        UserError: there is no study, it cannot be read, it has no such objective, or no stage has `FEWEST` complete
            trials.
    """
    path = run / STUDY_FILE
    if not path.is_file():
        raise UserError(f"{shown(str(run))} has no {STUDY_FILE}: name a folder that a search made, in results/.")
    try:
        found = [_of_stage(study, objective) for study in _studies(path)]
    except UserError:
        raise
    except _FAULTS as error:
        raise UserError(f"{shown(str(path))} cannot be read ({type(error).__name__}): is it a whole run?") from error
    if not any(stage.parameters for stage in found):
        most = max((stage.trials for stage in found), default=0)
        raise UserError(
            f"{shown(str(run))} has {_counted(most)}: importances need at least {FEWEST}, better {4 * _BEST}."
        )
    return found


def _studies(path: Path) -> list[optuna.Study]:
    """All stages, as they are now. Not by `open_study`, which writes: another process may be searching."""
    storage = JournalStorage(SoundJournal(str(path)))
    return [optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)]


def _of_stage(study: optuna.Study, objective: str | None) -> StageImportances:
    names = study.metric_names or list(GUARDED)
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    share = _share(len(trials))
    return StageImportances(
        stage=study.study_name,
        objective=objective or (names[0] if len(names) == 1 else FRONT),
        trials=len(trials),
        best=math.ceil(share * len(trials)),
        parameters=_parameters(study, trials, share, _target(names, objective)),
        fixed=study.user_attrs.get("fixed", {}),
    )


def _share(trials: int) -> float:
    """How many of the trials count as the best: a tenth, or `_BEST` of them, but at most half."""
    return min(0.5, max(_SMALLEST_SHARE, _BEST / max(1, trials)))


def _target(names: list[str], objective: str | None) -> Callable[[FrozenTrial], float] | None:
    """What is looked at instead of all that the study minimises."""
    if objective is None or names == [objective]:
        return None
    if objective in names:
        return lambda trial: trial.values[names.index(objective)]
    if objective not in GUARDED:
        raise UserError(unknown("objective", objective, [*names, *GUARDED]))
    return _guarded  # which every trial notes, whatever its study minimises


def _guarded(trial: FrozenTrial) -> float:
    curve = curve_of(trial)
    return curve[max(curve)] if curve else math.nan


def _parameters(
    study: optuna.Study, trials: list[FrozenTrial], share: float, target: Callable[[FrozenTrial], float] | None
) -> tuple[Importance, ...]:
    if len(trials) < FEWEST:
        return ()
    evaluator = PedAnovaImportanceEvaluator(target_quantile=share)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that `target` is minimised, as all of ours are
        found = get_param_importances(study, evaluator=evaluator, target=target, normalize=False)
    total = sum(found.values())
    return tuple(
        Importance(
            name=name,
            importance=value / total if total > 0 else None,
            trials=sum(name in trial.params for trial in trials),
        )
        for name, value in found.items()
    )


def _counted(trials: int) -> str:
    return "no complete trial" if trials == 0 else f"{trials} complete trial{'s' * (trials > 1)}"
