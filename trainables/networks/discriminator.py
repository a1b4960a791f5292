"""The discriminator: are bars real, given their chords (§4.3), and, if it is shown them, the bars before (§5.4)?"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from trainables.networks.chords import ChordCoder
from trainables.networks.generator import PITCHES
from trainables.networks.layers import Block, RowLinear
from trainables.networks.placements import PLACEMENTS
from trainables.variants import Convolutions, Head, Variant


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution over time, whether the chords enter it and whether it is batch-normalised."""

    kernel: int
    stride: int
    width: int
    chord: bool
    norm: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """The convolutions, then the dense layer, and whether the chords enter that.

    Where the chords enter the first convolution, its width is that of its input for one bar, its chord and no bar
    before; with the bar before it is one more, and otherwise the same for any coding and number of chords.
    """

    convolutions: tuple[Convolution, ...]
    dense: int
    dense_chord: bool = False


PLANS: Final[dict[Convolutions, Plan]] = {
    "two": Plan(
        (Convolution(2, 2, 14, chord=True, norm=False), Convolution(4, 2, 77, chord=True)),
        dense=1024,
        dense_chord=True,
    ),
    "four": Plan(
        (
            Convolution(4, 1, 14, chord=True, norm=False),
            Convolution(4, 1, 24, chord=False),
            Convolution(4, 1, 51, chord=True),
            Convolution(4, 1, 77, chord=False),
        ),
        dense=1024,
    ),
    "wide": Plan(
        (
            Convolution(4, 1, 101, chord=True),
            Convolution(4, 1, 120, chord=False),
            Convolution(4, 1, 250, chord=True),
            Convolution(4, 1, 270, chord=False),
        ),
        dense=100,
    ),
    "late": Plan(tuple(Convolution(4, 1, width, chord=False) for width in (32, 64, 128, 256)), dense=1000),
}
HEADS: Final[dict[Head, tuple[int, ...]]] = {"linear": (), "mlp": (756, 512, 256, 128)}


class Discriminator(nn.Module):
    """D(bars, previous bars, chords): a logit, and the first layer's features for feature matching."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        plan, head = PLANS[variant.discriminator], HEADS[variant.d_head]
        placement = PLACEMENTS[variant.spectral_norm]
        batch_norm = variant.d_norm == "batch"
        self.sees_previous = variant.d_sees_previous
        self.chord = ChordCoder(variant.chord, placement)
        vector = variant.num_chords * self.chord.width
        time, inputs, planes = variant.steps, (1 + self.sees_previous) * PITCHES, PITCHES
        norm, spectral = batch_norm and placement.d_keeps_batch_norm("convolutions"), placement.d_bound("convolutions")
        blocks: list[Block] = []
        for layer in plan.convolutions:
            width = layer.width + (self.sees_previous and layer.chord and not blocks)
            blocks.append(
                Block(
                    inputs,
                    width,
                    kernel=layer.kernel,
                    stride=layer.stride,
                    chord=vector if layer.chord else 0,
                    copies=layer.kernel * planes,
                    norm=layer.norm and norm,
                    spectral=spectral,
                )
            )
            time, inputs, planes = (time - layer.kernel) // layer.stride + 1, width, 1
        self.convolutions = nn.ModuleList(blocks)
        norm, spectral = batch_norm and placement.d_keeps_batch_norm("dense"), placement.d_bound("dense")
        chord = vector if plan.dense_chord else 0
        self.dense = Block(time * inputs, plan.dense, chord=chord, norm=norm, spectral=spectral)
        # The chords always enter behind the dense layer: the head, or where it has no layers the output.
        chords = (vector, *(0 for _ in head))
        self.head = nn.ModuleList(
            Block(below, width, chord=chord, norm=norm, spectral=spectral, slope=0.0)
            for (below, width), chord in zip(pairwise((plan.dense, *head)), chords, strict=False)
        )
        self.output = RowLinear((plan.dense, *head)[-1], 1, chord=chords[-1], spectral=placement.d_bound("output"))

    def features(
        self,
        bar: Float[Tensor, "batch time pitch"],
        previous: Float[Tensor, "batch time pitch"],
        chord: Int[Tensor, "batch chords"],
    ) -> Float[Tensor, "batch rows features"]:
        """First layer's features (B, T', C) of bars (B, T, P), with the bars before them and their chord classes."""
        return self._first(bar, previous, self.chord(chord))

    def forward(
        self,
        bar: Float[Tensor, "batch time pitch"],
        previous: Float[Tensor, "batch time pitch"],
        chord: Int[Tensor, "batch chords"],
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch rows features"]]:
        """Logits (B,) that the bars (B, T, P) are real, and the first layer's features."""
        vector = self.chord(chord)
        features = self._first(bar, previous, vector)
        rows = features
        for block in self.convolutions[1:]:
            rows = block(rows, vector)
        rows = self.dense(rows.flatten(1), vector)
        for block in self.head:
            rows = block(rows, vector)
        return self.output(rows, vector).squeeze(1), features

    def _first(self, bar: Tensor, previous: Tensor, vector: Tensor) -> Tensor:
        rows = torch.cat([bar, previous], dim=-1) if self.sees_previous else bar
        features: Tensor = self.convolutions[0](rows, vector)
        return features
