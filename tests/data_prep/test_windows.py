import json
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import corpus as bars
from data_prep import store, windows
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.windows import DTYPES, WindowCorpus, load, save

Arrays = dict[str, np.ndarray[Any, Any]]
Note = tuple[int, int, int, int]


def arrays_of(pieces: list[list[Note]], splits: list[int]) -> Arrays:
    """The arrays of pieces of notes (start, end, pitch, velocity), all full windows with sound, by plain loops."""
    notes: list[Note] = []
    rows: list[tuple[int, int, int, int]] = []
    for song, piece in enumerate(pieces):
        piece, ahead = sorted(piece, key=lambda note: (note[0], note[2])), len(notes)
        for window in range(max(end for _, end, _, _ in piece) // 128):
            low, high = 128 * window, 128 * window + 128
            sounding = [k for k, (start, end, _, _) in enumerate(piece) if end > low and start < high]
            if sounding:
                begun = sum(start < high for start, _, _, _ in piece)
                rows.append((song, window, ahead + sounding[0], ahead + begun))
        notes += piece
    columns = dict(zip(("start", "end", "pitch", "velocity"), zip(*notes, strict=True), strict=True))
    columns |= dict(zip(("song", "window", "first_note", "end_note"), zip(*rows, strict=True), strict=True))
    return {name: np.array(values, DTYPES[name]) for name, values in {**columns, "split": splits}.items()}


def about_of(arrays: Arrays) -> dict[str, Any]:
    songs, row = [], 0
    for song, split in enumerate(arrays["split"].tolist()):
        count = int((arrays["song"] == song).sum())
        place = {"path": f"{song}.mid", "first_row": row, "num_bars": count}
        songs.append({"id": f"{song}.mid", "split": split, "sections": [place]})
        row += count
    return {"songs": songs, "options": {"sampling_frequency": 16.0, "pedal": "ignore"}}


def corpus_of(arrays: Arrays) -> WindowCorpus:
    return WindowCorpus(about=about_of(arrays), **arrays)


def rolls_of(arrays: Arrays) -> np.ndarray[Any, Any]:
    """Every window as a roll, cell by cell, from all notes of its piece."""
    opening = [int(np.flatnonzero(arrays["song"] == song)[0]) for song in range(len(arrays["split"]))]
    piece = [*arrays["first_note"][opening].tolist(), len(arrays["start"])]
    rolls = np.zeros((len(arrays["song"]), 128, 128), np.uint8)
    for row, (song, window) in enumerate(zip(arrays["song"].tolist(), arrays["window"].tolist(), strict=True)):
        for note in range(piece[song], piece[song + 1]):
            start, end, pitch, velocity = (int(arrays[name][note]) for name in ("start", "end", "pitch", "velocity"))
            for step in range(max(start, 128 * window), min(end, 128 * window + 128)):
                cell = (row, step - 128 * window, pitch)
                rolls[cell] = max(int(rolls[cell]), velocity)
    return rolls


def small_arrays() -> Arrays:
    """Two pieces: windows 0, 1 and 3 of the first (train), windows 1 and 2 of the second (test)."""
    first = [(0, 4, 60, 100), (2, 130, 64, 90), (120, 200, 67, 80), (384, 520, 72, 70), (400, 401, 60, 1)]
    return arrays_of([first, [(130, 400, 50, 127)]], [0, 2])


def written(folder: Path, arrays: Arrays, about: dict[str, Any] | None = None) -> Path:
    """A corpus as somebody else might write it, with the right digest."""
    store.write(folder, arrays, {**(about or about_of(small_arrays())), "kind": "windows"})
    return folder


def refusal(folder: Path, read: Callable[[Path], Any] = load) -> str:
    with pytest.raises(UserError) as caught:
        read(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_small_corpus_by_hand() -> None:
    corpus = corpus_of(small_arrays())
    assert (corpus.num_windows, corpus.num_songs) == (5, 2)
    assert corpus.window.tolist() == [0, 1, 3, 1, 2]
    assert corpus.first_note.tolist() == [0, 1, 3, 5, 5]
    assert corpus.end_note.tolist() == [3, 3, 5, 6, 6]
    assert corpus.rows(Split.TRAIN).tolist() == [0, 1, 2]
    assert corpus.rows(Split.TEST).tolist() == [3, 4]
    assert corpus.rows(Split.PROMPTS).tolist() == []
    rolls = corpus.rasterise(np.array([1, 3, 1]))
    assert rolls.dtype == np.uint8
    assert rolls.shape == (3, 128, 128)
    assert rolls[0].sum() == 2 * 90 + 72 * 80
    assert (rolls[0, :2, 64] == 90).all()
    assert (rolls[0, :72, 67] == 80).all()
    assert rolls[1].sum() == 126 * 127
    assert (rolls[1, 2:, 50] == 127).all()
    assert (rolls[2] == rolls[0]).all()


def test_no_rows_are_no_rolls() -> None:
    assert corpus_of(small_arrays()).rasterise(np.zeros(0, np.int64)).shape == (0, 128, 128)


@st.composite
def random_arrays(draw: st.DrawFn) -> Arrays:
    """One to three pieces, each of at least one full window; few pitches and starts, so that notes collide."""
    note = st.tuples(st.integers(0, 500), st.integers(1, 300), st.sampled_from([0, 1, 60, 127]), st.integers(1, 127))
    pieces = []
    for _ in range(draw(st.integers(1, 3))):
        drawn = draw(st.lists(note, max_size=12))
        notes = [(start, start + length, pitch, velocity) for start, length, pitch, velocity in drawn]
        pieces.append([*notes, (draw(st.integers(0, 127)), 128, 5, 9)])
    return arrays_of(pieces, [draw(st.integers(0, 3)) for _ in pieces])


@settings(max_examples=60, deadline=None)
@given(arrays=random_arrays(), at_once=st.integers(1, 40), data=st.data())
def test_rolls_are_those_of_a_plain_loop(arrays: Arrays, at_once: int, data: st.DataObject) -> None:
    rows = np.array(data.draw(st.lists(st.integers(0, len(arrays["song"]) - 1), max_size=8)), np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "_AT_ONCE", at_once)
        np.testing.assert_array_equal(corpus_of(arrays).rasterise(rows), rolls_of(arrays)[rows])


@settings(max_examples=40, deadline=None)
@given(arrays=random_arrays())
def test_a_corpus_comes_back_as_it_was_saved_and_as_the_same_bytes(arrays: Arrays) -> None:
    corpus = corpus_of(arrays)
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder) / "new" / "one", Path(folder) / "two"
        save(corpus, one)
        save(corpus, two)
        back = load(one)
        for name in ("corpus.npz", "corpus.json"):
            assert (one / name).read_bytes() == (two / name).read_bytes()
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(back, name), array)
        assert getattr(back, name).dtype == DTYPES[name]
    assert back.digest == corpus.digest == back.about["digest"]
    assert back.about["songs"] == corpus.about["songs"]


