"""Generators without a network: what they reach gives the scale of the objective its meaning.

`baselines` builds them from training bars. `RealContinuations` stands beside them as the end of the scale: it needs
the phrases that the prompts were taken from. All have the method that trained systems have (`music.Baseline`).
`window_baselines` builds those of piano music, from a corpus of windows.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from scores.baselines.drawn import RandomBars, RandomBarsByChord, RandomNotes
from scores.baselines.markov import StepMarkov
from scores.baselines.music import Baseline, Lines, TrainingMusic
from scores.baselines.nearest import NearestBars
from scores.baselines.real import RealContinuations
from scores.baselines.windows import window_baselines
from scores.notes import IntArray

__all__ = [
    "Baseline",
    "NearestBars",
    "RandomBars",
    "RandomBarsByChord",
    "RandomNotes",
    "RealContinuations",
    "StepMarkov",
    "TrainingMusic",
    "baselines",
    "window_baselines",
]


def baselines(melody: Lines, chord: NDArray[np.int8], previous: IntArray) -> Mapping[str, Baseline]:
    """Every baseline by name, from what should come nearest to real music to mere noise.

    "chord bars" and "blind Markov" may change places: one has true rhythm and harmony, the other true motion.

    Args:
        melody: int8 (N, 16), MIDI pitch of each step, -1 for a rest.
        chord: int8 (N,), chord class of each bar.
        previous: (N,), row in `melody` of the bar before; -1 where there is none.

    Raises:
        UserError: if there is no training bar.
    """
    training = TrainingMusic(melody=melody, chord=chord, previous=previous)
    return MappingProxyType(
        {
            "chord Markov": StepMarkov.fit(training, by_chord=True),
            "nearest bars": NearestBars(training),
            "chord bars": RandomBarsByChord(training),
            "blind Markov": StepMarkov.fit(training, by_chord=False),
            "random bars": RandomBars(training),
            "random notes": RandomNotes(),
        }
    )
