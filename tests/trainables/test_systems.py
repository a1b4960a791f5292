"""Systems by name, with what settings change in them."""

from dataclasses import asdict
from typing import Any

import pytest

from data_prep.errors import UserError
from trainables.config import TrainConfig
from trainables.rolls.options import GanNetwork, LstmConfig, LstmNetwork, VaeConfig, VaeNetwork
from trainables.systems import SYSTEMS, described
from trainables.variants import VARIANTS, Variant

PAPER = ("lstm", "vae", "gan", "baseline", "embedding", "spectral_d", "spectral_gd", "previous", "mlp", "combined")


def refusal(system: str, settings: dict[str, Any]) -> str:
    with pytest.raises(UserError) as caught:
        described(system, settings)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_the_papers_ten_systems_have_names() -> None:
    assert set(PAPER) <= set(SYSTEMS)


@pytest.mark.parametrize("system", VARIANTS)
def test_without_settings_a_system_is_its_declaration(system: str) -> None:
    found = described(system, {})
    assert (found.network, found.config) == (VARIANTS[system], TrainConfig())


def test_the_plain_gan_learns_at_the_papers_rates() -> None:
    config = described("gan", {}).config
    assert isinstance(config, TrainConfig)
    assert (config.learning_rate_d, config.learning_rate_g) == pytest.approx((4e-4, 1e-3))
    assert (config.batch_size, config.d_updates, config.g_updates, config.real_label) == (64, 1, 1, 0.9)
    assert (config.feature_weight, config.mean_weight, config.initialisation) == (0, 0, "dcgan")


def test_one_note_a_step_is_refused_where_several_are_written() -> None:
    assert "straight_through" in refusal("gan", {"straight_through": True})


def test_settings_override_the_systems_own() -> None:
    found = described("combined", {"spectral_norm": "none", "beta1": 0.0})
    assert asdict(found.network) == asdict(VARIANTS["combined"]) | {"spectral_norm": "none"}
    assert found.config == TrainConfig(beta1=0.0)


@pytest.mark.parametrize(
    ("system", "settings", "network", "config"),
    [
        ("lstm", {"hidden": 64, "temperature": 0.9}, LstmNetwork(hidden=64), LstmConfig(temperature=0.9)),
        ("vae", {"latent": 8, "beta": 0.5}, VaeNetwork(latent=8), VaeConfig(beta=0.5)),
        ("gan", {"noise": 8}, GanNetwork(noise=8), SYSTEMS["gan"].config),
    ],
)
def test_settings_reach_the_families_on_piano_rolls(
    system: str, settings: dict[str, Any], network: Any, config: Any
) -> None:
    found = described(system, settings)
    assert (found.network, found.config) == (network, config)


def test_a_setting_may_be_the_system_itself() -> None:
    assert described("baseline", {"system": "mlp"}) == described("mlp", {})
    assert described("lstm", {"system": "gan", "noise": 8}).network == GanNetwork(noise=8)


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    message = refusal("baseline", {"learning_rat_ratio": 2})
    assert "'learning_rat_ratio'" in message
    assert "'learning_rate_ratio'" in message


def test_a_setting_of_another_family_is_refused() -> None:
    message = refusal("lstm", {"learning_rate_ratio": 2.0})
    assert "lstm" in message
    assert "'learning_rate_ratio'" in message


@pytest.mark.parametrize("settings", [{}, {"system": "combind"}])
def test_an_unknown_system_is_refused_with_the_nearest_name(settings: dict[str, Any]) -> None:
    message = refusal("baseline" if settings else "combind", settings)
    assert "'combind'" in message
    assert "'combined'" in message


@pytest.mark.parametrize("placement", ["none", "d_conv", "d_fc", "d_all_bn", "g_all"])
def test_a_gradient_penalty_with_batch_normalisation_is_refused_with_both_values(placement: str) -> None:
    message = refusal("baseline", {"loss": "wgan_gp", "spectral_norm": placement})
    assert all(part in message for part in ("'wgan_gp'", "'batch'", repr(placement), "choose d_norm 'none'"))
    described("baseline", {"loss": "wgan_gp", "spectral_norm": placement, "d_norm": "none"})


@pytest.mark.parametrize("placement", ["d_all", "gd"])
def test_a_gradient_penalty_may_go_with_spectral_norms_that_leave_no_batch_normalisation(placement: str) -> None:
    network = described("baseline", {"loss": "wgan_gp", "spectral_norm": placement}).network
    assert network == Variant(spectral_norm=placement)  # type: ignore[arg-type]
