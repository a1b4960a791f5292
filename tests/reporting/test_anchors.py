import pytest

from data_prep.corpus import Corpus, load
from data_prep.locate import resolve
from reporting.anchors import RANDOM_BARS, RANDOM_NOTES, REAL, anchors
from tests.piano import piano_corpus
from trainables.judge import Judge


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load(resolve("builtin"))


def test_the_scale_runs_from_real_music_to_chance(corpus: Corpus) -> None:
    scale = anchors(corpus, Judge(corpus, rollouts=256))
    real, bars, notes = (scale[name]["objective"] for name in (REAL, RANDOM_BARS, RANDOM_NOTES))
    assert real < 0.1 < bars < notes


def test_the_scale_is_the_same_every_time(corpus: Corpus) -> None:
    judge = Judge(corpus, rollouts=64)
    assert anchors(corpus, judge) == anchors(corpus, judge)


def test_the_same_names_stand_on_the_scale_of_piano_music() -> None:
    corpus = piano_corpus(windows=12)
    scale = anchors(corpus, Judge(corpus, rollouts=256))
    real, bars, notes = (scale[name]["objective"] for name in (REAL, RANDOM_BARS, RANDOM_NOTES))
    assert real < bars < notes
    assert scale["random windows"]["near_copy_rate"] > 0.9
    assert scale[REAL]["near_copy_rate"] < 0.1
