"""MidiNet as it is drawn: convolutions, with chords as constant planes; a second reading of every option.

Knows nothing of `trainables.networks`. Images are (B, channels, time, pitch). Layers are named as in the papers: `c`
the conditioner with `bar` before it, `f` dense, `t` transposed, `d` the discriminator's convolutions, `last`.
"""

import math
from itertools import pairwise
from typing import Any

import torch
from scipy.linalg import eigh
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from data_prep.chords import CODE
from trainables.variants import Variant

# Normalised layers of D, whether they keep their batch norm, normalised layers of G, and how its last one is bounded.
NORMALISED: dict[str, tuple[str, bool, str, str | None]] = {
    "none": ("", True, "", None),
    "d_conv": ("d", True, "", None),
    "d_fc": ("f last", False, "", None),
    "d_all": ("d f last", False, "", None),
    "d_all_bn": ("d f last", True, "", None),
    "g_hidden": ("", True, "f t", None),
    "g_all_paper": ("", True, "f t", "frobenius"),
    "g_all": ("", True, "f t", "gain"),
    "cond": ("", True, "c", None),
    "gd": ("d f last", False, "f t", "gain"),
    "gd_paper": ("d", True, "c t", "frobenius"),
    "emb": ("d f last", False, "f t", "gain"),
}
# Per convolution: kernel and stride in time, channels out, whether the chords' planes come in, whether a norm follows.
# Then the dense width, and whether the chords come in there.
DISCRIMINATORS: dict[str, tuple[list[tuple[int, int, int, bool, bool]], int, bool]] = {
    "two": ([(2, 2, 14, True, False), (4, 2, 77, True, True)], 1024, True),
    "four": (
        [(4, 1, 14, True, False), (4, 1, 24, False, True), (4, 1, 51, True, True), (4, 1, 77, False, True)],
        1024,
        False,
    ),
    "wide": (
        [(4, 1, 101, True, True), (4, 1, 120, False, True), (4, 1, 250, True, True), (4, 1, 270, False, True)],
        100,
        False,
    ),
    "late": ([(4, 1, width, False, True) for width in (32, 64, 128, 256)], 1000, False),
}


def reference(variant: Variant) -> tuple["ConvGenerator", "ConvDiscriminator"]:
    """Both players of a variant."""
    return ConvGenerator(variant), ConvDiscriminator(variant)


def refresh(player: nn.Module) -> None:
    """Take the true singular vectors of every normalised weight; between calls they are constants."""
    for module in player.modules():
        if isinstance(module, Bounded):
            module.refresh()


def parameter_groups(player: nn.Module, learning_rate: float) -> list[dict[str, Any]]:
    """For Adam: all parameters at one rate, but a learned gain at that with which a free norm can grow."""
    gains = {m.gain: m.size for m in player.modules() if isinstance(m, Bounded) and m.gain is not None}
    others = [p for p in player.parameters() if p not in gains]
    rates = [{"params": [gain], "lr": learning_rate * math.sqrt(size)} for gain, size in gains.items()]
    return [{"params": others, "lr": learning_rate}, *rates]


class Bounded(nn.Module):
    """A weight over the norm of its kernel as a matrix: one row for `frobenius`, one for each first index else.

    Must be refreshed before it is used.
    """

    def __init__(self, weight: Tensor, bound: str) -> None:
        super().__init__()
        self.bound, self.size = bound, weight.numel()
        self.gain = nn.Parameter(torch.ones(())) if bound == "gain" else None
        rows, columns = self.matrix(weight).shape
        self.register_buffer("u", torch.zeros(rows))
        self.register_buffer("v", torch.zeros(columns))
        self.weight: list[Tensor] = []  # in a list: it belongs to the layer

    def matrix(self, weight: Tensor) -> Tensor:
        return weight.reshape(1, -1) if self.bound == "frobenius" else weight.flatten(1)

    @torch.no_grad()
    def refresh(self) -> None:
        self.u, self.v = singular_vectors(self.matrix(self.weight[0]))

    def forward(self, weight: Tensor) -> Tensor:
        sigma = self.u @ self.matrix(weight) @ self.v
        return weight / sigma * (1 if self.gain is None else self.gain)


