from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from data_prep.errors import UserError
from trainables.rolls.options import GanNetwork, LstmConfig, LstmNetwork, VaeConfig, VaeNetwork

REFUSED: list[tuple[Any, str, list[Any]]] = [
    (LstmNetwork, "embedding", [0, -1, 1.5, True, "512"]),
    (LstmNetwork, "hidden", [0, 2.0]),
    (LstmNetwork, "layers", [0, None]),
    (LstmNetwork, "dropout_in", [1.0, -0.1, float("nan"), "0"]),
    (LstmNetwork, "dropout_out", [1, -1]),
    (LstmConfig, "learning_rate", [0.0, -1.0, float("inf")]),
    (LstmConfig, "learning_rate_floor", [-0.1, 1.1]),
    (LstmConfig, "triangles", [0, 1.5]),
    (LstmConfig, "batch_size", [0, 8.0]),
    (LstmConfig, "weight_decay", [-1e-9, float("nan")]),
    (LstmConfig, "clip_norm", [0.0, -1.0]),
    (LstmConfig, "transpose", [1, "yes", None]),
    (LstmConfig, "temperature", [0.0, -1.0, float("inf")]),
    (VaeNetwork, "latent", [0, 1.0]),
    (VaeNetwork, "width", [5, 32.0]),
    (VaeConfig, "learning_rate", [0.0]),
    (VaeConfig, "batch_size", [1, 0]),
    (VaeConfig, "beta", [-0.1, float("nan")]),
    (VaeConfig, "kl_warm_up", [-0.1, 1.1]),
    (VaeConfig, "free_bits", [-1.0]),
    (VaeConfig, "invert", [0]),
    (VaeConfig, "transpose", [0.0]),
    (GanNetwork, "noise", [0, 1.0]),
    (GanNetwork, "hidden", [0]),
    (GanNetwork, "width", [0, -128, 64, 130, 128.0]),
    (GanNetwork, "discriminator_width", [0]),
]


def test_every_option_is_refused_something() -> None:
    known = {(kind, field.name) for kind, _, _ in REFUSED for field in fields(kind)}
    assert known == {(kind, name) for kind, name, _ in REFUSED}


@pytest.mark.parametrize(("kind", "name", "value"), [(k, n, v) for k, n, values in REFUSED for v in values])
def test_a_value_that_cannot_be_is_refused_in_one_line_that_names_it(kind: Any, name: str, value: Any) -> None:
    options = kind()
    object.__setattr__(options, name, value)  # types of arguments are checked in tests, before options check themselves
    with pytest.raises(UserError) as caught:
        options.__post_init__()
    message = str(caught.value)
    assert name in message
    assert repr(value) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "options",
    [
        LstmNetwork(dropout_in=0, dropout_out=0, hidden=1, layers=1, embedding=1),
        LstmConfig(learning_rate_floor=0, weight_decay=0, triangles=1, batch_size=1),
        LstmConfig(learning_rate_floor=1),
        VaeNetwork(latent=1, width=6),
        VaeConfig(beta=0, kl_warm_up=1, free_bits=0, batch_size=2),
        GanNetwork(noise=1, hidden=1, width=128, discriminator_width=1),
    ],
)
def test_the_ends_of_ranges_are_allowed_and_options_cannot_be_changed(options: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(options, fields(options)[0].name, 1)
