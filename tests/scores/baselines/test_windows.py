import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.corpus import Split
from data_prep.errors import UserError
from scores.baselines import window_baselines
from tests.piano import piano_corpus

CORPUS = piano_corpus()
TRAINING = CORPUS.rasterise(CORPUS.rows(Split.TRAIN)).reshape(-1, 8, 16, 128)
EVERY = window_baselines(CORPUS)


def prompt(num: int, bars: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    loud = rng.integers(1, 128, (num, 16, 128)) * (rng.random((num, 16, 128)) < 0.05)
    return loud.astype(np.uint8), rng.integers(0, 25, (num, bars)).astype(np.int8)


@pytest.mark.parametrize("name", EVERY)
@settings(max_examples=15, deadline=None)
@given(num=st.integers(0, 4), bars=st.integers(1, 8), seed=st.integers(0, 99))
def test_every_baseline_keeps_the_protocol_on_any_prompt(name: str, num: int, bars: int, seed: int) -> None:
    first_bar, chord = prompt(num, bars, seed)
    kept = first_bar.copy()
    phrases, again = (EVERY[name].generate(first_bar, chord, seed=seed) for _ in range(2))
    assert phrases.shape == (num, bars, 16, 128)
    assert phrases.dtype == np.uint8
    assert np.array_equal(phrases, again)
    assert np.array_equal(phrases[:, 0], kept)
    assert np.array_equal(first_bar, kept)


def test_random_windows_are_training_windows_but_for_the_prompt() -> None:
    phrases = EVERY["random windows"].generate(*prompt(20, 8), seed=3)
    drawn = [np.flatnonzero((TRAINING[:, 1:] == phrase[1:]).all(axis=(1, 2, 3))) for phrase in phrases]
    assert all(len(rows) for rows in drawn)
    assert len({int(rows[0]) for rows in drawn}) > 5


def test_random_bars_are_training_bars_at_their_place_of_various_windows() -> None:
    phrases = EVERY["random bars"].generate(*prompt(20, 8), seed=3)
    sources = np.array(
        [
            [np.flatnonzero((TRAINING[:, bar] == phrase[bar]).all(axis=(1, 2)))[0] for bar in range(1, 8)]
            for phrase in phrases
        ]
    )
    assert (np.ptp(sources, axis=1) > 0).all()
    assert len(np.unique(sources)) > 10


def test_random_notes_are_as_many_and_as_loud_as_training_notes_in_their_register() -> None:
    notes = EVERY["random notes"].generate(*prompt(100, 8), seed=3)[:, 1:]
    used = np.flatnonzero(TRAINING.any(axis=(0, 1, 2)))
    assert np.flatnonzero(notes.any(axis=(0, 1, 2))).tolist() == list(range(used[0], used[-1] + 1))
    per_step = np.count_nonzero(notes) / notes[..., 0].size
    assert per_step == pytest.approx(np.count_nonzero(TRAINING) / TRAINING[..., 0].size, rel=0.02)
    assert set(notes[notes > 0]) == {int(np.median(TRAINING[TRAINING > 0]))}
    assert EVERY["random notes"].generate(*prompt(2, 8), seed=4).tolist() != notes[:2].tolist()


@pytest.mark.parametrize("name", EVERY)
def test_what_is_no_prompt_is_refused(name: str) -> None:
    first_bar, chord = prompt(2, 8)
    for bad in ((first_bar[:1], chord), (first_bar[:, :8], chord), (first_bar, chord[:, :0]), (first_bar, chord[0])):
        with pytest.raises(ValueError, match="Prompts are"):
            EVERY[name].generate(*bad, seed=0)
    with pytest.raises(ValueError, match="B from 1 to 8"):
        EVERY[name].generate(*prompt(2, 9), seed=0)


def test_a_corpus_without_training_windows_is_refused() -> None:
    with pytest.raises(UserError, match="0 training windows"):
        window_baselines(piano_corpus((Split.VALIDATION, Split.TEST)))