@torch.no_grad()
def singular_vectors(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Those of the largest singular value, out of the smaller of the two squares."""
    wide = matrix.shape[0] <= matrix.shape[1]
    square = matrix @ matrix.T if wide else matrix.T @ matrix
    last = [len(square) - 1] * 2
    _, vectors = eigh(square.double().numpy(), subset_by_index=last)
    vector = torch.from_numpy(vectors[:, 0].copy()).to(matrix)
    other = F.normalize(matrix.T @ vector if wide else matrix @ vector, dim=0)
    return (vector, other) if wide else (other, vector)


def bounded(layer: nn.Module, bound: str | None) -> nn.Module:
    if bound:
        parametrize.register_parametrization(layer, "weight", Bounded(layer.weight, bound), unsafe=True)
        layer.parametrizations.weight[0].weight.append(layer.parametrizations.weight.original)
    return layer


def planes(vector: Tensor, like: Tensor) -> Tensor:
    return vector[:, :, None, None].expand(-1, -1, *like.shape[2:])


class Chords(nn.Module):
    """(B, K) classes to (B, K, width)."""

    def __init__(self, variant: Variant, width: int | None = None) -> None:
        super().__init__()
        code = variant.chord == "code"
        self.register_buffer("code", torch.from_numpy(CODE.copy()))
        self.embedding = None if code else nn.Embedding(25, width or 100)
        self.project = nn.Linear(13, width, bias=False) if code and width else None
        self.width = width or (13 if code else 100)
        if self.embedding and variant.spectral_norm == "emb":
            bounded(self.embedding, "operator")

    def forward(self, chord: Tensor) -> Tensor:
        if self.embedding:
            return self.embedding(chord)
        return self.project(self.code[chord]) if self.project else self.code[chord]


class ConvGenerator(nn.Module):
    """§4.3: planes of the chords and features of the bar before join every layer; §5.6: the chords join these."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        _, _, layers, last = NORMALISED[variant.spectral_norm]
        bound = dict.fromkeys(layers.split(), "operator")
        mapped = variant.chord_route == "conditioner"
        self.slope = 0.2 if mapped else 0.0
        self.chords = Chords(variant, 256 // variant.chords_per_bar if mapped else None)
        y = 0 if mapped else self.chords.width * variant.bars * variant.chords_per_bar

        def norm(features: int) -> nn.Module:
            return nn.BatchNorm2d(features) if variant.conditioner_norm == "batch" else nn.Identity()

        n = 0 if variant.previous_route == "none" else variant.previous_features
        self.bar = bounded(nn.Conv2d(1, n, (1, 128)), bound.get("c")) if n else None
        self.bar_norm = norm(n) if n else None
        seen = n if variant.previous_route == "everywhere" else 0
        widths = [16 + seen, 48, 64, 128] if mapped else [seen, 16, 16, 16] if seen else []
        self.c = nn.ModuleList(bounded(nn.Conv2d(*ends, (2, 1), (2, 1)), bound.get("c")) for ends in pairwise(widths))
        self.c_norm = nn.ModuleList(norm(width) for width in widths[1:])
        dense = [100, *([1024] if variant.g_dense == "two" else []), 256 * variant.bars]
        self.f = nn.ModuleList(bounded(nn.Linear(a + y, b), bound.get("f")) for a, b in pairwise(dense))
        self.f_norm = nn.ModuleList(nn.BatchNorm1d(width) for width in dense[1:])
        conditions = widths[:0:-1] or [0, 0, 0]
        self.t = nn.ModuleList(
            bounded(nn.ConvTranspose2d(128 + y + width, 128, (2, 1), (2, 1)), bound.get("t")) for width in conditions
        )
        self.t_norm = nn.ModuleList(nn.BatchNorm2d(128) for _ in range(3))
        self.last = bounded(nn.ConvTranspose2d(128 + y + n + 16 * mapped, 1, (1, 128)), last)

    def forward(self, z: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        v, chords = self.variant, self.chords(chord)
        mapped, y = chords[:, :0], chords.flatten(1)
        if v.chord_route == "conditioner":
            steps = 16 // v.chords_per_bar
            image = chords.view(len(z), -1, 16, steps)  # (B, K, channels, steps of one chord)
            mapped, y = image.transpose(1, 2).reshape(len(z), 16, -1, 1), y[:, :0]
        else:
            mapped = previous.new_zeros(len(z), 0, previous.shape[1], 1)
        found = mapped[:, :0]
        if self.bar is not None:
            found = F.leaky_relu(self.bar_norm(self.bar(previous.unsqueeze(1))), 0.2)
        x = torch.cat([found, mapped], 1) if v.previous_route == "everywhere" else mapped
        condition = [torch.cat([found, mapped], 1)]
        for layer, norm in zip(self.c, self.c_norm, strict=True):
            x = F.leaky_relu(norm(layer(x)), 0.2)
            condition.append(x)
        h = z
        for layer, norm in zip(self.f, self.f_norm, strict=True):
            h = F.leaky_relu(norm(layer(torch.cat([h, y], 1))), self.slope)
        h = h.view(len(z), 128, -1, 1)
        for layer, norm in zip(self.t, self.t_norm, strict=True):
            parts = [h, planes(y, h)] + ([condition.pop()] if self.c else [])
            h = F.leaky_relu(norm(layer(torch.cat(parts, 1))), self.slope)
        return torch.sigmoid(self.last(torch.cat([h, planes(y, h), condition.pop()], 1))).squeeze(1)


class ConvDiscriminator(nn.Module):
    """§4.3, with the bar before as a second channel (§5.4) and a multi-layer head (§5.5)."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant = variant
        normalised, keeps_norm, _, _ = NORMALISED[variant.spectral_norm]
        bound = dict.fromkeys(normalised.split(), "operator")
        self.chords = Chords(variant)
        y = self.chords.width * variant.bars * variant.chords_per_bar
        plan, dense, self.dense_chord = DISCRIMINATORS[variant.discriminator]

        def norm(layer: str, made: nn.Module, wanted: bool = True) -> nn.Module:
            kept = variant.d_norm == "batch" and (keeps_norm or layer not in bound)
            return made if kept and wanted else nn.Identity()

        self.d, self.d_norm, self.d_chord = nn.ModuleList(), nn.ModuleList(), []
        time, channels = 16 * variant.bars, 1 + variant.d_sees_previous
        for index, (kernel, stride, width, chord, normed) in enumerate(plan):
            width += index == 0 and chord and variant.d_sees_previous
            size = (kernel, 128 if index == 0 else 1)
            self.d.append(bounded(nn.Conv2d(channels + chord * y, width, size, (stride, 1)), bound.get("d")))
            self.d_norm.append(norm("d", nn.BatchNorm2d(width), normed))
            self.d_chord.append(chord)
            time, channels = (time - kernel) // stride + 1, width
        head = [756, 512, 256, 128] if variant.d_head == "mlp" else []
        self.f = nn.ModuleList([nn.Linear(time * channels + self.dense_chord * y, dense)])
        for index, (below, width) in enumerate(pairwise([dense, *head])):
            self.f.append(nn.Linear(below + (y if index == 0 else 0), width))
        self.f_norm = nn.ModuleList(norm("f", nn.BatchNorm1d(layer.out_features)) for layer in self.f)
        for layer in self.f:
            bounded(layer, bound.get("f"))
        self.last = bounded(nn.Linear(128 if head else dense + y, 1), bound.get("last"))

    def forward(self, bar: Tensor, previous: Tensor, chord: Tensor) -> tuple[Tensor, Tensor]:
        y = self.chords(chord).flatten(1)
        h = torch.stack([bar, previous] if self.variant.d_sees_previous else [bar], 1)
        found = []
        for layer, norm, wanted in zip(self.d, self.d_norm, self.d_chord, strict=True):
            h = torch.cat([h, planes(y, h)], 1) if wanted else h
            h = F.leaky_relu(norm(layer(h)), 0.2)
            found.append(h)
        h = h.flatten(1)
        h = torch.cat([h, y], 1) if self.dense_chord else h
        h = torch.cat([F.leaky_relu(self.f_norm[0](self.f[0](h)), 0.2), y], 1)
        for layer, norm in zip(self.f[1:], self.f_norm[1:], strict=True):
            h = F.relu(norm(layer(h)))
        return self.last(h).squeeze(1), found[0]
