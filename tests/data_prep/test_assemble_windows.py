import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.assemble_windows import assemble_windows, cluster_of
from data_prep.corpus import Split
from data_prep.errors import UserError
from data_prep.options import SPLIT, Options
from data_prep.song import RawPiece, SkippedFile
from data_prep.splits import Shares
from data_prep.windows import WindowCorpus, load, save

HEARS = (*SPLIT, "sampling_frequency", "pedal")


def piece(name: str, *notes: tuple[int, int, int, int], **more: Any) -> RawPiece:
    ordered = sorted(notes, key=lambda note: (note[0], note[2]))
    return RawPiece(id=name, path=name, inputs={name: "0"}, notes=np.array(ordered, np.int32).reshape(-1, 4), **more)


def melody(name: str, pitches: list[int], step: int = 8, **more: Any) -> RawPiece:
    return piece(name, *((step * i, step * i + step, pitch, 64) for i, pitch in enumerate(pitches)), **more)


def corpus_of(*read: RawPiece | SkippedFile, **options: Any) -> WindowCorpus:
    return assemble_windows(read, Options(**options), source="test", hears=HEARS, versions={"reader": "1"})


def test_windows_count_from_time_0_and_a_silent_one_leaves_a_gap() -> None:
    held_over = piece("a", (5, 130, 60, 100), (128 * 3, 128 * 4, 62, 90), (128 * 5 - 1, 128 * 5 + 1, 64, 80))
    corpus = corpus_of(held_over, piece("b", (300, 512, 48, 70)))
    assert corpus.song.tolist() == [0, 0, 0, 0, 1, 1]
    assert corpus.window.tolist() == [0, 1, 3, 4, 2, 3]
    assert corpus.first_note.tolist() == [0, 0, 1, 2, 3, 3]
    assert corpus.end_note.tolist() == [1, 1, 2, 3, 4, 4]
    assert corpus.about["counts"]["dropped_windows"] == {"no note in it": 3, "remainder shorter than a window": 1}
    assert corpus.about["songs"][1]["sections"] == [{"path": "b", "first_row": 4, "num_bars": 2}]


@pytest.mark.parametrize(
    ("end", "windows", "remainders"), [(127, 0, 1), (128, 1, 0), (129, 1, 1), (256, 2, 0), (511, 3, 1)]
)
def test_the_last_full_window_is_kept_and_the_remainder_counted(end: int, windows: int, remainders: int) -> None:
    corpus = corpus_of(piece("whole", (0, 128, 60, 1)), piece("long", (0, end, 60, 1)))
    assert corpus.num_windows == 1 + windows
    left_out = corpus.about["counts"]["dropped_windows"]
    assert left_out.get("remainder shorter than a window", 0) == remainders


def test_every_note_of_a_piece_is_kept_once_and_its_own() -> None:
    corpus = corpus_of(piece("a", (0, 300, 60, 1), (10, 20, 72, 127), (299, 300, 61, 5)), piece("b", (0, 128, 127, 9)))
    assert corpus.start.tolist() == [0, 10, 299, 0]
    assert corpus.end.tolist() == [300, 20, 300, 128]
    assert corpus.pitch.tolist() == [60, 72, 61, 127]
    assert corpus.velocity.tolist() == [1, 127, 5, 9]
    assert sum(corpus.arrays()[name].itemsize for name in ("start", "end", "pitch", "velocity")) == 10


def test_pieces_that_give_no_window_are_skipped_with_the_reason() -> None:
    corpus = corpus_of(
        SkippedFile(path="z", reason="bad"),
        melody("a", [60] * 16),
        melody("a", [61] * 16),
        piece("short", (0, 127, 60, 1)),
        piece("late", (128, 130, 60, 1)),
        piece("nothing"),
    )
    assert [song["id"] for song in corpus.about["songs"]] == ["a"]
    assert corpus.about["skipped"] == [
        {"path": "a", "reason": "another song has the same name"},
        {"path": "late", "reason": "no usable window: no note in it"},
        {"path": "nothing", "reason": "no usable window: no note in it"},
        {"path": "short", "reason": "no usable window: remainder shorter than a window"},
        {"path": "z", "reason": "bad"},
    ]


def test_nothing_usable_is_one_line_that_says_why() -> None:
    with pytest.raises(UserError, match=r"2 files: no usable window: remainder .* \(2\)\. .* of 16 s and more"):
        corpus_of(piece("a", (0, 9, 60, 1)), piece("b", (0, 9, 60, 1)), sampling_frequency=8.0)
    with pytest.raises(UserError, match="No music of this kind there"):
        corpus_of()


