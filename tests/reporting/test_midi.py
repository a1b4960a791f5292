import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD, NUM_CHORDS, encode, pitch_classes
from reporting.midi import Note, chord_notes, chord_spans, notes, tempo_of, to_midi, write_midi

SILENT = np.full((2, 16), -1, np.int8)
NO_CHORDS = np.full(2, NO_CHORD, np.int8)

bars = st.integers(1, 4)
# Few pitches, so that held notes are common; the extremes, so that they are tried.
pitch = st.sampled_from([-1, -1, 0, 60, 60, 61, 127])
melodies = bars.flatmap(lambda n: hnp.arrays(np.int8, (n, 16), elements=pitch))
classes = st.integers(0, NUM_CHORDS - 1)
PIANO = np.zeros((2, 16, 128), np.uint8)


@st.composite
def piano_music(draw: st.DrawFn) -> NDArray[np.uint8]:
    """Few keys and few velocities, so that held notes and neighbours are common, over bar lines too."""
    music = np.zeros((draw(bars), 16, 128), np.uint8)
    for key in draw(st.lists(st.sampled_from([0, 1, 60, 127]), unique=True)):
        music[:, :, key] = draw(hnp.arrays(np.uint8, music.shape[:2], elements=st.sampled_from([0, 0, 1, 64, 127])))
    return music


def read_back(midi: pretty_midi.PrettyMIDI) -> pretty_midi.PrettyMIDI:
    packed = io.BytesIO()
    midi.write(packed)
    packed.seek(0)
    return pretty_midi.PrettyMIDI(packed)


def track(midi: pretty_midi.PrettyMIDI, name: str) -> list[pretty_midi.Note]:
    return [note for each in midi.instruments if each.name == name for note in each.notes]


def in_steps(midi: pretty_midi.PrettyMIDI, name: str, tempo: float) -> list[Note]:
    step = 15 / tempo
    return sorted(Note(round(n.start / step), round(n.end / step), n.pitch, n.velocity) for n in track(midi, name))


def melody_of(sounding: list[Note], num_bars: int) -> NDArray[np.int8]:
    steps = np.full(num_bars * 16, -1, np.int8)
    for start, end, pitch, _ in sounding:
        steps[start:end] = pitch
    return steps.reshape(num_bars, 16)


def test_equal_neighbours_are_one_note_and_a_bar_line_ends_it() -> None:
    melody = np.array([[60] * 4 + [-1] * 2 + [62] * 10, [62] * 16], np.int8)
    assert notes(melody) == [Note(0, 4, 60), Note(6, 16, 62), Note(16, 32, 62)]


