"""The search: parse, plan, run, name the winner and the next command."""

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from data_prep.errors import UserError
from search_spaces.cluster import check_address
from search_spaces.options import parser, plan_of, space_of
from search_spaces.plan import INTERRUPTED, OUT_OF_TIME, Plan
from search_spaces.space import Space

if TYPE_CHECKING:
    from ray.tune import Tuner

    from data_prep.corpus import Corpus
    from data_prep.windows import WindowCorpus
    from reporting.callbacks import RunReporter
    from reporting.leaderboard import Row
    from search_spaces.searcher import StudySearcher
    from trainables.judge import Judge


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        arguments = parser().parse_args(argv)
        space = space_of(arguments)
        plan = plan_of(arguments, space)
        if arguments.dry_run:
            print(plan.as_text(space))
            return 0
        return _search(plan, space)
    except UserError as error:
        print(f"tune.py: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


def _search(plan: Plan, space: Space) -> int:
    check_address(plan.address)
    _set_up_ray(plan.address)  # before Ray is imported
    from rich.console import Console

    from data_prep import kinds
    from data_prep.files import write_json
    from data_prep.locate import resolve
    from data_prep.pool import cores
    from reporting.anchors import anchors
    from reporting.callbacks import RunReporter
    from reporting.conclusion import conclude_search
    from reporting.progress import shown_on
    from reporting.provenance import provenance
    from reporting.tensorboard import write_hparams_columns
    from reporting.terminal import Terminal
    from search_spaces.searcher import StudySearcher
    from search_spaces.study import records
    from trainables.judge import Judge

    start = time.monotonic()
    console = Console(soft_wrap=True, markup=False, emoji=False, highlight=False)
    with shown_on(console, "Reading the music, this first time") as progress:
        folder = resolve(plan.data, progress, jobs=cores())
    corpus = kinds.load(folder)
    console.print(f"Music: {corpus.told} in {folder}")
    judge = Judge(corpus, rollouts=space.budget.rollouts, early_rollouts=space.budget.early_rollouts)
    scale = anchors(corpus, judge)
    concurrency, resources = _start_ray(plan)

    plan.make_folder()
    write_json(plan.run / "plan.json", plan.as_json(space))
    sources = provenance(
        corpus_digest=corpus.digest,
        corpus_folder=folder,
        seeds={"search": plan.seed, "training": plan.seed},
        resources=resources,
        device="cuda" if "gpu" in resources else "cpu",
    )
    write_json(plan.run / "provenance.json", sources)
    write_hparams_columns(plan.run, space.parameters(), space.objectives)
    searcher = StudySearcher(plan.run, space, seed=plan.seed, concurrency=concurrency)
    reporter = RunReporter(
        plan.run,
        records=lambda: records(searcher.study),
        anchors=scale,
        terminal=Terminal(console, trials=plan.trials, evaluations=space.budget.evaluations),
        console=console,
        rung=space.first_rung,
    )
    unit = "GPU" if "gpu" in resources else "CPU core"
    console.print(
        f"Search: {plan.trials} trials of {space.budget.bars:,} bars, {concurrency} at a time on a {unit} each"
    )
    tuner = _tuner(plan, space, corpus, judge, searcher, reporter, resources)
    ending, lines = _run(plan, tuner, searcher, reporter)
    minutes = (time.monotonic() - start) / 60
    told = ending[:1].upper() + ending[1:] or "Done"
    console.print(f"{told} after {minutes:.1f} minutes.")
    conclude_search(plan, space, corpus, ending, lines, console)
    return {"": 0, OUT_OF_TIME: 0, INTERRUPTED: 130}.get(ending, 1)


def _set_up_ray(address: str) -> None:
    """Settings that Ray reads from the environment when it is imported, or later."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"  # RunReporter writes what they would
    os.environ["TUNE_PRINT_ALL_TRIAL_ERRORS"] = "0"  # they are in error.txt
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # ours says that it has heard
    os.environ["RAY_CHDIR_TO_TRIAL_DIR"] = "0"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # the only output that verbose=0 silences wholly
    if address == "local":
        # Ray's name for "this machine alone": its servers then listen on the loopback address, on Linux as well.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


def _start_ray(plan: Plan) -> tuple[int, dict[str, float]]:
    """Start or join Ray: how many trials at a time, and what each of them takes."""
    import ray

    local = plan.address == "local"
    try:
        extra = {"include_dashboard": False} if local else {}
        ray.init(address=plan.address, log_to_driver=False, logging_level="CRITICAL", **extra)
    except (ConnectionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"--address is {plan.address!r}, but no Ray cluster answers there: {reason}") from error
    available = ray.cluster_resources()
    resources = {"cpu": 1.0} | ({"gpu": 1.0} if available.get("GPU") else {})
    room = int(min(available.get(name.upper(), 0) // amount for name, amount in resources.items()))
    concurrency = plan.concurrency or room
    if local and concurrency > room:
        raise UserError(f"--concurrency is {concurrency}, but this machine has room for {room} trials at a time.")
    if not concurrency:
        raise UserError("The cluster has no room for a trial yet: wait until `ray status` shows workers.")
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(concurrency)  # Tune would start trials one after the other
    return concurrency, resources


def _run(plan: Plan, tuner: "Tuner", searcher: "StudySearcher", reporter: "RunReporter") -> "tuple[str, list[Row]]":
    """Let Ray Tune run the search: why it ended early, or nothing, and the final leaderboard."""
    import ray

    start = time.monotonic()
    reporter.start()
    try:
        ending = _fit(tuner, reporter)
        if not ending and (searcher.running or searcher.begun < plan.trials):
            late = plan.time_budget is not None and time.monotonic() - start >= plan.time_budget
            ending = OUT_OF_TIME if late else INTERRUPTED
        try:
            searcher.close(ending)
        except OSError as error:
            ending = ending or str(error)
    finally:
        lines = reporter.close()
        ray.shutdown()
    return ending, lines


def _fit(tuner: "Tuner", reporter: "RunReporter") -> str:
    """Run the search; what broke it off, or nothing. A first Ctrl-C ends it in order, a second at once."""
    from ray.tune import TuneError

    def stop(number: int, frame: Any) -> None:
        reporter.interruption.asked = True
        reporter.console.print("Stopping, and writing what there is; Ctrl-C again to stop at once.")
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        tuner.fit()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (TuneError, OSError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        return f"broken off ({lines[-1].strip() if lines else type(error).__name__})"
    finally:
        signal.signal(signal.SIGINT, before)
    return ""


def _tuner(
    plan: Plan,
    space: Space,
    corpus: "Corpus | WindowCorpus",
    judge: "Judge",
    searcher: "StudySearcher",
    reporter: "RunReporter",
    resources: dict[str, float],
) -> "Tuner":
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    from trainables.trial import TRAINABLES

    trainable = tune.with_parameters(TRAINABLES[space.system], corpus=corpus.bare(), judge=judge, budget=space.budget)
    return tune.Tuner(
        tune.with_resources(trainable, resources),
        tune_config=tune.TuneConfig(
            metric="objective",
            mode="min",
            search_alg=searcher,
            scheduler=ASHAScheduler(grace_period=space.first_rung, max_t=space.budget.evaluations, reduction_factor=2),
            num_samples=plan.trials,
            time_budget_s=plan.time_budget,
            reuse_actors=True,  # a trial in a warm process starts twenty times faster
            trial_dirname_creator=_trial_folder,
        ),
        run_config=tune.RunConfig(
            storage_path=str(plan.run),
            name="trials",
            callbacks=[reporter],
            stop=reporter.interruption,
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=3),
            checkpoint_config=tune.CheckpointConfig(num_to_keep=2, checkpoint_frequency=1, checkpoint_at_end=True),
        ),
    )


def _trial_folder(trial: Any) -> str:
    """Name of a trial's folder: its number in the study."""
    return str(trial.config["trial"])


if __name__ == "__main__":
    sys.exit(main())
