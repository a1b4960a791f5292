"""A real search in which things go wrong: every trial ends in its true state, and nothing that was finished is lost."""

import contextlib
import json
import math
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import tune
from reporting.trial_folder import read_scores
from search_spaces.search.study import Outcome, TrialRecord, open_study, records
from tests.small_disk import mounted
from tests.toy_space import EVALUATIONS, ended, rows, start, wait_until, write_space
from trainables import trial as trials

pytestmark = pytest.mark.usefixtures("ray_folder")


@pytest.fixture
def ray_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # Ray's sockets live in its folder, and a socket's path may not be longer than 107 characters.
    with tempfile.TemporaryDirectory(prefix="wtg", dir="/tmp", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield folder


@pytest.fixture
def begin(tmp_path: Path) -> list[str]:
    """Options of a new search in `tmp_path / "run"` that stops no trial early."""
    where = ["--results", str(tmp_path), "--name", "run"]
    return ["--space", write_space(tmp_path), *where, "--scheduler", "none"]


def found(run: Path) -> dict[str, TrialRecord]:
    return {record.name: record for record in records(open_study(run))}


def outcomes(run: Path) -> list[Outcome]:
    return [record.outcome for record in found(run).values()]


def check_told(run: Path) -> None:
    """The leaderboard says what the study does, and all evaluations were written once."""
    lines: list[dict[str, Any]] = json.loads((run / "leaderboard.json").read_text())
    told = {line["name"]: (line["outcome"], line["objective"]) for line in lines if line["outcome"] != "anchor"}
    assert told == {name: (record.outcome.value, record.objective) for name, record in found(run).items()}
    for name, record in found(run).items():
        written = [row["training_iteration"] for row in read_scores(run / "trials" / name)]
        assert written == list(range(1, len(written) + 1))
        assert record.outcome is not Outcome.FINISHED or len(written) == EVALUATIONS


def faulty(markers: Path) -> type[trials.SystemTrial]:
    """A system that goes wrong in a way of its own in each trial but the first."""

    class Faulty(trials.SystemTrial):  # made here, so that it travels to Ray's workers as a whole
        system = "baseline"

        def step(self) -> dict[str, Any]:
            name, evaluation = self.config["trial"], self.training.evaluation + 1
            if name == "0001":
                raise MemoryError("no room for this one")
            if name == "0002" and self.for_the_first_time("lost"):
                os._exit(1)  # as when the system takes its memory back, or its machine is lost
            if name == "0003" and evaluation == 2:
                with torch.no_grad():
                    self.training.system.players.generator.output.weight.fill_(math.nan)
            if name == "0004" and self.iteration == 1 and self.for_the_first_time("raised"):
                raise RuntimeError("once")
            return super().step()

        def for_the_first_time(self, what: str) -> bool:
            first = not (markers / what).exists()
            (markers / what).touch()
            return first

    return Faulty


def test_every_fault_ends_in_its_true_state(
    begin: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trials, "TRAINABLES", {"baseline": faulty(tmp_path)})
    assert tune.main([*begin, "--trials", "5"]) == 0
    run, output = tmp_path / "run", capsys.readouterr().out
    told = found(run)
    assert [(record.outcome.value, record.attempts) for record in told.values()] == [
        ("finished", 1),
        ("failed", 4),
        ("finished", 2),
        ("diverged", 1),
        ("finished", 2),
    ]
    assert told["0001"].reason.startswith("crashed 4 times: ")
    assert "no room for this one" in told["0001"].reason
    assert (run / "trials" / "0001" / "error.txt").read_text().count("MemoryError: no room for this one") >= 4
    assert (run / "trials" / "0001" / "config.json").exists()
    assert told["0003"].objective is None
    check_told(run)
    assert "failed" in (run / "leaderboard.md").read_text()
    assert "Winner: trial 000" in output
    assert "Traceback" not in output


def test_ctrl_c_ends_the_search_in_order_and_it_can_go_on_and_have_more(begin: list[str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(*begin, "--trials", "4")
    wait_until(lambda: rows(run) >= 1, process)
    other = ended(start("--space", write_space(run.parent), "--resume", str(run)))
    assert f"{run} is being searched by another process ({process.pid}): wait for it, or end it." in other
    process.send_signal(signal.SIGINT)
    output = ended(process)
    assert process.returncode == 130
    assert "Stopping, and writing what there is" in output
    assert "Interrupted after" in output
    assert f"python tune.py --resume {run}" in output
    assert set(outcomes(run)) <= {Outcome.INTERRUPTED, Outcome.FINISHED}
    check_told(run)

    process = start("--space", write_space(run.parent), "--resume", str(run))
    assert "It goes on in" in ended(process)
    assert process.returncode == 0
    assert outcomes(run) == [Outcome.FINISHED] * 4
    check_told(run)
    before = found(run)

    process = start("--space", write_space(run.parent), "--resume", str(run), "--trials", "5", "--time-budget", "1h")
    assert "Winner: trial" in ended(process)
    assert outcomes(run) == [Outcome.FINISHED] * 5
    assert {name: record for name, record in found(run).items() if name in before} == before
    check_told(run)


def test_ctrl_c_twice_ends_it_at_once_and_still_tells_the_truth(begin: list[str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(*begin, "--trials", "50")
    wait_until(lambda: bool(list(run.glob("trials/*/config.json"))), process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    ended(process)
    assert process.returncode == 130
    assert not {Outcome.RUNNING, Outcome.FAILED} & set(outcomes(run))
    check_told(run)


def test_time_that_runs_out_before_anything_is_judged_gets_one_line_and_can_be_extended(
    begin: list[str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = start(*begin, "--trials", "1", "--time-budget", "1s")
    output = ended(process)
    assert process.returncode == 2
    assert output.splitlines()[-1] == (
        "tune.py: error: No trial came to an evaluation: give it more time (--time-budget)."
    )
    assert set(outcomes(run)) <= {Outcome.INTERRUPTED}
    assert all(record.reason == "out of time" for record in found(run).values())

    process = start("--space", write_space(run.parent), "--resume", str(run), "--time-budget", "none")
    ended(process)
    assert process.returncode == 0
    assert outcomes(run) == [Outcome.FINISHED]


def test_more_trials_at_a_time_than_the_machine_holds_are_refused(begin: list[str]) -> None:
    process = start(*begin, "--concurrency", "1000")
    output = ended(process)
    assert process.returncode == 2
    assert "--concurrency is 1000, but there is room for" in output.splitlines()[-1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which the toy search has room, as long as nobody else fills it."""
    with mounted(tmp_path, "200m") as disk:
        yield disk


def fill(disk: Path) -> Path:
    """A file that takes all there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * (1 << 20)):
            pass
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0"):
            pass
    return filler


def test_a_full_disk_is_waited_for(small_disk: Path, begin: list[str], tmp_path: Path) -> None:
    run, log = small_disk / "run", tmp_path / "output.txt"
    with log.open("w") as output:
        process = start(*begin, "--trials", "2", "--results", str(small_disk), output=output.fileno())
    wait_until(lambda: rows(run) >= 1, process)
    filler = fill(small_disk)
    assert shutil.disk_usage(small_disk).free == 0
    wait_until(lambda: "waiting until there is room; Ctrl-C ends." in log.read_text(), process)
    time.sleep(2)
    filler.unlink()
    assert process.wait(timeout=400) == 0, log.read_text()
    assert outcomes(run) == [Outcome.FINISHED] * 2
    check_told(run)
