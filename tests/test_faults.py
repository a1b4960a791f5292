"""A real search in which things go wrong: every trial ends in its true state, and nothing that was finished is lost."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import tune
from search_spaces.study import Outcome, open_study, records
from trainables import trial as trials

ROOT = Path(tune.__file__).parent


@pytest.fixture
def ray_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # Ray's sockets live in its folder, and a socket's path may not be longer than 107 characters.
    with tempfile.TemporaryDirectory(prefix="wtg", dir="/tmp", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield folder


def faulty(marker: Path) -> type[trials.SystemTrial]:
    """A system that goes wrong in a way of its own in each trial but the first."""

    class Faulty(trials.SystemTrial):  # made here, so that it travels to Ray's workers as a whole
        system = "baseline"

        def step(self) -> dict[str, Any]:
            name, evaluation = self.config["trial"], self.iteration + 1
            if name == "0001":
                raise MemoryError("no room for this one")
            if name == "0002" and evaluation == 4 and not marker.exists():
                marker.touch()
                os._exit(1)  # as if its machine were lost
            if name == "0003" and evaluation == 2:
                with torch.no_grad():
                    self.training.system.players.generator.output.weight.fill_(math.nan)
            return super().step()

    return Faulty


@pytest.mark.usefixtures("ray_folder")
def test_every_fault_ends_in_its_true_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trials, "TRAINABLES", {"baseline": faulty(tmp_path / "lost")})
    assert tune.main(["--space", "smoke", "--results", str(tmp_path), "--name", "run"]) == 0
    run = tmp_path / "run"
    found = {record.name: record for record in records(open_study(run, seed=0))}
    assert found["0000"].outcome is Outcome.FINISHED
    assert found["0001"].outcome is Outcome.FAILED
    assert "error.txt" in found["0001"].reason
    assert "no room for this one" in (run / "trials" / "0001" / "error.txt").read_text()
    assert (run / "trials" / "0001" / "config.json").exists()
    assert found["0003"].outcome is Outcome.DIVERGED
    assert found["0003"].objective is None

    # The lost trial went on from its checkpoint, and is told once; unless it had to stop at its rung.
    rows = [json.loads(row) for row in (run / "trials" / "0002" / "scores.jsonl").read_text().splitlines()]
    assert [row["training_iteration"] for row in rows] == list(range(1, len(rows) + 1))
    assert found["0002"].outcome is (Outcome.FINISHED if len(rows) == 4 else Outcome.STOPPED)
    assert found["0002"].objective == rows[-1]["objective"]

    output = capsys.readouterr().out
    assert "Winner: trial 000" in output
    assert "Traceback" not in output
    leaderboard = json.loads((run / "leaderboard.json").read_text())
    assert {line["name"]: line["outcome"] for line in leaderboard if line["outcome"] != "anchor"} == {
        name: record.outcome.value for name, record in found.items()
    }


def start(results: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "tune.py", "--space", "smoke", "--results", str(results), "--name", "run", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.usefixtures("ray_folder")
def test_ctrl_c_ends_the_search_in_order_and_says_so(tmp_path: Path) -> None:
    process = start(tmp_path, "--trials", "50")
    wait_for(tmp_path, "run/trials/*/scores.jsonl")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopping, and writing what there is" in output
    assert "Interrupted after" in output
    assert "Best so far" in output or "Winner" in output
    outcomes = {record.outcome for record in records(open_study(tmp_path / "run", seed=0))}
    assert Outcome.RUNNING not in outcomes


@pytest.mark.usefixtures("ray_folder")
def test_ctrl_c_twice_ends_it_at_once_and_still_tells_the_truth(tmp_path: Path) -> None:
    process = start(tmp_path, "--trials", "50")
    wait_for(tmp_path, "run/trials/*/config.json")
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in output
    assert Outcome.RUNNING not in {record.outcome for record in records(open_study(tmp_path / "run", seed=0))}
    leaderboard = json.loads((tmp_path / "run" / "leaderboard.json").read_text())
    assert "running" not in {line["outcome"] for line in leaderboard}


@pytest.mark.usefixtures("ray_folder")
def test_time_that_runs_out_before_anything_is_judged_gets_one_line(tmp_path: Path) -> None:
    process = start(tmp_path, "--time-budget", "1s")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert output.splitlines()[-1] == (
        "tune.py: error: No trial came to an evaluation: give it more time (--time-budget)."
    )
    found = records(open_study(tmp_path / "run", seed=0))
    assert {record.outcome for record in found} <= {Outcome.UNJUDGED}
    assert all(record.reason == "out of time" for record in found)


def test_more_trials_at_a_time_than_the_machine_holds_are_refused(tmp_path: Path, ray_folder: str) -> None:
    process = start(tmp_path, "--concurrency", "1000")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "--concurrency is 1000, but this machine has room for" in output.splitlines()[-1]
