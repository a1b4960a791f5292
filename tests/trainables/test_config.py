from dataclasses import asdict, fields
from typing import Any

import pytest

from data_prep.errors import UserError, unknown
from trainables.config import Budget, TrainConfig
from trainables.systems import described
from trainables.variants import VARIANTS, Variant

OTHER_VARIANT = {
    "chord": "embedding",
    "chord_route": "conditioner",
    "chords_per_bar": 4,
    "bars": 2,
    "g_dense": "one",
    "previous_route": "output",
    "previous_features": 8,
    "conditioner_norm": "none",
    "discriminator": "late",
    "d_head": "mlp",
    "d_sees_previous": True,
    "d_norm": "none",
    "spectral_norm": "gd",
}
OTHER_NUMBERS = {
    "learning_rate": 1e-3,
    "learning_rate_ratio": 4.0,
    "learning_rate_end": 0.5,
    "d_updates": 3,
    "g_updates": 5,
    "batch_size": 10,
    "beta1": 0.25,
    "beta2": 0.9,
    "chord_gain": 16.0,
    "initialisation": "dcgan",
    "loss": "hinge",
    "real_label": 0.8,
    "gradient_penalty": 5.0,
    "r1": 1.0,
    "instance_noise": 0.1,
    "straight_through": True,
    "feature_weight": 0.5,
    "mean_weight": 0.25,
    "previous_dropout": 0.5,
    "previous_noise": 0.1,
    "average_decay": 0.5,
}


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(UserError) as caught:
        call(**arguments)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_defaults_are_the_papers() -> None:
    assert asdict(TrainConfig()) == {
        "learning_rate": 2e-4,
        "learning_rate_ratio": 1.0,
        "d_updates": 1,
        "g_updates": 2,
        "batch_size": 72,
        "beta1": 0.5,
        "beta2": 0.999,
        "loss": "bce",
        "real_label": 0.9,
        "feature_weight": 0.1,
        "mean_weight": 0.01,
        "initialisation": "torch",
        "chord_gain": 512.0,  # as its convolutions make it
        "average_decay": 0.999,  # the paper has no average
        # What the paper has none of; the penalty is of another loss.
        "gradient_penalty": 10.0,
        "learning_rate_end": 1.0,
        "r1": 0.0,
        "instance_noise": 0.0,
        "straight_through": False,
        "previous_dropout": 0.0,
        "previous_noise": 0.0,
    }
    assert VARIANTS["baseline"] == Variant()


def test_learning_rates_have_the_geometric_mean_and_the_ratio() -> None:
    config = TrainConfig(learning_rate=3e-4, learning_rate_ratio=9.0)
    assert config.learning_rate_d == pytest.approx(9e-4)
    assert config.learning_rate_g == pytest.approx(1e-4)


def test_a_step_shows_the_batch_to_every_update() -> None:
    assert TrainConfig().items_per_step == 216
    assert TrainConfig(batch_size=10, d_updates=3, g_updates=2).items_per_step == 50


def test_settings_of_this_test_name_every_field() -> None:
    # What is not listed here is not tested for reaching its place.
    assert OTHER_VARIANT.keys() == {field.name for field in fields(Variant)}
    assert OTHER_NUMBERS.keys() == {field.name for field in fields(TrainConfig)}
    assert all(getattr(VARIANTS["baseline"], key) != value for key, value in OTHER_VARIANT.items())
    assert all(getattr(TrainConfig(), key) != value for key, value in OTHER_NUMBERS.items())


@pytest.mark.parametrize("key", [*OTHER_VARIANT, *OTHER_NUMBERS])
def test_each_setting_reaches_its_field_and_no_other(key: str) -> None:
    value = (OTHER_VARIANT | OTHER_NUMBERS)[key]
    found = described("baseline", {key: value})
    assert asdict(found.network) | asdict(found.config) == asdict(VARIANTS["baseline"]) | asdict(TrainConfig()) | {
        key: value
    }


def test_a_name_that_resembles_nothing_is_refused_with_all_names() -> None:
    message = unknown("system", "zzz", VARIANTS)
    assert "'zzz'" in message
    assert all(name in message for name in VARIANTS)


@pytest.mark.parametrize(
    ("call", "key", "value", "rule"),
    [
        (TrainConfig, "learning_rate", 0.0, "above 0"),
        (TrainConfig, "learning_rate", -1e-4, "above 0"),
        (TrainConfig, "learning_rate", float("nan"), "a finite number"),
        (TrainConfig, "learning_rate_ratio", 0.0, "above 0"),
        (TrainConfig, "d_updates", 0, "at least 1"),
        (TrainConfig, "g_updates", 0, "at least 1"),
        (TrainConfig, "batch_size", 1, "from 2 to 65536"),
        (TrainConfig, "chord_gain", 0.5, "at least 1"),
        (TrainConfig, "learning_rate_end", 1.5, "from 0 to 1"),
        (TrainConfig, "previous_dropout", 1.0, "in [0, 1)"),
        (TrainConfig, "straight_through", 1, "True or False"),
        (TrainConfig, "beta1", 1.0, "in [0, 1)"),
        (TrainConfig, "beta2", -0.1, "in [0, 1)"),
        (TrainConfig, "average_decay", 1.0, "in [0, 1)"),
        (Budget, "evaluations", 0, "at least 1"),
        (Budget, "bars", 7, "at least one per evaluation"),
        (Budget, "rollouts", 1, "at least 2"),
    ],
)
def test_an_impossible_number_is_refused_with_name_value_and_rule(call: Any, key: str, value: float, rule: str) -> None:
    message = refusal(call, **{key: value})
    assert message.startswith(f"{key} is {value}")
    assert rule in message


@pytest.mark.parametrize("key", ["chord", "spectral_norm", "chord_route", "loss", "initialisation"])
def test_an_unknown_choice_is_refused_with_the_nearest_name(key: str) -> None:
    value = (OTHER_VARIANT | OTHER_NUMBERS)[key]
    message = refusal(described, system="baseline", settings={key: f"{value}x"})
    assert f"'{value}x'" in message
    assert key in message
    assert f"'{value}'" in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learning_rate", float("inf")),
        ("learning_rate_ratio", float("inf")),
        ("d_updates", 1.5),
        ("batch_size", 72.0),
        ("batch_size", "72"),
        ("real_label", 1.5),
        ("real_label", float("nan")),
        ("feature_weight", -0.1),
        ("previous_noise", float("nan")),
        ("r1", -1.0),
        ("instance_noise", -0.1),
        ("mean_weight", float("nan")),
    ],
)
def test_a_number_that_would_fail_in_the_middle_of_a_trial_is_refused_before_it(key: str, value: Any) -> None:
    assert key in refusal(described, system="baseline", settings={key: value})
