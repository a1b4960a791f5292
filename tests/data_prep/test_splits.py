"""Splits of tunes: properties of any corpus, and the openings by which tunes are told apart."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.corpus import Split
from data_prep.song import RawSong, Section
from data_prep.splits import CLUSTER_NOTES, Shares, cluster_of, splits_of

tunes = st.lists(st.text(max_size=8), max_size=12, unique=True)
seeds = st.integers(0, 2**63 - 1)
some_shares = st.builds(
    lambda validation, test, prompts: Shares(validation=validation, test=test, prompts=prompts),
    *[st.sampled_from([0.0, 0.01, 0.12, 0.3])] * 3,
)


def wanted(shares: Shares) -> set[Split]:
    asked = {Split.VALIDATION: shares.validation, Split.TEST: shares.test, Split.PROMPTS: shares.prompts}
    return {Split.TRAIN, *(split for split, share in asked.items() if share)}


@settings(max_examples=300, deadline=None)
@given(tunes, seeds, some_shares)
def test_each_tune_is_in_one_wanted_split_and_none_of_these_is_empty_if_that_can_be(
    names: list[str], seed: int, shares: Shares
) -> None:
    splits = splits_of(names, seed, shares)
    assert set(splits) == set(names)
    used = set(splits.values())
    assert used <= wanted(shares)
    assert len(used) == min(len(names), len(wanted(shares)))
    assert Split.TRAIN in used or not names


@settings(max_examples=100, deadline=None)
@given(tunes, seeds, some_shares, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(
    names: list[str], seed: int, shares: Shares, chance: "np.random.Generator"
) -> None:
    again = [*names, *names[::2]]
    chance.shuffle(again)
    assert splits_of(again, seed, shares) == splits_of(iter(names), seed, shares)


@pytest.mark.parametrize("count", range(5, 60, 5))
def test_more_tunes_move_few_others_and_many_move_none(count: int) -> None:
    names = [f"tune {number}" for number in range(count + 1)]
    for seed in range(20):
        before, after = (splits_of(names[:some], seed, Shares()) for some in (count, count + 1))
        moved = sum(before[name] != after[name] for name in before)
        assert moved <= 3
    many = [f"tune {number}" for number in range(2000)]
    before, after = splits_of(many[:1000], count, Shares()), splits_of(many, count, Shares())
    assert all(before[name] is after[name] for name in before)


def test_seeds_differ_and_are_kept_to() -> None:
    names = [f"tune {number}" for number in range(200)]
    drawn = [tuple(splits_of(names, seed, Shares()).values()) for seed in (0, 1, 2, 2**63 - 1, 0)]
    assert len(set(drawn)) == 4
    assert drawn[0] == drawn[4]


def test_shares_are_met() -> None:
    shares = Shares(validation=0.3, test=0.05, prompts=0.15)
    counts = Counter(splits_of((f"{number}" for number in range(20_000)), 7, shares).values())
    for split, share in ((Split.TRAIN, 0.5), (Split.VALIDATION, 0.3), (Split.TEST, 0.05), (Split.PROMPTS, 0.15)):
        assert abs(counts[split] / 20_000 - share) < 4 * (share * (1 - share) / 20_000) ** 0.5


def test_small_corpora_are_shared_out_training_first() -> None:
    for seed in range(30):
        drawn = [sorted(splits_of(map(str, range(count)), seed, Shares()).values()) for count in range(1, 5)]
        assert drawn[0] == [Split.TRAIN]
        assert [len(set(splits)) for splits in drawn] == [1, 2, 3, 4]
        assert all(splits[0] is Split.TRAIN for splits in drawn)
    assert splits_of([], 0, Shares()) == {}


def test_nothing_is_held_back_where_no_share_is_wanted() -> None:
    none = Shares(validation=0, test=0, prompts=0)
    assert set(splits_of(map(str, range(50)), 0, none).values()) == {Split.TRAIN}


def test_names_of_any_bytes_have_a_split() -> None:
    assert set(splits_of(["song caf\udce9", "song \ud83c"], 0, Shares()).values()) >= {Split.TRAIN}


def section(*notes: tuple[int, int], num_bars: int = 4) -> Section:
    """Bars with notes (step, pitch), each held to the next."""
    line, struck = np.full(16 * num_bars, -1, np.int8), np.zeros(16 * num_bars, np.bool_)
    for step, pitch in notes:
        line[step:] = pitch
        struck[step] = True
    return Section(
        path="a",
        inputs={},
        bar=np.arange(num_bars, dtype=np.int32),
        melody=line.reshape(-1, 16),
        onset=(struck.reshape(-1, 16) << np.arange(16)).sum(axis=1).astype(np.uint16),
        chord=np.zeros((num_bars, 4), np.int8),
        first_chord=np.zeros(num_bars, np.int8),
    )


def tune(first: int, pitches: list[int], before: list[tuple[int, int]] | None = None) -> Section:
    """Crotchets from that step on."""
    return section(*(before or []), *((first + 4 * number, pitch) for number, pitch in enumerate(pitches)))


def cluster(*sections: Section) -> str:
    return cluster_of(RawSong(id="the id", sections=sections))


def test_a_tune_is_named_by_the_intervals_of_its_first_seven_notes() -> None:
    assert CLUSTER_NOTES == 7
    pitches = [60, 62, 64, 64, 52, 65, 65, 90]
    assert cluster(tune(0, pitches)) == "+2 +2 +0 -12 +13 +0"
    assert cluster(tune(0, [pitch + 5 for pitch in pitches])) == cluster(tune(0, pitches))
    assert cluster(tune(0, [*pitches[:7], 0])) == cluster(tune(0, pitches))
    assert cluster(tune(0, [0, 127, 0, 127, 0, 127, 0])) == "+127 -127 +127 -127 +127 -127"


def test_rhythm_does_not_name_a_tune() -> None:
    pitches = [60, 62, 64, 65, 67, 69, 71]
    even = tune(0, pitches)
    dotted = section(*zip([0, 6, 8, 14, 16, 22, 30], pitches, strict=True))
    assert cluster(even) == cluster(dotted)


def test_a_tune_is_counted_from_its_first_downbeat() -> None:
    pitches = [60, 62, 64, 65, 67, 69, 71]
    for pick_up in ([(12, 55)], [(4, 55), (8, 57), (12, 59)], []):
        assert cluster(tune(16, pitches, pick_up)) == cluster(tune(0, pitches))
    held_over = tune(20, pitches[1:], [(12, 60)])
    assert cluster(held_over) != cluster(tune(0, pitches))


def test_the_first_section_with_seven_notes_names_the_song() -> None:
    short, long, other = tune(0, [60] * 6), tune(0, [60, 61] * 4), tune(0, [60, 62] * 4)
    assert cluster(short, long, other) == "+1 -1 +1 -1 +1 -1"
    assert cluster(other, long) == "+2 -2 +2 -2 +2 -2"


def test_a_song_without_seven_notes_from_a_downbeat_on_is_named_by_its_id() -> None:
    never_on_one = section(*((step, 60 + step) for bar in range(4) for step in range(16 * bar + 1, 16 * bar + 9)))
    for sections in ((tune(0, [60] * 6),), (section(),), (never_on_one,), (), (section(num_bars=0),)):
        assert cluster(*sections) == "song the id"
