from collections.abc import Callable

import numpy as np
import pytest

from data_prep.bars import piano_roll
from scores import Reference
from scores.baselines import BASELINES, random_training_bars

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_keep_the_prompt_and_repeat_with_the_seed(name: str, songbook: Songbook) -> None:
    phrases = songbook(10, 0)[0]
    melody = songbook(10, 1)[0].reshape(-1, 16)
    first, again = (BASELINES[name](melody, phrases, np.random.default_rng(7)) for _ in range(2))
    assert first.dtype == np.int8
    assert first.shape == phrases.shape
    np.testing.assert_array_equal(first[:, 0], phrases[:, 0])
    np.testing.assert_array_equal(first, again)
    assert not np.shares_memory(first, phrases)


def test_random_training_bars_are_training_bars(songbook: Songbook) -> None:
    phrases = songbook(10, 0)[0]
    melody = songbook(3, 1)[0].reshape(-1, 16)
    drawn = random_training_bars(melody, phrases, np.random.default_rng(0))[:, 1:].reshape(-1, 16)
    assert {tuple(bar) for bar in drawn} <= {tuple(bar) for bar in melody}


def test_baselines_are_ordered_by_the_objective(songbook: Songbook) -> None:
    reference_lines, reference_chord = songbook(300, 1)
    phrases, chord = songbook(150, 2)
    melody = songbook(100, 3)[0].reshape(-1, 16)
    reference = Reference.fit(piano_roll(reference_lines), reference_chord)
    values = [
        reference.evaluate(piano_roll(baseline(melody, phrases, np.random.default_rng(0))), chord)["objective"]
        for baseline in BASELINES.values()
    ]
    assert values[0] < 0.01 < values[1] - 0.03 < values[2] - 0.2
