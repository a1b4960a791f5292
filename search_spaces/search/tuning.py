"""One stage on a Ray that runs: Ray Tune carries out what the ledger says, until it is over or broken off."""

import signal
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from ray import tune
from ray.tune import Callback, Stopper, TuneError

from data_prep.errors import UserError
from search_spaces.run.plan import INTERRUPTED
from search_spaces.search.searcher import LedgerScheduler, LedgerSearcher
from trainables import trial


class Interruption(Stopper):  # type: ignore[misc]  # Ray is untyped
    """Ends the search when it is asked to."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No trial is stopped by itself."""
        return False

    def stop_all(self) -> bool:
        """All are, once it is asked."""
        return self.asked


def fit(
    system: str,
    searcher: LedgerSearcher,
    reporter: Callback,
    *,
    given: Mapping[str, Any],
    resources: Mapping[str, float],
    seconds: float | None,
    interruption: Interruption,
    tell: Callable[[str], None],
) -> str:
    """Let Ray run the trials of a ledger; what broke it off, or nothing.

    A first Ctrl-C ends it in order, a second at once.

    Args:
        system: whose trainable runs; settings may override it.
        searcher: hands out the trials.
        reporter: hears of all that they do.
        given: corpus, judge and budget, for the trainables.
        resources: of each trial.
        seconds: after which it ends; None for no limit.
        interruption: is asked for at Ctrl-C.
        tell: says so.
    """

    def stop(number: int, frame: Any) -> None:
        interruption.asked = True
        tell("Stopping, and writing what there is; Ctrl-C again to stop at once.")
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        # Ray's own notes go where nobody looks: whatever matters is in the run's folder.
        with tempfile.TemporaryDirectory(prefix="wtg-", ignore_cleanup_errors=True) as scratch:
            trainable = tune.with_resources(tune.with_parameters(trial.TRAINABLES[system], **given), dict(resources))
            tune.Tuner(
                trainable,
                tune_config=_tune_config(searcher, seconds),
                run_config=_run_config(scratch, reporter, interruption),
            ).fit()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (TuneError, OSError, UserError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        return f"broken off ({lines[-1].strip() if lines else type(error).__name__})"
    finally:
        signal.signal(signal.SIGINT, before)
    return ""


def _tune_config(searcher: LedgerSearcher, seconds: float | None) -> tune.TuneConfig:
    return tune.TuneConfig(
        metric="objective",
        mode="min",
        search_alg=searcher,
        scheduler=LedgerScheduler(searcher),
        num_samples=-1,  # the ledger says when there are no more
        time_budget_s=seconds,
        reuse_actors=True,  # a trial in a warm process starts twenty times faster
        trial_dirname_creator=lambda each: each.trial_id,
    )


def _run_config(folder: str, reporter: Callback, interruption: Interruption) -> tune.RunConfig:
    return tune.RunConfig(
        storage_path=folder,
        name="ray",
        callbacks=[reporter],
        stop=interruption,
        verbose=0,
        failure_config=tune.FailureConfig(max_failures=0),  # the ledger tries again
        # None of Ray's: results carry states.
        checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
    )
