from dataclasses import replace

import numpy as np
import pytest

from data_prep.bars import melody_line
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split, load
from data_prep.errors import UserError
from data_prep.locate import resolve
from data_prep.windows import WindowCorpus
from scores import material as module
from scores.copying import near_copy_rate
from scores.material import material
from tests.piano import piano_corpus


@pytest.fixture(scope="module")
def bars() -> Corpus:
    return load(resolve("builtin"))


@pytest.fixture(scope="module")
def piano() -> WindowCorpus:
    return piano_corpus()


def test_phrases_of_bars_are_runs_of_one_song_with_their_chords(bars: Corpus) -> None:
    rows = bars.phrases(Split.VALIDATION)
    found = material(bars).phrases(Split.VALIDATION, len(rows))
    assert np.array_equal(found.music, bars.melody[rows])
    assert np.array_equal(found.chord, bars.first_chord[rows])
    assert np.array_equal(found.beats, bars.chord[rows])
    assert found.song is not None
    assert (bars.song[rows] == found.song[:, None]).all()


def test_phrases_of_piano_music_are_its_windows_without_chords(piano: WindowCorpus) -> None:
    rows = piano.rows(Split.VALIDATION)
    found = material(piano).phrases(Split.VALIDATION, 1000)
    assert np.array_equal(found.music.reshape(-1, 128, 128), piano.rasterise(rows))
    assert found.music.dtype == np.uint8
    assert found.song is not None
    assert found.song.tolist() == piano.song[rows].tolist()
    assert found.chord.shape == (len(rows), 8)
    assert found.beats.shape == (len(rows), 8, 4)
    assert set(found.chord.ravel()) == set(found.beats.ravel()) == {NO_CHORD}
    few = material(piano).phrases(Split.VALIDATION, 3)
    assert np.array_equal(few.music, found.music[[0, 6, 11]])


def test_the_training_music_is_looked_for_in_every_four_bars_of_a_window(
    piano: WindowCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = material(piano).training()
    lines = melody_line(piano.rasterise(piano.rows(Split.TRAIN)) > 0).reshape(-1, 8, 16)
    assert near_copy_rate(lines, training.windows) == 1
    halves = np.concatenate([lines[:, :4], lines[:, :4]], axis=1)  # of the four runs after bar 1 only the last is one
    assert near_copy_rate(halves, training.windows) == 0.25
    monkeypatch.setattr(module, "_AT_ONCE", 4)
    again = material(piano).training()
    assert np.array_equal(again.windows.windows, training.windows.windows)
    assert again.register == training.register


def test_the_register_is_that_of_what_sounds_in_training(piano: WindowCorpus, bars: Corpus) -> None:
    rolls = piano.rasterise(piano.rows(Split.TRAIN))
    used = np.flatnonzero(rolls.any(axis=(0, 1)))
    assert material(piano).training().register == (used[0], used[-1])
    pitches = bars.melody[bars.rows(Split.TRAIN)]
    assert material(bars).training().register == (pitches[pitches >= 0].min(), pitches.max())


def test_too_little_music_is_told_with_the_remedy(piano: WindowCorpus, bars: Corpus) -> None:
    single = piano_corpus((Split.TRAIN, Split.VALIDATION), windows=1)
    with pytest.raises(UserError, match="1 windows in its validation songs, but at least 2 are needed: prepare"):
        material(single).phrases(Split.VALIDATION, 10)
    assert len(material(single).phrases(Split.VALIDATION, 10, least=1)) == 1
    alone = replace(bars, prev=np.full_like(bars.prev, -1))
    with pytest.raises(UserError, match="0 eight-bar phrases in its validation songs"):
        material(alone).phrases(Split.VALIDATION, 10)
    for corpus in (piano, bars):
        untrained = replace(corpus, split=np.full_like(corpus.split, Split.TEST))
        with pytest.raises(UserError, match="no training songs"):
            material(untrained).training()


def test_songs_kept_for_listening_are_listened_to(piano: WindowCorpus, bars: Corpus) -> None:
    assert material(piano).listening == Split.VALIDATION
    assert material(piano_corpus((*Split,))).listening == Split.PROMPTS
    assert material(bars).listening == Split.PROMPTS


def test_piano_music_goes_at_the_pace_it_was_sampled_at() -> None:
    assert material(piano_corpus(frequency=25.0)).steps_per_second == 25.0
