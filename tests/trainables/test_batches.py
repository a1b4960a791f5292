from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_prep import bars as bar_functions
from data_prep import chords
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from trainables.batches import BarDealer, Batch, one_hot

CPU = torch.device("cpu")
Item = tuple[tuple[int, ...], tuple[int, ...], int]


def dealer(corpus: Corpus, seed: int = 0) -> BarDealer:
    return BarDealer(corpus, device=CPU, seed=seed)


def lines(rolls: torch.Tensor) -> np.ndarray:
    assert set(rolls.unique().tolist()) <= {0.0, 1.0}
    assert (rolls.sum(-1) <= 1).all()
    return bar_functions.melody_line(rolls.numpy().astype(bool))


def items(batch: Batch) -> list[Item]:
    rolls, chord = batch.condition
    bars, previous = lines(batch.bar), lines(rolls)
    return [
        (tuple(b.tolist()), tuple(p.tolist()), c) for b, p, (c,) in zip(bars, previous, chord.tolist(), strict=True)
    ]


def expected_items(corpus: Corpus) -> Counter[Item]:
    """Every training bar in every key, by the corpus's own functions."""
    found: Counter[Item] = Counter()
    for row in corpus.rows(Split.TRAIN):
        before = corpus.prev[row]
        previous = corpus.melody[before] if before >= 0 else np.full(16, -1, np.int8)
        for shift in range(-5, 7):
            line = bar_functions.transpose(np.concatenate([previous, corpus.melody[row]]), shift).tolist()
            chord = int(chords.transpose(corpus.first_chord[row], shift))
            found[tuple(line[16:]), tuple(line[:16]), chord] += 1
    return found


