import warnings
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_prep import bars
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.windows import WindowCorpus
from trainables.rolls.music import music_of
from trainables.rolls.windows import RollWindows, transposed

CPU = torch.device("cpu")


def dealer(
    music: Corpus | WindowCorpus, seed: int = 0, *, transpose: bool = False, split: Split = Split.TRAIN
) -> RollWindows:
    return RollWindows(music_of(music, CPU), seed=seed, transpose=transpose, split=split)


def expected(music: Corpus | WindowCorpus, split: Split) -> Counter[bytes]:
    """Every window of a split, by the corpus's own functions."""
    if isinstance(music, Corpus):
        rolls = bars.piano_roll(music.melody[music.phrases(split)].reshape(-1, 128)).astype(np.uint8)
    else:
        rolls = music.rasterise(music.rows(split))
    return Counter(roll.tobytes() for roll in rolls)


def seen(dealt: torch.Tensor, music: Corpus | WindowCorpus) -> Counter[bytes]:
    loudest = 1 if isinstance(music, Corpus) else 127
    assert dealt.shape[1:] == (128, 128)
    assert dealt.dtype == torch.float32
    return Counter(roll.tobytes() for roll in (dealt * loudest).round().to(torch.uint8).numpy())


@pytest.mark.parametrize("split", [Split.TRAIN, Split.VALIDATION])
def test_an_epoch_is_every_window_of_the_split_once(music: Corpus | WindowCorpus, split: Split) -> None:
    windows, all_of_them = dealer(music, split=split), expected(music, split)
    assert windows.items == all_of_them.total()
    assert windows.bars_per_item == 8
    for _ in range(2):
        assert seen(windows.draw(windows.items).bar, music) == all_of_them


def test_in_twelve_keys_an_epoch_of_bars_is_every_window_in_every_key_once(corpus: Corpus) -> None:
    lines = corpus.melody[corpus.phrases(Split.TRAIN)].reshape(-1, 128)
    keys = Counter(
        bars.piano_roll(bars.transpose(lines, shift))[k].astype(np.uint8).tobytes()
        for shift in range(-5, 7)
        for k in range(len(lines))
    )
    windows = dealer(corpus, transpose=True)
    assert windows.items == 12 * len(lines)
    assert seen(windows.draw(windows.items).bar, corpus) == keys


def test_in_twelve_keys_windows_keep_their_velocities(window_corpus: WindowCorpus) -> None:
    rolls = window_corpus.rasterise(window_corpus.rows(Split.TRAIN))
    keys = Counter(np.roll(roll, shift, axis=1).tobytes() for roll in rolls for shift in range(-5, 7))
    windows = dealer(window_corpus, transpose=True)
    assert seen(windows.draw(windows.items).bar, window_corpus) == keys


def near(edges: tuple[int, int]) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.int8, (3, 128), elements=st.one_of(st.just(-1), st.integers(*edges)))


@settings(max_examples=30, deadline=None)
@given(st.one_of(map(near, [(0, 30), (97, 127), (3, 110)])), hnp.arrays(np.int64, 3, elements=st.integers(-5, 6)))
def test_at_the_ends_of_midi_a_window_moves_as_the_corpus_moves_its_bars(lines: np.ndarray, shift: np.ndarray) -> None:
    rolls = torch.from_numpy(bars.piano_roll(lines).astype(np.uint8))
    moved = transposed(rolls, torch.from_numpy(shift)).numpy().astype(bool)
    np.testing.assert_array_equal(bars.melody_line(moved), bars.transpose(lines, shift))


def test_a_window_over_all_of_midi_stays_where_it_is() -> None:
    roll = torch.zeros(2, 128, 128, dtype=torch.uint8)
    roll[0, 0, [0, 127]] = 99  # the other is silent
    assert torch.equal(transposed(roll, torch.tensor([5, -5])), roll)


def test_the_order_is_another_in_the_next_epoch_and_for_another_seed(music: Corpus | WindowCorpus) -> None:
    one, two = dealer(music), dealer(music, seed=1)
    first, later, other = (windows.draw(windows.items).bar for windows in (one, one, two))
    assert not torch.equal(first, later)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("draws", [0, 1, 5])
def test_a_restored_dealer_goes_on_with_the_same_batches(music: Corpus | WindowCorpus, draws: int) -> None:
    windows, again = dealer(music, transpose=True), dealer(music, seed=7, transpose=True)
    for _ in range(draws):
        windows.draw(40)
    again.draw(13)
    again.load_state_dict(windows.state_dict())
    for _ in range(windows.items // 40 + 2):  # into the next epoch, whose shuffling must be the same too
        assert torch.equal(again.draw(40).bar, windows.draw(40).bar)


def test_a_sample_leaves_the_order_as_it_is(music: Corpus | WindowCorpus) -> None:
    plain, sampled = dealer(music), dealer(music, seed=0)
    assert torch.equal(sampled.sample(4, seed=3).bar, dealer(music, seed=9).sample(4, seed=3).bar)
    assert not torch.equal(sampled.sample(4, seed=3).bar, sampled.sample(4, seed=4).bar)
    assert torch.equal(sampled.draw(5).bar, plain.draw(5).bar)


def test_a_batch_may_be_larger_than_the_corpus(music: Corpus | WindowCorpus) -> None:
    windows = dealer(music)
    twice = seen(windows.draw(2 * windows.items).bar, music)
    assert twice == Counter({roll: 2 * count for roll, count in expected(music, Split.TRAIN).items()})
    assert len(windows.draw(windows.items + 1).bar) == windows.items + 1


def test_one_window_is_enough(music: Corpus | WindowCorpus) -> None:
    rows = music.rows(Split.TRAIN)[:8] if isinstance(music, Corpus) else music.rows(Split.TRAIN)[:1]
    of_bars = {"song", "melody", "onset", "chord", "first_chord", "prev", "bar", "window", "first_note", "end_note"}
    some = replace(music, **{name: array[rows] for name, array in music.arrays().items() if name in of_bars})
    windows = dealer(some)
    assert windows.items == 1
    assert torch.equal(windows.draw(2).bar[0], windows.draw(2).bar[1])


def test_a_corpus_without_a_training_window_is_refused_in_one_line(music: Corpus | WindowCorpus) -> None:
    empty = replace(music, split=np.full_like(music.split, Split.TEST))
    with pytest.raises(UserError, match=r"no window of 128 steps .* train songs: prepare it from more"):
        dealer(empty)


def test_bars_that_never_follow_each_other_eight_times_are_no_window(corpus: Corpus) -> None:
    alone = replace(corpus, prev=np.where(corpus.bar % 7 == 0, -1, corpus.prev).astype(np.int32))
    with pytest.raises(UserError, match="eight consecutive bars"):
        dealer(alone)


def test_read_only_arrays_will_do(music: Corpus | WindowCorpus) -> None:
    # Ray's object store hands out views that must not be written to.
    frozen = {name: array.copy() for name, array in music.arrays().items()}
    for array in frozen.values():
        array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = dealer(replace(music, **frozen)).draw(6).bar
    assert torch.equal(found, dealer(music).draw(6).bar)


def test_no_global_random_numbers_are_used(music: Corpus | WindowCorpus) -> None:
    before = torch.get_rng_state()
    windows = dealer(music, transpose=True)
    windows.draw(5)
    windows.sample(5, seed=0)
    assert torch.equal(torch.get_rng_state(), before)
