import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.windows import WindowCorpus
from scores.material import material
from scores.phrases import Music, Phrases
from tests.piano import piano_corpus
from trainables.judge import Judge


class Echo:
    """A system that goes on with the first bar, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Music, NDArray[np.int8], int]] = []

    def generate(self, first_bar: Music, chord: NDArray[np.int8], *, seed: int) -> Music:
        self.asked.append((first_bar, chord, seed))
        return np.repeat(first_bar[:, None], chord.shape[1], axis=1)


class Recited:
    """A system that knows the real continuations by heart."""

    def __init__(self, real: Phrases) -> None:
        self.real = real

    def generate(self, first_bar: Music, chord: NDArray[np.int8], *, seed: int) -> Music:
        return self.real.music


class Constant:
    """A system that holds every key at one velocity after the first bar."""

    def __init__(self, velocity: int) -> None:
        self.velocity = velocity

    def generate(self, first_bar: Music, chord: NDArray[np.int8], *, seed: int) -> Music:
        music = np.full((*chord.shape[:2], 16, 128), self.velocity, np.uint8)
        music[:, 0] = first_bar
        return music


@pytest.fixture(scope="module")
def piano() -> WindowCorpus:
    return piano_corpus()


@pytest.fixture(params=["bars", "windows"])
def either(request: pytest.FixtureRequest, corpus: Corpus, piano: WindowCorpus) -> Corpus | WindowCorpus:
    return corpus if request.param == "bars" else piano


def test_every_system_is_given_the_same_prompts_and_noise(either: Corpus | WindowCorpus) -> None:
    one, two = Echo(), Echo()
    for system in (one, two):
        assert Judge(either, rollouts=5).evaluate(system)["copy_prev_rate"] == 1.0
    (bar_1, chord_1, seed_1), (bar_2, chord_2, seed_2) = one.asked[0], two.asked[0]
    assert np.array_equal(bar_1, bar_2)
    assert np.array_equal(chord_1, chord_2)
    assert seed_1 == seed_2


def test_prompts_are_consecutive_bars_of_one_validation_song_over_the_chords_of_its_beats(corpus: Corpus) -> None:
    known = {(corpus.melody[rows].tobytes(), corpus.chord[rows].tobytes()) for rows in corpus.phrases(Split.VALIDATION)}
    judge, system = Judge(corpus, rollouts=5), Echo()
    judge.evaluate(system)
    ((first_bar, chord, _),) = system.asked
    prompts = judge.prompts.phrases
    assert len(prompts.music) == 5
    assert np.array_equal(first_bar, prompts.music[:, 0])
    assert chord.shape == (5, 8, 4)
    assert all((music.tobytes(), beats.tobytes()) in known for music, beats in zip(prompts.music, chord, strict=True))


def test_prompts_of_piano_music_are_velocities_of_validation_windows_without_chords(piano: WindowCorpus) -> None:
    known = {window[:16].tobytes() for window in piano.rasterise(piano.rows(Split.VALIDATION))}
    system = Echo()
    Judge(piano, rollouts=5).evaluate(system)
    ((first_bar, chord, _),) = system.asked
    assert first_bar.shape == (5, 16, 128)
    assert first_bar.dtype == np.uint8
    assert all(bar.tobytes() in known for bar in first_bar)
    assert np.array_equal(chord, np.full((5, 8, 4), NO_CHORD))


def test_listening_samples_come_from_songs_kept_for_that(corpus: Corpus) -> None:
    kept = {tuple(corpus.melody[rows].ravel()) for rows in corpus.phrases(Split.PROMPTS)}
    judge = Judge(corpus, rollouts=2)
    media = judge.samples(Echo())
    assert all(tuple(melody.ravel()) in kept for melody in media["real"])
    assert np.array_equal(media["melody"][:, 0], media["real"][:, 0])
    assert np.array_equal(media["chord"], judge.listening.chord)
    by_beat = judge.samples(Echo(), by_beat=True)["chord"]
    assert np.array_equal(by_beat, judge.listening.beats)
    assert by_beat.shape == (*media["chord"].shape, 4)


def test_samples_of_piano_music_say_how_fast_it_goes() -> None:
    media = Judge(piano_corpus(frequency=20.0), rollouts=2).samples(Echo())
    assert media["roll"].shape == media["real"].shape == (3, 8, 16, 128)
    assert np.array_equal(media["roll"][:, 0], media["real"][:, 0])
    assert media["steps_per_second"] == 20.0
    assert media.keys() == {"roll", "real", "steps_per_second"}


def test_the_real_continuations_are_at_the_bottom_of_the_scale(either: Corpus | WindowCorpus) -> None:
    judge = Judge(either, rollouts=1000)
    assert judge.evaluate(Recited(judge.prompts.phrases))["objective"] < 0.01 < judge.evaluate(Echo())["objective"]
    assert judge.usual == judge.evaluate(Recited(judge.prompts.phrases))


@pytest.mark.parametrize("velocity", [0, 127])
def test_silence_and_every_key_at_once_are_far_from_piano_music(piano: WindowCorpus, velocity: int) -> None:
    judge = Judge(piano, rollouts=100)
    found = judge.evaluate(Constant(velocity))
    assert found["objective"] > judge.evaluate(Echo())["objective"]
    assert found["dup_rate"] > 0.5
    assert all(np.isfinite(value) for value in found.values())


def test_music_without_chords_is_not_judged_by_its_harmony(piano: WindowCorpus) -> None:
    judge = Judge(piano, rollouts=100)
    for system in (Recited(judge.prompts.phrases), Echo(), Constant(0)):
        found = judge.evaluate(system)
        assert found["med_harmony"] == 0
        assert not {"chord_tone_rate", "ctnctr", "pcs", "mctd"} & found.keys()


def test_a_training_window_is_a_copy(piano: WindowCorpus) -> None:
    judge = Judge(piano, rollouts=10)
    copied = piano.rasterise(piano.rows(Split.TRAIN)[:10]).reshape(-1, 8, 16, 128)
    assert judge.score(copied)["near_copy_rate"] > 0.9
    assert judge.score(judge.prompts.phrases.music)["near_copy_rate"] < 0.1


def test_fewer_prompts_are_some_of_all(either: Corpus | WindowCorpus) -> None:
    judge = Judge(either, rollouts=10, early_rollouts=4)
    system = Echo()
    judge.evaluate(system, early=True)
    judge.evaluate(system)
    (few, _, _), (all_of_them, _, _) = system.asked
    assert len(few) == 4
    assert {bar.tobytes() for bar in few} <= {bar.tobytes() for bar in all_of_them}


def test_real_music_is_its_own_base_line(either: Corpus | WindowCorpus) -> None:
    judge = Judge(either, rollouts=8)
    report = judge.real(material(either).phrases(Split.TEST, 8))
    assert report["objective"] == report["realism"]


def test_a_judge_travels_without_its_corpus(piano: WindowCorpus) -> None:
    longer = piano_corpus(windows=30)
    packed = [pickle.dumps(Judge(corpus, rollouts=4)) for corpus in (piano, replace(piano, about=longer.about))]
    assert len(packed[0]) == len(packed[1])
    judge = Judge(piano, rollouts=4)
    there = pickle.loads(packed[0])
    assert there.evaluate(Echo()) == judge.evaluate(Echo())
    assert b"torch" not in packed[0]


def test_a_corpus_too_small_to_judge_by_is_refused(corpus: Corpus) -> None:
    with pytest.raises(UserError, match="1 windows in its validation songs"):
        Judge(piano_corpus((Split.TRAIN, Split.VALIDATION), windows=1), rollouts=4)
    with pytest.raises(UserError, match="0 eight-bar phrases in its validation songs"):
        Judge(replace(corpus, prev=np.full_like(corpus.prev, -1)), rollouts=4)
