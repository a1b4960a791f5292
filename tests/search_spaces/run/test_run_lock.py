"""Two processes never search in one folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data_prep.errors import UserError
from search_spaces.run.run_lock import locked

HOLD = """
import sys, time
from pathlib import Path
from search_spaces.run.run_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(100)
"""


def test_a_folder_is_held_until_its_process_ends_however_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        told = f"is being searched by another process \\({other.pid}\\): wait for it, or end it"
        with pytest.raises(UserError, match=told), locked(tmp_path):
            pytest.fail("two hold it")
        os.kill(other.pid, signal.SIGKILL)
    for _ in range(2):
        with locked(tmp_path):
            assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
