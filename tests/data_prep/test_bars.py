import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from data_prep import bars

BARS = hnp.arrays(np.int8, st.tuples(st.integers(0, 6), st.just(16)), elements=st.integers(-1, 127))
MIDDLE = hnp.arrays(np.int8, (4, 16), elements=st.one_of(st.just(-1), st.integers(12, 115)))


@given(BARS)
def test_a_melody_is_the_line_of_its_own_roll(melody: NDArray[np.int8]) -> None:
    roll = bars.piano_roll(melody)
    assert roll.shape == (*melody.shape, 128)
    assert (roll.sum(axis=-1) == (melody >= 0)).all()
    np.testing.assert_array_equal(bars.melody_line(roll), melody)


def test_the_line_of_a_chord_is_its_highest_note() -> None:
    roll = np.zeros((16, 128), np.bool_)
    roll[3, [0, 60, 127]] = True
    roll[4, 0] = True
    assert bars.melody_line(roll).tolist()[2:6] == [-1, 127, 0, -1]


@given(MIDDLE, st.integers(-12, 12))
def test_transposing_there_and_back_is_the_identity(melody: NDArray[np.int8], shift: int) -> None:
    np.testing.assert_array_equal(bars.transpose(bars.transpose(melody, shift), -shift), melody)


@given(BARS, st.integers(-11, 11))
def test_transposing_keeps_silence_and_moves_every_pitch_class(melody: NDArray[np.int8], shift: int) -> None:
    # A bar from the lowest to the highest note fits in no other key.
    sounding = melody >= 0
    narrow = np.where(sounding, melody % 100 + 12, -1).astype(np.int8)
    moved = bars.transpose(narrow, shift)
    assert ((moved >= 0) == sounding).all()
    assert ((moved - narrow - shift) % 12 == 0)[sounding].all()


def test_a_bar_that_would_leave_midi_goes_the_other_way_alone() -> None:
    melody = np.full((2, 16), 126, np.int8)
    melody[1] = 60
    assert bars.transpose(melody, 5)[:, 0].tolist() == [126 + 5 - 12, 65]
    assert bars.transpose(np.full((1, 16), 3, np.int8), -5)[0, 0] == 3 - 5 + 12


def test_every_bar_may_have_its_own_shift() -> None:
    melody = np.full((3, 16), 60, np.int8)
    assert bars.transpose(melody, np.array([-1, 0, 6]))[:, 5].tolist() == [59, 60, 66]


def test_a_shift_beyond_an_octave_is_refused() -> None:
    with pytest.raises(ValueError, match="-12 to 12"):
        bars.transpose(np.zeros((1, 16), np.int8), 13)


def test_rests_prolong_the_note_before_and_a_leading_rest_the_note_after() -> None:
    melody = np.full((2, 16), -1, np.int8)
    melody[0, 4:8], melody[1, 2:4] = 60, 64
    onset = np.array([1 << 4, 1 << 2], np.uint16)
    filled, starts = bars.fill_rests(melody, onset)
    assert filled[0].tolist() == [60] * 16
    assert filled[1].tolist() == [60] * 2 + [64] * 14
    assert starts.tolist() == [1, 1 << 2]


@given(BARS)
def test_filling_leaves_sounding_steps_alone_and_no_silence(melody: NDArray[np.int8]) -> None:
    onset = np.zeros(len(melody), np.uint16)
    filled, starts = bars.fill_rests(melody, onset)
    sounding = melody >= 0
    np.testing.assert_array_equal(filled[sounding], melody[sounding])
    assert (filled >= 0).all() or not sounding.any()
    assert starts.dtype == np.uint16
    np.testing.assert_array_equal(bars.fill_rests(filled, starts)[0], filled)
