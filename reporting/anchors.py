"""Anchors of the scale: what the objective says of real music, of simple generators and of chance."""

from typing import Final

import numpy as np

from data_prep.corpus import Corpus, Split
from scores.baselines import baselines
from scores.phrases import phrases
from trainables.judge import Judge

REAL: Final = "real music"
RANDOM_BARS: Final = "random bars"
RANDOM_NOTES: Final = "random notes"


def anchors(corpus: Corpus, judge: Judge) -> dict[str, dict[str, float]]:
    """Scores of real phrases of the test songs, and of every generator without a network, judged as trials are."""
    rows = corpus.rows(Split.TRAIN)
    before = corpus.prev[rows]
    # Bars of one song stand together, so the bar before a training bar is a training bar.
    previous = np.where(before < 0, -1, np.searchsorted(rows, before))
    simple = baselines(corpus.melody[rows], corpus.first_chord[rows], previous)
    real = {REAL: judge.real(phrases(corpus, Split.TEST, len(judge.prompts.phrases)))}
    return real | {name: judge.evaluate(generator) for name, generator in simple.items()}
