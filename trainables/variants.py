"""Which network: the one declaration of every system.

A field belongs in `Variant` if, and only if, it changes a `state_dict`; the numbers of the optimisation live in
`trainables.config`. Each field is consumed in exactly one place, where it picks a part of a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

from data_prep.errors import UserError, unknown

ChordCoding = Literal["code", "embedding"]
ChordRoute = Literal["everywhere", "conditioner"]
SpectralNorm = Literal["none", "d_conv", "d_all", "g_all", "gd"]

_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "chord": get_args(ChordCoding),
    "spectral_norm": get_args(SpectralNorm),
    "chord_route": get_args(ChordRoute),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Which network; sections (§) are those of "Generating Music with Deep Learning" (2020)."""

    chord: ChordCoding = "code"
    """The 13-vector of §4.2 (root and minor flag), or a learned embedding of the 25 classes (§5.2)."""

    spectral_norm: SpectralNorm = "none"
    """Normalised layers (§5.3). `d_conv`: the discriminator's convolutions, as the paper. `d_all`: all of its
    layers, which then drop their batch normalisation (Miyato et al. 2018). `g_all`: the generator, its output
    layer with a learned gain. `gd`: both."""

    d_sees_previous: bool = False
    """The discriminator gets the previous bar as a second channel (§5.4)."""

    chord_route: ChordRoute = "everywhere"
    """Chords enter every layer (§4.2), or the generator's conditioner and the discriminator's end alone (§5.6)."""

    def __post_init__(self) -> None:
        """Refuse options that no part of a network answers to."""
        for name, options in _OPTIONS.items():
            if getattr(self, name) not in options:
                raise UserError(unknown(name, str(getattr(self, name)), options))

    @property
    def normalised_layers(self) -> Literal["none", "conv", "all"]:
        """Layers of the discriminator under spectral normalisation."""
        placement: dict[SpectralNorm, Literal["conv", "all"]] = {
            "d_conv": "conv",
            "d_all": "all",
            "gd": "all",
        }
        return placement.get(self.spectral_norm, "none")

    @property
    def generator_normalised(self) -> bool:
        """Whether the generator is under spectral normalisation."""
        return self.spectral_norm in ("g_all", "gd")


VARIANTS: Final[Mapping[str, Variant]] = MappingProxyType(
    {
        "baseline": Variant(),  # §5.1
        "combined": Variant(  # §5.6, as its text announces it
            chord="embedding", spectral_norm="d_all", d_sees_previous=True, chord_route="conditioner"
        ),
    }
)
