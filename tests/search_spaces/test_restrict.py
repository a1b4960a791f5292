"""Spaces of which parameters are pinned, or ranges narrowed."""

import pickle
from dataclasses import replace
from itertools import product
from typing import Any

import optuna
import pytest
from optuna.trial import BaseTrial, FixedTrial

from data_prep.errors import UserError
from search_spaces.asking import RestrictedTrial
from search_spaces.restrict import grid, narrowed, pinned
from search_spaces.space import Known, Space, load_space


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """A number of each kind, and one that is asked for with one loss alone."""
    loss = trial.suggest_categorical("loss", ("bce", "hinge"))
    settings: dict[str, Any] = {
        "loss": loss,
        "learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-3, log=True),
        "g_updates": trial.suggest_int("updates", 1, 5, step=2),
        "straight_through": trial.suggest_categorical("straight_through", (False, True)),
    }
    if trial.params["loss"] == "bce":
        settings["real_label"] = trial.suggest_float("label", 0.7, 1.0)
    return settings


def known(source: str, loss: str, **more: Any) -> Known:
    parameters = {"loss": loss, "learning_rate": 2e-4, "updates": 1, "straight_through": False}
    return Known(source=source, parameters=parameters | more)


SPACE = Space(
    title="test",
    system="baseline",
    suggest=suggest,
    known=(
        known("paper", "bce", label=0.9),
        known("hinge", "hinge", updates=3),
        known("slow", "hinge", learning_rate=1e-5),
    ),
)


def drawn(space: Space, number: int = 30) -> list[dict[str, Any]]:
    return [settings for _, settings in space.looks(number)]


@pytest.mark.parametrize(
    ("name", "text", "setting", "value"),
    [
        ("learning_rate", "3e-4", "learning_rate", 3e-4),
        ("learning_rate", 3e-4, "learning_rate", 3e-4),
        ("updates", "3", "g_updates", 3),
        ("loss", "hinge", "loss", "hinge"),
        ("straight_through", "true", "straight_through", True),
        ("straight_through", "False", "straight_through", False),
        ("batch_size", "144", "batch_size", 144),  # not the space's, but the system's
        ("average_decay", 0, "average_decay", 0),
        ("chord", "embedding", "chord", "embedding"),
    ],
)
def test_what_is_pinned_has_its_value_in_every_trial_and_is_not_searched(
    name: str, text: Any, setting: str, value: Any
) -> None:
    space = pinned(SPACE, {name: text})
    assert all(settings[setting] == value and type(settings[setting]) is type(value) for settings in drawn(space))
    assert set(space.parameters()) == set(SPACE.parameters()) - {name} - ({"label"} if text == "hinge" else set())
    assert space.fixed == {name: value}
    space.described(drawn(space, 1)[0])


def test_parameters_that_hang_on_others_go_on_doing_so() -> None:
    assert all("real_label" in settings for settings in drawn(pinned(SPACE, {"loss": "bce"})))
    some = drawn(pinned(SPACE, {"label": "0.8"}))
    assert {settings.get("real_label") for settings in some} == {None, 0.8}
    assert all(("real_label" in settings) == (settings["loss"] == "bce") for settings in some)


def test_known_balances_that_have_it_elsewhere_are_left_out_and_the_others_lose_the_name() -> None:
    space = pinned(SPACE, {"loss": "hinge"})
    assert [each.source for each in space.known] == ["hinge", "slow"]
    assert all("loss" not in each.parameters for each in space.known)
    study = optuna.create_study()
    study.enqueue_trial(dict(space.known[0].parameters))
    trial = study.ask()
    assert space.suggest(trial, "baseline")["loss"] == "hinge"
    assert trial.params == space.known[0].parameters


def test_known_balances_that_come_to_the_same_are_tried_once() -> None:
    assert len(pinned(SPACE, {"learning_rate": "2e-4", "updates": "1"}).distinct_known()) == 1


def test_pinning_twice_pins_both_and_nothing_pins_nothing() -> None:
    twice = pinned(pinned(SPACE, {"loss": "hinge"}), {"learning_rate": "1e-4", "d_updates": "2"})
    assert twice.fixed == {"loss": "hinge", "learning_rate": 1e-4, "d_updates": 2}
    assert twice.parameters() == ["updates", "straight_through"]
    assert pinned(SPACE, {}) == SPACE
    assert pickle.loads(pickle.dumps(twice)).fixed == twice.fixed


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lerning_rate": "1e-4"}, "no setting of baseline 'lerning_rate': did you mean 'learning_rate'"),
        ({"update": "1"}, "'update': did you mean 'updates'"),
        ({"learning_rate": "1"}, "learning_rate is '1', but must be a number from 1e-05 to 0.001, as the space varies"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast', but must be a number from 1e-05 to 0.001"),
        ({"learning_rate": "nan"}, "learning_rate is 'nan', but must be a number"),
        ({"updates": "2"}, "updates is '2', but must be a whole number from 1 to 5 in steps of 2"),
        ({"updates": "1.0"}, "updates is '1.0', but must be a whole number"),
        ({"updates": True}, "updates is True, but must be a whole number"),
        ({"loss": "hing"}, "no loss 'hing': did you mean 'hinge'"),
        ({"straight_through": "1"}, "no straight_through '1': choose one of: False, True"),
        ({"batch_size": "1"}, "batch_size is 1, but must be from 2 to 65536"),
        ({"batch_size": "many"}, "batch_size is 'many', but must be a whole number"),
        ({"g_updates": "1"}, "g_updates follows from what this space varies: set one of loss, learning_rate, updates"),
        ({"loss": "hinge", "label": "0.8"}, "label has no effect with loss 'hinge': leave it out"),
        ({"seed": "1"}, "does not vary the seed: give it by --seed"),
        ({"system": "mlp"}, "does not vary the system: give it by --system"),
        ({"spectral_norm": "emb"}, "chord 'code' has none of"),
    ],
)
def test_what_cannot_be_pinned_is_refused_in_a_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        pinned(SPACE, values)


