"""What follows from a probe: sums that can be done by hand."""

from dataclasses import replace

import pytest

from data_prep.errors import UserError
from search_spaces.run.cost import Batch, cost, probed
from search_spaces.space import load_space
from trainables.config import Budget
from trainables.cost import Probe
from trainables.systems import described

BUDGET = Budget(bars=8_000, evaluations=8)
PROBE = Probe(
    system="baseline",
    seconds_per_step=1.0,
    bars_per_step=10,
    epoch_bars=600,
    seconds_per_evaluation=0.0,
    seconds_per_early_evaluation=0.0,
    start_seconds=0.0,
    checkpoint_bytes=10_000_000,
    sample_bytes=5_000_000,
)
SLOW = replace(PROBE, seconds_per_step=3.0, epoch_bars=1200)
FULL = Batch(8, BUDGET, None)
HALVED = Batch(8, BUDGET, 4)


def test_trials_that_are_not_stopped_share_the_places() -> None:
    found = cost([PROBE], [FULL], concurrency=2)
    assert found.seconds == found.most_seconds == 10 + 8 * 800 / 2
    assert (found.bytes_per_trial, found.bytes) == (25e6, 200e6)


def test_half_are_stopped_at_the_first_rung() -> None:
    found = cost([PROBE], [HALVED], concurrency=2)
    assert (found.seconds, found.most_seconds) == (10 + 8 * 600 / 2, 10 + 8 * 800 / 2)


def test_the_first_trials_are_known_and_the_others_as_they_are_on_average() -> None:
    assert cost([PROBE, SLOW], [Batch(2, BUDGET, None)], concurrency=1).seconds == 10 + 800 + 2400
    assert cost([PROBE, SLOW], [Batch(3, BUDGET, None)], concurrency=1).seconds == 10 + 800 + 2400 + 1600
    assert cost([PROBE, SLOW], [Batch(1, BUDGET, None)] * 2, concurrency=1).seconds == 10 + 800 + 1600


def test_no_search_is_shorter_than_its_longest_trial() -> None:
    assert cost([PROBE, SLOW], [Batch(2, BUDGET, None)], concurrency=64).seconds == 10 + 2400


def test_money_is_of_all_machines_together_and_ends_with_the_time() -> None:
    assert cost([PROBE], [FULL], concurrency=2, price=2).money == pytest.approx(2 * 3210 / 3600)
    assert cost([PROBE], [FULL], concurrency=2, price=2, time_budget=1800).money == pytest.approx(1)
    assert cost([PROBE], [FULL], concurrency=2).money is None


@pytest.mark.parametrize("price", [-1, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    with pytest.raises(UserError, match=r"--price is .*, but must be a number that is not below 0"):
        cost([PROBE], [FULL], concurrency=1, price=price)


def test_it_is_told_in_words() -> None:
    told = cost([PROBE, SLOW], [HALVED], concurrency=2, price=0.5, time_budget=1800).as_text()
    assert told.splitlines() == [
        "measured     2 settings, a few steps of each, one at a time here",
        "an epoch     60 seconds to 6 minutes for 600 to 1,200 bars",
        "a full trial 13.3 minutes to 40 minutes",
        "the search   about 80.2 minutes, 2 at a time, if half of the trials are stopped as soon as they may be; "
        "107 minutes if none; its time ends it after 30 minutes",
        "disk         25 MB a trial, 200 MB in all",
        "money        0.25, at 0.5 an hour for all machines",
    ]


def test_a_busy_machine_is_told() -> None:
    told = cost([PROBE, replace(SLOW, lost=0.5)], [FULL], concurrency=1).as_text()
    assert "other programs took 25% of that time" in told


def test_the_settings_that_stand_for_a_space() -> None:
    paper = load_space("paper")
    systems = [settings["system"] for settings in probed(paper, 100)]
    assert len(systems) == len(set(systems)) == 10  # each once, whatever the seeds
    balance = load_space("gan_balance")
    assert len(probed(balance, 100)) == len(balance.distinct_known())
    assert probed(balance, 2) == probed(balance, 100)[:2]
    rolls = load_space("piano_rolls")
    assert len(probed(rolls, 100)) == 3  # by chance: it knows none
    for space in (paper, balance, rolls):
        for settings in probed(space, 100):
            described(space.system, settings)
