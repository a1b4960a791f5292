"""Does the search search? TPE and early stopping against chance, on real training of equal length.

    python tests/benchmarks/bench_search.py --out trainings.jsonl --repeats 0,2,4 &
    python tests/benchmarks/bench_search.py --out trainings.jsonl --repeats 1,3; wait
    python tests/benchmarks/bench_search.py --out trainings.jsonl                      the table of all repeats

Searches of `gan_balance` with MidiNet's loss and without known points, in each repeat from another seed: by chance, by
chance with trials stopped early (ASHA, or the median rule), and TPE with ASHA, which is what `tune.py` does. Each is
the real ledger, sampler and rule around the real training, one trial after the other on one thread and without Ray;
each ends when it has spent the same budget, in the middle of a trial if need be. What counts is the best objective of a
trial that had its full budget, as it is that one which a search hands over.

A training is the same whenever it is done again (same settings, same seed: same numbers), so none is: searches by
chance see the same settings and share their trainings, as do the first ten of TPE, which are by chance too. With
`--out` they outlive the process: started again, it goes on where it was.

Trainings are small, or this would take a day: 6,912 bars in batches of 16, with learning rates ten times as high, which
is {steps} steps of MidiNet's 1:2. They separate good settings from bad ones, as a search has to; the music is not worth
hearing.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import optuna
import torch
from machine import processor  # beside this script
from optuna.trial import BaseTrial, TrialState

from data_prep.corpus import load
from data_prep.locate import resolve
from search_spaces import gan_balance
from search_spaces.restrict import pinned
from search_spaces.search.ledger import Assignment, Ledger
from search_spaces.search.samplers import sampler_of
from search_spaces.search.schedulers import SCHEDULERS
from search_spaces.search.stopping import Decision
from trainables.config import Budget
from trainables.judge import Judge
from trainables.training import Training

BATCH: Final = 16
STEPS: Final = 144
FASTER: Final = 10.0
BALANCE: Final = pinned(gan_balance.SPACE, {"loss": "bce"})


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """The settings of `gan_balance`, for trainings of a few seconds."""
    settings = BALANCE.suggest(trial, system)
    return settings | {"learning_rate": FASTER * settings["learning_rate"], "batch_size": BATCH}


SPACE: Final = replace(
    BALANCE,
    suggest=suggest,
    known=(),
    budget=Budget(bars=STEPS * 3 * BATCH, evaluations=8, rollouts=128, early_rollouts=32),
    first_rung=4,
)

STRATEGIES: Final = {
    "random": ("random", "none"),
    "random + ASHA": ("random", "asha"),
    "random + median": ("random", "median"),
    "TPE + ASHA": ("tpe", "asha"),
}
"""Sampler and scheduler of each; the first trains the settings of chance in full, for the next two to look up."""

PAIRS: Final = (
    ("random + ASHA", "random"),
    ("random + median", "random"),
    ("TPE + ASHA", "random"),
    ("TPE + ASHA", "random + ASHA"),
)

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """What became of one search.

    Attributes:
        best: the best objective of a full budget after each full budget that was spent, from the first.
        begun: trials begun.
        finished: those of them that had their full budget.
    """

    best: Sequence[float]
    begun: int
    finished: int


class Trainings:
    """Trains, and remembers what came of it: a line of JSON for each training."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, list[Result]] = {}
        self._given: tuple[Any, Judge] | None = None
        if file is not None and file.exists():
            lines = map(json.loads, file.read_text().splitlines())
            self._known = {line["training"]: line["results"] for line in lines}

    def results(self, assignment: Assignment) -> Iterator[Result]:
        """The evaluations of a training, each made when it is asked for unless it is known."""
        key = json.dumps([assignment.seed, dict(assignment.settings)], sort_keys=True)
        known = self._known.get(key, [])
        yield from known
        if known and (known[-1]["diverged"] or len(known) == SPACE.budget.evaluations):
            return
        training, results, start = self._training(assignment), [], time.process_time()
        try:
            while not training.over:
                found = training.step(training.evaluation + 1)
                results.append({name: found[name] for name in ("training_iteration", "objective", "diverged")})
                if len(results) > len(known):
                    yield results[-1]
        finally:
            self._known[key] = results
            self._write({"training": key, "results": results, "cpu_seconds": time.process_time() - start})

    def _training(self, assignment: Assignment) -> Training:
        if self._given is None:
            corpus, budget = load(resolve("builtin")), SPACE.budget
            self._given = corpus, Judge(corpus, rollouts=budget.rollouts, early_rollouts=budget.early_rollouts)
        training = Training(SPACE.system, assignment.settings, *self._given, SPACE.budget, seed=assignment.seed)
        training.system.diagnose = lambda *, seed: {}  # longer than so short a training, and nothing here asks for them
        return training

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is not None:
            with self._file.open("a") as file:
                file.write(json.dumps(line) + "\n")


