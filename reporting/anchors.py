"""Anchors of the scale: what the objective says of real music, of simple generators and of chance."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from data_prep.corpus import Corpus, Split
from data_prep.windows import WindowCorpus
from scores.baselines import baselines, window_baselines
from scores.material import material
from trainables.judge import NOISE_SEED, Judge

REAL: Final = "real music"
RANDOM_BARS: Final = "random bars"
RANDOM_NOTES: Final = "random notes"


def anchors(corpus: Corpus | WindowCorpus, judge: Judge) -> dict[str, dict[str, float]]:
    """Scores of real phrases of the test songs, and of every generator without a network, judged as trials are.

    REAL, RANDOM_BARS and RANDOM_NOTES are among them, of either kind of corpus.
    """
    prompts = judge.prompts.phrases
    scale = {REAL: judge.real(material(corpus).phrases(Split.TEST, len(prompts)))}
    for name, generator in _simple(corpus).items():
        # They hear one chord a bar, where trained systems are given all four.
        scale[name] = judge.score(generator.generate(prompts.first_bar, prompts.chord, seed=NOISE_SEED))
    return scale


def _simple(corpus: Corpus | WindowCorpus) -> Mapping[str, Any]:
    """Every generator without a network, by name."""
    if isinstance(corpus, WindowCorpus):
        return window_baselines(corpus)
    rows = corpus.rows(Split.TRAIN)
    before = corpus.prev[rows]
    # Bars of one song stand together, so the bar before a training bar is a training bar.
    previous = np.where(before < 0, -1, np.searchsorted(rows, before))
    return baselines(corpus.melody[rows], corpus.first_chord[rows], previous)
