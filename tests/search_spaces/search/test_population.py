"""Who goes on from whom, and a population in a toy training where the best learning rate drifts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import UserError
from search_spaces.search.population import Change, Member, Period, Population

Explore = Literal["pbt", "pb2"]
RANGES = {"learning_rate": (3e-5, 1e-3), "learning_rate_ratio": (1 / 16, 16.0)}
both = pytest.mark.parametrize("explore", ["pbt", "pb2"])


def numbers(shares: Sequence[float]) -> dict[str, float]:
    """Settings at these shares of the ranges."""
    return {name: low * (high / low) ** x for (name, (low, high)), x in zip(RANGES.items(), shares, strict=True)}


def shares(found: Mapping[str, Any]) -> list[float]:
    return [math.log(found[name] / low) / math.log(high / low) for name, (low, high) in RANGES.items()]


def member(name: str, curve: Mapping[int, float], start: Mapping[str, Any] | None = None) -> Member:
    begun = Period(evaluation=0, donor=name, settings=start or numbers((0.5, 0.5)))
    return Member(name=name, curve=curve, periods=(begun,))


@st.composite
def populations(draw: st.DrawFn) -> list[Member]:
    """Members at the same evaluation, some of which were copied before, some without an objective now or then."""
    count, evaluations = draw(st.integers(4, 9)), draw(st.integers(1, 4))
    names = [f"{number:04d}" for number in range(count)]
    objective = st.one_of(st.floats(-2, 2), st.sampled_from([math.nan, math.inf, None]))
    share = st.floats(0, 1)
    members = []
    for name in names:
        found = {evaluation: draw(objective) for evaluation in range(1, evaluations + 1)}
        curve = {evaluation: value for evaluation, value in found.items() if value is not None}
        copied = draw(st.sets(st.integers(1, evaluations - 1))) if evaluations > 1 else set()
        periods = [
            Period(
                evaluation=evaluation,
                donor=draw(st.sampled_from(names)) if evaluation else name,
                settings=numbers((draw(share), draw(share))) | {"spectral_norm": draw(st.sampled_from(["none", "gd"]))},
            )
            for evaluation in (0, *sorted(copied))
        ]
        members.append(Member(name=name, curve=curve, periods=tuple(periods)))
    return members


def rank(members: Sequence[Member]) -> dict[str, float]:
    last = max((max(each.curve, default=0) for each in members), default=0)
    found = {each.name: each.curve.get(last, math.inf) for each in members}
    return {name: value if math.isfinite(value) else math.inf for name, value in found.items()}


@both
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_the_worst_go_on_from_the_best(explore: Explore, data: st.DataObject) -> None:
    members = data.draw(populations())
    changes = Population(RANGES, explore=explore, seed=0).evolve(members)
    objectives = rank(members)
    values = sorted(objectives.values())
    count = max(1, len(members) // 4)
    assert len(changes) == (count if values[0] < math.inf else 0)
    assert len({change.name for change in changes}) == len(changes)
    assert not {change.name for change in changes} & {change.donor for change in changes}
    for change in changes:
        assert objectives[change.name] >= values[-count]
        assert objectives[change.donor] <= values[count - 1]
        assert objectives[change.donor] < math.inf


@both
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_only_numbers_in_ranges_differ_from_the_donors(explore: Explore, data: st.DataObject) -> None:
    members = data.draw(populations())
    before = {each.name: dict(each.periods[-1].settings) for each in members}
    for change in Population(RANGES, explore=explore, seed=0).evolve(members):
        assert change.settings.keys() == before[change.donor].keys()
        assert change.settings["spectral_norm"] == before[change.donor]["spectral_norm"]
        assert all(low <= change.settings[name] <= high for name, (low, high) in RANGES.items())
    assert before == {each.name: each.periods[-1].settings for each in members}


@both
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_the_same_search_decides_the_same_in_whatever_order(explore: Explore, data: st.DataObject) -> None:
    members = data.draw(populations())
    used = Population(RANGES, explore=explore, seed=0)
    used.evolve(members)
    changes = used.evolve(members)
    shuffled = data.draw(st.permutations(members))
    assert Population(RANGES, explore=explore, seed=0).evolve(shuffled) == changes


@both
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_changes_that_were_made_before_an_interruption_are_decided_again(explore: Explore, data: st.DataObject) -> None:
    members = data.draw(populations())
    population = Population(RANGES, explore=explore, seed=0)
    changes = population.evolve(members)
    made = {change.name: change for change in changes[: data.draw(st.integers(0, len(changes)))]}
    last = max((max(each.curve, default=0) for each in members), default=0)
    assert population.evolve([changed(each, made, last) for each in members]) == changes


def changed(one: Member, changes: Mapping[str, Change], evaluation: int) -> Member:
    if one.name not in changes:
        return one
    change = changes[one.name]
    period = Period(evaluation=evaluation, donor=change.donor, settings=change.settings)
    return Member(name=one.name, curve=one.curve, periods=(*one.periods, period))


@both
def test_chance_follows_from_seed_and_evaluation(explore: Explore) -> None:
    def found(seed: int, evaluation: int) -> list[Change]:
        members = [member(str(i), {evaluation: float(i)}) for i in range(4)]
        return Population(RANGES, explore=explore, seed=seed).evolve(members)

    assert found(0, 1) == found(0, 1)
    for decided in ([found(seed, 1) for seed in range(9)], [found(0, evaluation) for evaluation in range(1, 10)]):
        assert any(changes != decided[0] for changes in decided)


@both
def test_fewer_than_four_members_change_nothing(explore: Explore) -> None:
    members = [member(str(i), {1: float(i)}) for i in range(4)]
    population = Population(RANGES, explore=explore, seed=0)
    assert [(change.name, change.donor) for change in population.evolve(members)] == [("3", "0")]
    assert population.evolve(members[:3]) == []
    assert population.evolve([]) == []


def test_a_member_that_is_behind_is_the_worst() -> None:
    members = [member(str(i), {1: 0.5, 2: float(i)}) for i in range(3)] + [member("behind", {1: 0.0})]
    assert Population(RANGES, explore="pbt", seed=0).evolve(members)[0].name == "behind"


def test_pbt_multiplies_or_draws_anew_and_stays_in_range() -> None:
    start = numbers((0.5, 1.0))
    members = [member(str(i), {1: float(i)}, start) for i in range(4)]
    found = [Population(RANGES, explore="pbt", seed=seed).evolve(members)[0].settings for seed in range(400)]
    factors = [each["learning_rate"] / start["learning_rate"] for each in found]
    shares_of = {factor: np.isclose(factors, factor).mean() for factor in (0.8, 1.25)}
    assert list(shares_of.values()) == pytest.approx([0.375, 0.375], abs=0.08)
    # Those drawn anew lie evenly over the logarithmic range.
    others = [shares(each)[0] for each, factor in zip(found, factors, strict=True) if not near_a_factor(factor)]
    assert np.mean(others) == pytest.approx(0.5, abs=0.1)
    assert np.std(others) == pytest.approx(12**-0.5, abs=0.05)
    ratios = [each["learning_rate_ratio"] for each in found]
    assert max(ratios) == 16
    assert np.mean(np.isclose(ratios, 16)) == pytest.approx(0.375, abs=0.08)


def near_a_factor(factor: float) -> bool:
    return bool(np.isclose(factor, (0.8, 1.25)).any())


def peaked(peaks: Mapping[int, float], count: int = 16) -> list[Member]:
    """Members that gain most from each evaluation where their learning rate is at its peak."""
    random = np.random.default_rng(0)
    found = []
    for i in range(count):
        share = (i + 0.5) / count
        curve, value = {1: 0.0}, 0.0
        for evaluation, peak in peaks.items():
            value -= math.exp(-((share - peak) ** 2) / 0.05) + 0.02 * random.standard_normal()
            curve[evaluation] = value
        found.append(member(f"{i:02d}", curve, numbers((share, 0.5))))
    return found


@pytest.mark.parametrize("peak", [0.2, 0.8])
def test_pb2_looks_where_most_was_gained(peak: float) -> None:
    changes = Population(RANGES, explore="pb2", seed=0).evolve(peaked(dict.fromkeys(range(2, 6), peak)))
    assert [shares(change.settings)[0] for change in changes] == pytest.approx([peak] * 4, abs=0.1)


def test_pb2_takes_what_others_will_try_for_known() -> None:
    # All gained the same by about the same settings: what is least known is best, and soon known where one is sent.
    close = [(0.45 + 0.1 * i / 16, 0.45 + 0.1 * (5 * i % 16) / 16) for i in range(16)]
    members = [member(f"{i:02d}", {1: 0.0, 2: -0.5}, numbers(place)) for i, place in enumerate(close)]
    changes = Population(RANGES, explore="pb2", seed=0).evolve(members)
    found = np.array([shares(change.settings) for change in changes])
    apart = np.linalg.norm(found[:, None] - found[None], axis=-1)[np.triu_indices(4, 1)]
    assert apart.min() > 0.5  # the four corners


def test_pb2_takes_what_those_that_stay_will_try_for_known() -> None:
    places = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.5, 0.5)]
    members = [moved(member(str(i), {1: 0.0, 2: -0.5}), place) for i, place in enumerate(places)]
    (change,) = Population(RANGES, explore="pb2", seed=0).evolve(members)
    assert min(shares(change.settings)) > 0.8


def test_pb2_counts_a_gain_for_the_settings_that_made_it() -> None:
    members = [moved(each, (1 - shares(each.periods[0].settings)[0], 0.5)) for each in peaked({2: 0.2})]
    changes = Population(RANGES, explore="pb2", seed=0).evolve(members)
    assert [shares(change.settings)[0] for change in changes] == pytest.approx([0.2] * 4, abs=0.15)


def moved(one: Member, place: Sequence[float]) -> Member:
    """The member, under other settings from the end of its second evaluation on."""
    period = Period(evaluation=2, donor=one.name, settings=numbers(place))
    return Member(name=one.name, curve=one.curve, periods=(*one.periods, period))


def test_pb2_follows_a_peak_that_moved() -> None:
    peaks = dict.fromkeys(range(2, 7), 0.15) | dict.fromkeys(range(7, 10), 0.85)
    changes = Population(RANGES, explore="pb2", seed=0).evolve(peaked(peaks))
    assert min(shares(change.settings)[0] for change in changes) > 0.6


def test_pb2_counts_what_was_gained_on_the_donors_state() -> None:
    # "9" was copied from the best: its own fall from 9 to 1 is the copy's, and its rate brought nothing.
    start = [member(str(i), {1: 1.0, 2: 0.9 - 0.02 * i}, numbers((0.1 + 0.05 * i, 0.5))) for i in range(9)]
    far = numbers((0.95, 0.5))
    copied = (Period(evaluation=0, donor="9", settings=far), Period(evaluation=1, donor="0", settings=far))
    with_copy = [*start, Member(name="9", curve={1: 9.0, 2: 1.0}, periods=copied)]
    for change in Population(RANGES, explore="pb2", seed=0).evolve(with_copy):
        assert shares(change.settings)[0] < 0.8


@both
def test_a_number_that_a_donor_lacks_stays_away(explore: Explore) -> None:
    start = {"learning_rate": 1e-4}
    members = [member(str(i), {1: float(i), 2: float(i)}, start) for i in range(4)]
    (change,) = Population(RANGES, explore=explore, seed=0).evolve(members)
    assert change.settings.keys() == start.keys()
    assert change.settings != start


@both
def test_a_range_of_one_value_keeps_it(explore: Explore) -> None:
    ranges = RANGES | {"learning_rate": (1e-4, 1e-4)}
    start = {"learning_rate": 1e-4, "learning_rate_ratio": 1.0}
    members = [member(str(i), {1: float(i), 2: i * 0.9}, start) for i in range(4)]
    (change,) = Population(ranges, explore=explore, seed=0).evolve(members)
    assert change.settings["learning_rate"] == 1e-4


def test_ranges_and_shares_that_cannot_be_are_refused() -> None:
    for ranges in ({"rate": (0.0, 1.0)}, {"rate": (2.0, 1.0)}, {"rate": (1.0, math.inf)}):
        with pytest.raises(UserError, match="rate ranges from"):
            Population(ranges, explore="pbt", seed=0)
    with pytest.raises(UserError, match=r"quantile is 0\.6"):
        Population(RANGES, explore="pbt", seed=0, quantile=0.6)


def trained(explore: Explore | None, seed: int, *, size: int = 8, evaluations: int = 10) -> float:
    """Loss of the best member after a toy training, in which the learning rates that lower it most drift."""
    random = np.random.default_rng(seed)
    population = Population(RANGES, explore=explore, seed=seed) if explore else None
    losses = {str(i): 1.0 for i in range(size)}
    members = {name: member(name, {}, numbers(random.random(2).tolist())) for name in losses}
    noise = np.random.default_rng((seed, 1))
    for evaluation in range(1, evaluations + 1):
        spent = (evaluation - 1) / (evaluations - 1)
        best = np.array([0.8 - 0.6 * spent, 0.3 + 0.4 * spent])
        for name, one in members.items():
            distance = np.linalg.norm(np.array(shares(one.periods[-1].settings)) - best)
            losses[name] *= 1 - 0.3 * math.exp(-(distance**2) / 0.08)
            curve = {**one.curve, evaluation: losses[name] + 0.01 * noise.standard_normal()}
            members[name] = Member(name=name, curve=curve, periods=one.periods)
        for change in population.evolve(list(members.values())) if population and spent < 1 else ():
            losses[change.name] = losses[change.donor]
            members[change.name] = changed(members[change.name], {change.name: change}, evaluation)
    return min(losses.values())


def test_a_population_that_evolves_ends_better_where_the_best_drifts() -> None:
    alone, pbt, pb2 = (np.mean([trained(explore, seed) for seed in range(12)]) for explore in (None, "pbt", "pb2"))
    assert pbt < 0.85 * alone
    assert pb2 < 0.6 * alone
    assert pb2 < pbt
