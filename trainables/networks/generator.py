"""The generator: noise, chords and the previous bar to the next bar (MidiNet, arXiv 1703.10847; §4.3, §5.6)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from trainables.networks.chords import ChordCoder
from trainables.networks.layers import Block, RowLinear
from trainables.networks.placements import PLACEMENTS
from trainables.variants import STEPS, ChordRoute, Dense, Variant

NOISE: Final = 100
PITCHES: Final = 128
_WIDTH: Final = 128
_FIRST_ROWS: Final = 2  # of a bar, before each of the three upsampling layers doubles them

Features = Float[Tensor, "batch _rows _features"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a route of the chords comes with: widths of the conditioner, features of a chord in it, the activation."""

    conditioner: tuple[int, int, int]
    chord_map: int
    slope: float


PLANS: Final[dict[ChordRoute, Plan]] = {
    "everywhere": Plan(conditioner=(16, 16, 16), chord_map=0, slope=0.0),
    "conditioner": Plan(conditioner=(48, 64, 128), chord_map=16, slope=0.2),
}
HIDDEN: Final[dict[Dense, tuple[int, ...]]] = {"two": (1024,), "one": ()}


class Conditioner(nn.Module):
    """The previous bar, and on the `conditioner` route the chords, as features for each of the generator's layers.

    With fewer features of the previous bar only the first layer is narrowed: what comes after it knows no more of the
    bar than that, and may carry the chords as well. Where the previous bar is for the last layer alone, the others
    are given the chords alone, or, if these take another route, nothing.
    """

    def __init__(self, variant: Variant, *, dropout: float, noise: float) -> None:
        super().__init__()
        plan, placement = PLANS[variant.chord_route], PLACEMENTS[variant.spectral_norm]
        self.noise = noise
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        norm, spectral = variant.conditioner_norm == "batch", placement.g_bound("conditioner")
        seen = 0 if variant.previous_route == "none" else variant.previous_features
        self.first = Block(PITCHES, seen, norm=norm, spectral=spectral) if seen else None
        self.chord: ChordCoder | None = None
        if plan.chord_map:
            steps = STEPS // variant.chords_per_bar  # each chord is laid over its own
            self.chord = ChordCoder(variant.chord, placement, steps * plan.chord_map)
        self.chord_map = plan.chord_map
        self.hands_on_previous = variant.previous_route == "everywhere"
        base = plan.chord_map + seen * self.hands_on_previous
        others = plan.conditioner if base else (0, 0, 0)
        self.widths = (seen + plan.chord_map, *others)
        self.others = nn.ModuleList(
            Block(below, width, kernel=2, stride=2, norm=norm, spectral=spectral)
            for below, width in zip((base, *others), others, strict=False)
            if width
        )

    def forward(
        self, previous: Float[Tensor, "batch time pitch"], chord: Int[Tensor, "batch chords"]
    ) -> list[Features | None]:
        """Features (B, T, C0), (B, T / 2, C1), (B, T / 4, C2), (B, T / 8, C3) of the bars before; None of width 0."""
        bar, laid_out = self._of_previous(previous), self._of_chord(chord)
        features = [joined(bar, laid_out)]
        rows = features[0] if self.hands_on_previous else laid_out
        for block in self.others:
            rows = self.dropout(block(rows))
            features.append(rows)
        return features + [None] * (len(self.widths) - len(features))

    def _of_previous(self, previous: Float[Tensor, "batch time pitch"]) -> Features | None:
        if self.first is None:
            return None
        if self.noise and self.training:
            previous = previous + self.noise * torch.randn_like(previous)
        rows: Tensor = self.dropout(self.first(previous))
        return rows

    def _of_chord(self, chord: Int[Tensor, "batch chords"]) -> Features | None:
        return None if self.chord is None else self.chord(chord).view(len(chord), -1, self.chord_map)


class Generator(nn.Module):
    """G(z, previous bars, chords): the probability of each pitch at each step.

    Args:
        variant: which network.
        previous_dropout: share of the conditioner's features that are dropped in training.
        previous_noise: deviation of the normal noise on the previous bars in training.
    """

    noise: int = NOISE

    def __init__(self, variant: Variant, *, previous_dropout: float = 0.0, previous_noise: float = 0.0) -> None:
        super().__init__()
        slope, placement = PLANS[variant.chord_route].slope, PLACEMENTS[variant.spectral_norm]
        self.conditioner = Conditioner(variant, dropout=previous_dropout, noise=previous_noise)
        self.chord = None if self.conditioner.chord else ChordCoder(variant.chord, placement)
        width = variant.num_chords * self.chord.width if self.chord else 0
        dense = (NOISE, *HIDDEN[variant.g_dense], _FIRST_ROWS * variant.bars * _WIDTH)
        self.dense = nn.ModuleList(
            Block(inputs, outputs, chord=width, slope=slope, spectral=placement.g_bound("dense"))
            for inputs, outputs in pairwise(dense)
        )
        *upper, last = reversed(self.conditioner.widths)
        self.up = nn.ModuleList(
            # PyTorch takes a transposed convolution's outputs times its kernel for its fan-in.
            Block(
                _WIDTH + below,
                _WIDTH,
                upsample=2,
                chord=width,
                slope=slope,
                spectral=placement.g_bound("up"),
                fan_in=2 * _WIDTH,
            )
            for below in upper
        )
        self.output = RowLinear(
            _WIDTH + last,
            PITCHES,
            chord=width,
            positions=PITCHES,
            fan_in=PITCHES,
            spectral=placement.g_output,
        )

    def forward(
        self,
        noise: Float[Tensor, "batch noise"],
        previous: Float[Tensor, "batch time pitch"],
        chord: Int[Tensor, "batch chords"],
    ) -> Float[Tensor, "batch time pitch"]:
        """Noise (B, Z), the bars before (B, T, P) and chord classes (B, K) to probabilities (B, T, P) of the bars."""
        *upper, last = reversed(self.conditioner(previous, chord))
        vector = None if self.chord is None else self.chord(chord)
        rows = noise
        for block in self.dense:
            rows = block(rows, vector)
        rows = rows.view(len(rows), -1, _WIDTH)
        for block, features in zip(self.up, upper, strict=True):
            rows = block(joined(rows, features), vector)
        return torch.sigmoid(self.output(joined(rows, last), vector))


def joined(rows: Features | None, others: Features | None) -> Features | None:
    """Both features of each row, where there are both."""
    if rows is None or others is None:
        return others if rows is None else rows
    return torch.cat([rows, others], dim=-1)
