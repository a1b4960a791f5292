from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from scores.phrases import phrases
from trainables.judge import Judge


class Echo:
    """A system that goes on with the first bar, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[NDArray[np.int8], NDArray[np.int8], int]] = []

    def generate(self, first_bar: NDArray[np.int8], chord: NDArray[np.int8], *, seed: int) -> NDArray[np.int8]:
        self.asked.append((first_bar, chord, seed))
        return np.repeat(first_bar[:, None], chord.shape[1], axis=1)


def test_every_system_is_given_the_same_prompts_and_noise(corpus: Corpus) -> None:
    one, two = Echo(), Echo()
    for system in (one, two):
        assert Judge(corpus, rollouts=5).evaluate(system)["copy_prev_rate"] == 1.0
    (bar_1, chord_1, seed_1), (bar_2, chord_2, seed_2) = one.asked[0], two.asked[0]
    assert np.array_equal(bar_1, bar_2)
    assert np.array_equal(chord_1, chord_2)
    assert seed_1 == seed_2


def test_prompts_are_consecutive_bars_of_one_validation_song(corpus: Corpus) -> None:
    known = {tuple(corpus.melody[rows].ravel()) for rows in corpus.phrases(Split.VALIDATION)}
    prompts = Judge(corpus, rollouts=5).prompts.phrases
    assert len(prompts.melody) == 5
    assert all(tuple(melody.ravel()) in known for melody in prompts.melody)


def test_listening_samples_come_from_songs_kept_for_that(corpus: Corpus) -> None:
    kept = {tuple(corpus.melody[rows].ravel()) for rows in corpus.phrases(Split.PROMPTS)}
    media = Judge(corpus, rollouts=2).samples(Echo())
    assert all(tuple(melody.ravel()) in kept for melody in media["real"])
    assert np.array_equal(media["melody"][:, 0], media["real"][:, 0])


def test_the_real_continuations_are_at_the_bottom_of_the_scale(corpus: Corpus) -> None:
    judge = Judge(corpus, rollouts=1000)
    assert judge.score(judge.prompts.phrases.melody)["objective"] < 0.01 < judge.evaluate(Echo())["objective"]


def test_a_corpus_without_phrases_to_compare_with_is_refused(corpus: Corpus) -> None:
    alone = replace(corpus, prev=np.full_like(corpus.prev, -1))
    with pytest.raises(UserError, match="0 eight-bar phrases in its validation songs"):
        phrases(alone, Split.VALIDATION, 10)
