from collections.abc import Callable

import numpy as np
import pytest

from scores.baselines import RealContinuations

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def test_every_prompt_goes_on_as_it_did_in_whatever_order_it_is_asked(songbook: Songbook) -> None:
    phrases, chord = songbook(60, 0)
    order = np.random.default_rng(0).permutation(60)[:45]
    real = RealContinuations(phrases, chord)
    np.testing.assert_array_equal(real.generate(phrases[order, 0], chord[order], seed=0), phrases[order])
    np.testing.assert_array_equal(real.generate(phrases[:, 0], chord, seed=9), phrases)


def test_equal_prompts_take_turns_in_order() -> None:
    phrases = np.full((5, 8, 16), 60, np.int8)
    phrases[:, 1:] = np.arange(5, dtype=np.int8)[:, None, None]
    phrases[2, 0] = 72  # the only one that begins otherwise
    chord = np.zeros((5, 8), np.int8)
    asked = np.array([0, 2, 0, 0, 2, 0, 0, 0])
    got = RealContinuations(phrases, chord).generate(phrases[asked, 0], chord[asked], seed=0)
    assert got[:, 1, 0].tolist() == [0, 2, 1, 3, 2, 4, 0, 1]


def test_the_chords_tell_equal_first_bars_apart() -> None:
    phrases = np.full((2, 8, 16), 60, np.int8)
    phrases[1, 1:] = 61
    chord = np.zeros((2, 8), np.int8)
    chord[1, 7] = 5
    got = RealContinuations(phrases, chord).generate(phrases[[1, 1], 0], chord[[1, 1]], seed=0)
    assert (got[:, 1:] == 61).all()


def test_the_phrases_stay_the_owners() -> None:
    phrases, chord = np.full((2, 8, 16), 60, np.int8), np.zeros((2, 8), np.int8)
    RealContinuations(phrases, chord).generate(phrases[:, 0], chord, seed=0)[:] = 0
    assert (phrases == 60).all()


def test_no_prompt_gives_no_phrase() -> None:
    real = RealContinuations(np.empty((0, 8, 16), np.int8), np.empty((0, 8), np.int8))
    assert real.generate(np.empty((0, 16), np.int8), np.empty((0, 8), np.int8), seed=0).shape == (0, 8, 16)


def test_an_unknown_prompt_is_named(songbook: Songbook) -> None:
    phrases, chord = songbook(10, 0)
    first_bar = phrases[:, 0].copy()
    first_bar[6] = 1
    with pytest.raises(ValueError, match="Prompt 6 has no real phrase"):
        RealContinuations(phrases, chord).generate(first_bar, chord, seed=0)


def test_phrases_of_another_length_are_refused(songbook: Songbook) -> None:
    phrases, chord = songbook(10, 0)
    with pytest.raises(ValueError, match="have 8 bars, not 4"):
        RealContinuations(phrases, chord).generate(phrases[:, 0], chord[:, :4], seed=0)
    with pytest.raises(ValueError, match="do not fit their chords"):
        RealContinuations(phrases[:, :4], chord)
    with pytest.raises(ValueError, match=r"are \(P, B, 16\)"):
        RealContinuations(phrases[:, 0], chord)
