from collections.abc import Callable

import numpy as np
import pytest

from scores.baselines import StepMarkov, TrainingMusic

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]
Move = tuple[int, ...]


def moves(phrases: np.ndarray, chord: np.ndarray) -> list[Move]:
    """(chord, step, pitch before, pitch) of every step but those of first bars."""
    return [
        (int(over[bar]), step, int(phrase[bar, step - 1] if step else phrase[bar - 1, 15]), int(phrase[bar, step]))
        for phrase, over in zip(phrases, chord, strict=True)
        for bar in range(1, phrases.shape[1])
        for step in range(16)
    ]


def seen(training: TrainingMusic) -> set[Move]:
    found = set()
    for line, chord, previous in zip(training.melody, training.chord, training.previous, strict=True):
        before = [training.melody[previous, 15] if previous >= 0 else None, *line[:15]]
        found |= {
            (int(chord), s, int(b), int(p)) for s, (b, p) in enumerate(zip(before, line, strict=True)) if b is not None
        }
    return found


def test_no_move_is_new_where_training_has_any_from_there(training: TrainingMusic, songbook: Songbook) -> None:
    prompts, chord = songbook(60, 8)
    known = seen(training)
    states = {move[:3] for move in known}
    made = moves(StepMarkov.fit(training, by_chord=True).generate(prompts[:, 0], chord, seed=0), chord)
    from_seen = [move for move in made if move[:3] in states]
    assert len(from_seen) > 0.9 * len(made)
    assert set(from_seen) <= known
    assert len(set(from_seen)) > 500


def test_the_blind_chain_makes_the_moves_of_all_chords(training: TrainingMusic, songbook: Songbook) -> None:
    prompts, chord = songbook(60, 8)
    known = {move[1:] for move in seen(training)}
    states = {move[:2] for move in known}
    made = moves(StepMarkov.fit(training, by_chord=False).generate(prompts[:, 0], chord, seed=0), chord)
    from_seen = [move[1:] for move in made if move[1:3] in states]
    assert len(from_seen) > 0.95 * len(made)
    assert set(from_seen) <= known


def test_the_blind_chain_does_not_hear_the_chord(training: TrainingMusic, songbook: Songbook) -> None:
    prompts, chord = songbook(20, 8)
    blind = StepMarkov.fit(training, by_chord=False)
    np.testing.assert_array_equal(
        blind.generate(prompts[:, 0], chord, seed=0), blind.generate(prompts[:, 0], np.full_like(chord, 24), seed=0)
    )


def one_song(bars: list[list[int]], chord: list[int]) -> TrainingMusic:
    return TrainingMusic(
        melody=np.array(bars, np.int8), chord=np.array(chord, np.int8), previous=np.arange(len(bars)) - 1
    )


def test_moves_are_as_frequent_as_in_training() -> None:
    # After a bar of 60 the next begins with 62 three times of four, with a rest once; both then last.
    starts = (62, 62, -1, 62)
    training = one_song([bar for p in starts for bar in ([60] * 16, [p] * 16)], [0] * 8)
    first_bar, chord = np.full((4000, 16), 60, np.int8), np.zeros((4000, 2), np.int8)
    got = StepMarkov.fit(training, by_chord=True).generate(first_bar, chord, seed=0)[:, 1]
    assert (got == got[:, :1]).all()
    assert np.mean(got[:, 0] == -1) == pytest.approx(0.25, abs=0.03)
    assert set(np.unique(got)) == {-1, 62}


def test_the_place_in_the_bar_keeps_the_rhythm(training: TrainingMusic, songbook: Songbook) -> None:
    prompts, chord = songbook(100, 8)
    for by_chord in (True, False):
        got = StepMarkov.fit(training, by_chord=by_chord).generate(prompts[:, 0], chord, seed=0)[:, 1:]
        assert not (got[..., 1::2] != got[..., 0::2]).any()  # the songbook's notes begin on eighths


@pytest.mark.parametrize("chord", range(24))
def test_an_unseen_chord_moves_as_its_quality_does_from_its_root(chord: int) -> None:
    # One scale over D or Dm, which a single path leads through; the bar behind it is over the other quality.
    like, other = (2, 14) if chord < 12 else (14, 2)
    training = one_song([[59] * 16, list(range(60, 76)), [90] * 16], [24, like, other])
    upwards = (chord + 6) % 12 - 6 - 2
    first_bar = np.full((1, 16), 59 + upwards, np.int8)
    got = StepMarkov.fit(training, by_chord=True).generate(first_bar, np.array([[chord, chord]], np.int8), seed=0)
    np.testing.assert_array_equal(got[0, 1], np.arange(60, 76) + upwards)


@pytest.mark.parametrize(("heard", "over", "wanted"), [(127, 5, 127 + 5 - 12), (0, 6, 12 - 6)])
def test_a_pitch_that_the_root_carries_out_of_midi_comes_back_by_an_octave(heard: int, over: int, wanted: int) -> None:
    # Heard over C, asked for over F (5 above) or F sharp (6 below), with a bar before that lies in the same place.
    before = np.full((1, 16), 64 + (over if over < 6 else over - 12), np.int8)
    training = one_song([[64] * 16, [heard] * 16], [24, 0])
    got = StepMarkov.fit(training, by_chord=True).generate(before, np.full((1, 2), over, np.int8), seed=0)
    assert got[0, 1, 0] == wanted
    assert got.min() >= 0


def test_a_state_unseen_over_the_chord_follows_any_chord_then_any_pitch() -> None:
    training = one_song([[60] * 16, [60] * 16, [70] * 16, [71] * 16], [0, 0, 24, 24])
    chain = StepMarkov.fit(training, by_chord=True)
    got = chain.generate(np.array([[70] * 16, [99] * 16], np.int8), np.zeros((2, 2), np.int8), seed=0)[:, 1]
    assert got[0].tolist() == [71] * 16  # over C nothing was heard from 70, but over no chord it was
    assert set(got[1]) <= {60, 70, 71}  # 99 was never heard at all
    assert got[1, 0] == got[1, 15]


def test_bars_that_follow_none_teach_no_move_across_the_bar_line() -> None:
    training = TrainingMusic(
        melody=np.array([[60] * 16, [72] * 16], np.int8), chord=np.zeros(2, np.int8), previous=np.array([-1, -1])
    )
    first_bar = np.full((200, 16), 60, np.int8)
    got = StepMarkov.fit(training, by_chord=True).generate(first_bar, np.zeros((200, 2), np.int8), seed=0)[:, 1]
    assert set(got[:, 0]) == {60, 72}  # of what begins a bar, nothing follows 60: any first step will do
