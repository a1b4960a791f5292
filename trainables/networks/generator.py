"""The generator: noise, a chord and the previous bar to the next bar (MidiNet, arXiv 1703.10847; §4.3, §5.6)."""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from trainables.networks.chords import ChordCoder
from trainables.networks.layers import Block, RowLinear
from trainables.variants import ChordRoute, Variant

NOISE: Final = 100
PITCHES: Final = 128
STEPS: Final = 16
_WIDTH: Final = 128
_CHORD_MAP: Final = 16  # features per step of a chord laid out over the bar (§5.6)


@dataclass(frozen=True, slots=True)
class Plan:
    """Widths of a generator: the conditioner's four layers, the dense layers after the noise, the activation."""

    conditioner: tuple[int, int, int, int]
    dense: tuple[int, ...]
    slope: float


PLANS: Final[dict[ChordRoute, Plan]] = {
    "everywhere": Plan(conditioner=(16, 16, 16, 16), dense=(1024, 2 * _WIDTH), slope=0.0),
    "conditioner": Plan(conditioner=(16, 48, 64, 128), dense=(2 * _WIDTH,), slope=0.2),
}


class Conditioner(nn.Module):
    """The previous bar, and on the `conditioner` route the chord, as features for each of the generator's layers."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        first, *others = PLANS[variant.chord_route].conditioner
        self.first = Block(PITCHES, first)
        self.chord: ChordCoder | None = None
        if variant.chord_route == "conditioner":
            self.chord = ChordCoder(variant.chord, STEPS * _CHORD_MAP)
            first += _CHORD_MAP
        self.widths = (first, *others)
        pairs = zip(self.widths, others, strict=False)
        self.others = nn.ModuleList(Block(below, width, kernel=2, stride=2) for below, width in pairs)

    def forward(self, previous: Tensor, chord: Tensor) -> list[Tensor]:
        """Features (B, 16, C0), (B, 8, C1), (B, 4, C2), (B, 2, C3) of the bar (B, 16, P) before."""
        rows = self.first(previous)
        if self.chord is not None:
            laid_out = self.chord(chord).view(-1, STEPS, _CHORD_MAP)
            rows = torch.cat([rows, laid_out], dim=-1)
        features = [rows]
        for block in self.others:
            features.append(block(features[-1]))
        return features


class Generator(nn.Module):
    """G(z, previous bar, chord): the probability of each pitch at each step."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        plan = PLANS[variant.chord_route]
        spectral = variant.generator_normalised
        self.conditioner = Conditioner(variant)
        self.chord = ChordCoder(variant.chord) if variant.chord_route == "everywhere" else None
        width = self.chord.width if self.chord else 0
        self.dense = nn.ModuleList(
            Block(inputs, outputs, chord=width, slope=plan.slope, spectral=spectral)
            for inputs, outputs in zip((NOISE, *plan.dense), plan.dense, strict=False)
        )
        *upper, last = reversed(self.conditioner.widths)
        self.up = nn.ModuleList(
            # PyTorch takes a transposed convolution's outputs times its kernel for its fan-in.
            Block(
                _WIDTH + below,
                _WIDTH,
                upsample=2,
                chord=width,
                slope=plan.slope,
                spectral=spectral,
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
            spectral=spectral,
            learned_gain=spectral,  # at norm 1 the layer is too weak to turn any pitch on
        )

    def forward(self, noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        """Noise (B, Z), the bar before (B, 16, P) and chord classes (B,) to probabilities (B, 16, P)."""
        *last, top = self.conditioner(previous, chord)
        vector = None if self.chord is None else self.chord(chord)
        rows = noise
        for block in self.dense:
            rows = block(rows, vector)
        rows = rows.view(-1, 2, _WIDTH)
        below = [top, *reversed(last)]
        for block, features in zip(self.up, below, strict=False):
            rows = block(torch.cat([rows, features], dim=-1), vector)
        return torch.sigmoid(self.output(torch.cat([rows, below[-1]], dim=-1), vector))
