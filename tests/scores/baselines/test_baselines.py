import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.bars import piano_roll
from data_prep.corpus import Split, load
from data_prep.errors import UserError
from data_prep.locate import resolve
from scores.baselines import Baseline, RealContinuations, TrainingMusic, baselines
from scores.objective import Reference

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]

NAMES = ("chord Markov", "nearest bars", "chord bars", "blind Markov", "random bars", "random notes")


def built(training: TrainingMusic) -> dict[str, Baseline]:
    return dict(baselines(training.melody, training.chord, training.previous))


@pytest.fixture(scope="module")
def every(training: TrainingMusic) -> dict[str, Baseline]:
    return built(training)


def test_the_factory_names_them_from_the_best_to_the_worst(every: dict[str, Baseline]) -> None:
    assert tuple(every) == NAMES


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_baseline_keeps_the_protocol_on_any_prompt(
    name: str, every: dict[str, Baseline], data: st.DataObject
) -> None:
    num, bars = data.draw(st.integers(0, 5)), data.draw(st.integers(1, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    first_bar = rng.integers(-1, 128, (num, 16)).astype(np.int8)
    chord = rng.integers(0, 25, (num, bars)).astype(np.int8)
    prompt = first_bar.copy(), chord.copy()
    phrases, again = (every[name].generate(first_bar, chord, seed=7) for _ in range(2))
    assert phrases.dtype == np.int8
    assert phrases.shape == (num, bars, 16)
    assert phrases.min(initial=0) >= -1
    np.testing.assert_array_equal(phrases[:, 0], first_bar)
    assert phrases.tobytes() == again.tobytes()
    np.testing.assert_array_equal(first_bar, prompt[0])
    np.testing.assert_array_equal(chord, prompt[1])
    assert not np.shares_memory(phrases, first_bar)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_gives_other_music(name: str, every: dict[str, Baseline], songbook: Songbook) -> None:
    phrases, chord = songbook(20, 5)
    one, other = (every[name].generate(phrases[:, 0], chord, seed=seed) for seed in (0, 1))
    assert (one != other).any()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_handed_out_is_no_view_of_the_training_music(name: str, songbook: Songbook) -> None:
    phrases, chord = songbook(4, 5)
    melody = phrases.reshape(-1, 16).copy()
    every = baselines(melody, chord.ravel(), np.full(len(melody), -1))
    every[name].generate(phrases[:, 0], chord, seed=0)[:] = 0
    np.testing.assert_array_equal(melody, phrases.reshape(-1, 16))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("chord", range(25))
def test_one_silent_bar_is_training_enough(name: str, chord: int) -> None:
    every = baselines(np.full((1, 16), -1, np.int8), np.array([3], np.int8), np.array([-1]))
    phrases = every[name].generate(np.full((2, 16), 127, np.int8), np.full((2, 3), chord, np.int8), seed=0)
    if name != "random notes":
        assert (phrases[:, 1:] == -1).all()


def test_no_training_bar_is_one_line_with_the_remedy() -> None:
    with pytest.raises(UserError, match=r"0 training bars, .* at least 1: prepare it from more songs") as caught:
        baselines(np.empty((0, 16), np.int8), np.empty(0, np.int8), np.empty(0, np.int32))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"melody": np.zeros((3, 15), np.int8)},
        {"melody": np.zeros((3, 16), np.int64)},
        {"melody": np.full((3, 16), -2, np.int8)},
        {"chord": np.zeros(2, np.int8)},
        {"chord": np.full(3, 25, np.int8)},
        {"previous": np.array([-1, 0, 3])},
        {"previous": np.array([-2, 0, 1])},
    ],
)
def test_training_music_that_does_not_fit_together_is_refused(change: dict[str, np.ndarray]) -> None:
    sound = TrainingMusic(
        melody=np.zeros((3, 16), np.int8), chord=np.zeros(3, np.int8), previous=np.array([-1, 0, 1], np.int32)
    )
    with pytest.raises(ValueError, match=r"found|not"):
        dataclasses.replace(sound, **change)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("first_bar", "chord"),
    [
        (np.zeros((2, 15), np.int8), np.zeros((2, 8), np.int8)),
        (np.zeros((2, 16), np.int8), np.zeros((3, 8), np.int8)),
        (np.zeros((2, 16), np.int8), np.zeros((2, 0), np.int8)),
        (np.zeros((2, 16), np.int8), np.zeros(2, np.int8)),
        (np.zeros((2, 16), np.int8), np.full((2, 8), 25, np.int8)),
        (np.zeros((2, 16), np.float32), np.zeros((2, 8), np.int8)),
    ],
)
def test_prompts_that_are_none_are_refused(
    name: str, first_bar: np.ndarray, chord: np.ndarray, every: dict[str, Baseline]
) -> None:
    with pytest.raises(ValueError, match=r"Prompts|pitch|chord"):
        every[name].generate(first_bar, chord, seed=0)


Realism = dict[str, float]


def realism(every: dict[str, Baseline], real: np.ndarray, real_chord: np.ndarray, step: int) -> Realism:
    """Realism on every `step`-th of the real phrases; not the objective, whose guards ask for a base line."""
    reference = Reference.fit(piano_roll(real), real_chord)
    first_bar, chord = real[::step, 0], real_chord[::step]
    generated = {name: baseline.generate(first_bar, chord, seed=0) for name, baseline in every.items()}
    return {name: reference.evaluate(piano_roll(lines), chord)["realism"] for name, lines in generated.items()}


def assert_that_knowing_more_comes_nearer(value: Realism) -> None:
    knowing = [value["chord Markov"], value["nearest bars"]]
    half_knowing = [value["chord bars"], value["blind Markov"]]
    assert min(knowing) > 0.01
    assert max(knowing) + 0.1 < min(half_knowing)
    assert max(half_knowing) + 0.05 < value["random bars"]
    assert value["random bars"] + 0.2 < value["random notes"] < 1


def test_the_order_holds_on_the_songbook(songbook: Songbook, as_training: Callable) -> None:
    phrases, chord = songbook(300, 1)
    value = realism(built(as_training(*songbook(300, 3))), phrases, chord, 2)
    assert_that_knowing_more_comes_nearer(value)
    real = realism({"real": RealContinuations(phrases, chord)}, phrases, chord, 2)["real"]
    assert abs(real) < 0.01


def test_the_order_holds_on_the_built_in_corpus() -> None:
    corpus = load(resolve("builtin"))
    rows = corpus.rows(Split.TRAIN)
    row_of = np.full(corpus.num_bars + 1, -1)  # the last is where -1 points to
    row_of[rows] = np.arange(len(rows))
    every = dict(baselines(corpus.melody[rows], corpus.first_chord[rows], row_of[corpus.prev[rows]]))
    real = corpus.phrases(Split.VALIDATION)
    assert_that_knowing_more_comes_nearer(realism(every, corpus.melody[real], corpus.first_chord[real], 3))
