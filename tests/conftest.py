"""One real search for all tests that look at what a search leaves."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The cores are shared by as many processes of tests. Read when NumPy and torch are loaded, and so set before.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import pytest
from jaxtyping import install_import_hook

from tests.once import made_once

with install_import_hook(
    "trainables", "tests.shapes.checked"
):  # every call is held to its annotations of shape and type
    pass

import tune

# A shell's background job ignores Ctrl-C, and so would all that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(tune.__file__).parent


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run of the `smoke` space, made by the command line in a process of its own."""
    return made_once(tmp_path_factory, "results", smoke_search) / "run"


def smoke_search(results: Path) -> None:
    # Ray's sockets live in its folder, and a socket's path may not be longer than 107 characters.
    with tempfile.TemporaryDirectory(prefix="wtg", dir="/tmp", ignore_cleanup_errors=True) as ray_folder:
        command = [sys.executable, "tune.py", "--space", "smoke", "--results", str(results), "--name", "run"]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"RAY_TMPDIR": ray_folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        addresses: set[str] = set()
        start = time.monotonic()
        while process.poll() is None:
            assert time.monotonic() - start < 400, "the smoke search hangs"
            addresses |= listening_addresses(process.pid)
            time.sleep(1)
        assert process.stdout is not None
        (results / "output.txt").write_text(process.stdout.read())
        (results / "listening.json").write_text(json.dumps(sorted(addresses)))
    assert process.returncode == 0, (results / "output.txt").read_text()


def listening_addresses(pid: int) -> set[str]:
    """Local addresses (hexadecimal, as the kernel prints them) on which `pid` and its descendants listen."""
    if not Path("/proc/net/tcp").exists():
        return set()
    sockets = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":  # LISTEN
                sockets[fields[9]] = fields[1].split(":")[0]
    found = set()
    for process in [pid, *descendants(pid)]:
        try:
            links = [str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir()]
        except OSError:  # it has just ended
            continue
        found |= {sockets[link[8:-1]] for link in links if link.startswith("socket:[") and link[8:-1] in sockets}
    return found


def descendants(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []
    return children + [below for child in children for below in descendants(child)]
