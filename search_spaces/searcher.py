"""Optuna behind Ray Tune's public `Searcher`: asks the study for trials and tells it the truth about them.

Ray's own OptunaSearch tells Optuna that trials stopped early are complete, and leaves those whose objective is not a
number running for ever; both mislead the sampler.
"""

import math
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.trial import Trial, TrialState
from ray.tune.search import Searcher

from scores.objective import WORST
from search_spaces.space import GUARDED, Space
from search_spaces.study import open_study, trial_name


class StudySearcher(Searcher):
    """Hands out the known balances of a space, then what Optuna suggests.

    Intermediate values are counted in evaluations. How a trial ends is told to the study as it is:

    * full budget spent: COMPLETE with the objective
    * stopped by the scheduler or by the end of the search: PRUNED, its last objective as an intermediate value
    * diverged: PRUNED with an intermediate value that is not a number and the attribute `diverged`, so that the
      sampler learns to stay away
    * crashed, or the search ended before its first evaluation (`unjudged`): FAIL with the reason

    A space with other objectives than `objective` has its own values told, and the last of them and of `objective`
    kept as attributes. With several, Optuna takes no intermediate values: stopped trials then rank behind all complete
    ones, whatever their values, and diverged ones behind them because they break a constraint.
    """

    def __init__(self, run: Path, space: Space, *, seed: int, concurrency: int) -> None:
        super().__init__(metric="objective", mode="min")
        self._run = run
        self._space = space
        self._seed = seed
        self._concurrency = concurrency
        self._study = open_study(run, seed=seed, objectives=space.objectives)
        self._live: dict[str, Trial] = {}
        self._reported: dict[int, int] = {}
        self._begun = 0
        for known in space.distinct_known():
            self._study.enqueue_trial(dict(known.parameters), user_attrs={"known": known.source})

    @property
    def study(self) -> Study:
        """The study behind the search."""
        return self._study

    @property
    def begun(self) -> int:
        """How many trials were handed out."""
        return self._begun

    @property
    def running(self) -> int:
        """How many of them have not ended."""
        return len(self._live)

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """Configuration of the next trial; None while as many are running as may."""
        if len(self._live) >= self._concurrency:
            return None
        trial = self._study.ask()
        settings = self._space.suggest(trial, self._space.system)
        self._live[trial_id] = trial
        self._begun += 1
        return {"trial": trial_name(trial.number), "seed": self._seed, "settings": settings}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Keep an evaluation as an intermediate value."""
        if trial_id in self._live and not result["diverged"]:
            self._report(self._live[trial_id], result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the study how the trial ended."""
        trial = self._live.get(trial_id)
        if trial is None:
            return
        if error or result is None or "objective" not in result:
            self._fail(trial, "crashed: see error.txt in the trial's folder")
        elif result["diverged"]:
            self._mark_diverged(trial, result["training_iteration"])
            self._prune(trial, "losses were no longer finite")
        elif result["training_iteration"] >= self._space.budget.evaluations:
            self._report(trial, result)
            self._study.tell(trial, self._values(result))
        else:
            self._report(trial, result)
            self._prune(trial, "among the worse half at its rung")
        del self._live[trial_id]  # only once it is told: after a full disk `close` tries again

    def close(self, reason: str) -> None:
        """Tell the study of trials that are still live when the search ends."""
        for trial_id, trial in list(self._live.items()):
            if trial.number in self._reported:
                self._prune(trial, reason)
            else:
                trial.set_user_attr("unjudged", True)
                self._fail(trial, reason)
            del self._live[trial_id]

    def _prune(self, trial: Trial, reason: str) -> None:
        trial.set_user_attr("reason", reason)
        self._study.tell(trial, state=TrialState.PRUNED)

    def _fail(self, trial: Trial, reason: str) -> None:
        trial.set_user_attr("reason", reason)
        self._study.tell(trial, state=TrialState.FAIL)

    def _report(self, trial: Trial, result: dict[str, Any]) -> None:
        # Ray hands over a trial's last result once or twice, and a retried trial's results again from its checkpoint
        # on, which are the same: Optuna warns of a second value for a step.
        step = result["training_iteration"]
        if step > self._reported.get(trial.number, 0):
            self._keep(trial, result, step)
            self._reported[trial.number] = step

    def _keep(self, trial: Trial, result: dict[str, Any], step: int) -> None:
        names, values = self._space.objectives, self._values(result)
        if len(names) == 1:
            trial.report(values[0], step=step)
        if names != GUARDED:
            trial.set_user_attr("objective", result["objective"])
            trial.set_user_attr("objectives", dict(zip(names, values, strict=True)))

    def _values(self, result: dict[str, Any]) -> list[float]:
        """What the study minimises, in its order; Ray hands a searcher nested results flattened."""
        keys = {name: name if name == "objective" else f"objectives/{name}" for name in self._space.objectives}
        return [result.get(key, WORST[name]) for name, key in keys.items()]  # one player alone has no balance

    def _mark_diverged(self, trial: Trial, step: int) -> None:
        trial.set_user_attr("diverged", True)
        if len(self._space.objectives) == 1:
            trial.report(math.nan, step=step)
        else:
            trial.set_constraint("diverged", 1.0)  # any number above 0 ranks the trial behind all that keep to it

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the journal on disk is always up to date."""
        Path(checkpoint_path).write_text("see study.journal\n")

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: the journal on disk is always up to date."""