def main() -> None:
    """Search in every way, repeat by repeat, and print the table."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").format(steps=STEPS), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="file of the trainings: read first, then appended to")
    parser.add_argument("--repeats", default="0,1,2,3,4", help="seeds of the repeats (default: 0,1,2,3,4)")
    parser.add_argument("--budgets", type=int, default=20, help="full budgets that a search may spend (default: 20)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, torch {version('torch')}")
    trainings = Trainings(arguments.out)
    repeats = [int(seed) for seed in arguments.repeats.split(",")]
    found: dict[str, list[Search]] = {name: [] for name in STRATEGIES}
    for repeat in repeats:
        for name in STRATEGIES:
            found[name].append(search(name, trainings, seed=repeat, budgets=arguments.budgets))
            last = found[name][-1]
            print(f"repeat {repeat}  {name:<16} best {last.best[-1]:.3f}  {last.begun} begun", flush=True)
    print("\n".join(table(found, arguments.budgets)))


def search(name: str, trainings: Trainings, *, seed: int, budgets: int) -> Search:
    """Search until so many full budgets are spent; `seed` is that of the sampler and of every training."""
    sampler, scheduler = STRATEGIES[name]
    study = optuna.create_study(
        study_name="search", sampler=sampler_of(sampler, SPACE, seed=seed, trials=budgets, begun=0)
    )
    ledger = Ledger(study, SPACE, trials=2 * budgets, seed=seed, rule=SCHEDULERS[scheduler].rule(SPACE))
    best: list[float] = [float("inf")]  # after so many evaluations
    left = budgets * SPACE.budget.evaluations
    while left and (assignment := ledger.next()):
        spent = _run(ledger, assignment, trainings, left)
        left -= spent
        best += [best[-1]] * (spent - 1) + [_best(study)]
    finished = len(study.get_trials(states=[TrialState.COMPLETE]))
    return Search(best[SPACE.budget.evaluations :: SPACE.budget.evaluations], ledger.begun, finished)


def _run(ledger: Ledger, assignment: Assignment, trainings: Trainings, left: int) -> int:
    """Run a trial for at most so many evaluations; how many it took."""
    with closing(trainings.results(assignment)) as results:
        for spent, result in enumerate(results, 1):
            decision = ledger.report(assignment.name, result)
            over = result["diverged"] or result["training_iteration"] == SPACE.budget.evaluations
            if over or decision is Decision.STOP:
                ledger.end(assignment.name, result)
                return spent
            if spent == left:
                return spent
    raise AssertionError(f"{assignment.name} ended without an end")


def _best(study: optuna.Study) -> float:
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return min((trial.value for trial in complete if trial.value is not None), default=float("inf"))


def table(found: Mapping[str, Sequence[Search]], budgets: int) -> Iterator[str]:
    """Means and deviations over the repeats, then differences within them and their standard errors."""
    marks = range(5, budgets + 1, 5)
    yield "| best full-budget objective after | " + " | ".join(f"{mark}" for mark in marks) + " | begun | finished |"
    yield "| --- |" + " --- |" * (len(marks) + 2)
    for name, searches in found.items():
        cells = [_mean_sd([each.best[mark - 1] for each in searches]) for mark in marks]
        counts = [_mean([each.begun for each in searches]), _mean([each.finished for each in searches])]
        yield f"| {name} | " + " | ".join([*cells, *counts]) + " |"
    for one, other in PAIRS:
        pairs = list(zip(found[one], found[other], strict=True))
        cells = [_mean_error([a.best[mark - 1] - b.best[mark - 1] for a, b in pairs]) for mark in marks]
        yield f"| {one} less {other} | " + " | ".join(cells) + " | | |"


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.1f}"


def _mean_sd(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.3f} ± {_deviation(values):.3f}"


def _mean_error(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):+.3f} ± {_deviation(values) / len(values) ** 0.5:.3f}"


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


if __name__ == "__main__":
    main()
