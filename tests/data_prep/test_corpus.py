import contextlib
import dataclasses
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_prep import files
from data_prep.corpus import DTYPES, Corpus, Split, load, save
from data_prep.errors import UserError
from data_prep.store import ABOUT_FILE, ARRAYS_FILE, digest

Arrays = dict[str, np.ndarray[Any, Any]]


def small_arrays() -> Arrays:
    """Two songs: bars 0 1 2 and 4 of the first (train), 0 and 1 of the second (test)."""
    return {
        "melody": np.arange(60, 66, dtype=np.int8).repeat(16).reshape(6, 16),
        "onset": np.full(6, 1, np.uint16),
        "chord": np.zeros((6, 4), np.int8),
        "first_chord": np.zeros(6, np.int8),
        "prev": np.array([-1, 0, 1, -1, -1, 4], np.int32),
        "song": np.array([0, 0, 0, 0, 1, 1], np.int32),
        "bar": np.array([0, 1, 2, 4, 0, 1], np.int32),
        "split": np.array([0, 2], np.int8),
    }


def small_about() -> dict[str, Any]:
    places = [{"path": "a.xml", "first_row": 0, "num_bars": 4}, {"path": "b.xml", "first_row": 4, "num_bars": 2}]
    songs = [{"id": "a", "split": 0, "sections": places[:1]}, {"id": "b", "split": 2, "sections": places[1:]}]
    return {"format": 2, "kind": "bars", "songs": songs}


def small_corpus() -> Corpus:
    return Corpus(about=small_about(), **small_arrays())


def write(folder: Path, arrays: Arrays, about: Any = None) -> Path:
    """A corpus as somebody else might write it, with the right digest."""
    folder.mkdir(exist_ok=True)
    (folder / ARRAYS_FILE).write_bytes(files.pack_npz(arrays))
    about = about or small_about()
    (folder / ABOUT_FILE).write_text(json.dumps({**about, "digest": digest(arrays)}))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_corpus_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    corpus = small_corpus()
    save(corpus, tmp_path / "new" / "folder")
    back = load(tmp_path / "new" / "folder")
    for name, array in corpus.arrays().items():
        np.testing.assert_array_equal(getattr(back, name), array)
        assert getattr(back, name).dtype == DTYPES[name]
    assert back.digest == corpus.digest == back.about["digest"]
    assert back.about["songs"] == corpus.about["songs"]


def test_rows_and_phrases_stay_inside_a_split_and_a_run() -> None:
    corpus = small_corpus()
    assert (corpus.num_bars, corpus.num_songs) == (6, 2)
    assert corpus.rows(Split.TRAIN).tolist() == [0, 1, 2, 3]
    assert corpus.rows(Split.PROMPTS).tolist() == []
    assert corpus.phrases(Split.TRAIN, 2).tolist() == [[0, 1], [1, 2]]
    assert corpus.phrases(Split.TRAIN, 3).tolist() == [[0, 1, 2]]
    assert corpus.phrases(Split.TEST, 2).tolist() == [[4, 5]]
    assert corpus.phrases(Split.TRAIN, 8).shape == (0, 8)
    assert corpus.phrases(Split.TRAIN, 1).dtype == np.int32
    with pytest.raises(ValueError, match="at least 1 bar"):
        corpus.phrases(Split.TRAIN, 0)


def test_the_digest_sees_every_array_and_its_type() -> None:
    seen = {digest(small_arrays())}
    for name in DTYPES:
        changed = small_arrays()
        changed[name] = changed[name].copy()
        changed[name].flat[0] += 1
        seen.add(digest(changed))
    seen.add(digest({**small_arrays(), "onset": small_arrays()["onset"].astype(np.int16)}))
    assert len(seen) == len(DTYPES) + 2


def test_the_same_corpus_is_saved_as_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(small_corpus(), tmp_path / "one")
    monkeypatch.setattr("time.time", lambda: 2e9)
    save(small_corpus(), tmp_path / "two")
    for name in (ARRAYS_FILE, ABOUT_FILE):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_crash_while_saving_leaves_no_corpus_that_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Path.replace, []

    def crash_at_the_second(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, target)

    save(small_corpus(), tmp_path / "old")
    other = dataclasses.replace(small_corpus(), onset=np.full(6, 3, np.uint16))
    for folder, reason in ((tmp_path / "new", "cannot be read"), (tmp_path / "old", "belongs to another")):
        calls.clear()
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", crash_at_the_second)
            with pytest.raises(KeyboardInterrupt):
                save(other, folder)
        assert reason in refusal(folder)
        assert not list(folder.glob("*.tmp"))
        save(other, folder)
        assert load(folder).digest == other.digest


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        save(small_corpus(), tmp_path / "file" / "folder")


