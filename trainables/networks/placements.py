"""Where spectral normalisation goes (§5.3): the one table of its placements."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from trainables.variants import SpectralNorm

DLayers = Literal["convolutions", "dense", "output"]
GLayers = Literal["conditioner", "dense", "up"]
Bound = Literal["operator", "gain", "frobenius"]
"""What is brought to 1: a matrix's operator norm; that norm, to be scaled by a learned gain; its Frobenius norm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Which layers of both players are normalised; `dense` of the discriminator is with all layers of its head."""

    d: tuple[DLayers, ...] = ()
    d_batch_norm: bool = True
    """Whether these layers of the discriminator keep their batch normalisation, which undoes the spectral one."""

    g: tuple[GLayers, ...] = ()
    g_output: Bound | None = None
    """The bound of the generator's last layer, which at operator norm 1 is too weak to turn any pitch on."""

    embeddings: bool = False
    """Tables of embeddings, in both players."""

    def d_bound(self, layers: DLayers) -> Bound | None:
        """How these layers of the discriminator are normalised."""
        return "operator" if layers in self.d else None

    def d_keeps_batch_norm(self, layers: DLayers) -> bool:
        """Whether these layers of the discriminator may have batch normalisation."""
        return self.d_batch_norm or layers not in self.d

    def g_bound(self, layers: GLayers) -> Bound | None:
        """How these layers of the generator are normalised."""
        return "operator" if layers in self.g else None


_D_ALL: Final[tuple[DLayers, ...]] = ("convolutions", "dense", "output")
_G_HIDDEN: Final[tuple[GLayers, ...]] = ("dense", "up")

PLACEMENTS: Final[Mapping[SpectralNorm, Placement]] = MappingProxyType(
    {
        "none": Placement(),
        # The paper's. Batch normalisation undoes all of it but the first layer of `two` and `four` convolutions.
        "d_conv": Placement(d=("convolutions",)),
        "d_fc": Placement(d=("dense", "output"), d_batch_norm=False),
        # Miyato et al. 2018, arXiv 1802.05957.
        "d_all": Placement(d=_D_ALL, d_batch_norm=False),
        "d_all_bn": Placement(d=_D_ALL),
        "g_hidden": Placement(g=_G_HIDDEN),
        # A transposed convolution's norm as PyTorch takes it, which for a single output channel is Frobenius'.
        "g_all_paper": Placement(g=_G_HIDDEN, g_output="frobenius"),
        "g_all": Placement(g=_G_HIDDEN, g_output="gain"),
        "cond": Placement(g=("conditioner",)),
        # Zhang et al. 2019 (SAGAN), arXiv 1805.08318.
        "gd": Placement(d=_D_ALL, d_batch_norm=False, g=_G_HIDDEN, g_output="gain"),
        # The paper's code.
        "gd_paper": Placement(d=("convolutions",), g=("conditioner", "up"), g_output="frobenius"),
        # Brock et al. 2019 (BigGAN), arXiv 1809.11096.
        "emb": Placement(d=_D_ALL, d_batch_norm=False, g=_G_HIDDEN, g_output="gain", embeddings=True),
    }
)
