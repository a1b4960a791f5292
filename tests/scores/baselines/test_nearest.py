from typing import Any

import numpy as np
import pytest

import scores.baselines.nearest as module
from data_prep import bars
from scores.baselines import NearestBars, TrainingMusic


def with_previous(training: TrainingMusic) -> np.ndarray:
    return np.flatnonzero(training.previous >= 0)


def test_a_bar_met_before_is_followed_as_it_was_when_one_neighbour_counts(training: TrainingMusic) -> None:
    rows = with_previous(training)
    before, chord = training.melody[training.previous[rows]], training.chord[rows]
    phrases = NearestBars(training, neighbours=1).generate(before, np.stack([chord, chord], 1), seed=0)
    for got, bar, over in zip(phrases[:, 1], before, chord, strict=True):
        same = (training.melody[training.previous[rows]] == bar).all(1) & (training.chord[rows] == over)
        assert any((got == melody).all() for melody in training.melody[rows[same]])


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_every_bar_is_one_of_the_nearest_by_brute_force(training: TrainingMusic, neighbours: int) -> None:
    rng = np.random.default_rng(neighbours)
    source = rng.integers(len(training.melody), size=40)
    first_bar = np.where(rng.random((40, 16)) < 0.3, 61, training.melody[source]).astype(np.int8)
    chord = rng.choice(np.unique(training.chord), (40, 4)).astype(np.int8)
    phrases = NearestBars(training, neighbours).generate(first_bar, chord, seed=1)
    for phrase, over in zip(phrases, chord, strict=True):
        for bar in range(1, 4):
            rows = np.flatnonzero(training.chord == over[bar])
            distance = np.array(
                [
                    sum(a != b for a, b in zip(phrase[bar - 1], training.melody[prev], strict=True))
                    if prev >= 0
                    else 16
                    for prev in training.previous[rows]
                ]
            )
            reach = np.sort(distance)[: min(neighbours, len(rows))][-1]
            assert any((phrase[bar] == line).all() for line in training.melody[rows[distance <= reach]])


def followed(pitches: list[int], chord: int = 0) -> TrainingMusic:
    """Pairs of bars: i and then `pitches[i]`, both over one chord."""
    num = len(pitches)
    melody = np.repeat(np.array([*range(num), *pitches], np.int8)[:, None], 16, axis=1)
    previous = np.concatenate([np.full(num, -1), np.arange(num)])
    return TrainingMusic(melody=melody, chord=np.full(2 * num, chord, np.int8), previous=previous)


def test_chance_decides_among_bars_equally_near_for_every_prompt_anew() -> None:
    training = followed(list(range(60, 72)))
    first_bar = np.full((3000, 16), 50, np.int8)  # unlike any: all are equally far
    drawn = NearestBars(training).generate(first_bar, np.zeros((3000, 2), np.int8), seed=0)[:, 1, 0]
    pitch, count = np.unique(drawn, return_counts=True)
    assert pitch.tolist() == [*range(12), *range(60, 72)]
    np.testing.assert_allclose(count, 3000 / 24, atol=6 * (3000 / 24) ** 0.5)


def test_each_of_the_neighbours_is_as_likely() -> None:
    training = followed([60] * 3 + [61] * 3 + [62] * 3)
    for row, near in enumerate((16, 12, 8, 4, 2)):
        training.melody[row, :near] = 100
    first_bar = np.full((3000, 16), 100, np.int8)
    drawn = NearestBars(training).generate(first_bar, np.zeros((3000, 2), np.int8), seed=0)[:, 1, 0]
    pitch, count = np.unique(drawn, return_counts=True)
    assert pitch.tolist() == [60, 61]
    np.testing.assert_allclose(count, [1800, 1200], atol=6 * 1800**0.5)


def test_fewer_bars_than_neighbours_are_all_used() -> None:
    training = followed([60])
    drawn = NearestBars(training).generate(np.zeros((200, 16), np.int8), np.zeros((200, 2), np.int8), seed=0)
    assert set(drawn[:, 1, 0]) == {0, 60}


def test_an_unseen_chord_compares_and_gives_transposed_bars() -> None:
    training = followed([60, 72], chord=2)
    training = TrainingMusic(melody=training.melody + np.int8(20), chord=training.chord, previous=training.previous)
    prompts = np.array([[20 - 5] * 16, [21 - 5] * 16], np.int8)  # what came before, a fourth lower
    over = np.full((2, 2), (2 - 5) % 12, np.int8)
    phrases = NearestBars(training, neighbours=1).generate(prompts, over, seed=0)
    assert phrases[:, 1, 0].tolist() == [75, 87]


def test_many_candidates_and_prompts_are_taken_a_part_at_a_time(
    training: TrainingMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = with_previous(training)
    first_bar, chord = training.melody[training.previous[rows]], training.chord[rows]
    arguments = first_bar, np.stack([chord] * 3, 1)
    whole = NearestBars(training).generate(*arguments, seed=3)
    assert len(rows) > 3
    monkeypatch.setattr(module, "_PHRASES_AT_ONCE", 3)
    np.testing.assert_array_equal(NearestBars(training).generate(*arguments, seed=3), whole)
    shapes = []
    find = module._nearest

    def watched(lines: np.ndarray, known: np.ndarray, *others: Any) -> np.ndarray:
        shapes.append(len(known))
        return find(lines, known, *others)

    monkeypatch.setattr(module, "_nearest", watched)
    monkeypatch.setattr(module, "_MAX_CANDIDATES", 4)
    few = NearestBars(training).generate(*arguments, seed=3)
    assert max(shapes) == 4
    assert {bar.tobytes() for bar in few[:, 1]} <= {bar.tobytes() for bar in training.melody}


def test_no_neighbour_is_refused(training: TrainingMusic) -> None:
    with pytest.raises(ValueError, match="At least 1 neighbour"):
        NearestBars(training, neighbours=0)


def test_the_shift_of_a_bar_before_keeps_it_within_midi() -> None:
    training = TrainingMusic(
        melody=np.array([[127] * 16, [0] * 16], np.int8), chord=np.array([0, 0], np.int8), previous=np.array([-1, 0])
    )
    phrases = NearestBars(training).generate(np.zeros((9, 16), np.int8), np.full((9, 5), 3, np.int8), seed=0)
    assert set(np.unique(phrases[:, 1:])) == set(np.unique(bars.transpose(training.melody, 3)))
