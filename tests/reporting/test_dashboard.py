"""optuna-dashboard reads `study.journal` while a search writes it, and changes nothing of it."""

import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import listening_addresses

pytest.importorskip("optuna_dashboard", reason="needs the dashboard extra")

ROOT = Path(__file__).parent.parent.parent
LOOPBACK = "0100007F"

DASHBOARD = """
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="optuna-dashboard")
command.load()()
"""

# Another process, as a search is: it halts half-way until it is told to go on.
WRITER = """
import math, sys
from pathlib import Path
import optuna
from optuna.trial import TrialState
from search_spaces.search.study import open_study

names = sys.argv[2].split(",")
study = open_study(Path(sys.argv[1]), sampler=optuna.samplers.RandomSampler(seed=0), objectives=names)
for number in range(20):
    trial = study.ask()
    rate = trial.suggest_float("rate", 0.0, 1.0)
    if trial.suggest_categorical("norm", ["none", "d"]) == "d":
        trial.suggest_int("iterations", 1, 4)
    trial.set_user_attr("name", f"{number:04d}")
    if number == 10:
        print("half", flush=True)
        sys.stdin.readline()
    if number % 5 == 4:
        trial.set_user_attr("diverged", True)
        if len(names) == 1:
            trial.report(math.nan, step=1)
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, [rate, 1 - rate][: len(names)])
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(code: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def ask(port: int, path: str) -> Any:
    with urlopen(f"http://127.0.0.1:{port}/api/{path}", timeout=30) as answer:
        return json.loads(answer.read(), parse_constant=pytest.fail)  # a browser knows no NaN


def answers(port: int) -> bool:
    try:
        return bool(ask(port, "studies"))
    except URLError:
        return False


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while not answers(port):
        assert time.monotonic() < deadline, "the dashboard does not answer"
        time.sleep(0.25)


@pytest.mark.parametrize("names", ["objective", "realism,balance"])
def test_the_dashboard_follows_a_search(tmp_path: Path, names: str) -> None:
    journal, port = tmp_path / "study.journal", free_port()
    with process(WRITER, str(tmp_path), names) as writer:
        assert writer.stdin
        assert writer.stdout
        assert writer.stdout.readline() == "half\n"
        before = journal.read_bytes()
        with process(DASHBOARD, str(journal), "--port", str(port), "--quiet") as dashboard:
            wait_for(port)
            assert listening_addresses(dashboard.pid) <= {LOOPBACK}
            (study,) = ask(port, "studies")["study_summaries"]
            assert study["directions"] == ["minimize"] * len(names.split(","))
            assert states(port) == {"Complete": 8, "Pruned": 2, "Running": 1}
            shares = ask(port, f"studies/{study['study_id']}/param_importances")["param_importances"]
            assert [{each["name"] for each in of_one} for of_one in shares] == [{"rate", "norm", "iterations"}] * len(
                names.split(",")
            )
            assert journal.read_bytes() == before  # it only reads
            writer.stdin.write("\n")
            writer.stdin.flush()
            seen, deadline = [states(port)], time.monotonic() + 60
            while writer.poll() is None or seen[-1] != {"Complete": 16, "Pruned": 4}:  # it looks every few seconds
                assert time.monotonic() < deadline, seen[-1]
                time.sleep(0.2)
                seen.append(states(port))
            assert writer.returncode == 0
            counts = [sum(each.values()) for each in seen]
            assert counts == sorted(counts)


def states(port: int) -> dict[str, int]:
    return dict(Counter(trial["state"] for trial in ask(port, "studies/0")["trials"]))
