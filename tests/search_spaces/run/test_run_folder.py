"""Names and places of runs, of searches and of trainings alike."""

from pathlib import Path

import pytest

from data_prep.errors import UserError
from search_spaces.run.run_folder import check_name, free_name, new_folder


@pytest.mark.parametrize("name", ["my-first-run", "a b", "é" * 50, "x" * 100, "v1.2+3"])
def test_plain_names_pass(name: str, tmp_path: Path) -> None:
    assert new_folder(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "/a", "a/", "é" * 51, "x" * 101, "a\nb", "a\0b"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"--name is .*, but must be a plain folder name of at most 100 bytes"):
        check_name(name)


def test_a_free_name_is_of_no_run_that_is_there(tmp_path: Path) -> None:
    for _ in range(4):
        new_folder(tmp_path, free_name(tmp_path, "smoke")).mkdir()
    assert len(list(tmp_path.glob("smoke-*"))) == 4


def test_a_link_to_nowhere_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path / "gone")
    with pytest.raises(UserError, match="is there already"):
        new_folder(tmp_path, "run")


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="no folder that can be written to"):
        new_folder(tmp_path / "file", "run")
