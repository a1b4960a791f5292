from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from data_prep.chords import NO_CHORD, NUM_CHORDS, encode, pitch_classes
from reporting.pianoroll import BLUE, ORANGE, SLATE, WHITE, Picture, draw, pitch_range, stack, write_png

CELL, LEFT, TOP, EDGE = 6, 24, 15, 6
C_MAJOR = encode(0, minor=False)


def phrase(*pitches: int, chord: int = C_MAJOR) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """A bar of 16 steps, the pitches in equal lengths."""
    return np.repeat(pitches, 16 // len(pitches)).astype(np.int8)[None], np.array([chord], np.int8)


def at(picture: Picture, step: int, pitch: int, high: int, cell: int = CELL) -> tuple[int, ...]:
    """Colour in the middle of a cell."""
    row, column = TOP + (high - pitch) * cell + cell // 2, LEFT + step * cell + cell // 2
    return tuple(picture[row, column].tolist())


def test_shape_is_the_cells_and_the_frame() -> None:
    melody = np.full((8, 16), 60, np.int8)
    melody[0, 0] = 79
    picture = draw(melody, np.zeros(8, np.int8))
    assert picture.shape == (TOP + (79 - 60 + 7) * CELL + EDGE, LEFT + 8 * 16 * CELL + EDGE, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("chord", range(NUM_CHORDS))
def test_chord_tones_are_blue_others_orange_and_without_a_chord_slate(chord: int) -> None:
    for pitch in range(60, 72):
        picture = draw(*phrase(pitch, chord=chord), pitches=(58, 74))
        inside = BLUE if pitch % 12 in pitch_classes(chord) else ORANGE
        expected = SLATE if chord == NO_CHORD else inside
        assert {at(picture, step, pitch, 74) for step in range(16)} == {expected}


@settings(deadline=None, max_examples=30)
@given(hnp.arrays(np.int8, (2, 16), elements=st.integers(-1, 127)), st.integers(0, NUM_CHORDS - 1))
def test_every_sounding_cell_and_no_other_is_a_note(melody: NDArray[np.int8], chord: int) -> None:
    low, high = pitch_range(melody)
    picture = draw(melody, np.full(2, chord, np.int8))
    coloured = {
        (step, pitch)
        for step in range(32)
        for pitch in range(low, high + 1)
        if at(picture, step, pitch, high) in (BLUE, ORANGE, SLATE)
    }
    assert coloured == {(step, pitch) for step, pitch in enumerate(melody.ravel().tolist()) if pitch >= 0}


def test_notes_are_coloured_by_the_chord_of_each_beat() -> None:
    melody = np.full((1, 16), 60, np.int8)
    beats = np.array([[C_MAJOR, encode(2, minor=True), NO_CHORD, C_MAJOR]], np.int8)
    picture = draw(melody, beats, pitches=(57, 69))
    expected = [BLUE] * 4 + [ORANGE] * 4 + [SLATE] * 4 + [BLUE] * 4
    assert [at(picture, step, 60, 69) for step in range(16)] == expected
    held = [tuple(picture[TOP + (69 - 60) * CELL + 2, LEFT + beat * 4 * CELL]) for beat in (1, 2, 3)]
    assert WHITE not in held  # it is one note


@settings(deadline=None, max_examples=20)
@given(hnp.arrays(np.int8, (2, 16), elements=st.integers(-1, 127)), hnp.arrays(np.int8, 2, elements=st.integers(0, 24)))
def test_four_equal_beats_are_drawn_as_the_chord_of_the_bar(melody: NDArray[np.int8], chord: NDArray[np.int8]) -> None:
    assert (draw(melody, chord[:, None].repeat(4, 1)) == draw(melody, chord)).all()


def test_every_chord_by_beat_is_named_where_it_begins() -> None:
    melody = np.full((1, 16), -1, np.int8)
    beats = np.array([[0, 0, 5, 5]], np.int8)
    names = (draw(melody, beats)[:TOP, LEFT:] < 128).any(axis=(0, 2))
    assert names[: 4 * CELL].any()
    assert not names[4 * CELL : 8 * CELL].any()
    assert names[8 * CELL : 12 * CELL].any()
    assert not names[12 * CELL :].any()


def piano(*struck: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Two bars with notes of key, first step, step after the last, velocity."""
    music = np.zeros((32, 128), np.uint8)
    for key, start, end, velocity in struck:
        music[start:end, key] = velocity
    return music.reshape(2, 16, 128)


def test_piano_music_is_drawn_key_by_key_and_darker_where_it_is_louder() -> None:
    music = piano((60, 0, 4, 127), (64, 0, 20, 60), (67, 8, 12, 1))
    assert pitch_range(music) == (57, 70)
    picture = draw(music)
    loud, middle, soft = (at(picture, step, key, 70) for step, key in ((1, 60), (18, 64), (9, 67)))
    assert loud == SLATE
    assert sum(loud) < sum(middle) < sum(soft) < sum(WHITE) - 60
    assert at(picture, 5, 60, 70) == at(picture, 3, 62, 70) == WHITE
    assert not (picture[:TOP] < 255).any()  # no chord is named


def test_piano_music_may_be_silent_or_all_there_is() -> None:
    silent, full = np.zeros((8, 16, 128), np.uint8), np.full((8, 16, 128), 127, np.uint8)
    assert draw(silent).shape == (TOP + 18 * CELL + EDGE, LEFT + 8 * 16 * CELL + EDGE, 3)
    assert at(draw(full), 127, 0, 127) == SLATE
    assert draw(full, reference=silent).shape[1] == LEFT + 8 * 16 * CELL + EDGE


def test_only_what_begins_with_the_real_bar_is_said_to() -> None:
    music, other = piano((60, 0, 20, 60)), piano((60, 0, 16, 60), (64, 16, 20, 60))
    same = draw(music, reference=other)
    another = draw(piano((60, 1, 20, 60)), reference=other)
    caption = (slice(0, 16), slice(LEFT, None))
    assert np.count_nonzero(same[caption] < 128) > 2 * np.count_nonzero(another[caption] < 128) > 0


def test_an_onset_has_a_white_column_and_a_held_note_none() -> None:
    melody, chord = phrase(60, 62, 64, 64)
    picture = draw(melody, chord, pitches=(57, 69))
    row = TOP + (69 - 62) * CELL + 2
    assert tuple(picture[row, LEFT + 4 * CELL]) == WHITE
    assert tuple(picture[row, LEFT + 5 * CELL]) == ORANGE
    row = TOP + (69 - 64) * CELL + 2
    assert tuple(picture[row, LEFT + 8 * CELL]) == WHITE
    assert tuple(picture[row, LEFT + 12 * CELL]) == BLUE


def test_the_bars_triad_is_pale_blue_and_the_black_keys_are_grey() -> None:
    melody = np.full((2, 16), -1, np.int8)
    picture = draw(melody, np.array([C_MAJOR, NO_CHORD], np.int8), pitches=(60, 72)).astype(int)
    triad, black, white = (picture[TOP + (72 - pitch) * CELL + 2, LEFT + 2] for pitch in (64, 61, 62))
    assert triad[2] > triad[0] + 20
    assert np.ptp(black) < 8
    assert black.max() < 250
    assert white.tolist() == [255, 255, 255]
    without = picture[TOP + (72 - 64) * CELL + 2, LEFT + 16 * CELL + 2]
    assert without.tolist() == [255, 255, 255]


def test_bar_lines_are_dark_and_beat_lines_light() -> None:
    melody = np.full((2, 16), -1, np.int8)
    picture = draw(melody, np.full(2, NO_CHORD, np.int8)).mean(2)
    columns = picture[TOP:-EDGE].mean(0)
    assert all(columns[LEFT + bar * 16 * CELL] < 120 for bar in range(3))
    assert all(200 < columns[LEFT + beat * 4 * CELL] < 240 for beat in (1, 2, 3, 5, 6, 7))


def test_chords_are_named_above_and_the_octaves_on_the_left() -> None:
    melody, chord = phrase(60)
    picture = draw(melody, chord)
    other = draw(melody, np.array([encode(9, minor=True)], np.int8))
    assert (picture[:TOP] < 128).any()
    assert (picture[:TOP] != other[:TOP]).any()
    assert (picture[TOP:, :LEFT] < 128).any()
    assert (picture[TOP:, :LEFT] == other[TOP:, :LEFT]).all()


@pytest.mark.parametrize("chord", [0, NO_CHORD])
def test_a_silent_phrase_is_an_empty_grid(chord: int) -> None:
    melody = np.full((8, 16), -1, np.int8)
    picture = draw(melody, np.full(8, chord, np.int8))
    for colour in (BLUE, ORANGE, SLATE):
        assert not (picture == colour).all(2).any()


def test_extreme_pitches_are_drawn() -> None:
    melody, chord = phrase(0, 127)
    assert pitch_range(melody) == (0, 127)
    picture = draw(melody, chord)
    assert at(picture, 0, 0, 127) == BLUE
    assert at(picture, 15, 127, 127) == BLUE


@pytest.mark.parametrize(
    ("used", "expected"),
    [([0], (0, 11)), ([127], (116, 127)), ([60, 72], (57, 75)), ([-1], (57, 74)), ([64], (59, 70))],
)
def test_the_range_is_the_used_one_and_an_octave_at_least(used: list[int], expected: tuple[int, int]) -> None:
    assert pitch_range(np.array(used, np.int8)) == expected


def test_a_note_outside_a_given_range_is_a_sliver_at_the_edge() -> None:
    melody, chord = phrase(40, 100)
    picture = draw(melody, chord, pitches=(60, 71))
    assert tuple(picture[TOP + 12 * CELL - 1, LEFT + 2]) == BLUE
    assert tuple(picture[TOP, LEFT + 8 * CELL + 2]) == BLUE
    assert at(picture, 0, 60, 71) != BLUE


def test_the_real_continuation_stands_below_to_the_same_scale() -> None:
    melody, chord = phrase(60)
    reference, _ = phrase(84)
    both = draw(melody, chord, reference=reference)
    alone = draw(melody, chord, pitches=(57, 87))
    real = draw(reference, chord, pitches=(57, 87))
    gap = len(both) // 2 - len(alone)
    assert (both[gap : gap + len(alone)] == alone).all()
    assert (both[-len(real) :] == real).all()
    assert (both[:gap] < 128).any()


def test_pictures_of_different_widths_are_stacked_on_white() -> None:
    narrow, wide = np.zeros((4, 5, 3), np.uint8), np.zeros((2, 9, 3), np.uint8)
    picture = stack([narrow, wide])
    assert picture.shape == (6, 9, 3)
    assert (picture[:4, 5:] == 255).all()
    assert stack([narrow, wide], ["a caption too long for it", "b"]).shape[1] == 9


def test_a_png_is_read_back_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    picture = draw(*phrase(60, 62))
    write_png(path, picture)
    first = path.read_bytes()
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), picture)
    write_png(path, picture)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"cell": 2}, "cell"), ({"pitches": (70, 60)}, "pitches"), ({"pitches": (0, 128)}, "pitches")],
)
def test_impossible_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(*phrase(60), **options)


def test_a_reference_of_other_length_and_an_empty_stack_are_refused() -> None:
    melody, chord = phrase(60)
    with pytest.raises(ValueError, match="chords"):
        draw(melody, chord, reference=np.full((2, 16), 60, np.int8))
    with pytest.raises(ValueError, match="stacked"):
        stack([])