def epoch(bars: BarDealer, size: int) -> list[Batch]:
    return [bars.draw(size) for _ in range(bars.items // size)]


def test_an_epoch_is_every_training_bar_in_every_key_once(corpus: Corpus) -> None:
    # Rows of other splits are in none of its batches, bar and previous bar and chord move together.
    bars = dealer(corpus)
    expected = expected_items(corpus)
    assert bars.items == 12 * len(corpus.rows(Split.TRAIN)) == expected.total()
    for _ in range(2):
        assert Counter(item for batch in epoch(bars, 12) for item in items(batch)) == expected


def test_the_order_is_another_in_the_next_epoch_and_for_another_seed(corpus: Corpus) -> None:
    bars = dealer(corpus)
    orders = [[item for batch in epoch(bars, 12) for item in items(batch)] for _ in range(2)]
    orders.append([item for batch in epoch(dealer(corpus, seed=1), 12) for item in items(batch)])
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]


def test_the_remainder_of_an_epoch_is_left_out(corpus: Corpus) -> None:
    bars = dealer(corpus)
    size = bars.items // 2 - 1
    seen = Counter(item for _ in range(2) for item in items(bars.draw(size)))
    assert seen <= expected_items(corpus)
    assert all(len(items(bars.draw(size))) == size for _ in range(3))


def test_a_batch_may_be_larger_than_an_epoch(corpus: Corpus) -> None:
    bars, expected = dealer(corpus), expected_items(corpus)
    seen = Counter(items(bars.draw(2 * bars.items)))
    assert seen == Counter({item: 2 * count for item, count in expected.items()})
    assert len(items(bars.draw(bars.items + 5))) == bars.items + 5


def test_the_first_bar_of_a_song_and_the_bar_after_a_gap_follow_silence(corpus: Corpus) -> None:
    starts = corpus.rows(Split.TRAIN)[corpus.prev[corpus.rows(Split.TRAIN)] < 0]
    assert (corpus.bar[starts] > 0).any()  # the corpus has such a gap
    bars = dealer(corpus)
    seen = [item for batch in epoch(bars, 12) for item in items(batch)]
    assert sum(previous == (-1,) * 16 for _, previous, _ in seen) == 12 * len(starts)


def test_a_sample_is_training_bars_and_leaves_the_order_as_it_is(corpus: Corpus) -> None:
    plain, sampled = dealer(corpus), dealer(corpus)
    expected = expected_items(corpus)
    for turn in range(5):
        drawn = items(sampled.sample(40, seed=turn))
        assert set(drawn) <= expected.keys()
        assert drawn == items(plain.sample(40, seed=turn)) == items(dealer(corpus, seed=9).sample(40, seed=turn))
        assert items(sampled.draw(30)) == items(plain.draw(30))
    assert items(plain.sample(40, seed=0)) != items(plain.sample(40, seed=1))


def test_no_global_random_numbers_are_used(corpus: Corpus) -> None:
    before = torch.get_rng_state()
    bars = dealer(corpus)
    bars.draw(10)
    bars.sample(10, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("batches", [0, 1, 4, 40])
def test_a_restored_dealer_goes_on_with_the_same_batches(corpus: Corpus, batches: int) -> None:
    bars = dealer(corpus)
    for _ in range(batches):
        bars.draw(50)
    state = bars.state_dict()
    again = dealer(corpus, seed=7)
    again.draw(13)
    again.load_state_dict(state)
    for _ in range(bars.items // 50 + 2):  # into the next epoch, whose shuffling must be the same too
        assert items(again.draw(50)) == items(bars.draw(50))


def test_a_saved_state_does_not_change_as_dealing_goes_on(corpus: Corpus) -> None:
    bars = dealer(corpus)
    bars.draw(50)
    state = bars.state_dict()
    then = [items(bars.draw(50)) for _ in range(bars.items // 50 + 2)]
    again = dealer(corpus)
    again.load_state_dict(state)
    assert [items(again.draw(50)) for _ in range(len(then))] == then


def test_read_only_arrays_will_do(corpus: Corpus) -> None:
    # Ray's object store hands out views that must not be written to.
    frozen = {name: array.copy() for name, array in corpus.arrays().items()}
    for array in frozen.values():
        array.flags.writeable = False
    assert items(dealer(replace(corpus, **frozen)).draw(20)) == items(dealer(corpus).draw(20))


def test_one_hot_of_silence_is_an_empty_row() -> None:
    roll = one_hot(torch.tensor([[-1, 0, 60, 127] * 4]))
    assert roll.dtype == torch.float32
    assert roll.shape == (1, 16, 128)
    assert roll.sum(-1).tolist() == [[0, 1, 1, 1] * 4]
    assert [roll[0, 1, 0], roll[0, 2, 60], roll[0, 3, 127]] == [1, 1, 1]


def pair_corpus(two_bars: np.ndarray, chord: int) -> Corpus:
    """One training song of two bars."""
    return Corpus(
        melody=two_bars,
        onset=np.ones(2, np.uint16),
        chord=np.full((2, 4), chord, np.int8),
        first_chord=np.full(2, chord, np.int8),
        prev=np.array([-1, 0], np.int32),
        song=np.zeros(2, np.int32),
        bar=np.arange(2, dtype=np.int32),
        split=np.array([Split.TRAIN], np.int8),
        about={},
    )


def near(edges: tuple[int, int]) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.int8, (2, 16), elements=st.one_of(st.just(-1), st.integers(*edges)))


@settings(max_examples=60, deadline=None)
@given(st.one_of(map(near, [(0, 30), (97, 127), (3, 110)])), st.integers(0, NO_CHORD))
def test_at_the_ends_of_midi_bar_and_previous_move_by_the_same_octave(two_bars: np.ndarray, chord: int) -> None:
    # Nothing is cut off at 0 or 127 or wrapped around, even where only one of the two bars would leave the range.
    song = pair_corpus(two_bars, chord)
    bars = dealer(song)
    assert Counter(items(bars.draw(bars.items))) == expected_items(song)


@pytest.mark.parametrize(("count", "chords_per_bar"), [(1, 4), (2, 1), (2, 4), (3, 1), (3, 4)])
def test_a_matrix_of_bars_has_bars_before_and_chords_in_their_order(
    count: int, chords_per_bar: int, corpus: Corpus
) -> None:
    bars = BarDealer(corpus, device=CPU, seed=0, bars=count, chords_per_bar=chords_per_bar)
    rows = corpus.phrases(Split.TRAIN, count)
    assert bars.items == 12 * len(rows)
    chosen = torch.arange(0, bars.items, 7)
    batch = bars.batch(chosen)
    previous, chord = batch.condition
    for item, roll, roll_before, classes in zip(chosen.tolist(), batch.bar, previous, chord, strict=True):
        of_item, shift = rows[item // 12], item % 12 - 5
        row, before = of_item[0], []
        for _ in range(count):
            row = corpus.prev[row] if row >= 0 else -1
            before.append(corpus.melody[row] if row >= 0 else np.full(16, -1, np.int8))
        wanted = corpus.chord[of_item] if chords_per_bar == 4 else corpus.first_chord[of_item]
        line, line_before = corpus.melody[of_item].ravel(), np.concatenate(before[::-1])
        np.testing.assert_array_equal(lines(roll[None])[0], bar_functions.transpose(line, shift))
        np.testing.assert_array_equal(lines(roll_before[None])[0], bar_functions.transpose(line_before, shift))
        np.testing.assert_array_equal(classes, [chords.transpose(each, shift) for each in wanted.ravel()])


def test_a_split_without_so_many_consecutive_bars_is_refused(corpus: Corpus) -> None:
    with pytest.raises(UserError, match="no 14 consecutive bars in its train songs"):
        BarDealer(corpus, device=CPU, seed=0, bars=14)