def test_too_many_notes_to_be_read_again_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_prep.assemble_windows.MAX_NOTES", 31)
    corpus_of(melody("a", [60] * 31))
    with pytest.raises(UserError, match="Over 31 notes in 2 files"):
        corpus_of(melody("a", [60] * 16), melody("b", [60] * 16))


def test_a_split_laid_down_is_used_as_it_is() -> None:
    pieces = [melody(str(number), [60] * 16, split=number % 3) for number in range(30)]
    corpus = corpus_of(*pieces)
    assert corpus.split.tolist() == [number % 3 for number in range(30)]
    assert len({song["cluster"] for song in corpus.about["songs"]}) == 1
    counts = corpus.about["counts"]["splits"]
    assert counts["prompts"] == {"songs": 0, "windows": 0}
    assert counts["test"] == {"songs": 10, "windows": 10}


def test_copies_share_a_split_in_any_key_and_at_any_speed() -> None:
    opening = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 59]
    assert cluster_of(melody("a", opening)) == "+2 +2 +1 +2 +2 +2 +1 -1 -2 -2 -2 -1 -2 -2 -1"
    copies = [melody(str(key), [pitch + key for pitch in [*opening, 60 + key]], 8 + key) for key in range(12)]
    others = [melody(f"other {number}", [60] * number + [70] + [60] * (20 - number)) for number in range(15)]
    corpus = corpus_of(*copies, *others, shares=Shares(validation=0.3, test=0.3, prompts=0.1))
    assert len(set(corpus.split[:12].tolist())) == 1
    assert len(set(corpus.split[12:].tolist())) > 1
    assert cluster_of(melody("x", [60] * 15)) == "song x"


def test_another_seed_gives_other_splits_and_is_recorded() -> None:
    pieces = [melody(str(number), [number, *range(30, 50)]) for number in range(60)]
    one, other = corpus_of(*pieces), corpus_of(*pieces, seed=1)
    assert one.split.tolist() != other.split.tolist()
    assert other.about["options"] == {
        "seed": 1,
        "shares": {"validation": 0.12, "test": 0.12, "prompts": 0.04},
        "sampling_frequency": 16.0,
        "pedal": "ignore",
    }


def test_what_it_was_made_of_is_recorded() -> None:
    corpus = corpus_of(melody("a", [60] * 40, remarks={"x": 2}), melody("b", [60] * 16, remarks={"x": 1, "y": 1}))
    assert corpus.about["source"] == "test"
    assert corpus.about["versions"] == {"reader": "1"}
    assert corpus.about["inputs"] == {"a": "0", "b": "0"}
    counts = corpus.about["counts"]
    assert (counts["songs"], counts["windows"], counts["remarks"]) == (2, 3, {"x": 3, "y": 1})


@st.composite
def random_pieces(draw: st.DrawFn) -> list[RawPiece]:
    note = st.tuples(st.integers(0, 700), st.integers(1, 300), st.integers(0, 127), st.integers(1, 127))
    lists = draw(st.lists(st.lists(note, max_size=20), max_size=4))
    return [
        piece(str(number), *((at, at + length, pitch, velocity) for at, length, pitch, velocity in notes))
        for number, notes in enumerate(lists)
    ] + [piece("always", (draw(st.integers(0, 127)), 128, 60, 64))]


@settings(max_examples=60, deadline=None)
@given(pieces=random_pieces())
def test_every_window_shows_its_notes_and_no_sound_is_lost(pieces: list[RawPiece]) -> None:
    corpus = corpus_of(*pieces)
    rolls = corpus.rasterise(np.arange(corpus.num_windows))
    songs = [song["id"] for song in corpus.about["songs"]]
    shown = {
        (songs[song], int(window)): roll
        for song, window, roll in zip(corpus.song.tolist(), corpus.window, rolls, strict=True)
    }
    for raw in pieces:
        length = max((int(note[1]) for note in raw.notes), default=0)
        roll = np.zeros((length, 128), np.uint8)
        for start, end, pitch, velocity in raw.notes:
            for step in range(start, end):
                roll[step, pitch] = max(roll[step, pitch], velocity)
        for window in range(length // 128):
            expected = roll[128 * window : 128 * window + 128]
            assert ((raw.id, window) in shown) == bool(expected.any())
            np.testing.assert_array_equal(shown.pop((raw.id, window), np.zeros_like(expected)), expected)
    assert not shown
    with tempfile.TemporaryDirectory() as folder:
        save(corpus, Path(folder))
        assert load(Path(folder)).digest == corpus.digest


def test_splits_are_those_of_the_enumeration() -> None:
    corpus = corpus_of(melody("a", [60] * 16, split=Split.TEST))
    assert corpus.rows(Split.TEST).tolist() == [0]
