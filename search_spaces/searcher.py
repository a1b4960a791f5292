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

from search_spaces.space import Space
from search_spaces.study import open_study, trial_name


class StudySearcher(Searcher):
    """Hands out the known balances of a space, then what Optuna suggests.

    * full budget spent: COMPLETE with the objective
    * stopped by the scheduler or by the end of the time: PRUNED, its last objective as an intermediate value
    * diverged: PRUNED with an intermediate value that is not a number and the attribute `diverged`, so that the
      sampler learns to stay away
    * crashed: FAIL with the reason
    """

    def __init__(self, run: Path, space: Space, *, seed: int, concurrency: int) -> None:
        super().__init__(metric="objective", mode="min")
        self._run = run
        self._space = space
        self._seed = seed
        self._concurrency = concurrency
        self._study = open_study(run, seed=seed)
        self._live: dict[str, Trial] = {}
        self._reported: dict[int, int] = {}
        for known in space.known:
            self._study.enqueue_trial(dict(known.parameters), user_attrs={"known": known.source})

    @property
    def study(self) -> Study:
        """The study behind the search."""
        return self._study

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """Configuration of the next trial; None while as many are running as may."""
        if len(self._live) >= self._concurrency:
            return None
        trial = self._study.ask()
        settings = self._space.suggest(trial)
        self._live[trial_id] = trial
        return {"trial": trial_name(trial.number), "seed": self._seed, "settings": settings}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Keep an evaluation as an intermediate value."""
        if not result["diverged"]:
            self._report(self._live[trial_id], result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the study how the trial ended."""
        trial = self._live.pop(trial_id, None)
        if trial is None:
            return
        if error or result is None or "objective" not in result:
            trial.set_user_attr("reason", "crashed: see error.txt in the trial's folder")
            self._study.tell(trial, state=TrialState.FAIL)
        elif result["diverged"]:
            trial.set_user_attr("diverged", True)
            trial.set_user_attr("reason", "losses were no longer finite")
            trial.report(math.nan, step=result["bars"])
            self._study.tell(trial, state=TrialState.PRUNED)
        elif result["training_iteration"] >= self._space.budget.evaluations:
            self._report(trial, result)
            self._study.tell(trial, result["objective"])
        else:
            self._prune(trial, result, "among the worse half at its rung")

    def close(self, reason: str) -> None:
        """Tell the study of trials that are still live when the search ends."""
        for trial_id in list(self._live):
            self._prune(self._live.pop(trial_id), None, reason)

    def _prune(self, trial: Trial, result: dict[str, Any] | None, reason: str) -> None:
        if result is not None:
            self._report(trial, result)
        trial.set_user_attr("reason", reason)
        self._study.tell(trial, state=TrialState.PRUNED)

    def _report(self, trial: Trial, result: dict[str, Any]) -> None:
        # Ray hands over a trial's last result once or twice; Optuna warns of a second value for a step.
        if self._reported.get(trial.number) != result["bars"]:
            self._reported[trial.number] = result["bars"]
            trial.report(result["objective"], step=result["bars"])

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the journal on disk is always up to date."""
        Path(checkpoint_path).write_text("see study.journal\n")

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore: the journal on disk is always up to date."""
