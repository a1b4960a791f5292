"""The file of a checkpoint: whole or not at all, and refused in one line where it is damaged."""

import pickle
from pathlib import Path

import pytest
import torch

from data_prep.corpus import Corpus
from data_prep.errors import UserError
from trainables.checkpoint import read_state, restored, write_state
from trainables.factory import build

SMALL = {"hidden": 8, "embedding": 8, "layers": 1}


def test_tensors_and_plain_values_come_back(tmp_path: Path) -> None:
    write_state(tmp_path, {"a": torch.arange(3), "b": [1, {"c": 0.5}]})
    state = read_state(tmp_path)
    assert torch.equal(state["a"], torch.arange(3))
    assert state["b"] == [1, {"c": 0.5}]


def test_a_write_that_fails_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(tmp_path, {"number": 1})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_state(tmp_path, {"number": 2})
    assert read_state(tmp_path) == {"number": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


class Harm:
    """Would make a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "state.pt"
    write_state(tmp_path, {"a": torch.zeros(100)})
    whole = file.read_bytes()
    pickled = pickle.dumps(Harm(tmp_path / "harm"), protocol=2)
    for content in (None, b"", b"PK\x03\x04", b"no checkpoint", whole[:200], whole[:-30], pickled):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(UserError, match=r"^The checkpoint in .* cannot be read \(\w+\)\.$"):
            read_state(tmp_path)
        file.touch()
    torch.save([1, 2], file)
    with pytest.raises(UserError, match=r"cannot be read \(TypeError\)"):
        read_state(tmp_path)
    assert not (tmp_path / "harm").exists()


def test_a_system_is_brought_back(tmp_path: Path, corpus: Corpus) -> None:
    trained = build("lstm", SMALL, corpus, seed=3, horizon=1_000)
    trained.train(until=1)
    write_state(tmp_path, {"system": trained.state_dict()})
    back = restored(tmp_path, "lstm", SMALL, corpus, horizon=1_000)
    assert back.bars_seen == trained.bars_seen > 0
    assert back.train(until=trained.bars_seen + 1) == trained.train(until=trained.bars_seen + 1)


def test_a_checkpoint_of_another_system_is_refused(tmp_path: Path, corpus: Corpus) -> None:
    write_state(tmp_path, {"system": build("lstm", SMALL, corpus, seed=0, horizon=1_000).state_dict()})
    with pytest.raises(UserError, match="cannot be read"):
        restored(tmp_path, "lstm", {**SMALL, "hidden": 16}, corpus, horizon=1_000)
    write_state(tmp_path, {"other": 1})
    with pytest.raises(UserError, match="cannot be read"):
        restored(tmp_path, "lstm", SMALL, corpus, horizon=1_000)
