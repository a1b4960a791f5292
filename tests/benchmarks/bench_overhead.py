"""What a search costs beside its trainings: `tune.py` against plain Optuna, and its driver by the number of trials.

    python tests/benchmarks/bench_overhead.py                 40 real trials of a few seconds, in turns, thrice each
    python tests/benchmarks/bench_overhead.py --trivial       1,000 trials that do nothing
    python tests/benchmarks/bench_overhead.py --trivial --profile driver.prof

Plain Optuna is two processes that share a study in one journal; each loads corpus and judge once, trains on one thread
with the very same code, and writes nothing but the study. `tune.py` runs two trials at a time and leaves all that it
always does: scores, music, pictures, sound, checkpoints, TensorBoard, leaderboard. Both have the same settings.

Time is counted from the beginning of the first training to the end of the last; what comes before and after (Python,
Ray, the corpus, the last words) is told apart, as it is the same for a search of a night. A machine that does other
things as well says little: what is the same on both sides slows down likewise, but not at the same time.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from machine import processor  # beside this script
from overhead_processes import MADE, NOTES_OF_DRIVER, NOTES_OF_TRAININGS, PLAIN, TUNE

SCRIPT: Final = Path(__file__).with_name("overhead_processes.py")
AT_A_TIME: Final = 2
MOST: Final = 1.15
"""What a search may take, in units of plain Optuna's time."""

MARKS: Final = (100, 300, 1_000)

Notes = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of a run.

    Attributes:
        before: from its start to the beginning of the first training.
        trials: from there to the end of the last training.
        after: from there to its end.
        idle: share of `trials` in which a process waited for its next step.
        driver: clock and processor time of the driver at the end of each trial; empty where there is none.
    """

    before: float
    trials: float
    after: float
    idle: float
    driver: Notes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, help="trials of each run (default: 40, or 1,000 trivial ones)")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--trivial", action="store_true", help="trials that do nothing")
    parser.add_argument("--profile", type=Path, help="file for a profile of the driver, by cProfile")
    arguments = parser.parse_args()
    print(f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()},")
    print(", ".join(f"{name} {version(name)}" for name in ("torch", "ray", "optuna")))
    options = ["--profile", str(arguments.profile)] if arguments.profile else []
    if arguments.trivial:
        lines = _trivial(arguments.trials or MARKS[-1], options)
    else:
        lines = _real(arguments.trials or 40, arguments.pairs, options)
    for line in lines:
        print(line, flush=True)


def _trivial(trials: int, options: Sequence[str]) -> Iterator[str]:
    times = _run(TUNE, trials, ["--trivial", *options])
    yield from _growth(times.driver)
    yield _told("tune.py", times)


def _real(trials: int, pairs: int, options: Sequence[str]) -> Iterator[str]:
    """Runs in turns, so that what else the machine does comes to both."""
    ours, plain = [], []
    for number in range(1, pairs + 1):
        plain.append(_run(PLAIN, trials))
        yield f"{number}  {_told('plain Optuna', plain[-1])}"
        ours.append(_run(TUNE, trials, options))
        yield f"{number}  {_told('tune.py', ours[-1])}, driver {_each(ours[-1].driver)[1]:.0f} ms a trial"
        yield f"{number}  trials of tune.py / of plain Optuna: {ours[-1].trials / plain[-1].trials:.3f}"
    ratio = sum(times.trials for times in ours) / sum(times.trials for times in plain)
    fixed = [statistics.median(times.before + times.after for times in runs) for runs in (ours, plain)]
    yield f"all: {ratio:.3f}, {MOST} at most; before and after, tune.py {fixed[0]:.1f} s, plain Optuna {fixed[1]:.1f} s"


def _told(name: str, times: Times) -> str:
    spans = f"{times.before:6.1f} s before, {times.trials:6.1f} s trials, {times.after:5.1f} s after"
    return f"{name:<13}{spans}, {100 * times.idle:4.1f} % idle"


def _growth(driver: Notes) -> Iterator[str]:
    """What a trial takes of the driver, between one number of trials and the next."""
    marks = [0, *(mark for mark in MARKS if mark <= len(driver))]
    for first, last in itertools.pairwise(marks):
        clock, used = _each(driver[max(0, first - 1) : last])
        yield f"trials {first + 1:>4} to {last:>5}: {clock:6.1f} ms each, {used:6.1f} ms of the driver's processor time"


def _each(driver: Notes) -> tuple[float, float]:
    """Milliseconds of clock and processor from one trial's end to the next."""
    clock, used = (1000 * (last - first) / (len(driver) - 1) for first, last in zip(driver[0], driver[-1], strict=True))
    return clock, used


def _run(role: str, trials: int, options: Sequence[str] = ()) -> Times:
    """Run it in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="wtg", dir="/tmp", ignore_cleanup_errors=True) as name:
        if role == PLAIN:
            _start(MADE, name, trials).wait()
        start = time.monotonic()
        processes = [_start(role, name, trials, options) for _ in range(AT_A_TIME if role == PLAIN else 1)]
        if sum(process.wait() for process in processes):  # all of them are waited for
            raise SystemExit(f"{role} failed")
        end = time.monotonic()
        trainings, driver = (_read(Path(name) / file) for file in (NOTES_OF_TRAININGS, NOTES_OF_DRIVER))
    if len(trainings) != trials:
        raise SystemExit(f"{role} ran {len(trainings)} of {trials} trials")
    first, last = min(begun for begun, _, _ in trainings), max(ended for _, ended, _ in trainings)
    idle = 1 - sum(busy for _, _, busy in trainings) / AT_A_TIME / (last - first)
    return Times(before=first - start, trials=last - first, after=end - last, idle=idle, driver=driver)


def _start(role: str, folder: str, trials: int, options: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(SCRIPT), role, folder, str(trials), *options]
    settings = {"RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0"}
    return subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL)


def _read(file: Path) -> Notes:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


if __name__ == "__main__":
    main()
