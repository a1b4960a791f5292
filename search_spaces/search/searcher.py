"""A stage's ledger behind Ray Tune's public `Searcher` and scheduler: thin shells, as Ray may ask from two sides."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from search_spaces.run.waiting import Waiting
from search_spaces.search.ledger import Ledger
from search_spaces.search.stopping import Decision
from trainables.handover import STATE_FILE, SavedState

STATE: Final = Path("checkpoint") / STATE_FILE
"""Where a trial's last state is, in its folder."""

_SAMPLES: Final = 8_000_000
"""Bytes that an evaluation's music, pictures and events take at most, and some to spare."""

Result = TypeVar("Result")


class LedgerSearcher(Searcher):
    """Hands Ray the trials of a ledger, and the ledger what became of them.

    Ray retries nothing itself: a trial that crashed comes again from the ledger, as a new trial for Ray.

    Args:
        ledger: of this stage.
        trials: the folder of all trials.
        concurrency: how many may run at a time.
        waiting: what to do while nothing can be written.
    """

    def __init__(self, ledger: Ledger, trials: Path, *, concurrency: int, waiting: Waiting) -> None:
        super().__init__(metric="objective", mode="min")
        self.ledger = ledger
        self._folder = trials
        self._concurrency = concurrency
        self._waiting = waiting
        self._running: dict[str, str] = {}
        self._reasons: dict[str, str] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Configuration of the next trial; None while as many are running as may."""
        if len(self._running) >= self._concurrency:
            return None
        trial = self._written(self.ledger.next)
        if trial is None:
            return None if self._running else Searcher.FINISHED
        self._running[trial_id] = trial.name
        state = SavedState(self._folder / trial.name / STATE, required=trial.copied) if trial.goes_on else None
        return {"trial": trial.name, "seed": trial.seed, "settings": dict(trial.settings), "resume": state}

    def report(self, trial_id: str, result: dict[str, Any]) -> Decision:
        """Take an evaluation, if there is room for all that is written of it; what is to become of the trial."""
        name = self._running.get(trial_id)
        if name is None:
            return Decision.GO_ON
        self._waiting.for_room(self._folder.parent, 2 * len(result.get("_state", b"")) + _SAMPLES)
        return self._written(lambda: self.ledger.report(name, result))

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Nothing more: the scheduler has reported it."""

    def will_crash(self, trial_id: str, reason: str) -> None:
        """Hear why a trial is about to end with an error."""
        self._reasons[trial_id] = reason

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the ledger how the trial ended."""
        name = self._running.pop(trial_id, None)
        if name is None:
            return
        if error:
            reason = self._reasons.pop(trial_id, "")
            self._written(lambda: self.ledger.crash(name, reason or "for a reason that Ray does not tell"))
        elif result and "objective" in result:
            self._written(lambda: self.ledger.end(name, result))

    def _written(self, step: Callable[[], Result]) -> Result:
        return self._waiting.until_written(step)

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its parts for a restore that is never used here: the journal on disk is always up to date."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Write what Ray asks for, which is nothing."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Never asked for."""


class LedgerScheduler(FIFOScheduler):
    """Stops trials as the ledger says. One that pauses has ended for Ray: the ledger hands it out again."""

    def __init__(self, searcher: LedgerSearcher) -> None:
        super().__init__()
        self._searcher = searcher

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, for the same reason."""
        return {}

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Report the evaluation."""
        decision = self._searcher.report(trial.trial_id, result)
        return str(TrialScheduler.CONTINUE if decision is Decision.GO_ON else TrialScheduler.STOP)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Pass on why: Ray does not tell a searcher."""
        self._searcher.will_crash(trial.trial_id, last_line(trial))


def last_line(trial: Trial) -> str:
    """What Ray noted last of a trial's error: the exception and its message."""
    try:
        lines = Path(trial.error_file).read_text(errors="replace").splitlines()
    except (OSError, TypeError):  # it has written none
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
