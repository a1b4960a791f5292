import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import BaseTrial, FixedTrial

from data_prep.errors import UserError
from scores.objective import OBJECTIVES
from search_spaces import architecture
from search_spaces.paper import NAMES
from search_spaces.restrict import pinned
from search_spaces.run.options import new_plan, parser
from search_spaces.run.plan import Plan
from search_spaces.space import SEED, Known, Space, load_space, space_names, split_seed
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
        space.described(space.suggest(trial, space.system))
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


def test_the_balance_is_searched_over_rates_ratio_updates_loss_spectral_norm_and_what_d_sees() -> None:
    space = load_space("gan_balance")
    point = {"learning_rate": 4e-4, "learning_rate_ratio": 4.0, "spectral_norm": "gd", "updates_d:g": "5:1"}
    trial = FixedTrial(point | {"d_sees_previous": True, "loss": "hinge"})
    found = described(space.system, space.suggest(trial, space.system))
    variant, config = found.network, found.config
    assert isinstance(variant, Variant)
    assert isinstance(config, TrainConfig)
    assert (config.learning_rate_d, config.learning_rate_g) == pytest.approx((8e-4, 2e-4))
    assert (config.d_updates, config.g_updates) == (5, 1)
    assert (config.loss, config.beta1, config.beta2) == ("hinge", 0.0, 0.9)
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


def planned(*words: str) -> tuple[Plan, Space]:
    """What the command line makes of these words."""
    return new_plan(parser().parse_args(words))


# The systems that each space is for: all of them, or those that have what it varies.
ADVERSARIAL = set(SYSTEMS) - {"lstm", "vae"}
SEARCHED = {
    "gan_balance": ADVERSARIAL,
    "smoke": ADVERSARIAL,
    "training": ADVERSARIAL,
    "paper_ratios": ADVERSARIAL,
    "architecture": ADVERSARIAL - {"gan"},
    "data": ADVERSARIAL - {"gan"},
    "data_rolls": {"lstm", "vae", "gan"},
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
def test_a_space_searches_every_system_that_has_what_it_varies(name: str, system: str, tmp_path: Path) -> None:
    words = ["--space", name, "--system", system]
    if name == "data_rolls":
        (tmp_path / "piano.mid").touch()
        words += ["--data", f"piano:{tmp_path}"]
    if (name, system) in INDISTINCT:
        with pytest.raises(
            UserError, match=f"--space {name} varies all that tells {system} from .*: leave out --system"
        ):
            planned(*words)
    elif system in SEARCHED[name]:
        assert planned(*words)[1].system == system
    else:
        why = "learns from bars" if name == "data_rolls" else "There is no setting"
        with pytest.raises(UserError, match=f"--space {name} cannot search --system {system}: .*{why}"):
            planned(*words)


def test_the_papers_space_tries_its_ten_systems_itself() -> None:
    space = load_space("paper")
    tried = [(known.parameters[SEED], known.parameters[SYSTEM]) for known in space.known]
    assert tried == [(seed, name) for seed in (0, 1, 2) for name in NAMES]  # one seed of all before any has the next
    assert len(set(tried)) == len(tried) == space.trials == 30
    with pytest.raises(UserError, match="--system is 'mlp', but --space paper tries systems itself"):
        planned("--space", "paper", "--system", "mlp")


def test_an_unknown_system_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="no system 'combind': did you mean 'combined'"):
        planned("--space", "gan_balance", "--system", "combind")


def test_known_balances_that_come_to_the_same_are_tried_once() -> None:
    space = load_space("gan_balance")
    assert len(space.distinct_known()) == len(space.known) == 9
    # Neither spectral norms nor the bar before are the plain GAN's: three of the nine are one and the same.
    assert len(replace(space, system="gan").distinct_known()) == 7


