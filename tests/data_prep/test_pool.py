"""Reading by several processes, with real processes: they are killed, interrupted and left alone."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from data_prep import pool
from data_prep.pool import cores, read_all

ROOT = Path(pool.__file__).parents[1]
COUNT = 73
"""So many that three processes are worth starting."""

READERS = """
import multiprocessing
import os
import signal
import threading
import time


def square(number):
    time.sleep(0.002 * (number * 37 % 5))  # so that they end in another order than they begin
    return number * number


def process(number):
    return os.getpid()


def die_in_a_child(number):
    if number == 41 and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return -number


def die_in_every_child(number):
    if multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return -number


def die_while_handing_over(number):
    if number == 4 and multiprocessing.parent_process() is not None:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return bytes(20_000_000)
    return bytes(number)


def fail(number):
    if number == 41:
        raise LookupError("number 41")
    return number


def take_for_ever(number):
    print("begun\\n", end="", flush=True)  # in one piece: two processes share the pipe
    time.sleep(1000)


def take_a_while(number):
    print("begun\\n", end="", flush=True)  # in one piece: two processes share the pipe
    time.sleep(0.2)
"""

SCRIPT = """
import sys

import readers
from data_prep.pool import read_all

if __name__ == "__main__":
    read_all(getattr(readers, sys.argv[1]), range(1000), 2)
"""


@pytest.fixture
def readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Functions in a module that the other processes can import, too."""
    (tmp_path / "readers.py").write_text(READERS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("readers")
    del sys.modules["readers"]


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, COUNT])
def test_results_come_in_order_and_every_one_is_told_of(readers: ModuleType, jobs: int, count: int) -> None:
    heard: list[tuple[int, int]] = []
    results = read_all(readers.square, range(count), jobs, lambda done, total: heard.append((done, total)))
    assert results == [number * number for number in range(count)]
    assert heard == [(done, count) for done in range(1, count + 1)]


def test_many_files_are_read_by_other_processes_and_a_few_by_this_one(readers: ModuleType) -> None:
    assert os.getpid() not in set(read_all(readers.process, range(COUNT), 2))
    assert set(read_all(readers.process, range(COUNT), 1)) == {os.getpid()}
    assert set(read_all(readers.process, range(8), 2)) == {os.getpid()}


def test_nobody_need_listen(readers: ModuleType) -> None:
    assert read_all(readers.square, range(COUNT), 2) == [number * number for number in range(COUNT)]


@pytest.mark.parametrize("reader", ["die_in_a_child", "die_in_every_child"])
def test_where_processes_are_killed_all_is_read_all_the_same(readers: ModuleType, reader: str) -> None:
    heard: list[tuple[int, int]] = []
    results = read_all(getattr(readers, reader), range(COUNT), 2, lambda done, total: heard.append((done, total)))
    assert results == [-number for number in range(COUNT)]
    assert heard == [(done, COUNT) for done in range(1, COUNT + 1)]


@pytest.mark.timeout(60)
def test_a_process_killed_while_it_hands_over_a_result_does_not_hang_the_others(readers: ModuleType) -> None:
    def pause(done: int, total: int) -> None:
        time.sleep(0.6 if done == 1 else 0.0)  # meanwhile the line is full

    results = read_all(readers.die_while_handing_over, range(COUNT), 2, pause)
    assert len(results.pop(4)) in (4, 20_000_000)
    assert [len(result) for result in results] == [number for number in range(COUNT) if number != 4]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_the_reader_is_the_callers(readers: ModuleType, jobs: int) -> None:
    with pytest.raises(LookupError, match="number 41"):
        read_all(readers.fail, range(COUNT), jobs)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_the_listener_ends_it(readers: ModuleType, jobs: int) -> None:
    def listen(done: int, total: int) -> None:
        raise BrokenPipeError(f"{done} of {total}")

    with pytest.raises(BrokenPipeError, match=f"1 of {COUNT}"):
        read_all(readers.square, range(COUNT), jobs, listen)


def ended_by(how: signal.Signals, folder: Path, reader: str, *, group: bool) -> tuple[int, str]:
    """Exit code and complaints of a script that reads with that reader, once all its processes have ended.

    They share its pipes, which would stay open as long as one of them lived.
    """
    (folder / "readers.py").write_text(READERS)
    (folder / "script.py").write_text(SCRIPT)
    script = subprocess.Popen(
        [sys.executable, "script.py", reader],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert script.stdout is not None
    try:
        for _ in range(2):
            assert script.stdout.readline() == "begun\n"
        os.killpg(script.pid, how) if group else script.send_signal(how)
        _, complaints = script.communicate(timeout=20)
    except BaseException:
        os.killpg(script.pid, signal.SIGKILL)
        raise
    return script.returncode, complaints


@pytest.mark.parametrize("group", [False, True], ids=["the parent", "all, as from a terminal"])
def test_an_interrupt_ends_all_processes_at_once(tmp_path: Path, group: bool) -> None:
    code, complaints = ended_by(signal.SIGINT, tmp_path, "take_for_ever", group=group)
    assert code == -signal.SIGINT
    assert complaints.count("Traceback") == 1, complaints
    assert complaints.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_where_the_parent_is_killed_the_others_end_with_the_file_in_hand(tmp_path: Path, how: signal.Signals) -> None:
    assert ended_by(how, tmp_path, "take_a_while", group=False)[0] == -how


def test_a_script_without_a_guard_gets_its_results_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "readers.py").write_text(READERS)
    (tmp_path / "script.py").write_text(
        "import readers\n"
        "from data_prep.pool import read_all\n"
        f"print(sum(read_all(readers.square, range({COUNT}), 2)))\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == str(sum(number * number for number in range(COUNT)))


def test_the_cores_are_those_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    for count, told in ((7, 7), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert cores() == told