def test_every_truncation_of_the_files_is_refused(tmp_path: Path) -> None:
    save(small_corpus(), tmp_path / "good")
    for name in (ARRAYS_FILE, ABOUT_FILE):
        data = (tmp_path / "good" / name).read_bytes()
        bad = tmp_path / name
        shutil.copytree(tmp_path / "good", bad)
        for size in range(0, len(data) - 2, max(1, len(data) // 60)):
            (bad / name).write_bytes(data[:size])
            assert str(bad / name) in refusal(bad)
        (bad / name).unlink()
        assert "cannot be read" in refusal(bad)


def test_flipped_bytes_never_give_a_traceback(tmp_path: Path) -> None:
    save(small_corpus(), tmp_path)
    data = (tmp_path / ARRAYS_FILE).read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(data)
        for place in generator.integers(0, len(bad), 3):
            bad[place] ^= int(generator.integers(1, 256))
        (tmp_path / ARRAYS_FILE).write_bytes(bad)
        # A byte that zip never reads may differ; no other corpus may be believed.
        with contextlib.suppress(UserError):
            assert load(tmp_path).digest == small_corpus().digest


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    write(tmp_path, small_arrays())
    arrays: Arrays = {**small_arrays(), "split": np.array([0, {}], object)}
    np.savez(tmp_path / ARRAYS_FILE, allow_pickle=True, **arrays)  # type: ignore[arg-type]
    assert "split is object" in refusal(tmp_path)


def test_a_header_that_promises_more_than_there_is_allocates_nothing(tmp_path: Path) -> None:
    write(tmp_path, small_arrays())
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "|i1", "fortran_order": False, "shape": (10**15, 16)})
    with zipfile.ZipFile(tmp_path / ARRAYS_FILE, "w") as archive:
        for name in DTYPES:
            archive.writestr(f"{name}.npy", huge.getvalue())
    assert "do not fill its shape" in refusal(tmp_path)


def with_value(name: str, place: Any, value: int) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        arrays[name][place] = value

    return change


def replaced(name: str, change: Callable[[Any], Any]) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.update({name: change(arrays[name])})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda arrays: arrays.pop("bar"), "it holds"),
        (lambda arrays: arrays.update(more=np.zeros(1)), "it holds"),
        (replaced("melody", lambda a: a.astype(np.int64)), "melody is int64, not int8"),
        (replaced("melody", lambda a: np.asfortranarray(a)), None),
        (replaced("melody", lambda a: a[:, :8]), "melody has shape"),
        (replaced("onset", lambda a: a[:5]), "onset has shape"),
        (replaced("split", lambda a: a[:, None]), "split has shape"),
        (with_value("melody", (2, 3), -2), "melody holds -2"),
        (with_value("chord", (2, 3), 25), "chord holds 0 to 25"),
        (with_value("first_chord", 0, -1), "first_chord holds -1"),
        (with_value("split", 0, 4), "split holds"),
        (with_value("melody", (0, 0), -1), "where melody is silent"),
        (with_value("song", 5, 2), "song must count"),
        (with_value("song", 0, 1), "song must count"),
        (with_value("prev", 0, -2), "row just above"),
        (with_value("prev", 0, 0), "row just above"),
        (with_value("prev", 5, 3), "row just above"),
        (with_value("prev", 3, 2), "directly before"),
        (with_value("prev", 4, 3), "directly before"),
        (with_value("bar", 1, 7), "directly before"),
        (with_value("bar", 3, -7), "directly before"),
    ],
)
def test_arrays_that_break_a_rule_are_refused(
    tmp_path: Path, change: Callable[[Arrays], None], reason: str | None
) -> None:
    arrays = small_arrays()
    change(arrays)
    folder = write(tmp_path, arrays)
    if reason is None:
        assert load(folder).digest == small_corpus().digest
    else:
        assert reason in refusal(folder)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    assert "no bar" in refusal(write(tmp_path, {name: array[:0] for name, array in small_arrays().items()}))


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ([1], "not of format"),
        ({"format": 1}, "not of format"),
        ({"kind": "windows"}, "holds windows of piano music, but this needs bars"),
        ({"digest": "0"}, "belongs to another"),
        ({"songs": None}, "table of songs"),
        ({"songs": "ab"}, "table of songs"),
        ({"songs": small_about()["songs"][:1]}, "splits"),
        ({"songs": [small_about()["songs"][0], {"split": 2}]}, "id"),
        ({"songs": [{**song, "id": "x"} for song in small_about()["songs"]]}, "id"),
        ({"songs": [{**song, "sections": [7]} for song in small_about()["songs"]]}, "sections"),
        ({"songs": [{**song, "sections": None} for song in small_about()["songs"]]}, "sections"),
    ],
)
def test_a_song_table_that_fits_other_bars_is_refused(tmp_path: Path, about: Any, reason: str) -> None:
    write(tmp_path, small_arrays())
    sound = {**small_about(), "digest": digest(small_arrays())}
    (tmp_path / ABOUT_FILE).write_text(json.dumps({**sound, **about} if isinstance(about, dict) else about))
    assert reason in refusal(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000, '{"format": ' + "9" * 5000 + "}"])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, small_arrays())
    (tmp_path / ABOUT_FILE).write_text(text, encoding="latin-1")
    assert ABOUT_FILE in refusal(tmp_path)