def test_the_comparison_of_the_paper_has_no_time_limit_and_names_what_it_tries() -> None:
    plan, space = planned("--space", "paper")
    assert (plan.time_budget, plan.sampler, plan.trials) == (None, "grid", 30)
    sources = {known.source for known in space.known}
    assert sources >= {"paper 5.3: spectral_d, seed 0", "paper 5.3: spectral_gd, seed 2"}


@pytest.mark.parametrize("name", ["paper", "paper_ratios", "data", "data_rolls"])
def test_a_comparison_tries_all_its_points_to_their_ends_one_seed_after_the_other(name: str) -> None:
    space = load_space(name)
    assert space.grid
    assert space.trials == len(space.known) == len(space.distinct_known())
    assert space.first_rung == space.budget.evaluations
    assert space.minutes is None
    seeds = [split_seed(space.suggest(FixedTrial(dict(known.parameters)), space.system))[1] for known in space.known]
    assert seeds == sorted(seeds)
    assert set(seeds) == {0, 1, 2}
    points = math.prod(len(asked.choices) for asked in space.dimensions().values())  # a grid: nothing is left out
    assert points == space.trials


def test_the_ratios_of_the_paper_keep_the_geometric_mean_of_the_rates() -> None:
    space = load_space("paper_ratios")
    rates = {}
    for known in space.known[:3]:
        config = space.described(space.suggest(FixedTrial(dict(known.parameters)), space.system)).config
        assert isinstance(config, TrainConfig)
        rates[known.source] = (config.learning_rate_d, config.learning_rate_g)
    assert rates == {
        "paper 5.6: equal rates, seed 0": pytest.approx((2e-4, 2e-4)),
        "paper 5.6: D learns faster, seed 0": pytest.approx((4e-4, 1e-4)),
        "paper 5.6: G learns faster, seed 0": pytest.approx((1e-4, 4e-4)),
    }


def test_every_option_of_a_network_is_searched_or_said_to_be_left_out() -> None:
    assert {each.name for each in fields(Variant)} == {*architecture.CHOICES, *architecture.LEFT_OUT}


@pytest.mark.parametrize(
    ("name", "variants"),
    [
        ("gan_balance", [{}]),
        ("data", [{"rests": "fill"}, {"rests": "keep"}]),
        ("data_rolls", [{"sampling_frequency": 16.0}, {"sampling_frequency": 8.0}]),
    ],
)
def test_a_space_tells_how_the_music_must_be_prepared(name: str, variants: list[dict[str, Any]]) -> None:
    assert load_space(name).data_variants() == variants


def options_of_music(trial: BaseTrial, system: str) -> dict[str, Any]:
    """Two options to choose from, one that is always the same, and one that follows from a number."""
    return {
        "rests": trial.suggest_categorical("rests", ("fill", "keep")),
        "octave": trial.suggest_categorical("octave", ("keep", "fold")),
        "chords": "optional",
        "doubtful": "leave-out" if trial.suggest_float("share", 0, 1) > 0.5 else "keep",
    }


def test_options_of_the_corpus_are_varied_by_choices_of_their_names() -> None:
    options = ("rests", "octave", "chords", "doubtful")
    space = Space(title="", system="baseline", suggest=options_of_music, data_options=options)
    assert len(space.parameters()) == 3
    three = replace(space, data_options=options[:3])
    assert three.data_variants() == [
        {"rests": rests, "octave": octave, "chords": "optional"}
        for rests in ("fill", "keep")
        for octave in ("keep", "fold")
    ]
    kept = replace(pinned(space, {"rests": "keep"}), data_options=options[:3])
    assert kept.data_variants() == three.data_variants()[2:]
    with pytest.raises(UserError, match="doubtful is an option of the corpus: ask for it as a categorical parameter"):
        space.data_variants()
    with pytest.raises(UserError, match="no setting of baseline 'doubtful'"):
        three.parameters()  # it is not declared


def test_a_grid_must_name_its_points() -> None:
    with pytest.raises(ValueError, match="A grid is all that `known` names, but it names nothing"):
        replace(load_space("paper"), known=())
