import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from data_prep.errors import UserError
from search_spaces.run.disk import check_room, shown_bytes

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def ten_megabytes_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1e9, 1e9 - 1e7, 10_000_000) if path.exists() else None)


def test_a_search_that_would_fill_the_disk_is_refused_before_it_starts(tmp_path: Path) -> None:
    results = tmp_path / "not" / "there"
    with pytest.raises(UserError, match=r"will write about 10.1 MB, but 10 MB are free in .*: make room") as refused:
        check_room(results, 10_100_000)
    assert len(str(refused.value).splitlines()) == 1
    assert str(tmp_path) in str(refused.value)


def test_little_room_is_told_and_enough_is_not(tmp_path: Path) -> None:
    assert "may become tight" in check_room(tmp_path, 5_100_000)
    assert check_room(tmp_path, 5_000_000) == ""


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 bytes"), (999, "999 bytes"), (1e3, "1 kB"), (23.4e6, "23.4 MB"), (5e13, "50 TB")]
)
def test_bytes_in_words(number: float, told: str) -> None:
    assert shown_bytes(number) == told
