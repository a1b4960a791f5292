"""The book of a stage: which trial is handed out next, and what the study is told of each. Nothing here needs Ray."""

import math
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from data_prep.errors import UserError
from scores.objective import WORST
from search_spaces.search.entry import begin, go_on, noted_of, running
from search_spaces.search.evolution import Evolution
from search_spaces.search.stopping import Decision, Rule
from search_spaces.search.study import Outcome, curve_of, latest_entries, outcome_of, trial_name
from search_spaces.space import GUARDED, Space, split_seed

ATTEMPTS: Final = 4
"""How often a trial is begun or taken up before it counts as failed."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A trial to be run: its name, the seed of its training, its settings, and whether it has a state to go on from."""

    name: str
    seed: int
    settings: Mapping[str, Any]
    goes_on: bool
    copied: bool = False
    """Whether that state is another trial's, without which it could not come to the same."""


class Ledger:
    """Hands out the known balances of a space, then what Optuna suggests, and tells the study how each trial ended.

    * full budget spent: COMPLETE with the objective
    * stopped by its rule: PRUNED, its last objective as an intermediate value
    * diverged: PRUNED with an intermediate value that is not a number and the attribute `diverged`, so that the
      sampler learns to stay away
    * crashed `ATTEMPTS` times: FAIL with the reason; before that it is handed out again, to go on from its state
    * cut off by the end of the search, or by a kill: FAIL with the attribute `interrupted`. When the search is
      resumed it goes on under its name, as a new entry of the study, since Optuna lets no ended trial go on

    Intermediate values are counted in evaluations. A space with other objectives than `objective` has its own values
    told; the last of them, and the curve of `objective`, are kept as attributes. With several objectives Optuna takes
    no intermediate values: stopped trials then rank behind all complete ones, whatever their values, and diverged ones
    behind them because they break a constraint.

    Every method may be called again when it could not write (OSError): what it had done by then is not done twice.

    Args:
        study: of this stage; what it holds from before is taken up.
        space: what is searched.
        trials: how many there are to be in all, those of before included.
        seed: of each training, unless the space sets its own.
        rule: when a trial is stopped early.
        evolution: of a population; None where trials do not learn from each other.
    """

    def __init__(
        self,
        study: optuna.Study,
        space: Space,
        *,
        trials: int,
        seed: int,
        rule: Rule,
        evolution: Evolution | None = None,
    ) -> None:
        self._study = study
        self._space = space
        self._trials = trials
        self._seed = seed
        self._rule = rule
        self._evolution = evolution
        self._open: dict[str, Trial] = {}
        self._waiting: deque[str] = deque()
        self._paused: list[str] = []
        self._curves: dict[str, dict[int, float]] = {}
        self._attempts: dict[str, int] = {}
        self._known = deque(space.distinct_known())
        study.set_user_attr("fixed", dict(space.fixed))
        self._take_up()

    @property
    def begun(self) -> int:
        """How many trials were begun, in this session or before."""
        return len(self._curves)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return not self._open and self.begun >= self._trials

    def next(self) -> Assignment | None:
        """The next trial to run; None where there is none now, or (if the stage is `over`) none at all."""
        if not self._waiting and self.begun < self._trials:
            self._begin()
        if not self._waiting and self._paused and len(self._paused) == len(self._open):
            self._let_go_on()
        if not self._waiting:
            return None
        assignment = self._assignment(self._waiting[0])
        self._waiting.popleft()
        return assignment

    def report(self, name: str, result: Mapping[str, Any]) -> Decision:
        """Take an evaluation; what is to become of the trial.

        A trial that went on repeats evaluations of before, which are the same, as it is where it went on from.
        """
        step, before, trial = result["training_iteration"], self._curves[name], self._open[name]
        if result["diverged"] or step <= max(before, default=0):
            return Decision.GO_ON
        curve = before | {step: result["objective"]}
        decision = self._rule.decide(step, curve, (other for key, other in self._curves.items() if key != name))
        if decision is Decision.STOP:  # noted before the evaluation is: a kill between the two must not let it go on
            trial.set_user_attr("stopped_at", step)
        self._keep(trial, result, curve)
        self._curves[name] = curve
        if decision is Decision.PAUSE:
            self._paused.append(name)
        return decision

    def end(self, name: str, result: Mapping[str, Any]) -> None:
        """Tell the study of a trial that has come to its end; one that only waits, or was cut off, stays open."""
        self.report(name, result)  # the last evaluation comes here alone
        if result["diverged"]:
            self._open[name].set_user_attr("diverged", True)
        self._conclude(name)

    def crash(self, name: str, reason: str) -> None:
        """Let a trial that crashed go on from its state, or tell the study that it failed too often."""
        attempts, trial = self._attempts[name] + 1, self._open[name]
        trial.set_user_attr("crash", reason)
        if attempts <= ATTEMPTS:
            trial.set_user_attr("attempts", attempts)
            self._waiting.append(name)
        else:
            self._tell(name, TrialState.FAIL, reason=f"crashed {ATTEMPTS} times: {reason}")
        self._attempts[name] = attempts

    def interrupt(self, reason: str) -> None:
        """Tell the study of all trials that are still open when the search ends."""
        for name in list(self._open):
            if not self._conclude(name):
                self._open[name].set_user_attr("interrupted", True)
                self._tell(name, TrialState.FAIL, reason=reason)

    def _begin(self) -> None:
        """A trial that is new."""
        name, known = trial_name(self._study.study_name, self.begun), self._known[0] if self._known else None
        attributes: dict[str, Any] = {"name": name} | ({"known": known.source} if known else {})
        if self._space.objectives != GUARDED:
            attributes["curve"] = {}  # else its intermediate values would be taken for it
        self._open[name] = begin(self._study, attributes, known.parameters if known else None)
        if known:
            self._known.popleft()
        self._curves[name], self._attempts[name] = {}, 1
        self._waiting.append(name)

    def _assignment(self, name: str) -> Assignment:
        trial = self._open[name]
        settings, seed = self._settings(trial)
        if "seed" not in trial.user_attrs:
            trial.set_user_attr("seed", seed)
        if self._evolution:
            settings = self._evolution.settings(name, settings)
        copied = bool(self._evolution and self._evolution.copied(name))
        return Assignment(name, seed, settings, goes_on=bool(self._curves[name]), copied=copied)

    def _settings(self, trial: Trial) -> tuple[dict[str, Any], int]:
        try:
            settings, seed = split_seed(self._space.suggest(trial, self._space.system))
        except (UserError, OSError):  # the journal is written while it asks
            raise
        except Exception as error:  # of a function that may be the user's own
            raise UserError(f"suggest of the space raised {type(error).__name__}: {error}") from error
        return settings, self._seed if seed is None else seed

    def _let_go_on(self) -> None:
        """Let a population go on: all from the same evaluation, the worst of them from the state of a better one."""
        at = {name: max(self._curves[name]) for name in self._paused}
        behind = [name for name, step in at.items() if step < max(at.values())]
        if self._evolution and not behind:
            self._evolution.evolve({name: self._curves[name] for name in self._paused})
            for name in self._paused:
                self._open[name].set_user_attr("periods", self._evolution.told(name))
        self._waiting.extend(behind or self._paused)
        self._paused = [name for name in self._paused if name not in self._waiting]

    def _keep(self, trial: Trial, result: Mapping[str, Any], curve: Mapping[int, float]) -> None:
        """Note an evaluation; a kill in the middle leaves it undone, as the curve is written last."""
        names, values = self._space.objectives, self._values(result)
        if names != GUARDED:
            trial.set_user_attr("objectives", dict(zip(names, values, strict=True)))
        if len(names) == 1 and max(curve) not in noted_of(trial).intermediate_values:
            trial.report(values[0], step=max(curve))
        if names != GUARDED:
            trial.set_user_attr("curve", {str(step): value for step, value in curve.items()})

    def _values(self, result: Mapping[str, Any]) -> list[float]:
        """What the study minimises, in its order; Ray hands over nested results flattened."""
        keys = {name: name if name == "objective" else f"objectives/{name}" for name in self._space.objectives}
        return [result.get(key, WORST[name]) for name, key in keys.items()]  # one player alone has no balance

    def _conclude(self, name: str) -> bool:
        """Tell the study of a trial that has come to its end, from what was noted of it; whether it has."""
        trial, curve = self._open[name], self._curves[name]
        attributes, last = trial.user_attrs, max(curve, default=0)
        if "diverged" in attributes:
            self._mark_diverged(trial, last + 1)
            self._tell(name, TrialState.PRUNED, reason="losses were no longer finite")
        elif last >= self._space.budget.evaluations:
            told = attributes.get("objectives", {"objective": curve[last]})
            self._tell(name, TrialState.COMPLETE, values=[told[each] for each in self._space.objectives])
        elif attributes.get("stopped_at") in curve:
            self._tell(name, TrialState.PRUNED, reason=f"among the worse at evaluation {last}")
        else:
            return False
        return True

    def _mark_diverged(self, trial: Trial, step: int) -> None:
        noted = noted_of(trial)
        if len(self._space.objectives) == 1:
            if step not in noted.intermediate_values:
                trial.report(math.nan, step=step)
        elif not noted.constraints:
            trial.set_constraint("diverged", 1.0)  # any number above 0 ranks the trial behind all that keep to it

    def _tell(self, name: str, state: TrialState, *, values: list[float] | None = None, reason: str = "") -> None:
        trial = self._open[name]
        if reason:
            trial.set_user_attr("reason", reason)
        self._study.tell(trial, values, state=state, skip_if_finished=True)
        del self._open[name]  # only once it is told: after a full disk `interrupt` tries again

    def _take_up(self) -> None:
        """Go on with a study from before: settle what a kill left open, and reopen what was cut off."""
        for name, trial in latest_entries(self._study).items():
            self._curves[name] = {step: value for step, value in curve_of(trial).items() if math.isfinite(value)}
            self._attempts[name] = trial.user_attrs.get("attempts", 1)
            if trial.state is TrialState.RUNNING:
                self._open[name] = running(self._study, trial)
        self.interrupt("the search was killed")
        latest = latest_entries(self._study)
        tried = Counter(trial.user_attrs.get("known") for trial in latest.values())
        self._known = deque(known for known in self._known if not _taken(tried, known.source))
        for name, trial in latest.items():
            if outcome_of(trial) is Outcome.INTERRUPTED:
                self._reopen(name, trial)

    def _reopen(self, name: str, ended: FrozenTrial) -> None:
        self._open[name] = go_on(self._study, ended)
        curve, paused = self._curves[name], False
        if self._evolution:
            self._evolution.take_up(name, ended.user_attrs.get("periods", []), self._settings(self._open[name])[0])
            paused = self._rule.decide(max(curve, default=0), curve, ()) is Decision.PAUSE
        (self._paused if paused else self._waiting).append(name)


def _taken(tried: "Counter[str | None]", source: str) -> bool:
    """Whether a point of that source is among those that were tried: each stands for the first that is left."""
    tried[source] -= 1
    return tried[source] >= 0
