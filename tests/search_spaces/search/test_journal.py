"""The journal holds whole lines, whatever befalls the disk or the process; Optuna alone can read it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from search_spaces.search.journal import STUDY_FILE, mend
from search_spaces.search.study import open_study, records, stages_of
from tests.search_spaces.stubs import ledger_of, result
from tests.small_disk import mounted


def plain(run: Path) -> optuna.Study:
    return optuna.load_study(study_name="search", storage=JournalStorage(JournalFileBackend(str(run / STUDY_FILE))))


@pytest.mark.parametrize("kept", [0, 1, 40, -2])
def test_a_line_that_a_kill_cut_short_is_taken_off(kept: int, tmp_path: Path) -> None:
    ledger_of(tmp_path).next()
    path = tmp_path / STUDY_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:kept])
    mend(tmp_path)
    assert path.read_bytes() == b"".join(lines[:-1])
    ledger_of(tmp_path).next()
    assert (
        len(records(open_study(tmp_path))) == len({trial.user_attrs["name"] for trial in plain(tmp_path).trials}) == 1
    )


def test_a_line_longer_than_what_is_read_at_a_time_is_found(tmp_path: Path) -> None:
    path = tmp_path / STUDY_FILE
    path.write_bytes(b"whole\n" + b"x" * 200_000)
    mend(tmp_path)
    assert path.read_bytes() == b"whole\n"
    path.write_bytes(b"x" * 200_000)
    mend(tmp_path)
    assert path.read_bytes() == b""
    mend(tmp_path / "nowhere")


def test_a_cut_line_in_a_study_that_is_open_is_not_written_after(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path)
    ledger.next()
    with (tmp_path / STUDY_FILE).open("ab") as file:
        file.write(b'{"op_code": 4, "wor')
    ledger.report("0000", result(1, 0.5))
    assert plain(tmp_path).trials[0].intermediate_values == {1: 0.5}


def test_a_lock_that_a_kill_left_behind_keeps_nobody_waiting(tmp_path: Path) -> None:
    ledger_of(tmp_path)
    (tmp_path / (STUDY_FILE + ".lock")).symlink_to(tmp_path / STUDY_FILE)
    ledger_of(tmp_path).next()  # it would wait for half a minute
    assert not os.path.lexists(tmp_path / (STUDY_FILE + ".lock"))


def test_who_only_reads_writes_nothing(tmp_path: Path) -> None:
    ledger_of(tmp_path).next()
    before = (tmp_path / STUDY_FILE).read_bytes()
    assert stages_of(tmp_path) == ["search"]
    assert len(records(open_study(tmp_path))) == 1
    assert (tmp_path / STUDY_FILE).read_bytes() == before


def fails(step: Callable[[], object]) -> bool:
    try:
        step()
    except OSError:
        return True
    return False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a hundred kilobytes."""
    with mounted(tmp_path, "100k") as disk:
        yield disk


def test_a_disk_that_fills_up_costs_no_line(small_disk: Path) -> None:
    ledger, refused = ledger_of(small_disk, trials=10_000), 0
    while refused < 20:
        refused += fails(ledger.next)
    journal = (small_disk / STUDY_FILE).read_bytes()
    assert journal.endswith(b"\n")
    told = len(plain(small_disk).trials)
    shutil.copy(small_disk / STUDY_FILE, small_disk.parent)  # where there is room
    again = ledger_of(small_disk.parent, trials=told)
    names = [trial.name for _ in range(told) if (trial := again.next())]
    assert names == [f"{number:04d}" for number in range(told)]
