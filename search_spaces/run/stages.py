"""The stages of a search: each is a space derived from the one before and from what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.trial import FixedTrial, TrialState, create_trial

from search_spaces.protocol import narrow, repeat
from search_spaces.run.plan import NARROW, REPEAT, Plan
from search_spaces.search.ledger import Ledger
from search_spaces.search.samplers import GRID, sampler_of
from search_spaces.search.schedulers import SCHEDULERS
from search_spaces.search.study import SEARCH, Outcome, TrialRecord, open_study, records, stages_of
from search_spaces.space import Space, split_seed

TRIALS: Final = "trials"
"""Folder of the trials, in that of a run."""

_CARRIED: Final = "carried_over"
"""Number that an entry of the narrow stage has in the wide one."""

_WEIGHTS: Final = {"wide": 2.0, NARROW: 1.0, REPEAT: 2.0}
"""Shares of the time that is left, where there is a limit."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its space, and its study."""

    space: Space
    trials: int
    study: optuna.Study

    def ledger(self, plan: Plan) -> Ledger:
        """The book of its trials, with all that was there before."""
        scheduler = SCHEDULERS[plan.scheduler]
        return Ledger(
            self.study,
            self.space,
            trials=self.trials,
            seed=plan.seed,
            rule=scheduler.rule(self.space),
            evolution=scheduler.evolution(self.space, plan.run / TRIALS, plan.seed),
        )


def study_name(word: str) -> str:
    """Name of the study of a stage: the first is the whole search where there is no other."""
    return SEARCH if word == "wide" else word


def open_stage(word: str, plan: Plan, space: Space) -> Stage | None:
    """The stage of that word, its space derived from what came of those before; None where nothing came of them."""
    derived = _derived(word, plan, space)
    if derived is None:
        return None
    name, trials = study_name(word), plan.stage_trials(word)
    if derived.grid:
        trials = min(trials, len(derived.distinct_known()))
    number = len(all_records(plan.run, [name])) if begun(word, plan) else 0
    sampler = sampler_of(
        GRID if derived.grid else plan.sampler,
        derived,
        seed=plan.seed + plan.protocol.index(word),  # a later stage must not draw the same numbers
        trials=trials,
        begun=number,
    )
    study = open_study(plan.run, stage=name, sampler=sampler, objectives=derived.objectives)
    if word == NARROW:
        _carry_over(open_study(plan.run), study, derived)
    return Stage(derived, trials, study)


def _carry_over(wide: optuna.Study, narrower: optuna.Study, space: Space) -> None:
    """Let the sampler of the narrow stage know the finished trials of the wide one that lie inside its ranges.

    They have no name there, and so are no trials of it; those that are there from before are not added again.
    """
    dimensions = space.dimensions()
    there = {trial.user_attrs.get(_CARRIED) for trial in narrower.get_trials(deepcopy=False)}
    for trial in wide.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        if trial.number in there or any(trial.params.get(key, value) != value for key, value in space.fixed.items()):
            continue
        asked = {name: value for name, value in trial.params.items() if name in dimensions}
        if all(dimensions[name]._contains(dimensions[name].to_internal_repr(value)) for name, value in asked.items()):
            distributions = {name: dimensions[name] for name in asked}
            noted: dict[str, Any] = {
                key: trial.user_attrs[key] for key in ("objectives", "curve") if key in trial.user_attrs
            }
            narrower.add_trial(
                create_trial(
                    params=asked,
                    distributions=distributions,
                    values=trial.values,
                    user_attrs={_CARRIED: trial.number, **noted},
                )
            )


def closed(word: str, plan: Plan) -> bool:
    """Whether a later stage has begun, which was derived from this one as it stood."""
    return any(begun(each, plan) for each in plan.protocol[plan.protocol.index(word) + 1 :])


def begun(word: str, plan: Plan) -> bool:
    """Whether the stage of that word has begun."""
    return study_name(word) in stages_of(plan.run)


def seconds_for(word: str, plan: Plan, seconds: float | None) -> float | None:
    """The share of the `seconds` left for this stage, all that is left for the last."""
    if seconds is None:
        return None
    rest = plan.protocol[plan.protocol.index(word) :]
    return seconds * _WEIGHTS[word] / sum(_WEIGHTS[each] for each in rest)


def all_records(run: Path, stages: Sequence[str] | None = None) -> list[TrialRecord]:
    """All trials of these stages, or of all that have begun, as the journal on disk has them."""
    names = stages_of(run) if stages is None else stages
    return [record for name in names for record in records(open_study(run, stage=name))]


def _derived(word: str, plan: Plan, space: Space) -> Space | None:
    if word not in (NARROW, REPEAT):
        return space
    wide = _best(all_records(plan.run, [SEARCH]))
    narrower = narrow(space, [record.parameters for record in wide[: max(2, len(wide) // 4)]]) if wide else None
    if word == NARROW or narrower is None:
        return narrower
    candidates = {record.name: _settings_of(space, record.parameters) for record in wide}
    if NARROW in plan.protocol:
        narrowed = _best(all_records(plan.run, [NARROW]))
        candidates |= {record.name: _settings_of(narrower, record.parameters) for record in narrowed}
        wide = sorted([*wide, *narrowed], key=_objective)
    # Other seeds than those of before: the finalists were chosen by what these gave them.
    used = {record.seed for record in wide}
    seeds = [seed for seed in range(plan.repeats + len(used)) if seed not in used][: plan.repeats]
    ranked = {record.name: candidates[record.name] for record in wide}
    return repeat(space, ranked, seeds, finalists=plan.finalists)


def _best(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Trials of the full budget, from the best."""
    finished = [trial for trial in trials if trial.outcome is Outcome.FINISHED and trial.objective is not None]
    return sorted(finished, key=_objective)


def _objective(trial: TrialRecord) -> float:
    assert trial.objective is not None
    return trial.objective


def _settings_of(space: Space, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that parameters of a space come to, without a seed."""
    return split_seed(space.suggest(FixedTrial(dict(parameters)), space.system))[0]
