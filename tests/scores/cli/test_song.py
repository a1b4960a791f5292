"""MIDI files as songs: which tracks count, where the bars lie, and what comes back of the project's own samples."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.bars import piano_roll
from data_prep.errors import UserError
from data_prep.formats.midi import Midi, Track
from reporting.midi import write_midi
from scores.cli.events import EVENT_SCORES
from scores.cli.remarks import of_many
from scores.cli.song import UNITS, Song, read_song, score_song, song_of
from scores.registry import score_phrases

BAR = 4 * 480
Notes = list[tuple[int, int, int]]


def midi(*tracks: tuple[str, Notes], drums: str = "", metres: Notes | None = None) -> Midi:
    """A file of named tracks of notes (start, end, pitch)."""
    return Midi(
        resolution=480,
        tracks=tuple(
            Track(
                name=name,
                is_drum=name == drums,
                notes=np.array([(*note, 90) for note in notes], np.int64),
                pedal=np.empty((0, 2), np.int64),
            )
            for name, notes in tracks
        ),
        metres=np.array(metres or [], np.int64).reshape(-1, 3),
        tempi=np.empty((0, 2)),
    )


TUNE: Notes = [(0, 480, 72), (480, BAR, 74)]
CHORD: Notes = [(0, BAR, pitch) for pitch in (48, 52, 55)]


def roles(song: Song) -> tuple[tuple[str, ...], str | None]:
    return song.tracks, song.chords_track


@pytest.mark.parametrize("name", ["chords", "Chord", "Piano (chords)", "my chord track"])
def test_a_track_named_after_chords_gives_the_chords(name: str) -> None:
    song = song_of(midi((name, CHORD), ("tune", TUNE)), "a")
    assert roles(song) == (("tune",), name)
    assert (song.first_chord.tolist(), len(song.notes)) == ([0], 2)


@pytest.mark.parametrize("name", ["piano", "discord", "chordal"])
def test_other_tracks_do_not(name: str) -> None:
    song = song_of(midi((name, CHORD), ("tune", TUNE)), "a")
    assert roles(song) == ((name, "tune"), None)
    assert song.first_chord.tolist() == [24]
    assert not {"chord_tone_rate", "ctnctr", "pcs", "mctd"} & set(score_song(song))


@pytest.mark.parametrize("wanted", ["2", "track 2", "TRACK 2"])
def test_an_unnamed_track_can_be_asked_for_as_it_is_printed(wanted: str) -> None:
    song = song_of(midi(("", TUNE), ("", CHORD), drums="kit"), "a", wanted)
    assert roles(song) == (("track 1",), "track 2")
    with pytest.raises(UserError, match="its tracks are 1 'track 1', 2 'track 2'"):
        song_of(midi(("", TUNE), ("", CHORD), drums="kit"), "a", "track 3")


def test_a_file_by_itself_is_scored_with_all_its_tracks() -> None:
    song = song_of(midi(("MELODY", TUNE), ("BRIDGE", TUNE), ("PIANO", CHORD)), "a")
    assert roles(song) == (("MELODY", "BRIDGE", "PIANO"), None)


@pytest.mark.parametrize("wanted", ["2", "Strings", "str"])
def test_a_track_can_be_asked_for_by_number_or_name(wanted: str) -> None:
    song = song_of(midi(("chords", TUNE), ("strings", CHORD)), "a", wanted)
    assert roles(song) == (("chords",), "strings")


def test_none_is_no_track() -> None:
    assert roles(song_of(midi(("tune", TUNE), ("chords", CHORD)), "a", "none")) == (("tune", "chords"), None)


def test_the_only_track_is_music_whatever_its_name() -> None:
    assert roles(song_of(midi(("chords", CHORD)), "a")) == (("chords",), None)


def test_drums_play_no_part() -> None:
    alone = song_of(midi(("tune", TUNE)), "a")
    drummed = song_of(midi(("tune", TUNE), ("chords", [(0, 9 * BAR, 36)]), drums="chords"), "a")
    assert roles(drummed) == (("tune",), None)
    assert score_song(drummed) == score_song(alone)


@pytest.mark.parametrize(
    ("wanted", "told"), [("3", "no track '3'"), ("kit", "drums"), ("bass", "no track 'bass'"), ("", "no track ''")]
)
def test_a_track_that_gives_no_chords_is_refused(wanted: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        song_of(midi(("tune", TUNE), ("kit", CHORD), drums="kit"), "a", wanted)


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(UserError, match="only drums"):
        song_of(midi(("kit", TUNE), drums="kit"), "a")
    with pytest.raises(UserError, match="nothing would be left"):
        song_of(midi(("tune", TUNE)), "a", "1")


def test_more_bars_than_are_read_are_refused_before_memory_is_set_aside() -> None:
    with pytest.raises(UserError, match=r"10,001 bars; at most 10,000"):
        song_of(midi(("tune", [(0, 10_000 * BAR + 1, 60)])), "a")
    assert song_of(midi(("tune", [(0, 10_000 * BAR, 60)])), "a").num_bars == 10_000


@pytest.mark.parametrize(
    ("metres", "first"), [([], 0), ([(0, 4, 4)], 0), ([(0, 1, 4), (480, 4, 4)], 3), ([(480, 2, 2)], 3)]
)
def test_the_first_common_time_signature_stands_on_a_bar_line(metres: Notes, first: int) -> None:
    song = song_of(midi(("tune", TUNE), metres=metres), "a")
    assert np.flatnonzero(song.roll.reshape(-1, 128).any(axis=1))[0] == 4 * first
    assert song.notes[0, 0] == first * 480


def test_another_metre_is_told_of() -> None:
    (remark,) = song_of(midi(("tune", TUNE), metres=[(0, 3, 4)]), "a").remarks
    assert remark.told == "written in 3/4: bars of four quarter notes are counted all the same"
    assert of_many([remark, remark]) == ["2 files not in 4/4: bars of four quarter notes are counted all the same"]
    later = song_of(midi(("tune", TUNE), metres=[(0, 4, 4), (9 * BAR, 6, 8)]), "a")
    assert later.remarks == ()  # there is no note under it


def test_steps_are_rounded_and_no_note_is_lost() -> None:
    song = song_of(midi(("tune", [(59, 121, 60), (61, 62, 61), (BAR - 1, BAR, 62)])), "a")
    sounding = {(step, pitch) for step, pitch in np.argwhere(song.roll.reshape(-1, 128)).tolist()}
    assert sounding == {(0, 60), (1, 61), (15, 62)}


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(0, 127)), min_size=1, max_size=30))
def test_notes_on_the_grid_are_drawn_cell_by_cell(notes: Notes) -> None:
    on_grid = [(120 * start, 120 * (start + length), pitch) for start, length, pitch in notes]
    song = song_of(midi(("tune", on_grid)), "a")
    drawn = np.zeros((song.num_bars * 16, 128), bool)
    for start, length, pitch in notes:
        drawn[start : start + length, pitch] = True
    np.testing.assert_array_equal(song.roll.reshape(-1, 128), drawn)


def test_a_written_sample_comes_back_as_it_was(
    songbook: Callable[[int, int], tuple[np.ndarray, np.ndarray]], tmp_path: Path
) -> None:
    lines, chords = songbook(3, 0)
    for line, chord in zip(lines, chords, strict=True):
        write_midi(tmp_path / "sample.mid", line, chord)
        song = read_song(tmp_path / "sample.mid")
        assert roles(song) == (("melody",), "chords")
        np.testing.assert_array_equal(song.roll, piano_roll(line))
        np.testing.assert_array_equal(song.first_chord, chord)
        expected = {name: value[0] for name, value in score_phrases(song.roll[None], chord[None]).items()}
        found = score_song(song)
        laid_out = [name for name in UNITS if name not in EVENT_SCORES]
        assert {name: found.get(name, np.nan) for name in laid_out} == pytest.approx(
            {name: expected[name] for name in laid_out}, nan_ok=True
        )
        assert found["scale_consistency"] == pytest.approx(expected["phrase_scale_consistency"])
        assert found["rest_rate"] == pytest.approx(expected["rest_rate"])


def test_the_key_is_estimated_unless_it_is_given() -> None:
    scale = [(480 * at, 480 * at + 480, 60 + step) for at, step in enumerate((0, 4, 7, 0, 2, 4, 5, 7, 9, 11, 0, 12))]
    song = song_of(midi(("tune", scale)), "a")
    assert song.key == 0
    assert score_song(song)["pitch_in_scale_rate"] == 1
    assert score_song(song, key=1)["pitch_in_scale_rate"] < 0.5


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    for content, told in ((b"", "MThd"), (b"hello", "MThd"), (b"MThd\0\0\0\6\0\0\0\0\1\xe0", "no note")):
        path.write_bytes(content)
        with pytest.raises(UserError, match=told) as error:
            read_song(path)
        assert str(error.value).startswith(f"{path}: ")
    with pytest.raises(UserError, match=r"b.mid: there is no such file; did you mean '.*/a.mid'"):
        read_song(tmp_path / "b.mid")


@pytest.mark.parametrize(
    ("files", "remedy"),
    [
        (["a.mid"], "FOLDER/*.mid, or compare it"),
        (["deep/er/a.MIDI"], "FOLDER/deep/er/*.MIDI"),
        (["a.txt"], "no MIDI file in it"),
    ],
)
def test_a_folder_is_answered_with_what_works(files: list[str], remedy: str, tmp_path: Path) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(UserError, match="a folder") as error:
        read_song(tmp_path)
    assert remedy in str(error.value).replace(str(tmp_path), "FOLDER")


def test_a_folder_with_a_space_is_quoted_for_the_shell(tmp_path: Path) -> None:
    (tmp_path / "my songs").mkdir()
    (tmp_path / "my songs" / "a.mid").touch()
    with pytest.raises(UserError) as error:
        read_song(tmp_path / "my songs")
    assert f"'{tmp_path}/my songs'/*.mid" in str(error.value)


@pytest.mark.parametrize("late", [0, 30, 31, 60, 90, 119])
def test_onsets_between_the_sixteenths_are_told_of(late: int) -> None:
    notes = [(240 * number + late, 240 * number + 240, 60 + number) for number in range(10)]
    remarks = [remark.told for remark in song_of(midi(("tune", notes)), "a").remarks]
    told = "100 % of the onsets lie off the sixteenths by over a quarter of one: scores of rhythm and bars mean little"
    assert remarks == ([told] if 30 < late < 90 else [])


@pytest.mark.parametrize(("number", "told"), [(2, False), (3, True)])
def test_a_fifth_of_the_onsets_may_lie_between(number: int, told: bool) -> None:
    notes = [(240 * at + 60 * (at < number), 240 * at + 120, pitch) for at in range(10) for pitch in (60, 64)]
    assert bool(song_of(midi(("tune", notes)), "a").remarks) is told
