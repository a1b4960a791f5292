"""A corpus on disk under processes that are killed, folders that cannot be written, and damage to what it says."""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_prep import corpus, store
from data_prep.errors import UserError
from data_prep.store import ABOUT_FILE, ARRAYS_FILE, check_can_write, read_about

ROOT = Path(store.__file__).parents[1]
DTYPES = {"a": "int8"}
ARRAYS = {"a": np.arange(5, dtype=np.int8)}
ABOUT = {"kind": "bars"}

# Two corpora of 1.5 MB, told apart by every array and by what they say, saved by turns.
SAVER = """
import sys
from pathlib import Path

import numpy as np

from data_prep.corpus import Corpus, save


def made(number, num_bars=50_000):
    generator = np.random.default_rng(number)
    places = [{"path": "a", "first_row": 0, "num_bars": num_bars}]
    return Corpus(
        melody=generator.integers(60, 84, (num_bars, 16)).astype(np.int8),
        onset=generator.integers(0, 2**16, num_bars).astype(np.uint16),
        chord=generator.integers(0, 25, (num_bars, 4)).astype(np.int8),
        first_chord=generator.integers(0, 25, num_bars).astype(np.int8),
        prev=np.arange(-1, num_bars - 1, dtype=np.int32),
        song=np.zeros(num_bars, np.int32),
        bar=np.arange(num_bars, dtype=np.int32) + number,
        split=np.array([number], np.int8),
        about={"songs": [{"id": f"song {number}", "split": number, "sections": places}]},
    )


if __name__ == "__main__":
    both = [made(0), made(1)]
    print("ready", flush=True)
    for turn in range(int(sys.argv[2])):
        save(both[turn % 2], Path(sys.argv[1]))
"""


def start_saver(folder: Path, turns: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SAVER, str(folder), str(turns)]
    saver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert saver.stdout is not None
    assert saver.stdout.readline() == "ready\n"
    return saver


def contents(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (ARRAYS_FILE, ABOUT_FILE)
        if (folder / name).exists()
    }


@pytest.mark.timeout(120)
def test_a_process_killed_while_it_saves_leaves_a_whole_corpus_or_none_that_is_believed(tmp_path: Path) -> None:
    whole = []
    for turns in (1, 2):
        with start_saver(tmp_path / str(turns), turns) as saver:
            saver.wait()
        whole.append(contents(tmp_path / str(turns)))
    assert [corpus.load(tmp_path / str(turns)).split.tolist() for turns in (1, 2)] == [[0], [1]]
    chance, folder = random.Random(0), tmp_path / "killed"
    for _ in range(15):
        with start_saver(folder, 10_000) as saver:
            time.sleep(chance.uniform(0, 0.3))
            saver.kill()
        found = contents(folder)
        for name, content in found.items():
            assert content in {files[name] for files in whole}, f"{name} is half written"
        if found in whole:
            loaded = corpus.load(folder)
            assert loaded.split.tolist() == [whole.index(found)]
            assert loaded.about["songs"][0]["id"] == f"song {whole.index(found)}"
            assert loaded.digest == loaded.about["digest"]
        else:
            with pytest.raises(UserError, match=r"cannot be read|belongs to another"):
                corpus.load(folder)


def test_a_corpus_is_replaced_by_another_and_by_itself(tmp_path: Path) -> None:
    for values in ([1, 2], [3], [3]):
        store.write(tmp_path, {"a": np.array(values, np.int8)}, {**ABOUT, "note": str(values)})
        arrays, about = store.read(tmp_path, "bars", DTYPES)
        assert arrays["a"].tolist() == values
        assert about["note"] == str(values)
        assert sorted(path.name for path in tmp_path.iterdir()) == [ABOUT_FILE, ARRAYS_FILE]


def test_names_that_are_no_utf8_come_back_as_they_were(tmp_path: Path) -> None:
    about = {**ABOUT, "songs": ["Für Elise", "caf\udce9", "\ud83c", "\u202e\n\x00\\ud83c", "日本"]}
    store.write(tmp_path, ARRAYS, about)
    assert read_about(tmp_path)["songs"] == about["songs"]
    assert "Für Elise" in (tmp_path / ABOUT_FILE).read_text("utf-8")


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        check_can_write(folder)
    assert str(caught.value).startswith(f"{folder}: cannot be written (")
    assert str(caught.value).endswith("); choose another folder.")
    return str(caught.value)


def test_a_folder_that_is_there_or_can_be_made_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    folders = (tmp_path, tmp_path / "new", tmp_path / "a" / "b" / "c", Path(), Path("new"), Path("../link/new"))
    for folder in folders:
        check_can_write(folder)
    assert list((tmp_path / "real").iterdir()) == []
    for folder in folders:
        store.write(folder, ARRAYS, ABOUT)


