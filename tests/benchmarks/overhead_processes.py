"""The processes that `bench_overhead.py` measures. They note when trainings begin and end, by the machine's clock."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[2]))

SPACE_FILE: Final = str(Path(__file__).with_name("short_trials.py"))
SEED: Final = 0
TUNE: Final = "tune"
PLAIN: Final = "plain"
MADE: Final = "make"
NOTES_OF_TRAININGS: Final = "trainings"
NOTES_OF_DRIVER: Final = "driver"


def main() -> None:
    """Be one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("trials", type=int)
    parser.add_argument("--trivial", action="store_true")
    parser.add_argument("--profile", type=Path)
    arguments = parser.parse_args()
    ROLES[arguments.role](arguments)


def tune(arguments: argparse.Namespace) -> None:
    """`tune.py`, whose trainables and driver take notes."""
    import cProfile

    import tune
    from reporting.callbacks import RunReporter
    from trainables import trial

    trial.TRAINABLES = {"baseline": _noting(arguments.folder / NOTES_OF_TRAININGS, trivial=arguments.trivial)}
    complete = RunReporter.on_trial_complete

    def noted(self: RunReporter, *args: Any, **kwargs: Any) -> None:
        complete(self, *args, **kwargs)
        _note(arguments.folder / NOTES_OF_DRIVER, time.monotonic(), time.process_time())

    RunReporter.on_trial_complete = noted
    options = ["--space", SPACE_FILE, "--sampler", "random", "--scheduler", "none", "--seed", str(SEED)]
    options += ["--trials", str(arguments.trials), "--concurrency", "2"]
    options += ["--results", str(arguments.folder), "--name", "run"]
    profile = cProfile.Profile()
    status = profile.runcall(tune.main, options) if arguments.profile else tune.main(options)
    if arguments.profile:
        profile.dump_stats(arguments.profile)
    sys.exit(status)


def _noting(file: Path, *, trivial: bool) -> type:
    """The trainable, or with `trivial` one that does nothing but report what a real one does, without music."""
    from trainables.trial import SystemTrial

    note, result = _note, _result() if trivial else {}

    class Noting(SystemTrial):  # made here, so that it travels to Ray's workers as a whole
        system = "baseline"

        def step(self) -> dict[str, Any]:
            start = time.monotonic()
            if self.iteration == 0:
                self.begun, self.busy = start, 0.0
            found = self.nothing() if trivial else super().step()
            end = time.monotonic()
            self.busy += end - start
            if found["done"]:
                note(file, self.begun, end, self.busy)
            return found

        def nothing(self) -> dict[str, Any]:
            evaluation = self.iteration + 1
            return result | {"training_iteration": evaluation, "bars": evaluation, "done": evaluation == 2}

    return Noting


def _result() -> dict[str, Any]:
    """What a real trial reports, its state a few bytes."""
    found = _training({}, *_given()).step(1)
    return {name: value for name, value in found.items() if name != "_media"} | {"_state": b"nothing"}


def make_study(arguments: argparse.Namespace) -> None:
    """A study in which the settings wait that `tune.py` will be suggested."""
    import optuna

    from search_spaces.search.samplers import sampler_of
    from search_spaces.space import load_space

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = load_space(SPACE_FILE)
    chance = optuna.create_study(sampler=sampler_of("random", space, seed=SEED, trials=arguments.trials, begun=0))
    study = optuna.create_study(study_name=PLAIN, storage=_storage(arguments.folder))
    for _ in range(arguments.trials):
        trial = chance.ask()
        space.suggest(trial, space.system)
        study.enqueue_trial(trial.params)


def plain(arguments: argparse.Namespace) -> None:
    """One process of plain Optuna."""
    import optuna
    import torch

    from search_spaces.space import load_space

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space, given = load_space(SPACE_FILE), _given()

    def objective(trial: optuna.Trial) -> float:
        if trial.number >= arguments.trials:  # nothing waits any more
            trial.study.stop()
            raise optuna.TrialPruned
        start = time.monotonic()
        training = _training(space.suggest(trial, space.system), *given)
        while not training.over:
            result = training.step(training.evaluation + 1)
            trial.report(result["objective"], training.evaluation)
        end = time.monotonic()
        _note(arguments.folder / NOTES_OF_TRAININGS, start, end, end - start)
        return float(result["objective"])

    optuna.load_study(study_name=PLAIN, storage=_storage(arguments.folder)).optimize(objective)


def _given() -> tuple[Any, ...]:
    """Corpus, judge and budget."""
    from data_prep import kinds
    from data_prep.locate import resolve
    from search_spaces.space import load_space
    from trainables.judge import Judge

    corpus, budget = kinds.load(resolve("builtin")), load_space(SPACE_FILE).budget
    return corpus, Judge(corpus, rollouts=budget.rollouts, early_rollouts=budget.early_rollouts), budget


def _training(settings: Mapping[str, Any], corpus: Any, judge: Any, budget: Any) -> Any:
    from trainables.training import Training

    return Training("baseline", settings, corpus, judge, budget, seed=SEED)


def _storage(folder: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(folder / "plain.journal")))


def _note(file: Path, *values: float) -> None:
    with file.open("a") as notes:
        notes.write(json.dumps(values) + "\n")


ROLES: Final[Mapping[str, Callable[[argparse.Namespace], None]]] = {TUNE: tune, PLAIN: plain, MADE: make_study}

if __name__ == "__main__":
    main()