@settings(max_examples=150, deadline=None)
@given(arrays=random_arrays(), data=st.data())
def test_whatever_is_believed_is_rasterised_rightly(arrays: Arrays, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(set(DTYPES) - {"split"})))
    limits = np.iinfo(DTYPES[name])
    changed = arrays[name].copy()
    near = st.integers(-2, 2).map(lambda shift: int(changed[place]) + shift)
    place = data.draw(st.integers(0, len(changed) - 1))
    value = data.draw(near | st.integers(int(limits.min), int(limits.max)))
    changed[place] = min(max(value, int(limits.min)), int(limits.max))
    arrays = {**arrays, name: changed}
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), arrays, about_of(arrays))
        try:
            corpus = load(Path(folder))
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017 -- either outcome is right
            return
    np.testing.assert_array_equal(corpus.rasterise(np.arange(corpus.num_windows)), rolls_of(arrays))


def with_value(name: str, place: int, value: int) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        arrays[name][place] = value

    return change


def replaced(name: str, change: Callable[[Any], Any]) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.update({name: change(arrays[name])})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda arrays: arrays.pop("window"), "it holds"),
        (lambda arrays: arrays.update(more=np.zeros(1)), "it holds"),
        (replaced("start", lambda a: a.astype(np.int64)), "start is int64, not int32"),
        (replaced("velocity", lambda a: a.astype(np.int8)), "velocity is int8, not uint8"),
        (replaced("end", lambda a: a[:5]), "end has shape"),
        (replaced("window", lambda a: a[:, None]), "window has shape"),
        (replaced("split", lambda a: a[:, None]), "split has shape"),
        (with_value("pitch", 2, 128), "pitch holds 50 to 128"),
        (with_value("velocity", 2, 0), "velocity holds 0"),
        (with_value("velocity", 2, 128), "velocity holds 1 to 128"),
        (with_value("split", 0, 4), "split holds"),
        (with_value("start", 0, -1), "start holds -1"),
        (with_value("window", 0, -1), "window holds -1"),
        (with_value("first_note", 0, -1), "first_note holds -1"),
        (with_value("first_note", 3, 6), "first_note holds 0 to 6"),
        (with_value("end_note", 3, 7), "end_note holds 3 to 7"),
        (with_value("end", 2, 120), "end must lie after start"),
        (with_value("song", 4, 2), "song must count"),
        (with_value("song", 0, 1), "song must count"),
        (with_value("window", 1, 0), "window must count up"),
        (with_value("first_note", 0, 1), "no note between two pieces"),
        (with_value("first_note", 3, 0), "no note between two pieces"),
        (with_value("start", 1, 121), "in order of start, then pitch"),
        (with_value("end_note", 2, 6), "within the notes of the window's song"),
        (with_value("first_note", 2, 5), "within the notes"),
        (with_value("first_note", 4, 3), "within the notes"),
        (with_value("first_note", 1, 0), "first to the last that sound"),
        (with_value("first_note", 1, 2), "first to the last that sound"),
        (with_value("first_note", 2, 4), "first to the last that sound"),
        (with_value("end_note", 0, 2), "first to the last that sound"),
        (with_value("end_note", 0, 4), "first to the last that sound"),
        (with_value("window", 2, 2), "first to the last that sound"),
        (with_value("window", 2, 2**31 - 1), "first to the last that sound"),
    ],
)
def test_arrays_that_break_a_rule_are_refused(tmp_path: Path, change: Callable[[Arrays], None], reason: str) -> None:
    arrays = small_arrays()
    change(arrays)
    folder = written(tmp_path, arrays)
    told = refusal(folder)
    assert reason in told
    assert str(tmp_path) in told


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    empty = {name: array[:0] for name, array in small_arrays().items()}
    assert "first_note holds" in refusal(written(tmp_path / "notes", {**small_arrays(), **_only_notes(empty)}))
    assert "no window" in refusal(written(tmp_path / "all", empty))


