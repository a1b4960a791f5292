import pytest

from data_prep.corpus import Corpus, load
from data_prep.locate import resolve
from reporting.anchors import RANDOM_BARS, RANDOM_NOTES, REAL, anchors
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
