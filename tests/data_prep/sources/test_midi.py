"""Melody and chords out of MIDI files that the tests write note by note."""

from pathlib import Path
from typing import Any, NamedTuple

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.chords import name
from data_prep.errors import UserError
from data_prep.formats.midi import Midi
from data_prep.grid import MAX_BARS, OFF_GRID, OTHER_METRE, PARTIAL
from data_prep.options import Options
from data_prep.prepare import prepare_found
from data_prep.song import RawSong, Section
from data_prep.source import Item
from data_prep.sources import midi as source
from data_prep.sources.midi import MIDI, NOTTINGHAM, metre_bars

RESOLUTION = 480
STEP = RESOLUTION // 4


class Note(NamedTuple):
    """Start and end in steps (parts of one for what is not on them), and pitch."""

    start: float
    end: float
    pitch: int


Metre = tuple[float, int, int]


def events(notes: list[Note]) -> list[tuple[int, mido.Message]]:
    return [
        *((round(note.start * STEP), mido.Message("note_on", note=note.pitch)) for note in notes),
        *((round(note.end * STEP), mido.Message("note_off", note=note.pitch)) for note in notes),
    ]


def track(timed: list[tuple[int, mido.Message]]) -> mido.MidiTrack:
    timed = sorted(timed, key=lambda item: (item[0], item[1].type != "note_off"))
    ticks = [tick for tick, _ in timed]
    return mido.MidiTrack(
        event.copy(time=tick - before) for before, (tick, event) in zip([0, *ticks], timed, strict=False)
    )


def write(path: Path, *parts: list[Note], metres: tuple[Metre, ...] = ()) -> Path:
    signatures = [
        (round(step * STEP), mido.MetaMessage("time_signature", numerator=beats, denominator=unit))
        for step, beats, unit in metres
    ]
    tracks = [track(signatures), *(track(events(part)) for part in parts)]
    mido.MidiFile(ticks_per_beat=RESOLUTION, tracks=tracks).save(str(path))
    return path


def section(path: Path, **options: Any) -> Section:
    read = source.read(path.parent, Item(paths=(path.name,)), Options(**options))
    assert isinstance(read[0], RawSong)
    return read[0].sections[0]


def chord(start: float, end: float, *pitches: int) -> list[Note]:
    return [Note(start, end, pitch) for pitch in pitches]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return tmp_path / "song.mid"


LONG = [Note(0, 160, 72)]
C, AM, G7 = (48, 52, 55), (57, 60, 64), (43, 47, 50, 53)


def test_a_bar_holds_the_melody_its_onsets_and_the_chord_of_each_beat(song: Path) -> None:
    melody = [Note(0, 4, 60), Note(4, 8, 60), Note(12, 20, 67)]
    read = section(write(song, melody, [*chord(0, 8, *C), *chord(8, 32, *AM)]))
    assert read.melody.tolist() == [[60] * 8 + [-1] * 4 + [67] * 4, [67] * 4 + [-1] * 12]
    assert read.onset.tolist() == [1 | 1 << 4 | 1 << 12, 0]
    assert [[name(beat) for beat in bar] for bar in read.chord] == [["C", "C", "Am", "Am"], ["Am"] * 4]
    assert [name(first) for first in read.first_chord] == ["C", "Am"]
    assert read.bar.tolist() == [0, 1]
    assert read.path == "song.mid"
    assert list(read.inputs) == ["song.mid"]


def test_a_played_melody_is_laid_on_the_nearest_steps_and_each_note_ends_where_the_next_begins(song: Path) -> None:
    melody = [Note(0.2, 5.4, 60), Note(3.8, 7.9, 62), Note(8, 12, 64), Note(8.1, 9.3, 70)]
    read = section(write(song, melody, chord(0, 16, *C)))
    assert read.melody.tolist() == [[60] * 4 + [62] * 4 + [70] + [-1] * 7]


def test_a_note_between_two_steps_takes_its_bar_off_the_grid(song: Path) -> None:
    read = section(write(song, [Note(0, 4, 60), Note(16 + 4 / 3, 20, 62), Note(32, 36, 64)], chord(0, 48, *C)))
    assert read.bar.tolist() == [0, 2]
    assert read.unreadable == {OFF_GRID: 1}