def _only_notes(arrays: Arrays) -> Arrays:
    return {name: arrays[name] for name in ("start", "end", "pitch", "velocity")}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"songs": None}, "table of songs"),
        ({"songs": []}, "splits"),
        ({"songs": [{"id": "a", "split": 0}, {"id": "b", "split": 2}]}, "sections"),
        ({"options": None}, "sampling_frequency"),
        ({"options": {}}, "sampling_frequency"),
        ({"options": {"sampling_frequency": True}}, "sampling_frequency"),
        ({"options": {"sampling_frequency": "16"}}, "sampling_frequency"),
        ({"options": {"sampling_frequency": float("nan")}}, "sampling_frequency"),
        ({"options": {"sampling_frequency": 0}}, "sampling_frequency"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    assert reason in refusal(written(tmp_path, small_arrays(), {**about_of(small_arrays()), **change}))


def test_a_changed_array_beside_an_old_table_is_refused(tmp_path: Path) -> None:
    save(corpus_of(small_arrays()), tmp_path)
    louder = small_arrays()
    louder["velocity"] += 1 - louder["velocity"] // 127
    save(corpus_of(louder), tmp_path / "other")
    (tmp_path / "corpus.npz").write_bytes((tmp_path / "other" / "corpus.npz").read_bytes())
    assert "belongs to another" in refusal(tmp_path)


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    save(corpus_of(small_arrays()), tmp_path)
    for name in ("corpus.npz", "corpus.json"):
        data = (tmp_path / name).read_bytes()
        for size in range(0, len(data) - 2, len(data) // 40):
            (tmp_path / name).write_bytes(data[:size])
            assert name in refusal(tmp_path)
        (tmp_path / name).write_bytes(data)
    load(tmp_path)


def test_neither_kind_of_corpus_is_read_as_the_other(tmp_path: Path) -> None:
    save(corpus_of(small_arrays()), tmp_path / "windows")
    assert "holds windows of piano music, but this needs bars" in refusal(tmp_path / "windows", bars.load)
    one_bar = Corpus(
        melody=np.full((1, 16), 60, np.int8),
        onset=np.ones(1, np.uint16),
        chord=np.zeros((1, 4), np.int8),
        first_chord=np.zeros(1, np.int8),
        prev=np.full(1, -1, np.int32),
        song=np.zeros(1, np.int32),
        bar=np.zeros(1, np.int32),
        split=np.zeros(1, np.int8),
        about={"songs": [{"id": "a", "split": 0, "sections": [{"path": "a", "first_row": 0, "num_bars": 1}]}]},
    )
    bars.save(one_bar, tmp_path / "bars")
    assert "holds bars with chords, but this needs windows" in refusal(tmp_path / "bars")
    assert json.loads((tmp_path / "windows" / "corpus.json").read_text())["kind"] == "windows"


def test_any_number_of_notes_in_a_window_takes_little_memory() -> None:
    piece = [(0, 128, 60, 1 + note % 127) for note in range(100_000)]
    corpus = corpus_of(arrays_of([piece], [0]))
    rows = np.zeros(3, np.int64)
    tracemalloc.start()
    rolls = corpus.rasterise(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6  # the cells of all notes at once would take 300 MB for each of several steps
    assert rolls.sum() == 3 * 128 * 127


def test_a_bare_corpus_holds_the_same_windows_and_no_table() -> None:
    corpus = corpus_of(arrays_of([[(0, 128, 60, 64), (128, 300, 62, 90)]], [0]))
    assert corpus.sampling_frequency == 16.0
    bare = corpus.bare()
    assert bare.about == {}
    assert bare.digest == corpus.digest
    assert corpus.about["songs"]
