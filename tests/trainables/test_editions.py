"""One body of music prepared in several ways: what trials learn from, and how all are judged by one judge."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from data_prep import cache
from data_prep.bars import fill_rests
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.windows import WindowCorpus
from tests.lead_sheets import lead_sheets
from tests.piano import piano_corpus
from trainables.config import Budget
from trainables.editions import DATA_OPTIONS, Edition, Editions, edition_of, judged_as, prepare_editions, split_options
from trainables.judge import Judge
from trainables.systems import SYSTEMS
from trainables.training import Training

BUDGET = Budget(bars=768, evaluations=2, rollouts=8, early_rollouts=4)


class Recited:
    """A system that knows phrases by heart."""

    def __init__(self, music: NDArray[Any]) -> None:
        self.music = music

    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        return self.music


class Counting:
    """A system on piano rolls whose step t, counted from its first bar, is the key t; it notes what it was asked."""

    def __init__(self, longest: int | None = None) -> None:
        self.longest = longest
        self.asked: list[tuple[NDArray[Any], int, int]] = []

    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        many, bars = chord.shape[:2]
        assert self.longest is None or bars <= self.longest
        self.asked.append((first_bar, bars, seed))
        roll = np.zeros((many, bars * 16, 128), np.uint8)
        roll[:, np.arange(bars * 16), np.arange(bars * 16) % 128] = 1 + seed
        return roll.reshape(many, bars, 16, 128)


@pytest.fixture(scope="module")
def kept(corpus: Corpus) -> Corpus:
    """The corpus with a rest in the middle of most bars, none of them at the beginning of a song."""
    melody = corpus.melody.copy()
    melody[corpus.prev >= 0, 5:8] = -1
    return replace(corpus, melody=melody)


@pytest.fixture(scope="module")
def filled(kept: Corpus) -> Corpus:
    melody = kept.melody.copy()
    for song in range(kept.num_songs):
        rows = kept.song == song
        melody[rows] = fill_rests(melody[rows], kept.onset[rows])[0]
    return replace(kept, melody=melody)


@pytest.fixture(scope="module")
def editions(filled: Corpus, kept: Corpus) -> Editions:
    variants: tuple[tuple[dict[str, Any], Corpus], ...] = (({"rests": "fill"}, filled), ({"rests": "keep"}, kept))
    return Editions(variants, judged_as([options for options, _ in variants]))


def test_no_option_of_a_corpus_is_a_setting_of_a_system() -> None:
    for system in SYSTEMS.values():
        for part in (system.network, system.config):
            assert not DATA_OPTIONS & set(part.__dataclass_fields__)
    assert split_options({"rests": "keep", "loss": "bce"}) == ({"loss": "bce"}, {"rests": "keep"})


@pytest.mark.parametrize(
    ("variants", "judged"),
    [
        ([{}], {}),
        ([{"rests": "fill"}, {"rests": "keep"}], {"rests": "fill"}),
        ([{"rests": "keep"}], {"rests": "keep"}),
        ([{"sampling_frequency": 16.0}, {"sampling_frequency": 8.0}], {"sampling_frequency": 8.0}),
        ([{"octave": "keep"}, {"octave": "fold"}], {}),
        (
            [{"octave": "fold", "rests": "fill"}, {"octave": "fold", "rests": "keep"}],
            {"octave": "fold", "rests": "fill"},
        ),
    ],
)
def test_the_judge_hears_what_all_editions_have_in_common(variants: list[dict[str, Any]], judged: Any) -> None:
    assert judged_as(variants) == judged


def test_frequencies_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(UserError, match="sampling_frequency may be 16, 12, but must be whole multiples of the lowest"):
        judged_as([{"sampling_frequency": 16.0}, {"sampling_frequency": 12.0}])


def test_settings_choose_the_edition_and_the_rest_are_the_systems(editions: Editions, kept: Corpus) -> None:
    edition = editions.of({"rests": "keep", "loss": "hinge"})
    assert edition.music is kept
    assert edition.settings == {"loss": "hinge"}
    assert edition.fill
    assert not editions.of({"rests": "fill"}).fill
    assert edition_of(kept, {"loss": "hinge"}) == Edition(music=kept, settings={"loss": "hinge"})
    assert all(not music.about for _, music in editions.bare().corpora)
    with pytest.raises(UserError, match="was not prepared with octave fold: data_options of the space must name all"):
        editions.of({"octave": "fold"})


def test_a_system_that_writes_just_like_its_edition_scores_the_same_whichever_that_is(
    editions: Editions, kept: Corpus, filled: Corpus
) -> None:
    judge = Judge(filled, rollouts=8)
    scores = []
    for rests, corpus in (("fill", filled), ("keep", kept)):
        rows = corpus.phrases(Split.TEST)[:8]
        recited = editions.of({"rests": rests}).as_judged(Recited(corpus.melody[rows]), "baseline")
        scores.append(judge.evaluate(recited))
    assert scores[0] == scores[1]
    assert judge.evaluate(Recited(kept.melody[rows])) != scores[0]  # so would rests be counted as faults


@pytest.mark.parametrize("rests", ["fill", "keep"])
def test_a_training_learns_from_the_edition_that_its_settings_choose(
    editions: Editions, filled: Corpus, kept: Corpus, rests: str
) -> None:
    corpus = kept if rests == "keep" else filled
    judge = Judge(filled, rollouts=8)
    ours = Training("baseline", {"rests": rests, "batch_size": 24}, editions.bare(), judge, BUDGET, seed=0)
    plain = Training("baseline", {"batch_size": 24}, corpus, judge, BUDGET, seed=0)
    result, expected = ours.step(1), plain.step(1)
    assert result["losses"] == expected["losses"]
    assert result["scores"]["rest_rate"] == 0  # whatever it learnt from
    assert (result["_media"]["melody"] >= 0).all()


def test_a_finer_system_that_continues_is_asked_for_more_bars_after_the_same_music() -> None:
    system = Counting()
    edition = Edition(music=piano_corpus(frequency=16.0), settings={}, factor=2)
    first = np.zeros((3, 16, 128), np.uint8)
    first[:, np.arange(16), 40 + np.arange(16)] = 7
    heard = edition.as_judged(system, "lstm").generate(first, np.zeros((3, 8, 4), np.int8), seed=5)
    assert heard.shape == (3, 8, 16, 128)
    ((prompt, bars, seed),) = system.asked
    assert (bars, seed) == (15, 5)
    assert prompt[0].argmax(axis=1).tolist() == [48 + step // 2 for step in range(16)]  # the second half, twice as long
    steps = heard[0].reshape(128, 128)
    assert steps[:8].argmax(axis=1).tolist() == list(range(40, 48))
    assert np.flatnonzero(steps[8]).tolist() == [0, 1]  # two of the system's steps make one of the judge's
    assert np.flatnonzero(steps[127]).tolist() == [(2 * 119) % 128, (2 * 119 + 1) % 128]


@pytest.mark.parametrize("system", ["vae", "gan"])
def test_a_finer_system_of_whole_windows_writes_one_after_the_other(system: str) -> None:
    counting = Counting(longest=8)
    edition = Edition(music=piano_corpus(), settings={}, factor=3)
    first = np.zeros((2, 16, 128), np.uint8)
    heard = edition.as_judged(counting, system).generate(first, np.zeros((2, 8, 4), np.int8), seed=5)
    assert heard.shape == (2, 8, 16, 128)
    assert [(bars, seed) for _, bars, seed in counting.asked] == [(8, 5), (8, 6), (8, 7)]
    steps = heard[0].reshape(128, 128)
    assert np.flatnonzero(steps[1]).tolist() == [3, 4, 5]
    assert [steps[row].max() for row in (0, 127)] == [6, 8]


def test_a_training_at_twice_the_frequency_is_judged_at_that_of_the_judge() -> None:
    coarse, fine = piano_corpus(frequency=8.0), piano_corpus(frequency=16.0, windows=12)
    variants: tuple[tuple[dict[str, Any], WindowCorpus], ...] = (
        ({"sampling_frequency": 8.0}, coarse),
        ({"sampling_frequency": 16.0}, fine),
    )
    editions = Editions(variants, {"sampling_frequency": 8.0})
    settings = {"sampling_frequency": 16.0, "hidden": 8, "embedding": 8, "layers": 1}
    training = Training("lstm", settings, editions, Judge(coarse, rollouts=4), BUDGET, seed=0)
    result = training.step(1)
    assert result["_media"]["roll"].shape[1:] == (8, 16, 128)
    assert result["_media"]["steps_per_second"] == 8.0
    assert np.isfinite(result["objective"])


@pytest.fixture
def sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Lead sheets with rests, and a cache of their own."""
    monkeypatch.setattr(cache, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return lead_sheets(tmp_path / "music")


def test_editions_are_prepared_from_the_music_and_hold_out_the_same_songs(sheets: str) -> None:
    folder, judged, editions = prepare_editions(sheets, [{"rests": "fill"}, {"rests": "keep"}])
    assert (folder.name.startswith("lead-sheet-"), editions.judged) == (True, {"rests": "fill"})
    (_, filled), (_, kept) = editions.corpora
    assert isinstance(filled, Corpus)
    assert isinstance(kept, Corpus)
    assert isinstance(judged, Corpus)
    assert filled.digest == judged.digest != kept.digest
    assert (kept.melody == -1).any()
    assert (filled.melody[kept.melody >= 0] == kept.melody[kept.melody >= 0]).all()
    assert (kept.split == judged.split).all()


def test_a_song_of_another_split_goes_where_the_judge_has_it(sheets: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_prep.assemble.splits_of", _moving())
    _, judged, editions = prepare_editions(sheets, [{"rests": "fill"}, {"rests": "keep"}])
    splits = [music.split.tolist() for _, music in editions.corpora]
    assert splits == [judged.split.tolist()] * 2


def _moving() -> Any:
    """Splits that are others at every call."""
    calls = iter(range(100))

    def splits_of(clusters: Any, *_: Any) -> dict[str, Split]:
        shift = next(calls)
        return {cluster: Split((number + shift) % 4) for number, cluster in enumerate(sorted(set(clusters)))}

    return splits_of
