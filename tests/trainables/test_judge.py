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


def test_fewer_prompts_are_some_of_all(corpus: Corpus) -> None:
    judge = Judge(corpus, rollouts=10, early_rollouts=4)
    system = Echo()
    judge.evaluate(system, early=True)
    judge.evaluate(system)
    (few, _, _), (all_of_them, _, _) = system.asked
    assert len(few) == 4
    assert {tuple(bar) for bar in few} <= {tuple(bar) for bar in all_of_them}


class Opinions:
    """Two players whose discriminator says what it is told to."""

    def __init__(self, real: float, fake: float) -> None:
        self.told = real, fake

    def logits(
        self, bar: NDArray[np.int8], previous: NDArray[np.int8], chord: NDArray[np.int8], *, seed: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        assert bar.shape == previous.shape == (*chord.shape, 16)
        real, fake = (np.full(len(bar), told, np.float32) for told in self.told)
        return real, fake


@pytest.mark.parametrize(("real", "fake", "balance"), [(1, 1, 0), (2, 1, 1), (1, 2, 1), (np.nan, 1, 1)])
def test_players_are_balanced_when_the_discriminator_cannot_tell(
    corpus: Corpus, real: float, fake: float, balance: float
) -> None:
    assert Judge(corpus, rollouts=2).balance(Opinions(real, fake)) == balance


def test_the_discriminator_is_asked_of_bars_of_held_out_songs_in_their_place(corpus: Corpus) -> None:
    rows = [row for row in corpus.rows(Split.VALIDATION) if corpus.prev[row] >= 0]
    bar, previous, chord = Judge(corpus, rollouts=2)._held_out
    assert np.array_equal(bar, corpus.melody[rows])
    assert np.array_equal(previous, corpus.melody[corpus.prev[rows]])
    assert np.array_equal(chord, corpus.first_chord[rows])


def test_real_music_is_its_own_base_line(corpus: Corpus) -> None:
    judge = Judge(corpus, rollouts=8)
    report = judge.real(phrases(corpus, Split.TEST, 8))
    assert report["objective"] == report["realism"]