@pytest.mark.parametrize(
    ("metres", "bars", "unreadable"),
    [
        ([], [0, 1, 2, 3], {}),
        ([(0, 4, 4)], [0, 1, 2, 3], {}),
        ([(0, 2, 2)], [0, 1, 2, 3], {}),
        ([(0, 4, 8)], [], {OTHER_METRE: 8}),
        ([(0, 3, 4), (24, 4, 4)], [2, 3, 4], {OTHER_METRE: 2}),
        ([(0, 3, 4), (0, 4, 4)], [0, 1, 2, 3], {}),  # of two at once the last
        ([(16, 6, 8), (28, 4, 4)], [0, 2, 3, 4], {OTHER_METRE: 1}),
        ([(24, 4, 4)], [0, 2, 3, 4], {PARTIAL: 1}),
        ([(24, 2, 2)], [0, 2, 3, 4], {PARTIAL: 1}),
        ([(0, 3, 4), (4, 4, 4)], [1, 2, 3, 4], {OTHER_METRE: 1}),
        ([(0, 1, 32), (32, 4, 4)], [64, 65], {OTHER_METRE: 64}),
        ([(64, 3, 4)], [0, 1, 2, 3], {}),  # where the last note ends
    ],
)
def test_bars_follow_the_metres(song: Path, metres: list[Metre], bars: list[int], unreadable: dict[str, int]) -> None:
    read = section(write(song, [Note(0, 64, 60)], chord(0, 64, *C), metres=tuple(metres)))
    assert read.bar.tolist() == bars
    assert read.unreadable == unreadable


@pytest.mark.parametrize("nonsense", [(0, 4), (4, 0), (4, 12), (5, 8)])
def test_a_metre_without_sense_is_one_bar_up_to_the_next(nonsense: tuple[int, int]) -> None:
    metres = np.array([[960, *nonsense], [5760, 4, 4]])
    content = Midi(resolution=7 if nonsense[1] == 8 else 240, tracks=(), metres=metres, tempi=np.empty((0, 2)))
    starts, faults = metre_bars(content, 5761)
    assert starts[-2:].tolist() == [960, 5760]
    assert faults[-2:] == [OTHER_METRE, ""]


def test_music_of_too_many_bars_is_refused_before_they_are_made(song: Path) -> None:
    eighths = ((0, 1, 8),)
    longest = section(write(song, [Note(0, 2 * MAX_BARS, 60)], chord(0, 4, *C), metres=eighths))
    assert longest.unreadable == {OTHER_METRE: MAX_BARS}
    with pytest.raises(UserError, match="over 10,000 bars"):
        section(write(song, [Note(0, 2 * MAX_BARS + 1, 60)], chord(0, 4, *C), metres=eighths))
    metres = np.array([[tick, 4, 4] for tick in range(MAX_BARS + 1)])
    with pytest.raises(UserError, match="10,001 changes of metre"):
        metre_bars(Midi(resolution=240, tracks=(), metres=metres, tempi=np.empty((0, 2))), 20_000)


@pytest.mark.parametrize(("beats", "begins"), [(3, 12), (6, 24), (1, 4)])
def test_a_note_a_little_before_a_bar_after_another_metre_is_on_its_first_beat(
    song: Path, beats: int, begins: int
) -> None:
    melody = [Note(0, 1, 60), Note(begins - 0.2, begins + 8, 64)]
    read = section(write(song, melody, chord(0, 48, *C), metres=((0, beats, 4), (begins, 4, 4))))
    assert read.melody[0].tolist() == [64] * 8 + [-1] * 8
    assert read.onset[0] == 1


def test_what_begins_late_in_a_long_bar_is_held_into_the_next(song: Path) -> None:
    melody = [Note(17, 18, 80), Note(20, 28, 64)]
    read = section(write(song, melody, chord(0, 48, *C), metres=((0, 6, 4), (24, 4, 4))))
    assert read.melody[0].tolist() == [64] * 4 + [-1] * 12
    assert read.onset[0] == 0


