"""A trial's entry in the study, made by a single write: after a kill it is there as a whole, or not at all."""

from collections.abc import Mapping
from typing import Any, Final

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from search_spaces.search.study import curve_of

ENDED: Final = ("interrupted", "reason", "stopped_at")
"""Attributes of how an entry ended, which the one that goes on with its trial does not have."""


def begin(study: optuna.Study, attributes: Mapping[str, Any], parameters: Mapping[str, Any] | None) -> Trial:
    """A new trial that runs, of these parameters where they are known already."""
    fixed = {"fixed_params": dict(parameters)} if parameters else {}  # as `Study.enqueue_trial` has it
    return _added(study, create_trial(state=TrialState.RUNNING, user_attrs=dict(attributes), system_attrs=fixed))


def go_on(study: optuna.Study, ended: FrozenTrial) -> Trial:
    """An entry that runs for a trial that was cut off, with all that is known of it: Optuna lets no ended one go on."""
    curve = curve_of(ended)
    entry = create_trial(
        state=TrialState.RUNNING,
        params=ended.params,
        distributions=ended.distributions,
        user_attrs={key: value for key, value in ended.user_attrs.items() if key not in ENDED},
        system_attrs=ended.system_attrs,
        intermediate_values={step: value for step, value in ended.intermediate_values.items() if step in curve},
    )
    return _added(study, entry)


def running(study: optuna.Study, frozen: FrozenTrial) -> Trial:
    """The trial of an entry that was running when the search was killed."""
    return Trial(study, frozen._trial_id)  # Optuna has no other way to it


def noted_of(trial: Trial) -> FrozenTrial:
    """What the study knows of a trial that runs; Optuna warns of a value that is noted twice."""
    return trial.storage.get_trial(trial._trial_id)


def _added(study: optuna.Study, entry: FrozenTrial) -> Trial:
    study.add_trial(entry)
    return running(study, study.get_trials(deepcopy=False)[-1])