def test_a_known_balance_that_a_pinned_setting_makes_illegal_is_told() -> None:
    rare = replace(SPACE, known=(known("emb", "hinge"),), suggest=_emb)
    with pytest.raises(UserError, match="chord 'code' has none of"):
        pinned(rare, {"chord": "code"})


def _emb(trial: BaseTrial, system: str) -> dict[str, Any]:
    return suggest(trial, system) | {"spectral_norm": "emb", "chord": "embedding"}


def test_the_space_of_systems_is_pinned_to_one_of_them() -> None:
    space = pinned(load_space("paper"), {"system": "mlp"})
    assert {settings["system"] for settings in drawn(space, 3)} == {"mlp"}
    with pytest.raises(UserError, match=r"no setting of [a-z]+ 'g_updates'"):
        pinned(load_space("paper"), {"g_updates": "1"})  # not a setting of all ten


def test_a_narrowed_range_is_asked_of_optuna_and_known_balances_outside_are_left_out() -> None:
    space = narrowed(SPACE, {"learning_rate": (1e-4, 4e-4), "updates": (3, 5), "loss": "hinge"})
    assert space.fixed == {"loss": "hinge"}
    assert [each.source for each in space.known] == ["hinge"]
    assert {settings["g_updates"] for settings in drawn(space)} == {3, 5}
    assert all(1e-4 <= settings["learning_rate"] <= 4e-4 for settings in drawn(space))
    dimension = space.dimensions()["learning_rate"]
    assert isinstance(dimension, optuna.distributions.FloatDistribution)
    assert (dimension.low, dimension.high, dimension.log) == (1e-4, 4e-4, True)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"rate": (1, 2)}, "no parameter of this space 'rate'"),
        ({"learning_rate": (1e-4, 1.0)}, "learning_rate is 1.0, but must be a number from 1e-05 to 0.001"),
        ({"learning_rate": (2e-4, 1e-4)}, "a range must begin with its lower end"),
        ({"loss": ("bce", "hinge")}, "loss is .*, but is chosen from bce, hinge"),
    ],
)
def test_what_cannot_be_narrowed_is_refused_in_a_line(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        narrowed(SPACE, limits)


def test_everything_else_is_the_trials_own() -> None:
    trial = FixedTrial({"x": 0.5}, number=7)
    restricted = RestrictedTrial(trial, {"y": 2}, {})
    assert (restricted.suggest_float("x", 0, 1), restricted.suggest_int("y", 0, 3)) == (0.5, 2)
    restricted.set_user_attr("told", 1)
    assert (restricted.number, trial.user_attrs, restricted.params) == (7, {"told": 1}, {"x": 0.5, "y": 2})
    assert trial.params == {"x": 0.5}


def test_a_grid_holds_all_choices_and_steps_and_what_hangs_on_them() -> None:
    space = grid(pinned(SPACE, {"learning_rate": "2e-4", "label": "0.9"}))
    points = [
        (each.parameters["loss"], each.parameters["updates"], each.parameters["straight_through"])
        for each in space.known
    ]
    assert points[:2] == [("bce", 1, False), ("hinge", 3, False)]
    assert [each.source for each in space.known][:3] == ["paper", "hinge", "grid"]
    assert sorted(points) == sorted(product(("bce", "hinge"), (1, 3, 5), (False, True)))
    assert (space.grid, space.trials) == (True, 12)
    assert len(space.distinct_known()) == 12
    assert grid(space) == space


def test_parameters_that_only_some_points_have_multiply_those_alone() -> None:
    space = grid(replace(SPACE, suggest=_stepped, known=()))
    assert [dict(each.parameters) for each in space.known] == [
        {"loss": "bce", "label": 0.7},
        {"loss": "bce", "label": pytest.approx(0.8)},
        {"loss": "bce", "label": pytest.approx(0.9)},
        {"loss": "hinge"},
    ]


def _stepped(trial: BaseTrial, system: str) -> dict[str, Any]:
    loss = trial.suggest_categorical("loss", ("bce", "hinge"))
    return {"loss": loss} | ({"real_label": trial.suggest_float("label", 0.7, 0.9, step=0.1)} if loss == "bce" else {})


def test_what_is_no_grid_is_refused_with_what_to_hold() -> None:
    with pytest.raises(UserError, match=r"but learning_rate may be any from 1e-05 to 0\.001: hold it by --set"):
        grid(SPACE)
    with pytest.raises(UserError, match="has more than 1,000 points: hold some of it by --set"):
        grid(pinned(load_space("architecture"), {"learning_rate": "2e-4"}))
    assert grid(load_space("paper")) == load_space("paper")
