"""Spaces in files outside the repository, named by their paths."""

import pickle
import sys
from pathlib import Path

import pytest
from optuna.trial import FixedTrial

from data_prep.errors import UserError
from search_spaces.space import load_space

WORKING = """
from search_spaces.space import Known, Space


def suggest(trial, system):
    settings = {"learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-3, log=True)}
    loss = trial.suggest_categorical("loss", ("bce", "hinge"))
    if loss == "bce":
        settings["real_label"] = trial.suggest_float("real_label", 0.7, 1.0)
    return settings | {"loss": loss}


KNOWN = Known(source="me", parameters={"learning_rate": 2e-4, "loss": "hinge"})
SPACE = Space(title="mine", system="baseline", suggest=suggest, known=(KNOWN,))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(WORKING)
    return path


def test_a_file_that_declares_a_space_is_one(file: Path) -> None:
    space = load_space(str(file))
    assert space.parameters() == ["learning_rate", "loss", "real_label"]
    assert space.suggest(FixedTrial({"learning_rate": 1e-4, "loss": "hinge"}), "baseline") == {
        "learning_rate": 1e-4,
        "loss": "hinge",
    }
    assert [known.source for known in space.distinct_known()] == ["me"]


def test_two_files_of_one_name_are_two_spaces_that_can_be_pickled(file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / file.name
    other.write_text(WORKING.replace('"mine"', '"other"'))
    spaces = [load_space(str(file)), load_space(str(other))]
    assert [space.title for space in spaces] == ["mine", "other"]
    assert [pickle.loads(pickle.dumps(space)).title for space in spaces] == ["mine", "other"]


def test_a_file_is_read_anew_and_leaves_no_module_behind_when_it_fails(file: Path) -> None:
    load_space(str(file))
    before = set(sys.modules)
    file.write_text(WORKING.replace('"mine"', '"changed"'))
    assert load_space(str(file)).title == "changed"
    assert set(sys.modules) == before
    file.write_text("1 / 0")
    with pytest.raises(UserError):
        load_space(str(file))
    assert set(sys.modules) < before


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nowhere_to_be_found", r"mine.py: line 1: ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("x = 1\n\ny = (", r"mine.py: line 3: SyntaxError: '\(' was never closed"),
        ("\n1 / 0", r"mine.py: line 2: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", r"mine.py: line 1: SystemExit: 3"),
        ("raise ValueError('one\\ntwo')", r"mine.py: line 1: ValueError: one$"),
        ("space = 1", r"mine.py declares no SPACE: it must be a search_spaces.space.Space"),
        ("SPACE = dict()", r"mine.py declares a SPACE of type dict: it must be"),
        (WORKING.replace('"mine"', '"mine", rung=3'), r"mine.py: line 14: TypeError: .*'rung'"),
        (WORKING.replace('"mine"', '"mine", first_rung=30'), r"mine.py: line 14: ValueError: first_rung is 30"),
        (
            WORKING.replace('"mine"', '"mine", objectives=("realizm",)'),
            r"line 14: There is no objective 'realizm'",
        ),
        (
            WORKING.replace('"mine"', '"mine", data_options=("rest",)'),
            r"line 14: .* option of a corpus 'rest': did",
        ),
        (
            WORKING.replace('"baseline"', '"base_line"'),
            r"mine.py: There is no system 'base_line': did",
        ),
        (WORKING.replace('{"learning_rate":', '{"learning":'), r"no setting of baseline 'learning': did you mean"),
        (WORKING.replace("return settings", "return {} / settings"), r"mine.py: line 10: TypeError: unsupported"),
        (
            WORKING.replace('return settings | {"loss": loss}', "return loss"),
            r"mine.py: suggest returned 'bce', but",
        ),
        (WORKING.replace('"loss": "hinge"', '"loss": "hing"'), r"mine.py: line 7: ValueError: 'hing' not in"),
        (WORKING.replace("0.7, 1.0", "0.7, 2.0"), r"mine.py: real_label is .*, but must be from 0 to 1"),
    ],
)
def test_a_file_that_is_no_space_is_refused_with_the_line(file: Path, code: str, message: str) -> None:
    file.write_text(code)
    with pytest.raises(UserError, match=message) as raised:
        load_space(str(file))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["nowhere.py", "./gan_balance", "/", "a\0b.py", "~nobody/x.py", "x" * 5000 + ".py"])
def test_a_file_that_is_not_there_is_said_to_be_so(name: str) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        load_space(name)


def test_a_file_must_end_as_python_files_do(tmp_path: Path) -> None:
    (tmp_path / "space.txt").write_text(WORKING)
    with pytest.raises(UserError, match=r"must be a Python file, whose name ends in \.py"):
        load_space(str(tmp_path / "space.txt"))
