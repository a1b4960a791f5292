import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scores.phrases import Phrases, spread


@given(st.integers(1, 5_000), st.integers(1, 2_000))
def test_rows_are_spread_evenly_from_the_first_to_the_last(count: int, most: int) -> None:
    rows = spread(count, most)
    assert len(rows) == len(set(rows)) == min(count, most)
    assert rows[0] == 0
    assert most == 1 or rows[-1] == count - 1
    steps = np.diff(rows)
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_some_of_the_phrases_are_some_of_the_phrases() -> None:
    melody = np.arange(10 * 8 * 16).reshape(10, 8, 16).astype(np.int8)
    chord = np.arange(80).reshape(10, 8).astype(np.int8) % 25
    assert Phrases(melody, chord).spread(4).song is None
    some = Phrases(melody, chord, np.arange(10, dtype=np.int32)).spread(4)
    assert some.song is not None
    assert len(some) == 4
    assert some.melody[[0, -1]].tolist() == melody[[0, -1]].tolist()
    assert some.chord[[0, -1]].tolist() == chord[[0, -1]].tolist()
    assert some.song.tolist() == [0, 3, 6, 9]
    assert some.roll.shape == (4, 8, 16, 128)
