"""The music a user names: MIDI files and corpora, as phrases of eight bars."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_prep.bars import piano_roll
from data_prep.corpus import Split, load
from data_prep.errors import UserError
from data_prep.locate import resolve
from reporting.midi import write_midi
from scores.cli import music_set
from scores.cli.music_set import MAX_PHRASES, load_set
from scores.copying import near_copy_rate

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def test_files_are_cut_into_phrases_one_after_the_other(songbook: Songbook, tmp_path: Path) -> None:
    lines, chords = songbook(5, 1)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write_midi(tmp_path / "a.mid", lines[:2].reshape(16, 16), chords[:2].reshape(16))
    write_midi(tmp_path / "deep" / "er" / "b.MIDI", lines[2:].reshape(24, 16)[:20], chords[2:].reshape(24)[:20])
    write_midi(tmp_path / "short.mid", lines[0, :7], chords[0, :7])
    (tmp_path / "text.mid").write_text("no music")
    found = load_set(str(tmp_path))
    np.testing.assert_array_equal(found.roll, piano_roll(lines[:4]))
    np.testing.assert_array_equal(found.chord, chords[:4])
    assert found.training is None
    unreadable, short = found.remarks
    assert "1 file left out: text.mid: no MIDI file" in unreadable
    assert "1 file shorter than 8 bars left out: short.mid" in short


def test_one_file_is_a_set_whatever_its_name(songbook: Songbook, tmp_path: Path) -> None:
    lines, chords = songbook(1, 2)
    write_midi(tmp_path / "song.kar", lines[0], chords[0])
    found = load_set(str(tmp_path / "song.kar"), chords_track="none")
    assert len(found) == 1
    assert not found.has_chords
    assert load_set(str(tmp_path / "song.kar")).has_chords


def test_of_a_corpus_the_reference_is_what_was_not_trained_on() -> None:
    corpus = load(resolve("builtin"))
    whole, held = load_set("builtin"), load_set("builtin", held_out=True)
    assert (len(whole), len(held)) == (MAX_PHRASES, MAX_PHRASES)
    rolls = {roll.tobytes() for roll in piano_roll(corpus.melody[corpus.phrases(Split.TRAIN)])}
    assert whole.training is None
    assert held.training is not None
    trained = sum(roll.tobytes() in rolls for roll in held.roll)
    assert trained < 0.02 * MAX_PHRASES < sum(roll.tobytes() in rolls for roll in whole.roll)
    training = corpus.melody[corpus.phrases(Split.TRAIN)[:50]]
    assert near_copy_rate(training, held.training) > 0.5


def test_many_phrases_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(music_set, "MAX_PHRASES", 8)
    for count in (3, 8, 15, 16, 17, 100, 1000):
        thinned = music_set._Thinned()
        for number in range(count):
            roll = np.zeros((8, 16, 128), np.bool_)
            roll.reshape(-1)[number] = True
            thinned.add(roll, np.full(8, number % 24, np.int8))
            assert len(thinned._rolls) <= 16
        roll, chord = thinned.arrays()
        kept = roll.reshape(len(roll), -1).argmax(axis=1)
        assert len(kept) == min(count, 8)
        assert (chord[:, 0] == kept % 24).all()
        gaps = np.diff([-1, *kept.tolist(), count])
        assert gaps.min() >= 1
        assert gaps.max() <= 2 * count / len(kept) + 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing", "neither a source"),
        ("builtim", "did you mean 'builtin'"),
        ("empty", "no corpus.npz"),
        ("bad", "no music in it; x.mid: no MIDI file"),
        ("bad/x.mid", "no music in it; x.mid: no MIDI file"),
        ("a" * 5000, "neither a source"),
        ("nul\0l", "neither a source"),
        ("midi", "needs a folder"),
    ],
)
def test_what_is_no_music_is_told_in_one_line(
    name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.mid").write_text("hello")
    with pytest.raises(UserError, match=told) as error:
        load_set(name)
    assert "\n" not in str(error.value)


def test_a_reader_hears_how_far_it_is(songbook: Songbook, tmp_path: Path) -> None:
    lines, chords = songbook(2, 3)
    for number in range(2):
        write_midi(tmp_path / f"{number}.mid", lines[number], chords[number])
    heard: list[tuple[int, int]] = []
    load_set(str(tmp_path), progress=lambda done, total: heard.append((done, total)))
    assert heard == [(1, 2), (2, 2)]
