from collections.abc import Callable

import numpy as np
import pytest

from scores.baselines import TrainingMusic

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def _training(phrases: np.ndarray, chord: np.ndarray) -> TrainingMusic:
    num, bars = chord.shape
    previous = np.arange(num * bars).reshape(num, bars) - 1
    previous[:, 0] = -1
    return TrainingMusic(melody=phrases.reshape(-1, 16), chord=chord.ravel(), previous=previous.ravel())


@pytest.fixture(scope="session")
def training(songbook: Songbook) -> TrainingMusic:
    """All bars of forty songs of the songbook."""
    return _training(*songbook(40, 3))


@pytest.fixture(scope="session")
def as_training() -> Callable[[np.ndarray, np.ndarray], TrainingMusic]:
    """(phrases (M, B, 16), chords (M, B)) -> their bars as training music."""
    return _training
