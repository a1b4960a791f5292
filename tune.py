"""The search: parse, plan, run, name the winner and the next command."""

import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_prep.errors import UserError
from search_spaces.options import parser, plan_of
from search_spaces.plan import Plan
from search_spaces.space import Space, load_space

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress

    from data_prep.corpus import Corpus
    from reporting.callbacks import RunReporter
    from reporting.leaderboard import Row
    from search_spaces.searcher import StudySearcher


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        arguments = parser().parse_args(argv)
        space = load_space(arguments.space)
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
    from rich.console import Console
    from rich.progress import Progress

    from data_prep import corpus as corpora
    from data_prep.sources import resolve
    from reporting.anchors import anchors
    from reporting.callbacks import RunReporter
    from reporting.provenance import provenance, write_json
    from reporting.tensorboard import write_hparams_columns
    from reporting.terminal import Terminal
    from search_spaces.searcher import StudySearcher
    from search_spaces.study import records
    from trainables.judge import Judge

    start = time.monotonic()
    console = Console(soft_wrap=True)
    _check_address(plan.address)
    with Progress(console=console, transient=True) as bar:
        folder = resolve(plan.data, _shown_on(bar, "Reading the music, this first time"))
    corpus = corpora.load(folder)
    console.print(f"Music: {corpus.num_bars:,} bars of {corpus.num_songs} songs in {folder}")
    scale = anchors(corpus, Judge(corpus, rollouts=space.budget.rollouts), seed=plan.seed)

    concurrency, resources = _start_ray(plan)
    plan.run.mkdir(parents=True)
    write_json(plan.run / "plan.json", plan.as_json(space))
    write_json(
        plan.run / "provenance.json",
        provenance(corpus_digest=corpus.digest, corpus_folder=folder, seed=plan.seed),
    )
    searcher = StudySearcher(plan.run, space, seed=plan.seed, concurrency=concurrency)
    write_hparams_columns(plan.run, space.parameters())
    reporter = RunReporter(
        plan.run,
        records=lambda: records(searcher.study),
        anchors=scale,
        terminal=Terminal(console, trials=plan.trials, evaluations=space.budget.evaluations),
        console=console,
        rung=space.first_rung,
    )
    console.print(
        f"Search: {plan.trials} trials of {space.budget.bars:,} bars, {concurrency} at a time on a "
        f"{'GPU' if 'gpu' in resources else 'CPU core'} each, in {plan.run}"
    )
    lines = _run(plan, space, corpus, searcher, reporter, resources)
    console.print(f"Done in {(time.monotonic() - start) / 60:.1f} minutes.")
    return _conclude(plan, lines, console)


def _shown_on(bar: "Progress", title: str) -> "Callable[[int, int], None]":
    """A progress callback (done, total) that shows a bar from its first call on."""
    tasks: list[Any] = []

    def progress(done: int, total: int) -> None:
        if not tasks:
            tasks.append(bar.add_task(title, total=total))
        bar.update(tasks[0], completed=done)

    return progress


def _check_address(address: str) -> None:
    """Refuse a cluster that does not answer: Ray itself would try for many minutes."""
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if address in ("local", "auto"):
        return
    if not separator or not port.isdecimal():
        raise UserError(f"--address is {address!r}, but must be local, auto or HOST:PORT.")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"--address is {address!r}, but no Ray cluster answers there: {error}") from error


def _start_ray(plan: Plan) -> tuple[int, dict[str, float]]:
    """Start or join Ray: how many trials at a time, and what each of them takes."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"  # RunReporter writes what they would
    os.environ["RAY_CHDIR_TO_TRIAL_DIR"] = "0"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # the only output that verbose=0 silences wholly
    local = plan.address == "local"
    if local:
        # Ray's name for "this machine alone": its servers then listen on the loopback address, on Linux as well.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    import ray

    try:
        extra = {"include_dashboard": False} if local else {}
        ray.init(address=plan.address, log_to_driver=False, logging_level="ERROR", **extra)
    except (ConnectionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"--address is {plan.address!r}, but no Ray cluster answers there: {reason}") from error
    available = ray.cluster_resources()
    resources = {"cpu": 1.0} | ({"gpu": 1.0} if available.get("GPU") else {})
    room = int(min(available.get(name.upper(), 0) // amount for name, amount in resources.items()))
    concurrency = plan.concurrency or room
    if not concurrency:
        raise UserError("The cluster has no room for a trial yet: wait until `ray status` shows workers.")
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(concurrency)  # Tune would start trials one after the other
    return concurrency, resources


def _run(
    plan: Plan,
    space: Space,
    corpus: "Corpus",
    searcher: "StudySearcher",
    reporter: "RunReporter",
    resources: dict[str, float],
) -> "list[Row]":
    """Let Ray Tune run the search; the final leaderboard."""
    import ray
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    from trainables.trial import TRAINABLES

    trainable = tune.with_parameters(TRAINABLES[space.system], corpus=corpus, budget=space.budget)
    tuner = tune.Tuner(
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
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=1),
            checkpoint_config=tune.CheckpointConfig(
                num_to_keep=2, checkpoint_frequency=space.first_rung, checkpoint_at_end=True
            ),
        ),
    )
    reporter.start()
    try:
        tuner.fit()
    finally:
        searcher.close("the search ended first")
        lines = reporter.close()
        ray.shutdown()
    return lines


def _trial_folder(trial: Any) -> str:
    """Name of a trial's folder: its number in the study."""
    return str(trial.config["trial"])


def _conclude(plan: Plan, lines: "list[Row]", console: "Console") -> int:
    """Name the winner, where to listen and the next command."""
    from reporting.anchors import RANDOM_BARS, REAL
    from reporting.leaderboard import winner

    best = winner(lines)
    if best is None or best.objective is None:
        raise UserError(f"No trial came to an evaluation: see error.txt in the folders of {plan.run / 'trials'}.")
    scale = {line.name: line.objective for line in lines if line.outcome == "anchor"}
    settings = ", ".join(f"{name} {value}" for name, value in best.parameters.items())
    console.print(
        f"Winner: trial {best.name} ({best.outcome}), objective {best.objective:.3f} "
        f"(real music {scale[REAL]:.3f}, random bars {scale[RANDOM_BARS]:.3f})"
    )
    console.print(f"  settings     {settings}")
    console.print(f"  listen       {plan.run / 'trials' / best.name / 'samples'}")
    console.print(f"  leaderboard  {plan.run / 'leaderboard.md'}")
    console.print(f"  look         tensorboard --logdir {_shown(plan.results)}")
    return 0


def _shown(path: Path) -> str:
    """Relative where that is shorter."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
