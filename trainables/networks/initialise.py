"""Weights at the start of training."""

import math
from typing import Final

import torch
from torch import Tensor, nn

from trainables.config import Initialisation
from trainables.networks.chords import ChordCoder
from trainables.networks.layers import RowLinear, normalised

DEVIATION: Final = 0.02


@torch.no_grad()
def initialise(player: nn.Module, how: Initialisation) -> None:
    """Draw the weights of a player anew, or leave them as PyTorch's layers made them (`torch`).

    `dcgan` (Radford et al. 2016, arXiv 1511.06434): weights normal of deviation .02, biases 0; scales of batch
    normalisation normal of deviation .02 about 1. A chord's weight that is the sum of K others has their sum's
    deviation. Vectors of chords stay as made: what a layer is fed is no weight, and at .02 no layer would hear it.

    Args:
        player: any network of this package.
        how: `torch` or `dcgan`.
    """
    if how == "torch":
        return
    modules = set(player.modules())
    vectors = {part for coder in modules if isinstance(coder, ChordCoder) for part in coder.modules()}
    for module in player.modules():
        if module not in vectors:
            _draw(module)
    for scale, matrix in normalised(player):
        scale.warm_up(matrix)


def _draw(module: nn.Module) -> None:
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, DEVIATION)
    elif isinstance(module, RowLinear | nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0, DEVIATION)
    else:
        return
    if isinstance(module.bias, Tensor):
        nn.init.zeros_(module.bias)
    if isinstance(module, RowLinear) and module.chord_weight is not None:
        nn.init.normal_(module.chord_weight, 0, math.sqrt(module.copies) * DEVIATION)
