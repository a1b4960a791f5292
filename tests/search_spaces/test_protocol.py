"""The stages of a long search."""

import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import BaseTrial, FixedTrial

from data_prep.errors import UserError
from search_spaces.protocol import narrow, repeat
from search_spaces.space import Known, Space, load_space, split_seed


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """A dimension of every kind, one of them only with one loss."""
    found: dict[str, Any] = {
        "loss": trial.suggest_categorical("loss", ("bce", "hinge")),
        "learning_rate": trial.suggest_float("rate", 1e-5, 1e-3, log=True),
        "r1": trial.suggest_float("r1", 0.0, 10.0),
        "instance_noise": trial.suggest_float("noise", 0.0, 0.3, step=0.1),
        "d_updates": trial.suggest_int("d_updates", 1, 9, step=2),
        "g_updates": trial.suggest_int("g_updates", 1, 64, log=True),
        "batch_size": trial.suggest_int("batch", 8, 512),
    }
    if found["loss"] == "bce":
        found["real_label"] = trial.suggest_float("label", 0.7, 1.0)
    return found


SPACE = Space(title="test", system="baseline", suggest=suggest)

NUMBERS = {
    "rate": st.floats(1e-5, 1e-3),
    "r1": st.floats(0.0, 10.0),
    "noise": st.sampled_from([0.0, 0.1, 0.2, 0.3]),
    "d_updates": st.sampled_from([1, 3, 5, 7, 9]),
    "g_updates": st.integers(1, 64),
    "batch": st.integers(8, 512),
}
PARAMETERS = st.one_of(
    st.fixed_dictionaries({"loss": st.just("bce"), "label": st.floats(0.7, 1.0), **NUMBERS}),
    st.fixed_dictionaries({"loss": st.just("hinge"), **NUMBERS}),
)


@settings(max_examples=12, deadline=None)
@given(st.lists(PARAMETERS, min_size=1, max_size=5))
def test_a_narrowed_space_holds_the_best_and_never_more_than_before(best: list[Mapping[str, Any]]) -> None:
    space = narrow(SPACE, best)
    before, after = SPACE.dimensions(), space.dimensions()
    agreed = len({each["loss"] for each in best}) == 1
    assert space.fixed == ({"loss": best[0]["loss"]} if agreed else {})
    assert set(after) <= set(before)
    for name, distribution in after.items():
        values = [each[name] for each in best if name in each]
        wide = before[name]
        if isinstance(wide, CategoricalDistribution):
            assert distribution == wide
            continue
        assert isinstance(distribution, (FloatDistribution, IntDistribution))
        assert isinstance(wide, (FloatDistribution, IntDistribution))
        assert (distribution.log, distribution.step) == (wide.log, wide.step)
        assert wide.low <= distribution.low <= distribution.high <= wide.high
        assert all(distribution._contains(value) for value in values)
    assert space.known == ()  # the same settings and seed would come to the same once more


def test_ranges_shrink_to_the_span_of_the_best_and_a_quarter_of_it_on_the_scale_that_they_have() -> None:
    rest = {"loss": "hinge", "r1": 2.0, "noise": 0.1, "d_updates": 3, "g_updates": 4}
    space = narrow(SPACE, [rest | {"rate": 4e-5, "batch": 100}, rest | {"rate": 4e-4, "batch": 300, "r1": 4.0}])
    found = space.dimensions()
    rate, r1, batch, d_updates = (found[name] for name in ("rate", "r1", "batch", "d_updates"))
    assert isinstance(rate, FloatDistribution)
    assert (rate.low, rate.high) == pytest.approx((4e-5 / 10**0.25, 4e-4 * 10**0.25))
    assert isinstance(r1, FloatDistribution)
    assert (r1.low, r1.high) == pytest.approx((1.5, 4.5))
    assert batch == IntDistribution(50, 350)
    assert d_updates == IntDistribution(1, 5, step=2)  # the best agree: one step more on either side


def test_a_number_that_none_of_the_best_has_keeps_its_range() -> None:
    hinge = {"loss": "hinge", "rate": 1e-4, "r1": 0.0, "noise": 0.0, "d_updates": 1, "g_updates": 1, "batch": 72}
    bce = hinge | {"loss": "bce", "label": 0.9}
    assert "label" not in narrow(SPACE, [hinge]).dimensions()
    label = narrow(SPACE, [bce, hinge]).dimensions()["label"]
    assert isinstance(label, FloatDistribution)
    assert (label.low, label.high) == pytest.approx((0.885, 0.915))


def test_narrowing_goes_on_from_what_is_pinned_and_can_be_pickled() -> None:
    space = load_space("gan_balance")
    best = next(iter(space.looks()))[0]
    narrow_once = narrow(space, [_parameters(space, known) for known in space.known[:3]])
    narrow_twice = narrow(narrow_once, [_parameters(space, space.known[0])])
    assert set(narrow_twice.dimensions()) <= set(narrow_once.dimensions()) <= set(best)
    assert pickle.loads(pickle.dumps(narrow_twice)).fixed == narrow_twice.fixed


def _parameters(space: Space, known: Known) -> dict[str, Any]:
    trial = FixedTrial(dict(known.parameters))
    space.suggest(trial, space.system)
    return trial.params


def test_a_grid_cannot_be_narrowed() -> None:
    grid = repeat(SPACE, {"0001": {"loss": "bce"}}, (0,))
    with pytest.raises(UserError, match="is a grid, of which every point is tried: leave narrow out of --protocol"):
        narrow(grid, [{"candidate": "0001", "seed": 0}])


def test_candidates_are_repeated_seed_by_seed_to_their_ends() -> None:
    candidates: dict[str, dict[str, Any]] = {
        "wide-0003": {"loss": "bce", "learning_rate": 1e-4},
        "narrow-0001": {"loss": "hinge"},
        "narrow-0002": {"loss": "hinge"},
    }
    space = repeat(SPACE, candidates, (5, 6, 7))
    assert (space.grid, space.trials, space.minutes, space.first_rung) == (True, 6, None, space.budget.evaluations)
    found = [space.suggest(FixedTrial(dict(known.parameters)), "baseline") for known in space.distinct_known()]
    assert [split_seed(each) for each in found] == [
        (candidates[name], seed) for seed in (5, 6, 7) for name in ("wide-0003", "narrow-0001")
    ]
    assert space.known[1].source == "narrow-0001, seed 5"
    assert space.parameters() == ["candidate", "seed"]
    assert pickle.loads(pickle.dumps(space)) == space


def test_repeats_of_music_prepared_in_several_ways_need_those_that_the_candidates_have() -> None:
    space = replace(SPACE, data_options=("rests", "octave"))
    candidates = {"a": {"rests": "fill"}, "b": {"rests": "keep"}, "c": {"rests": "fill", "loss": "hinge"}}
    assert repeat(space, candidates, (0, 1)).data_variants() == [{"rests": "fill"}, {"rests": "keep"}]


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "0"])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(UserError, match=r"seed is .*, but must be a whole number from 0 to 4294967295"):
        split_seed({"seed": seed})
    assert split_seed({"loss": "bce", "seed": 3}) == ({"loss": "bce"}, 3)
    assert split_seed({"loss": "bce"}) == ({"loss": "bce"}, None)