@contextmanager
def taken(tmp_path: Path) -> Iterator[None]:
    """Nothing appears while a folder is asked for."""
    before = sorted(tmp_path.rglob("*"))
    yield
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("below", ["", "/new", "/new/newer"])
@pytest.mark.parametrize("what", ["file", "pipe", "nowhere", "loop", "long" * 80])
def test_what_cannot_become_a_folder_is_refused_before_it_is_tried(tmp_path: Path, what: str, below: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o777)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "nowhere").symlink_to("none")
    (tmp_path / "loop").symlink_to("loop")
    folder = Path(f"{tmp_path / what}{below}")
    with taken(tmp_path):
        refusal(folder)
        with pytest.raises(UserError, match="cannot be written"):
            store.write(folder, ARRAYS, ABOUT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o500, 0o600])
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(mode)
    try:
        refusal(tmp_path / "closed")
        refusal(tmp_path / "closed" / "new")
    finally:
        (tmp_path / "closed").chmod(0o700)


def complaint(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_about(folder)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{folder / ABOUT_FILE}: ")
    return str(caught.value)


def written(folder: Path, text: bytes) -> Path:
    (folder / ABOUT_FILE).write_bytes(text)
    return folder


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" ", b"{", b"nul", b"'a'", b"{1: 2}", b'{"format": 2,}', b'{"format": 2} {}', b"\x00" * 9, b"\xff" * 9),
        *(b'{"format": 2, "a": "\xff"}', b'{"format": 2, "a": "\n"}', "{\u201cformat\u201d: 2}".encode()),
        *(b"[" * 200_000, b'{"a":' * 200_000, b'{"format": ' + b"9" * 5000 + b"}", b"\xff\xfe{", b"\xef\xbb\xbf"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: bytes) -> None:
    assert "not sound JSON" in complaint(written(tmp_path, text))


@pytest.mark.parametrize("about", [[], [{"format": 2}], "format", 2, None, True, {}, {"format": 1}, {"format": "2"}])
def test_json_of_another_kind_is_refused(tmp_path: Path, about: Any) -> None:
    assert f"not of format {store.FORMAT}" in complaint(written(tmp_path, json.dumps(about).encode()))


def test_no_file_and_no_regular_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in complaint(tmp_path)
    assert "No such file" in complaint(tmp_path / "none")
    os.mkfifo(tmp_path / ABOUT_FILE)
    assert "not a regular file" in complaint(tmp_path)
    (tmp_path / ABOUT_FILE).unlink()
    (tmp_path / ABOUT_FILE).mkdir()
    assert "not a regular file" in complaint(tmp_path)


def test_what_is_cut_or_changed_anywhere_is_refused_or_read_as_an_object(tmp_path: Path) -> None:
    store.write(tmp_path, ARRAYS, {**ABOUT, "songs": [{"id": "é", "split": 0}]})
    sound = (tmp_path / ABOUT_FILE).read_bytes()
    for size in range(len(sound) - 2):
        assert "not sound JSON" in complaint(written(tmp_path, sound[:size]))
    generator = np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(sound)
        bad[generator.integers(len(bad))] = generator.integers(256)
        written(tmp_path, bytes(bad))
        with suppress(UserError):
            assert read_about(tmp_path)["format"] == store.FORMAT
            arrays, _ = store.read(tmp_path, "bars", DTYPES)
            assert arrays["a"].tolist() == ARRAYS["a"].tolist()


def test_what_belongs_to_other_arrays_or_another_kind_is_refused(tmp_path: Path) -> None:
    store.write(tmp_path / "one", ARRAYS, ABOUT)
    store.write(tmp_path / "two", {"a": np.arange(6, dtype=np.int8)}, ABOUT)
    (tmp_path / "two" / ABOUT_FILE).replace(tmp_path / "one" / ABOUT_FILE)
    with pytest.raises(UserError, match=r"corpus\.json belongs to another corpus\.npz; prepare the corpus again"):
        store.read(tmp_path / "one", "bars", DTYPES)
    store.write(tmp_path / "one", ARRAYS, ABOUT)
    with pytest.raises(UserError, match="it holds bars with chords, but this needs windows of piano music"):
        store.read(tmp_path / "one", "windows", DTYPES)
    store.write(tmp_path / "one", ARRAYS, {"kind": "\x1b[2J\n" * 99})
    with pytest.raises(UserError, match=r"it holds '\\x1b\[2J\\n.*, but this needs bars with chords") as caught:
        store.read(tmp_path / "one", "bars", DTYPES)
    assert str(caught.value).isprintable()


def test_the_digest_is_of_names_types_shapes_and_bytes() -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    told = hashlib.sha256(b"a <i2 (2, 3)\n" + array.tobytes() + b"b |i1 (1,)\n\x07").hexdigest()
    assert store.digest({"b": np.array([7], np.int8), "a": array}) == told
    assert store.digest({"a": np.asfortranarray(array), "b": np.array([7], np.int8)}) == told
    others = (array.reshape(3, 2), array.ravel(), array.astype(np.uint16), array + np.int16(1), array[:, ::-1])
    assert len({store.digest({"a": other}) for other in (array, *others)}) == 6
