"""POP909: real songs against a plain reading of them beat by beat, and songs that the tests write."""

import shutil
from bisect import bisect_right
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest

from data_prep.chords import name
from data_prep.errors import UserError
from data_prep.formats.pop909 import Beats
from data_prep.grid import OFF_GRID, OTHER_METRE
from data_prep.options import Options
from data_prep.prepare import prepare_found
from data_prep.song import RawSong
from data_prep.sources import pop909
from data_prep.sources.pop909 import SOURCE, beat_bars

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "POP909"
SONGS = ("055", "122", "216", "378", "749", "848")
"""With odd bars, ends in the middle of a step, uneven beats, notes held over odd bars, and six beats in a bar."""
ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
SAME = {"Db": "C#", "D#": "Eb", "Gb": "F#", "G#": "Ab", "A#": "Bb", "Cb": "B"}


@pytest.fixture
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"no POP909 at {DATA}")
    return DATA


def read(path: Path, **options: Any) -> list[RawSong]:
    found = SOURCE.find(path)
    songs = [SOURCE.read(found.root, item, Options(**options))[0] for item in found.items]
    return [song for song in songs if isinstance(song, RawSong)]


def table(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()]


def plain_melody(folder: Path, beats: list[float]) -> tuple[dict[int, int], set[int], set[int]]:
    """Pitch of every step from the first beat on, the steps struck, and those near a note that is on none."""

    def step(time: float) -> float:
        beat = min(max(bisect_right(beats, time) - 1, 0), len(beats) - 2)
        return round(4 * (beat + (time - beats[beat]) / (beats[beat + 1] - beats[beat])), 6)

    midi = pretty_midi.PrettyMIDI(str(folder / f"{folder.name}.mid"))
    notes = next(instrument.notes for instrument in midi.instruments if instrument.name == "MELODY")
    top: dict[int, tuple[int, int]] = {}
    near: set[int] = set()
    for note in sorted(notes, key=lambda note: (note.start, note.pitch)):
        start, end = step(note.start), step(note.end)
        if abs(start - round(start)) > 0.25:
            near |= {int(start // 1), round(start)}
        top[round(start)] = max(top.get(round(start), (0, 0)), (note.pitch, max(round(end), round(start) + 1)))
    sounding = {}
    for start, following in zip(sorted(top), [*sorted(top)[1:], 10**9], strict=True):
        pitch, end = top[start]
        sounding |= dict.fromkeys(range(start, min(end, following)), pitch)
    return sounding, set(top), near


def plain_chord(label: str) -> str:
    root, _, quality = label.partition(":")
    minor = quality.startswith(("min", "dim", "hdim"))
    return "-" if label == "N" else SAME.get(root, root) + ("m" if minor else "")


def plain_bars(folder: Path) -> dict[int, Any]:
    """What is expected of a song: by bar why it is left out, or its melody, onsets, chords and first chord."""
    rows = table(folder / "beat_midi.txt")
    beats, downbeats = [float(row[0]) for row in rows], [place for place, row in enumerate(rows) if row[2] == "1.0"]
    chords = [(float(a), float(b), plain_chord(label)) for a, b, label in table(folder / "chord_midi.txt")]
    sounding, struck, near = plain_melody(folder, beats)
    lengths = [end - start for start, end in pairwise(downbeats)]
    bars: dict[int, Any] = {}
    for bar, (start, length) in enumerate(zip(downbeats, lengths, strict=False)):
        steps = range(4 * start, 4 * start + 16)
        if max(lengths, key=lengths.count) != 4 or length != 4:
            bars[bar] = OTHER_METRE if max(lengths, key=lengths.count) != 4 else f"bar of {length} beats"
            continue
        if near & set(steps):
            bars[bar] = OFF_GRID
            continue
        at = [beats[start + beat] + 0.025 for beat in range(4)]
        on_beat = [next((chord for a, b, chord in chords if a <= time < b), "-") for time in at]
        later = [chord for a, _, chord in chords if at[0] < a < beats[start + 4] - 0.025 and chord != "-"]
        first = on_beat[0] if on_beat[0] != "-" else (later or ["-"])[0]
        bars[bar] = ([sounding.get(step, -1) for step in steps], [step in struck for step in steps], on_beat, first)
    return bars


@pytest.mark.parametrize("number", SONGS)
def test_bars_of_real_songs_are_those_of_a_plain_reading(data: Path, number: str) -> None:
    expected = plain_bars(data / number)
    section = read(data / number)[0].sections[0]
    good = {bar: content for bar, content in expected.items() if not isinstance(content, str)}
    assert section.bar.tolist() == list(good)
    onsets = (section.onset[:, None] >> np.arange(16) & 1).astype(bool)
    for row, content in enumerate(good.values()):
        chords = [name(int(chord)) for chord in section.chord[row]]
        ours = (section.melody[row].tolist(), onsets[row].tolist(), chords, name(int(section.first_chord[row])))
        assert ours == content
    faults = [content for content in expected.values() if isinstance(content, str)]
    assert section.unreadable == {fault: faults.count(fault) for fault in set(faults)}


def test_the_set_as_a_whole_is_as_known(data: Path) -> None:
    songs = read(data)
    assert len(songs) == 60
    parts = [song.sections[0] for song in songs]
    exact = sum(len(part.bar) for part in parts)
    off = sum(part.unreadable.get(OFF_GRID, 0) for part in parts)
    silent = sum(int((part.melody < 0).all(axis=1).sum()) for part in parts)
    # Of all 909 songs 3.9 % of the bars are off the grid, 22 % are without melody and 1.1 % without a chord.
    assert 0.02 < off / (exact + off) < 0.06
    assert 0.17 < silent / exact < 0.27
    assert sum(int((part.first_chord == 24).sum()) for part in parts) < 0.02 * exact
    assert sum(OTHER_METRE in part.unreadable for part in parts) == 4
    assert not any(part.remarks for part in parts)
    doubts = {song.id: song.doubt for song in songs if song.doubt and OTHER_METRE not in song.sections[0].unreadable}
    assert doubts == {"067": "only 12 % of its chord changes fall on downbeats"}


def test_a_set_its_parent_and_a_song_can_be_named(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "040", tmp_path / "POP909" / "040")
    for path, song, place in ((tmp_path, "POP909/040", "POP909/040/"), (tmp_path / "POP909", "040", "040/")):
        assert [read.id for read in read(path)] == [song]
        assert SOURCE.find(path).items[0].paths[0] == f"{place}040.mid"
    for path in (tmp_path / "POP909/040", tmp_path / "POP909/040/040.mid"):
        song = read(path)[0]
        assert song.id == "040"
        assert list(song.sections[0].inputs) == ["040.mid", "beat_midi.txt", "chord_midi.txt"]


Note = tuple[float, float, int]


def write(folder: Path, beats: str, chords: str, notes: list[Note], track: str = "MELODY") -> Path:
    """A song of these notes (in seconds) with the annotations."""
    folder.mkdir(parents=True)
    midi, melody = pretty_midi.PrettyMIDI(resolution=480), pretty_midi.Instrument(0, name=track)
    melody.notes = [pretty_midi.Note(90, pitch, start, end) for start, end, pitch in notes]
    midi.instruments = [melody]
    midi.write(str(folder / f"{folder.name}.mid"))
    (folder / "beat_midi.txt").write_text(beats)
    (folder / "chord_midi.txt").write_text(chords)
    return folder


def beats(*lengths: int, first: float = 1.0) -> str:
    """Two beats a second, bars of these lengths and the downbeat that ends the last one."""
    flags = [int(beat == 0) for length in lengths for beat in range(length)] + [1]
    return "\n".join(f"{first + place / 2} {flag} {flag}" for place, flag in enumerate(flags))


ALL_C = "0 90 C:maj"


def test_what_sounds_before_the_first_beat_or_after_the_last_is_in_no_bar(tmp_path: Path) -> None:
    notes = [(0.0, 0.5, 60), (0.5, 0.95, 62), (1.25, 1.5, 64), (2.9, 3.5, 65), (4, 5, 67)]
    section = read(write(tmp_path / "001", beats(4), ALL_C, notes))[0].sections[0]
    assert section.melody.tolist() == [[-1, -1, 64, 64] + [-1] * 11 + [65]]
    assert section.unreadable == {}
    early = read(write(tmp_path / "002", beats(4), ALL_C, [(0.98, 1.5, 60)]))[0].sections[0]
    assert early.melody.tolist() == [[60] * 4 + [-1] * 12]
    assert early.onset.tolist() == [1]  # a sixth of a step early


def test_bars_of_another_number_of_beats_break_the_chain(tmp_path: Path) -> None:
    notes = [(beat / 2 + 1, beat / 2 + 1.5, 60 + beat) for beat in range(17)]
    song = read(write(tmp_path / "001", beats(4, 2, 4, 1, 6), ALL_C, notes))[0].sections[0]
    assert song.bar.tolist() == [0, 2]
    assert song.melody[:, ::4].tolist() == [[60, 61, 62, 63], [66, 67, 68, 69]]
    assert song.unreadable == {"bar of 2 beats": 1, "bar of 1 beat": 1, "bar of 6 beats": 1}
    waltz = read(write(tmp_path / "002", beats(6, 4, 6), ALL_C, notes))[0].sections[0]
    assert waltz.unreadable == {OTHER_METRE: 3}


def test_the_first_chord_is_the_first_that_begins_in_a_bar_and_not_in_the_next(tmp_path: Path) -> None:
    chords = "1.02 1.5 D:min\n1.5 2 N\n2 3 G:7\n3 4.5 N\n4.99 5.5 C:maj\n5.5 6 X\n6 9 F:min7"
    section = read(write(tmp_path / "001", beats(4, 4, 4), chords, [(1, 9, 60)]))[0].sections[0]
    named = [[name(beat) for beat in bar] for bar in section.chord]
    assert named == [["Dm", "-", "G", "G"], ["-"] * 4, ["C", "-", "Fm", "Fm"]]
    assert [name(first) for first in section.first_chord] == ["Dm", "-", "C"]
    assert section.remarks == {"chord of unknown name 'X'": 1}
    strict = read(tmp_path, chord_quality="strict")[0].sections[0]
    assert [name(first) for first in strict.first_chord] == ["Dm", "-", "C"]
    assert [name(beat) for beat in strict.chord[2]] == ["C", "-", "-", "-"]


def test_downbeats_where_chords_seldom_change_are_in_doubt(tmp_path: Path) -> None:
    roots = "CDEFGABC"  # two in a bar
    late = "\n".join(f"{1.5 + place} {2.5 + place} {root}:maj" for place, root in enumerate(roots))
    good = "\n".join(f"{1 + place} {2 + place} {root}:maj" for place, root in enumerate(roots))
    notes = [(1.0, 9.0, 60)]
    assert read(write(tmp_path / "001", beats(4, 4, 4, 4), late, notes))[0].doubt.startswith("only 0 % of its chord")
    assert read(write(tmp_path / "002", beats(4, 4, 4, 4), good, notes))[0].doubt == ""
    assert read(write(tmp_path / "003", beats(4, 4, 4, 4), ALL_C, notes))[0].doubt == ""
    corpus = prepare_found(SOURCE, SOURCE.find(tmp_path), Options(doubtful="leave-out"))
    assert [song["id"] for song in corpus.about["songs"]] == ["002", "003"]


@pytest.mark.parametrize("missing", ["001.mid", "beat_midi.txt", "chord_midi.txt"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    (write(tmp_path / "001", beats(4), ALL_C, [(1, 2, 60)]) / missing).unlink()
    with pytest.raises(UserError, match=rf"cannot be read.*\(in {missing}\)"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "rule"),
    [
        ("001.mid", "MThd", r"no MIDI file.*\(in 001.mid\)"),
        ("beat_midi.txt", "1 0 0\n2 0 0", r"^0 bars.*\(in beat_midi.txt\)"),
        ("beat_midi.txt", "1 0 1", r"^0 bars.*\(in beat_midi.txt\)"),
        ("beat_midi.txt", "1 x 7", r"^b'7'.*\(in beat_midi.txt\)"),
        ("chord_midi.txt", "1 C:maj", r"^2 texts in 1 lines.*\(in chord_midi.txt\)"),
    ],
)
def test_a_file_that_is_bad_is_named(tmp_path: Path, file: str, content: str, rule: str) -> None:
    (write(tmp_path / "001", beats(4), ALL_C, [(1, 2, 60)]) / file).write_text(content)
    with pytest.raises(UserError, match=rule):
        read(tmp_path)


def test_a_song_without_a_melody_track_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    write(tmp_path / "001", beats(4), ALL_C, [(1, 2, 60)], track="Melody")
    with pytest.raises(UserError, match=r"no track named MELODY.*'Melody'"):
        read(tmp_path)


def test_music_of_too_many_bars_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pop909, "MAX_BARS", 2)
    time, downbeat = np.arange(4.0), np.ones(4, np.bool_)
    with pytest.raises(UserError, match="3 bars"):
        beat_bars(Beats(time, downbeat))