@given(melodies)
def test_notes_fill_exactly_the_sounding_steps(melody: NDArray[np.int8]) -> None:
    found = notes(melody)
    np.testing.assert_array_equal(melody_of(found, len(melody)), melody)
    assert all(note.start // 16 == (note.end - 1) // 16 for note in found)
    follows = [b for a, b in itertools.pairwise(found) if a.end == b.start and a.pitch == b.pitch]
    assert all(note.start % 16 == 0 for note in follows)


@given(piano_music())
def test_notes_of_piano_music_fill_exactly_the_sounding_cells(music: NDArray[np.uint8]) -> None:
    cells = np.zeros((len(music) * 16, 128), np.uint8)
    found = notes(music)
    for note in found:
        assert not cells[note.start : note.end, note.pitch].any()
        assert note.start == 0 or music.reshape(-1, 128)[note.start - 1, note.pitch] != note.velocity
        cells[note.start : note.end, note.pitch] = note.velocity
    np.testing.assert_array_equal(cells, music.reshape(-1, 128))
    assert found == sorted(found, key=lambda note: (note.start, note.pitch))


def test_a_note_of_piano_music_is_held_over_a_bar_line_and_ends_where_it_is_struck_anew() -> None:
    music = PIANO.copy()
    music[0, 10:, 60] = music[1, :4, 60] = 70
    music[1, 4:8, 60] = 90
    music[0, 10:12, 40] = 70
    assert notes(music) == [Note(10, 12, 40, 70), Note(10, 20, 60, 70), Note(20, 24, 60, 90)]


@settings(deadline=None, max_examples=40)
@given(piano_music(), st.sampled_from([1.0, 10.0, 16.0, 31.25, 200.0]))
def test_written_piano_music_is_read_back_at_its_pace(music: NDArray[np.uint8], steps_per_second: float) -> None:
    midi = read_back(to_midi(music, tempo=tempo_of(steps_per_second)))
    assert {each.name for each in midi.instruments} == ({"piano"} if music.any() else set())
    sounding = [
        Note(round(n.start * steps_per_second), round(n.end * steps_per_second), n.pitch, n.velocity)
        for n in track(midi, "piano")
    ]
    assert sorted(sounding) == sorted(notes(music))
    assert midi.get_end_time() == pytest.approx(len(music) * 16 / steps_per_second, rel=1e-4)


@given(hnp.arrays(np.int8, bars.map(lambda n: (n, 4)), elements=st.sampled_from([0, 0, 13, NO_CHORD])))
def test_chords_by_beat_are_held_as_long_as_they_last_inside_a_bar(beats: NDArray[np.int8]) -> None:
    spans = chord_spans(beats)
    steps = [span.chord for span in spans for _ in range(span.start, span.end)]
    assert steps == beats.ravel().repeat(4).tolist()
    edges = {span.start for span in spans}
    changes = {16 * bar + 4 * (beat + 1) for bar, beat in np.argwhere(beats[:, 1:] != beats[:, :-1]).tolist()}
    assert edges == changes | set(range(0, 16 * len(beats), 16))
    assert all(note.pitch % 12 in pitch_classes(steps[note.start]) for note in chord_notes(beats))
    assert len(chord_notes(beats)) == sum(3 for span in spans if span.chord != NO_CHORD)


@given(hnp.arrays(np.int8, bars, elements=classes))
def test_four_equal_beats_are_one_chord_of_the_bar(chord: NDArray[np.int8]) -> None:
    assert chord_notes(chord[:, None].repeat(4, 1)) == chord_notes(chord)


@settings(deadline=None, max_examples=60)
@given(melodies, st.data(), st.sampled_from([20.0, 97.0, 120.0, 133.3, 400.0]))
def test_a_written_phrase_is_read_back(melody: NDArray[np.int8], data: st.DataObject, tempo: float) -> None:
    chord = data.draw(hnp.arrays(np.int8, len(melody), elements=st.integers(0, NUM_CHORDS - 1)))
    midi = read_back(to_midi(melody, chord, tempo=tempo))
    assert in_steps(midi, "melody", tempo) == sorted(notes(melody))
    assert in_steps(midi, "chords", tempo) == sorted(chord_notes(chord))
    assert midi.get_end_time() == pytest.approx(melody.size * 15 / tempo, rel=1e-5)
    assert midi.get_tempo_changes()[1].tolist() == pytest.approx([tempo], rel=1e-5)


@pytest.mark.parametrize("chord", range(NUM_CHORDS))
def test_each_class_sounds_its_own_triad_below_the_melody(chord: int) -> None:
    sounding = track(read_back(to_midi(SILENT, np.full(2, chord, np.int8))), "chords")
    assert len(sounding) == 2 * len(pitch_classes(chord))
    assert {note.pitch % 12 for note in sounding} == set(pitch_classes(chord))
    assert all(48 <= note.pitch < 48 + 12 + 7 for note in sounding)
    assert all(note.end - note.start == pytest.approx(2.0) for note in sounding)
    if sounding:
        assert min(note.pitch for note in sounding) == 48 + chord % 12


def test_a_minor_is_a_c_e() -> None:
    sounding = chord_notes(np.array([encode(9, minor=True)], np.int8))
    assert [note.pitch for note in sounding] == [57, 60, 64]


def test_silence_is_no_note_and_keeps_its_length() -> None:
    midi = to_midi(SILENT, NO_CHORDS)
    assert [len(each.notes) for each in midi.instruments] == [0, 0]
    assert midi.get_end_time() == 4.0
    assert read_back(midi).get_end_time() == 4.0


@pytest.mark.parametrize("program", [0, 24, 127])
def test_the_program_is_in_the_file(program: int) -> None:
    melody, chord = np.full((1, 16), 60, np.int8), np.zeros(1, np.int8)
    midi = read_back(to_midi(melody, chord, program=program))
    assert [(each.name, each.program) for each in midi.instruments] == [("melody", program), ("chords", program)]


def test_a_title_may_be_in_any_script(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", SILENT, NO_CHORDS, title="Für Elise – Łódź ♭")
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"), charset="utf-8")
    assert midi.text_events[0].text == "Für Elise – Łódź ♭"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    write_midi(path, SILENT, NO_CHORDS)
    silent = path.read_bytes()
    write_midi(path, SILENT + 61, NO_CHORDS)
    assert path.read_bytes() != silent
    write_midi(path, SILENT, NO_CHORDS)
    assert path.read_bytes() == silent
    assert list(tmp_path.iterdir()) == [path]


def test_a_refused_phrase_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="chords"):
        write_midi(path, SILENT, NO_CHORDS[:1])
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("melody", "chord", "options", "message"),
    [
        (SILENT[0], NO_CHORDS, {}, "shape"),
        (SILENT[:0], NO_CHORDS[:0], {}, "shape"),
        (SILENT[:, :15], NO_CHORDS, {}, "shape"),
        (SILENT - 1, NO_CHORDS, {}, "Pitches"),
        (SILENT.astype(np.int16) + 129, NO_CHORDS, {}, "Pitches"),
        (SILENT.astype(np.float32), NO_CHORDS, {}, "integers"),
        (SILENT, NO_CHORDS + 1, {}, "Chords"),
        (SILENT, NO_CHORDS - 25, {}, "Chords"),
        (SILENT, NO_CHORDS, {"tempo": 0.0}, "tempo"),
        (SILENT, NO_CHORDS, {"tempo": float("nan")}, "tempo"),
        (SILENT, NO_CHORDS, {"tempo": 14.9}, "tempo"),
        (SILENT, NO_CHORDS, {"tempo": 3001.0}, "tempo"),
        (SILENT, NO_CHORDS, {"program": 128}, "program"),
        (SILENT, NO_CHORDS[:, None].repeat(3, 1), {}, "shape"),
        (SILENT, NO_CHORDS.astype(np.float32), {}, "integers"),
        (SILENT, None, {}, "needs chords"),
        (PIANO, NO_CHORDS, {}, "piano music has none"),
        (PIANO[:0], None, {}, "shape"),
        (PIANO[..., :88], None, {}, "shape"),
        (PIANO + 128, None, {}, "Velocities"),
        (PIANO.astype(np.int8) - 1, None, {}, "Velocities"),
        (PIANO.astype(np.bool_), None, {}, "integers"),
    ],
)
def test_what_is_no_phrase_is_refused(
    melody: NDArray[Any], chord: NDArray[Any] | None, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        to_midi(melody, chord, **options)
