from dataclasses import replace
from typing import Any

import pytest
from optuna.trial import FixedTrial

from data_prep.errors import UserError
from scores.objective import OBJECTIVES
from search_spaces.options import parser, plan_of, space_of
from search_spaces.space import Known, Space, load_space, space_names
from trainables.config import TrainConfig
from trainables.systems import SYSTEM, SYSTEMS, described
from trainables.variants import VARIANTS, Variant

SPACES = [load_space(name) for name in space_names()]


def test_the_spaces_are_found_by_their_files() -> None:
    assert {"gan_balance", "smoke"} <= set(space_names())
    assert not {"space", "study", "searcher", "plan", "options", "cluster"} & set(space_names())


def test_an_unknown_space_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="no space 'gan_balanse': did you mean 'gan_balance'"):
        load_space("gan_balanse")


@pytest.mark.parametrize("space", SPACES, ids=space_names())
def test_every_known_balance_is_a_legal_point_that_makes_a_trial(space: Space) -> None:
    for known in space.known:
        # FixedTrial refuses categories that the space does not have, and warns of numbers out of range.
        trial = FixedTrial(dict(known.parameters))
        described(space.system, space.suggest(trial, space.system))
        assert set(trial.params) == set(known.parameters) <= set(space.parameters())


@pytest.mark.parametrize("space", SPACES, ids=space_names())
def test_known_numbers_lie_inside_the_searched_ranges(space: Space) -> None:
    for known in space.known:
        trial = FixedTrial(dict(known.parameters))
        space.suggest(trial, space.system)
        for name, distribution in trial.distributions.items():
            internal = distribution.to_internal_repr(known.parameters[name])
            assert distribution._contains(internal), f"{known.source}: {name}"


@pytest.mark.parametrize("space", SPACES, ids=space_names())
def test_a_space_names_a_system_and_a_rung_within_its_budget(space: Space) -> None:
    assert space.system in SYSTEMS
    assert 1 <= space.first_rung <= space.budget.evaluations
    assert all(isinstance(known, Known) for known in space.known)


def test_the_balance_is_searched_over_rates_ratio_spectral_norm_and_updates() -> None:
    space = load_space("gan_balance")
    point = {"learning_rate": 4e-4, "learning_rate_ratio": 4.0, "spectral_norm": "gd", "updates_d:g": "5:1"}
    trial = FixedTrial(point | {"d_sees_previous": True})
    found = described(space.system, space.suggest(trial, space.system))
    variant, config = found.network, found.config
    assert isinstance(variant, Variant)
    assert isinstance(config, TrainConfig)
    assert (config.learning_rate_d, config.learning_rate_g) == pytest.approx((8e-4, 2e-4))
    assert (config.d_updates, config.g_updates) == (5, 1)
    assert variant.spectral_norm == "gd"
    assert variant.d_sees_previous


def test_a_space_minimises_the_guarded_objective_unless_it_says_otherwise() -> None:
    assert load_space("gan_balance").objectives == ("objective",)
    assert replace(load_space("gan_balance"), objectives=OBJECTIVES).objectives == OBJECTIVES


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        (("balance", "realizm"), "There is no objective 'realizm': did you mean 'realism'?"),
        ((), r"objectives is \(\), but must be a tuple of one or more names, each once"),
        (("realism", "balance", "realism"), "one or more names, each once"),
        (("objective"), "objectives is 'objective', but must be a tuple"),
        (["realism", "balance"], "must be a tuple"),
    ],
)
def test_objectives_that_no_trial_reports_are_refused(objectives: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        replace(load_space("gan_balance"), objectives=objectives)


# The systems that each space is for: all of them, or those that have what it varies.
ADVERSARIAL = set(SYSTEMS) - {"lstm", "vae"}
SEARCHED = {
    "gan_balance": ADVERSARIAL,
    "smoke": ADVERSARIAL,
    "training": ADVERSARIAL,
    "architecture": ADVERSARIAL - {"gan"},
    "piano_rolls": set(SYSTEMS),
}

# What is another system by what a space varies alone would be searched under a wrong name.
INDISTINCT = {
    *((name, system) for name in ("gan_balance", "smoke") for system in ("spectral_d", "spectral_gd", "previous")),
    *((name, "spectral_gd_as_committed") for name in ("gan_balance", "smoke")),
    *(("architecture", system) for system in set(VARIANTS) - {"baseline"}),
}


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_space_searches_every_system_that_has_what_it_varies(name: str, system: str) -> None:
    arguments = parser().parse_args(["--space", name, "--system", system])
    if (name, system) in INDISTINCT:
        with pytest.raises(
            UserError, match=f"--space {name} varies all that tells {system} from .*: leave out --system"
        ):
            space_of(arguments)
    elif system in SEARCHED[name]:
        assert space_of(arguments).system == system
    else:
        with pytest.raises(UserError, match=f"--space {name} cannot search --system {system}: There is no setting"):
            space_of(arguments)


def test_the_papers_space_tries_its_ten_systems_itself() -> None:
    space = load_space("paper")
    tried = [known.parameters[SYSTEM] for known in space.known]
    assert len(set(tried)) == len(tried) == space.trials == 10
    with pytest.raises(UserError, match="--system is 'mlp', but --space paper tries systems itself"):
        space_of(parser().parse_args(["--space", "paper", "--system", "mlp"]))


def test_an_unknown_system_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="no system 'combind': did you mean 'combined'"):
        space_of(parser().parse_args(["--space", "gan_balance", "--system", "combind"]))


def test_known_balances_that_come_to_the_same_are_tried_once() -> None:
    space = load_space("gan_balance")
    assert len(space.distinct_known()) == len(space.known) == 7
    # Neither spectral norms nor the bar before are the plain GAN's: three of the seven are one and the same.
    assert len(replace(space, system="gan").distinct_known()) == 5


def test_the_comparison_of_the_paper_has_no_time_limit_and_names_what_it_tries() -> None:
    arguments = parser().parse_args(["--space", "paper"])
    assert plan_of(arguments, load_space("paper")).time_budget is None
    assert {known.source for known in load_space("paper").known} >= {"paper 5.3: spectral_d", "paper 5.3: spectral_gd"}
