import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scores.phrases import Phrases, as_roll, spread


@given(st.integers(1, 5_000), st.integers(1, 2_000))
def test_rows_are_spread_evenly_from_the_first_to_the_last(count: int, most: int) -> None:
    rows = spread(count, most)
    assert len(rows) == len(set(rows)) == min(count, most)
    assert rows[0] == 0
    assert most == 1 or rows[-1] == count - 1
    steps = np.diff(rows)
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_some_of_the_phrases_are_some_of_the_phrases() -> None:
    music = np.arange(10 * 8 * 16).reshape(10, 8, 16).astype(np.int8)
    chord = np.arange(80).reshape(10, 8).astype(np.int8) % 25
    beats = np.arange(320).reshape(10, 8, 4).astype(np.int8) % 25
    assert Phrases(music=music, chord=chord, beats=beats).spread(4).song is None
    some = Phrases(music=music, chord=chord, beats=beats, song=np.arange(10, dtype=np.int32)).spread(4)
    assert some.song is not None
    assert len(some) == 4
    assert some.music[[0, -1]].tolist() == music[[0, -1]].tolist()
    assert some.chord[[0, -1]].tolist() == chord[[0, -1]].tolist()
    assert some.beats[[0, -1]].tolist() == beats[[0, -1]].tolist()
    assert some.first_bar[[0, -1]].tolist() == music[[0, -1], 0].tolist()
    assert some.song.tolist() == [0, 3, 6, 9]
    assert some.roll.shape == (4, 8, 16, 128)


def test_pitches_and_velocities_say_the_same_of_what_sounds() -> None:
    pitches = np.full((1, 8, 16), -1, np.int8)
    velocities = np.zeros((1, 8, 16, 128), np.uint8)
    pitches[0, 2, 3], pitches[0, 7, 15] = 0, 127
    velocities[0, 2, 3, 0], velocities[0, 7, 15, 127] = 1, 127
    assert np.array_equal(as_roll(pitches), as_roll(velocities))
    assert as_roll(velocities).dtype == np.bool_
    assert np.count_nonzero(as_roll(velocities)) == 2
    for shape in ((8, 16), (1, 1, 8, 16, 128)):
        with pytest.raises(ValueError, match="Phrases are"):
            as_roll(np.zeros(shape, np.uint8))
