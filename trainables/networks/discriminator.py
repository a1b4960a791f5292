"""The discriminator: is a bar real, given its chord (§4.3), and, if it is shown, the bar before (§5.4)?"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from trainables.networks.chords import ChordCoder
from trainables.networks.generator import PITCHES, STEPS
from trainables.networks.layers import Block, RowLinear
from trainables.variants import ChordRoute, Variant


@dataclass(frozen=True, slots=True)
class Plan:
    """Convolutions over time as (kernel, stride, width), whether the first is batch-normalised, the dense width."""

    convolutions: tuple[tuple[int, int, int], ...]
    norm_first: bool
    dense: int


PLANS: Final[dict[ChordRoute, Plan]] = {
    "everywhere": Plan(convolutions=((2, 2, 14), (4, 2, 77)), norm_first=False, dense=1024),
    "conditioner": Plan(convolutions=((4, 1, 32), (4, 1, 64), (4, 1, 128), (4, 1, 256)), norm_first=True, dense=1000),
}


class Discriminator(nn.Module):
    """D(bar, previous bar, chord): a logit, and its first layer's features for feature matching.

    The chord enters every layer, or the last alone (§5.6). Under spectral normalisation of all layers there is no
    batch normalisation, which would cancel it.
    """

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        plan = PLANS[variant.chord_route]
        everywhere = variant.chord_route == "everywhere"
        spectral_convolutions = variant.normalised_layers != "none"
        spectral = variant.normalised_layers == "all"
        self.sees_previous = variant.d_sees_previous
        self.chord = ChordCoder(variant.chord)
        width = self.chord.width if everywhere else 0
        channels = 1 + self.sees_previous
        time, inputs, blocks = STEPS, channels * PITCHES, []
        for index, (kernel, stride, outputs) in enumerate(plan.convolutions):
            planes = kernel * (PITCHES if index == 0 else 1)
            outputs += index == 0 and everywhere and self.sees_previous  # §5.4: as wide as its input channels
            blocks.append(
                Block(
                    inputs,
                    outputs,
                    kernel=kernel,
                    stride=stride,
                    chord=width,
                    copies=planes,
                    norm=not spectral and (index > 0 or plan.norm_first),
                    spectral=spectral_convolutions,
                )
            )
            time, inputs = (time - kernel) // stride + 1, outputs
        self.convolutions = nn.ModuleList(blocks)
        self.dense = Block(time * inputs, plan.dense, chord=width, norm=not spectral, spectral=spectral)
        self.output = RowLinear(plan.dense, 1, chord=self.chord.width, spectral=spectral)

    def features(self, bar: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        """First layer's features (B, T', C) of bars (B, 16, P) with their previous bars and chord classes (B,)."""
        rows = torch.cat([bar, previous], dim=-1) if self.sees_previous else bar
        features: Tensor = self.convolutions[0](rows, self.chord(chord))
        return features

    def forward(self, bar: Tensor, previous: Tensor, chord: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B,) that the bars (B, 16, P) are real, and the first layer's features."""
        vector = self.chord(chord)
        features = self.features(bar, previous, chord)
        rows = features
        for block in self.convolutions[1:]:
            rows = block(rows, vector)
        rows = self.dense(rows.flatten(1), vector)
        return self.output(rows, vector).squeeze(1), features
