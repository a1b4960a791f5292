"""Every system by its name: which network, and the numbers it learns by.

Nothing here needs torch, so that spaces and plans can read it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from data_prep.errors import UserError, unknown
from trainables.config import TrainConfig
from trainables.networks.placements import PLACEMENTS
from trainables.rolls.options import GanNetwork, LstmConfig, LstmNetwork, VaeConfig, VaeNetwork
from trainables.variants import VARIANTS, Variant

SYSTEM: Final = "system"
"""The setting by which a space may vary the system itself."""


@dataclass(frozen=True, slots=True)
class Description:
    """All that a system is: its network, how it learns, and what there is to say of it."""

    section: str
    """Where "Generating Music with Deep Learning" (2020) has it."""

    text: str
    """What it is, in a line."""

    network: Variant | LstmNetwork | VaeNetwork | GanNetwork
    config: TrainConfig | LstmConfig | VaeConfig = field(default_factory=TrainConfig)


_LSTM: Final = Description(
    "3.1.1", "recurrent network: the keys of the next step from all steps before", LstmNetwork(), LstmConfig()
)
_VAE: Final = Description("3.1.2", "variational autoencoder of whole windows of 128 steps", VaeNetwork(), VaeConfig())
_GAN: Final = Description(
    "3.1.3",
    "generator and discriminator of whole windows, without conditions",
    GanNetwork(),
    TrainConfig(
        learning_rate=math.sqrt(1e-3 * 4e-4),  # 1e-3 for the generator, 4e-4 for the discriminator
        learning_rate_ratio=0.4,
        g_updates=1,
        batch_size=64,
        initialisation="dcgan",
        feature_weight=0.0,
        mean_weight=0.0,
    ),
)
_MIDINETS: Final[Mapping[str, tuple[str, str]]] = {
    "baseline": ("5.1", "MidiNet: the next bar from the bar before and its chord"),
    "embedding": ("5.2", "chords as learned vectors; one dense layer in G, four wide convolutions in D"),
    "spectral_d": ("5.3", "spectral normalisation of the discriminator's convolutions"),
    "spectral_gd": ("5.3", "spectral normalisation of both players"),
    "previous": ("5.4", "the discriminator sees the bar before, too"),
    "mlp": ("5.5", "four more dense layers at the discriminator's end"),
    "combined": ("5.6", "embedding, bar before to D, spectral normalisation; chords by the conditioner"),
    "embedding_on_baseline": ("5.2", "the embedding alone, on the baseline's networks"),
    "four_convolutions": ("5.2", "four convolutions in the discriminator, without the embedding"),
    "spectral_gd_as_committed": ("5.3", "where the paper's code has it: not on dense layers, Frobenius at G's end"),
    "combined_as_committed": ("5.6", "as the paper's code: neither the bar before to D nor spectral normalisation"),
}

SYSTEMS: Final[Mapping[str, Description]] = MappingProxyType(
    {
        "lstm": _LSTM,
        "vae": _VAE,
        "gan": _GAN,
        **{name: Description(*_MIDINETS[name], variant) for name, variant in VARIANTS.items()},
        "mlp_as_committed": Description(
            "5.5",
            "as the paper's code: half of the bar before is dropped in training",
            VARIANTS["mlp"],
            TrainConfig(previous_dropout=0.5),
        ),
    }
)


def system_of(system: str, settings: Mapping[str, Any]) -> str:
    """The name of the system that settings describe: their own, or else `system`.

    Raises:
        UserError: there is none of that name, with the nearest.
    """
    name = str(settings.get(SYSTEM, system))
    if name not in SYSTEMS:
        raise UserError(unknown("system", name, SYSTEMS))
    return name


def corpora_of(system: str) -> tuple[str, ...]:
    """Kinds of corpora that the system of that name learns from; see `data_prep.kinds`."""
    return SYSTEMS[system].network.kinds


def described(system: str, settings: Mapping[str, Any]) -> Description:
    """The system with what `settings` (flat names of fields) change.

    Raises:
        UserError: a system or a setting that does not exist, with the nearest name; a value that cannot be; two that
            do not go together.
    """
    name = system_of(system, settings)
    parts = SYSTEMS[name]
    own = {each.name: part for part in (parts.network, parts.config) for each in fields(part)}
    changes = {key: value for key, value in settings.items() if key != SYSTEM}
    for key in changes:
        if key not in own:
            raise UserError(unknown(f"setting of {name}", key, own))
    of_network, of_config = (
        {key: value for key, value in changes.items() if own[key] is part} for part in (parts.network, parts.config)
    )
    changed = replace(parts, network=replace(parts.network, **of_network), config=replace(parts.config, **of_config))
    _check_together(changed.network, changed.config)
    return changed


def _check_together(network: Any, config: Any) -> None:
    """Refuse what neither the network nor the numbers can refuse alone."""
    if isinstance(network, GanNetwork) and config.straight_through:
        raise UserError(
            "straight_through shows the one likeliest note of a step, but gan writes several: leave it out."
        )
    if not isinstance(network, Variant) or config.loss != "wgan_gp" or network.d_norm == "none":
        return
    placement = PLACEMENTS[network.spectral_norm]
    if placement.d_keeps_batch_norm("convolutions") or placement.d_keeps_batch_norm("dense"):
        raise UserError(
            f"loss 'wgan_gp' cannot go with d_norm 'batch' and spectral_norm {network.spectral_norm!r}, as batch "
            "normalisation makes one bar's gradient depend on the others: choose d_norm 'none'."
        )
