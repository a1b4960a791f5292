"""Anchors of the scale: what the objective says of real music and of chance."""

from typing import Final

import numpy as np

from data_prep.bars import piano_roll
from data_prep.corpus import Corpus, Split
from scores.baselines import random_notes, random_training_bars
from trainables.judge import Judge, phrases

REAL: Final = "real music"
RANDOM_BARS: Final = "random bars"
RANDOM_NOTES: Final = "random notes"


def anchors(corpus: Corpus, judge: Judge, *, seed: int) -> dict[str, dict[str, float]]:
    """Scores of real phrases of the test songs, of random training bars and of random notes.

    The last two begin with the bars, and stand over the chords, that every trial is given.
    """
    prompts = judge.prompts.melody
    real = phrases(corpus, Split.TEST, len(prompts))
    training = corpus.melody[corpus.rows(Split.TRAIN)]
    return {
        REAL: judge.reference.evaluate(piano_roll(real.melody), real.chord),
        RANDOM_BARS: judge.score(random_training_bars(training, prompts, np.random.default_rng(seed))),
        RANDOM_NOTES: judge.score(random_notes(training, prompts, np.random.default_rng(seed))),
    }
