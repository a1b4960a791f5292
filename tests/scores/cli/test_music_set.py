"""The music a user names: MIDI files and corpora, as phrases of eight bars."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import symusic

from data_prep.bars import piano_roll
from data_prep.corpus import Split, load
from data_prep.errors import UserError
from data_prep.locate import resolve
from reporting.midi import write_midi
from scores.cli import thinned
from scores.cli.music_set import load_set
from scores.cli.thinned import MAX_PHRASES, Thinned
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
    monkeypatch.setattr(thinned, "MAX_PHRASES", 8)
    for count in (3, 8, 15, 16, 17, 100, 1000):
        phrases = Thinned()
        for number in range(count):
            roll = np.zeros((8, 16, 128), np.bool_)
            roll.reshape(-1)[number] = True
            phrases.add(roll, np.full(8, number % 24, np.int8), number)
            assert len(phrases._rolls) <= 16
        roll, chord, song = phrases.arrays()
        kept = roll.reshape(len(roll), -1).argmax(axis=1)
        assert len(kept) == min(count, 8)
        assert (chord[:, 0] == kept % 24).all()
        assert (song == kept).all()
        gaps = np.diff([-1, *kept.tolist(), count])
        assert gaps.min() >= 1
        assert gaps.max() <= 2 * count / len(kept) + 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("zzz", "^zzz: there is no such file or folder; see --help"),
        ("builtim", "did you mean 'builtin'"),
        ("Bad", "no such file or folder; did you mean 'bad'"),
        ("bad/x3.mid", "no such file or folder; did you mean 'bad/x2?.mid'"),
        ("empty", "no MIDI file in it, and no corpus; write SOURCE:empty"),
        ("bad", "^bad: none of its files can be scored: u.mid: no note in it; x.mid and 1 more: no MIDI file: .*MThd$"),
        ("bad/x.mid", "^bad/x.mid: no MIDI file: it does not begin with MThd"),
        ("bad/u.mid", "^bad/u.mid: no note in it"),
        ("", "^A file or folder has a name, and this one is empty"),
        ("nowhere.mid", "^nowhere.mid: there is no such file or folder; see --help"),
        ("a" * 5000, "no such file or folder"),
        ("nul\0l", "no such file or folder"),
        ("midi", "needs a folder"),
        ("maestr:bad", "no source 'maestr': did you mean 'maestro'"),
        ("maestro:bad", "'maestro:bad': it holds windows"),
        ("corpus.npz", "neither a source"),
    ],
)
def test_what_is_no_music_is_told_in_one_line(
    name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    for name_of_file in ("x.mid", "x2.mid"):
        (tmp_path / "bad" / name_of_file).write_text("hello")
    (tmp_path / "bad" / "u.mid").write_bytes(b"MThd\0\0\0\6\0\0\0\0\1\xe0")
    (tmp_path / "corpus.npz").touch()
    (tmp_path / "nowhere.mid").symlink_to("nothing")
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


Notes = list[tuple[int, int, int]]


def write(path: Path, *tracks: tuple[str, Notes], metre: tuple[int, int] = (4, 4)) -> None:
    """A MIDI file of tracks of notes (start, length, pitch) in ticks, 480 to a quarter note."""
    score = symusic.Score(480)
    score.time_signatures.append(symusic.TimeSignature(0, *metre))
    for name, notes in tracks:
        track = symusic.Track(name=name)
        for note in notes:
            track.notes.append(symusic.Note(*note, 90))
        score.tracks.append(track)
    score.dump_midi(path)


BAR = 1920
TUNE: Notes = [(480 * beat, 480, 60 + beat % 12) for beat in range(32)]
CHORDS: Notes = [(BAR * bar, BAR, 48 + tone) for bar in range(8) for tone in (0, 4, 7)]
BASS: Notes = [(BAR * bar, BAR, 36) for bar in range(8)]
MELODY = np.repeat(60 + np.arange(32) % 12, 4).reshape(1, 8, 16).astype(np.int8)


def is_the_tune(roll: np.ndarray) -> bool:
    return bool((roll == piano_roll(MELODY)).all())


@pytest.mark.parametrize(
    "tracks",
    [
        [("MELODY", TUNE), ("BRIDGE", BASS), ("PIANO", CHORDS)],
        [("", TUNE), ("", CHORDS)],
        [("melody", TUNE), ("chords", CHORDS)],
    ],
    ids=["POP909", "Nottingham", "ours"],
)
def test_melody_and_chords_are_told_as_a_corpus_tells_them(tracks: list[tuple[str, Notes]], tmp_path: Path) -> None:
    write(tmp_path / "a.mid", *tracks)
    found = load_set(str(tmp_path))
    assert is_the_tune(found.roll)
    assert (found.chord == 0).all()
    assert found.remarks == ()


def test_where_the_melody_cannot_be_told_all_tracks_are_music(tmp_path: Path) -> None:
    for number in range(2):
        write(tmp_path / f"{number}.mid", ("violin", TUNE), ("viola", BASS), ("cello", CHORDS))
    found = load_set(str(tmp_path))
    assert found.roll[..., [36, 48, 52, 55]].all()
    assert (found.roll | piano_roll(MELODY) == found.roll).all()
    assert not found.has_chords
    (remark,) = found.remarks
    assert "all tracks taken as melody in 2 files; --chords-track names" in remark
    named = load_set(str(tmp_path), chords_track="cello")
    assert named.has_chords
    assert not named.roll[..., 48].any()
    assert "all tracks but the chords taken as melody in 2 files" in named.remarks[0]


def test_a_chords_track_serves_both_sides_though_only_one_has_it(tmp_path: Path) -> None:
    write(tmp_path / "a.mid", ("tune", TUNE), ("bass", BASS), ("strings", CHORDS))
    write(tmp_path / "b.mid", ("melody", TUNE), ("chords", CHORDS))
    write(tmp_path / "c.mid", ("strings", TUNE))
    found = load_set(str(tmp_path), chords_track="strings")
    assert [is_the_tune(roll) for roll in found.roll] == [True, True, True]
    assert (found.chord == 0).all(axis=1).tolist() == [True, True, False]
    (remark,) = found.remarks
    assert "no track as --chords-track names it beside a melody in 2 files: chosen without it there" in remark


def test_an_unnamed_track_is_named_by_its_number(tmp_path: Path) -> None:
    write(tmp_path / "a.mid", ("", CHORDS), ("", TUNE))
    for name in ("track 1", "1"):
        found = load_set(str(tmp_path), chords_track=name)
        assert is_the_tune(found.roll)
        assert found.remarks == ()


def test_no_chords_track_makes_all_of_it_music(tmp_path: Path) -> None:
    write(tmp_path / "a.mid", ("melody", TUNE), ("chords", CHORDS))
    found = load_set(str(tmp_path), chords_track="none")
    assert found.roll[..., 48].all()
    assert not found.has_chords


def test_what_is_told_of_files_is_counted(tmp_path: Path) -> None:
    played = [(start + 50, length, pitch) for start, length, pitch in TUNE]
    write(tmp_path / "a.mid", ("melody", TUNE), metre=(3, 4))
    write(tmp_path / "b.mid", ("melody", played), metre=(6, 8))
    write(tmp_path / "c.mid", ("melody", TUNE))
    write(tmp_path / "short.mid", ("melody", TUNE[:4]), metre=(3, 4))
    short, metre, off = load_set(str(tmp_path)).remarks
    assert "1 file shorter than 8 bars left out: short.mid" in short
    assert "2 files not in 4/4: bars of four quarter notes are counted all the same" in metre
    assert "1 file in which over a fifth of the onsets lie off the sixteenths" in off


def test_a_set_says_where_it_is_from_and_whether_rests_were_filled(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep" / "a.mid", ("melody", TUNE))
    assert load_set(str(tmp_path / "deep")).place == load_set(str(tmp_path / "deep" / ".." / "deep")).place
    assert load_set(str(tmp_path / "deep")).place != load_set(str(tmp_path)).place
    assert load_set("builtin").place == load_set("builtin", held_out=True).place
    assert load_set("builtin").rests_filled
    assert not load_set(str(tmp_path)).rests_filled


def test_a_sample_that_fell_silent_is_not_scored_by_its_chords(tmp_path: Path) -> None:
    chords = [(4 * bar, 4 * bar + 4, pitch) for bar in range(16) for pitch in (48, 52, 55)]
    write(tmp_path / "silent.mid", ("chords", chords))
    with pytest.raises(UserError, match="only chords in it, and no note of a melody"):
        load_set(str(tmp_path / "silent.mid"))
