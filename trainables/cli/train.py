"""`python -m trainables train`: one configuration, with the outputs of a trial of a search."""

import time
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from rich.console import Console

from data_prep import kinds, locate
from data_prep.corpus import Corpus
from data_prep.errors import UserError
from data_prep.files import write_json
from data_prep.folder import shown
from data_prep.pool import cores
from data_prep.windows import WindowCorpus
from reporting import leaderboard
from reporting.anchors import anchors
from reporting.conclusion import conclude_training, quoted, relative
from reporting.progress import shown_on
from reporting.provenance import provenance
from reporting.tensorboard import TrialBoard
from reporting.trial_folder import TrialFolder
from reporting.trial_report import TrialReport
from search_spaces.run.run_folder import free_name, new_folder
from search_spaces.search.study import SEARCH, Outcome, TrialRecord, trial_name
from trainables.cli import about, display
from trainables.cli.plan import TrainPlan
from trainables.cli.runs import read_json, read_music, reading, run_folder
from trainables.cli.training import load, save, told, writing
from trainables.config import Budget
from trainables.device import device_of
from trainables.epochs import epoch_bars, num_keys
from trainables.judge import Judge
from trainables.memory import within_memory
from trainables.settings import read_settings
from trainables.systems import corpora_of, described
from trainables.training import Training

DIVERGED: Final = 1
INTERRUPTED: Final = 130

_TRIAL: Final = trial_name(SEARCH, 0)
_READING: Final = "Reading the music, this first time"


def train(options: Namespace) -> int:
    """Train what the options say: 0, 1 if it diverged, 130 if it was interrupted.

    Raises:
        UserError: options that cannot be, or a place that cannot be written to.
    """
    console = display.console()
    return _resumed(options, console) if options.resume else _new(options, console)


def _new(options: Namespace, console: Console) -> int:
    settings = read_settings(options.system, options.set)
    parts = described(options.system, settings)
    device = device_of(options.device)
    name = free_name(options.results, options.system) if options.name is None else options.name
    run = new_folder(options.results, name)
    locate.check(options.data, corpora_of(options.system))
    with shown_on(console, _READING) as progress:
        folder = locate.resolve(options.data, progress, jobs=cores())
    music = kinds.load(folder)
    epoch = epoch_bars(parts, music)
    plan = TrainPlan(
        system=options.system,
        settings=settings,
        data=options.data,
        seed=options.seed,
        device=device,
        threads=options.threads,
        budget=_budget(options, epoch),
    )
    console.print(f"Music: {_size(music)} in {shown(str(folder))}")
    console.print(f"System: {plan.system}, {about.told(about.weights(parts.network))} weights, on {device}")
    judge = Judge(music, rollouts=plan.budget.rollouts, early_rollouts=plan.budget.early_rollouts)
    if judge.remark:
        console.print(f"Remark: {judge.remark}")
    training = _training(plan, music, judge)
    scale = anchors(music, judge)
    resources = {"gpu": 1.0} if device.startswith("cuda") else {"cpu": float(plan.threads)}
    sources = provenance(
        corpus_digest=music.digest,
        corpus_folder=folder,
        seeds={"training": plan.seed},
        resources=resources,
        device=device,
    )
    trial = run / "trials" / _TRIAL
    with writing(run):
        trial.mkdir(parents=True)
        write_json(run / "provenance.json", sources)
        write_json(trial / "config.json", {"trial": _TRIAL, "settings": settings, "seed": plan.seed})
        write_json(run / "plan.json", plan.as_json())
    console.print(f"Training: {_length(plan.budget, epoch, num_keys(parts))}")
    return _run(plan, run, training, scale, console)


def _resumed(options: Namespace, console: Console) -> int:
    run = run_folder(options.resume)
    values = read_json(run / "plan.json")
    if isinstance(values, dict) and "space" in values:
        raise UserError(f"{shown(str(run))} is a search, which cannot be gone on with: name a run of `train`.")
    with reading(run / "plan.json"):
        plan = TrainPlan.from_json(values)
    device_of(plan.device)  # before any long work
    with shown_on(console, _READING) as progress:
        music = read_music(run, progress)
    bars = _bars(options, epoch_bars(described(plan.system, plan.settings), music))
    plan = plan if bars is None else plan.extended(bars)
    judge = Judge(music, rollouts=plan.budget.rollouts, early_rollouts=plan.budget.early_rollouts)
    training = _training(plan, music, judge)
    with writing(run):
        (run / "trials" / _TRIAL).mkdir(parents=True, exist_ok=True)
        load(training, run / "trials" / _TRIAL)
        write_json(run / "plan.json", plan.as_json())
    console.print(
        f"Going on with {shown(run.name)} after evaluation {training.evaluation} of {plan.budget.evaluations}"
    )
    return _run(plan, run, training, anchors(music, judge), console)