def test_chords_a_little_late_or_broken_are_heard(song: Path) -> None:
    late = chord(0, 8.3, *C) + chord(8.4, 16.3, *AM)
    broken = [note for start in (16, 24) for note in [Note(start, start + 4, 57), *chord(start + 4, start + 8, 60, 64)]]
    read = section(write(song, LONG, late + broken))
    assert [[name(beat) for beat in bar] for bar in read.chord[:3]] == [["C", "C", "Am", "Am"], ["Am"] * 4, ["-"] * 4]
    np.testing.assert_array_equal(section(song, chord_quality="strict").chord, read.chord)


def test_no_chord_is_carried_over_silence(song: Path) -> None:
    read = section(write(song, LONG, chord(0, 4, *C) + chord(40, 44, *AM)))
    assert [name(first) for first in read.first_chord[:4]] == ["C", "-", "Am", "-"]
    assert [name(beat) for beat in read.chord[0]] == ["C", "-", "-", "-"]


def test_strict_hears_plain_triads_alone(song: Path) -> None:
    chords = chord(0, 4, *C) + chord(4, 8, *G7) + chord(8, 12, 60, 63, 66) + chord(12, 16, *AM, 69)
    path = write(song, LONG, chords)
    assert [name(beat) for beat in section(path).chord[0]] == ["C", "G", "Cm", "Am"]
    assert [name(beat) for beat in section(path, chord_quality="strict").chord[0]] == ["C", "-", "-", "Am"]


def test_a_song_without_chords_is_read_where_these_are_optional(song: Path) -> None:
    read = section(write(song, LONG), chords="optional")
    assert len(read.melody) == 10
    assert (read.chord == 24).all()
    with pytest.raises(UserError, match="only one track"):
        section(song)


def test_every_midi_file_is_found_and_of_nottingham_no_half_ones(tmp_path: Path) -> None:
    for place in ("a.mid", "b.MIDI", "c.txt", ".d.mid", "MIDI/e.Mid", "MIDI/melody/e.mid", "MIDI/chords/e.mid"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / place, LONG, chord(0, 16, *C))
    whole = ["MIDI/e.Mid", "a.mid", "b.MIDI"]
    assert [item.paths[0] for item in NOTTINGHAM.find(tmp_path).items] == whole
    found = MIDI.find(tmp_path)
    assert sorted(item.paths[0] for item in found.items) == sorted([*whole, "MIDI/melody/e.mid", "MIDI/chords/e.mid"])
    assert [item.paths[0] for item in MIDI.find(tmp_path / "a.mid").items] == ["a.mid"]


def test_a_bad_file_does_not_hold_up_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_prep.prepare.SOURCES", {"midi": MIDI})
    write(tmp_path / "good.mid", LONG, chord(0, 160, *C))
    (tmp_path / "bad.mid").write_bytes(b"MThd nothing more")
    (tmp_path / "gone.mid").symlink_to(tmp_path / "nowhere")
    corpus = prepare_found(MIDI, MIDI.find(tmp_path), MIDI.defaults)
    assert [song["id"] for song in corpus.about["songs"]] == ["good.mid"]
    assert [skipped["path"] for skipped in corpus.about["skipped"]] == ["bad.mid", "gone.mid"]
    assert "symusic" in corpus.about["versions"]


steps = st.floats(0, 200, allow_nan=False)
some_notes = st.lists(st.builds(lambda s, n, p: Note(s, s + n, p), steps, steps, st.integers(0, 127)), max_size=20)
some_metres = st.lists(st.tuples(steps, st.integers(0, 255), st.sampled_from([1, 2, 4, 8, 64, 128])), max_size=4)


@settings(max_examples=80, deadline=None)
@given(some_notes, some_notes, some_metres)
def test_whatever_is_played_gives_sound_bars_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, melody: list[Note], chords: list[Note], metres: list[Metre]
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.mid"
    write(path, melody, chords, metres=tuple(sorted(metres)))
    try:
        read = section(path)
    except UserError:
        return
    assert read.melody.shape == (len(read.bar), 16)
    assert ((read.melody >= -1) & (read.chord.max(axis=1, initial=0) <= 24)[:, None]).all()
    assert (np.diff(read.bar) > 0).all()
    struck = (read.onset[:, None] >> np.arange(16) & 1).astype(bool)
    assert (read.melody[struck] >= 0).all()
