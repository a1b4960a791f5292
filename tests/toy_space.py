"""A space file whose trials take a second or two, and the searches in processes of their own that tests start of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import tune
from reporting.trial_folder import read_scores

ROOT = Path(tune.__file__).parent
EVALUATIONS = 3
_FILE = f"""
from dataclasses import replace

from search_spaces import smoke
from trainables.config import Budget

SPACE = replace(smoke.SPACE, budget=Budget(bars=3_000, evaluations={EVALUATIONS}, rollouts=16), first_rung=2)
"""


def write_space(folder: Path) -> str:
    """The path of the file, made in this folder."""
    (folder / "toy.py").write_text(_FILE)
    return str(folder / "toy.py")


def start(*arguments: str, output: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    command = [sys.executable, "tune.py", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, text=True)


def ended(process: "subprocess.Popen[str]") -> str:
    """What it printed, once it has come to its end."""
    try:
        output, _ = process.communicate(timeout=400)
    finally:
        process.kill()
    assert "Traceback" not in output, output
    return output


def wait_until(true: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 400
    while not true():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def rows(run: Path) -> int:
    """How many evaluations all trials have written."""
    return sum(len(read_scores(trial)) for trial in run.glob("trials/*"))


def kill(pid: int) -> None:
    """End a process at once, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