def _training(plan: TrainPlan, music: Corpus | WindowCorpus, judge: Judge) -> Training:
    torch.set_num_threads(plan.threads)
    training = Training(
        plan.system, plan.settings, music, judge, plan.budget, seed=plan.seed, device=device_of(plan.device)
    )
    _ = training.system  # built now: what cannot be is refused before anything is written
    return training


def _budget(options: Namespace, epoch: int) -> Budget:
    """The default budget with what the options change."""
    given = {name: getattr(options, name) for name in ("evaluations", "rollouts")} | {"bars": _bars(options, epoch)}
    return Budget(**{name: value for name, value in given.items() if value is not None})


def _bars(options: Namespace, epoch: int) -> int | None:
    """The length asked for, in bars; None where it was not."""
    bars: int | None = options.bars
    epochs: float | None = options.epochs
    if epochs is None:
        return bars
    if not 0 < epochs < 1e6:
        raise UserError(f"--epochs is {epochs:g}, but must be above 0 and below a million.")
    return max(1, round(epochs * epoch))


def _size(music: Corpus | WindowCorpus) -> str:
    count = f"{music.num_bars:,} bars" if isinstance(music, Corpus) else f"{music.num_windows:,} windows"
    return f"{count} of {music.num_songs:,} songs"


def _length(budget: Budget, epoch: int, num_keys: int) -> str:
    keys = f" in {num_keys} keys" if num_keys > 1 else ""
    return (
        f"{budget.bars:,} bars shown to its optimisers, judged {budget.evaluations} times; {budget.bars / epoch:.3g} "
        f"epochs of {epoch:,}, in each of which all training music is dealt once{keys}"
    )


def _run(
    plan: TrainPlan, run: Path, training: Training, scale: Mapping[str, Mapping[str, float]], console: Console
) -> int:
    """Train to the end of the budget, write everything down, and say how it ended."""
    start, trial = time.monotonic(), run / "trials" / _TRIAL
    parts = described(plan.system, plan.settings)
    parameters = {"system": plan.system, **asdict(parts.network), **asdict(parts.config)}
    outcome = Outcome.INTERRUPTED
    with writing(run):
        board = TrialBoard(trial, parameters, session=f"{run.name}/{_TRIAL}")
        report = TrialReport(TrialFolder(trial), board)
    try:
        _evaluations(plan, trial, training, report, console)
        outcome = Outcome.DIVERGED if training.last["diverged"] else Outcome.FINISHED
    except KeyboardInterrupt:
        pass
    finally:
        with writing(run):
            report.close(failed=outcome is Outcome.DIVERGED)
            _write_leaderboard(plan, run, training, outcome, scale)
    if outcome is Outcome.INTERRUPTED:
        return _interrupted(run, training, plan, console)
    if outcome is Outcome.DIVERGED:
        console.print(f"Diverged: {training.last['verdict_reason']}{_last_good(trial)}.")
        return DIVERGED
    conclude_training(run, _TRIAL, training.last, scale, (time.monotonic() - start) / 60, console)
    return 0


def _evaluations(plan: TrainPlan, trial: Path, training: Training, report: TrialReport, console: Console) -> None:
    begun, before = training.system.bars_seen, training.seconds
    with display.progress_of(console, plan.budget.bars, lambda: training.system.bars_seen) as beside:
        while not training.over:
            with within_memory():
                result = training.step(training.evaluation + 1)
            with writing(trial):
                report.add(result, result.pop("_media", None), audio=False)
                if not result["diverged"]:
                    save(training, trial)
            speed = (training.system.bars_seen - begun) / max(training.seconds - before, 1e-9)
            console.print(told(result, plan.budget.evaluations, speed))
            beside("  ".join(f"{name} {value:.3g}" for name, value in result["losses"].items() if "loss" in name))


def _write_leaderboard(
    plan: TrainPlan,
    run: Path,
    training: Training,
    outcome: Outcome,
    scale: Mapping[str, Mapping[str, float]],
) -> None:
    """The run between real music and chance."""
    judged = bool(training.last) and outcome is not Outcome.DIVERGED
    record = TrialRecord(
        name=_TRIAL,
        outcome=outcome,
        objective=training.last["objective"] if judged else None,
        parameters={"system": plan.system, **plan.settings},
        known="",
        reason=training.last.get("verdict_reason", "") if outcome is Outcome.DIVERGED else "",
    )
    leaderboard.write(run, leaderboard.rows(run, [record], scale))


def _interrupted(run: Path, training: Training, plan: TrainPlan, console: Console) -> int:
    console.print(f"Interrupted after evaluation {training.evaluation} of {plan.budget.evaluations}.")
    console.print(f"  go on        python -m trainables train --resume {quoted(run)}")
    return INTERRUPTED


def _last_good(trial: Path) -> str:
    samples = trial / "samples"
    return f"; the last good music is in {relative(samples)}" if samples.is_dir() else ""
