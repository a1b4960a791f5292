"""MidiNet's convolutions as matrix products on rows of features.

Every kernel of MidiNet spans all pitches or none, so a bar is a sequence of rows (B, T, C) and each layer a product
with one matrix; and a chord, which MidiNet repeats over time and pitch as constant planes, adds the same vector
to every row of a bar: one small product instead of a convolution over planes. The functions are the same
(tests/trainables hold a convolutional reference), the cost several times lower.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from trainables.networks.chords import ChordCoder
from trainables.networks.placements import Bound
from trainables.networks.spectral import SpectralScale


class RowLinear(nn.Module):
    """y = s (W x + V c) + b on rows x of a bar with chord vector c; s = 1 without spectral normalisation.

    `copies` is the number K of equal weights that V stands for in the convolutional form, where the chord's planes
    meet every position of the kernel. All K get the same gradient, so under Adam their sum V moves K times as
    fast as one of them: `chord_weight` must be given K times the learning rate, and is initialised as such a sum.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        chord: int = 0,
        copies: int = 1,
        positions: int = 1,
        fan_in: int | None = None,
        spectral: Bound | None = None,
    ) -> None:
        """Make the layer.

        Args:
            inputs: features of a row.
            outputs: features of a row of the result.
            chord: length of the chord vector, 0 where no chord enters.
            copies: K, see above.
            positions: outputs that share one bias (taps of a transposed convolution, pitches of the last).
            fan_in: what PyTorch's default initialisation of the convolutional form would use.
            spectral: the norm in which [W, V / sqrt(K)], the matrix of the convolutional form, is normalised.
        """
        super().__init__()
        bound = 1 / math.sqrt(fan_in or inputs + chord * copies)
        self.copies = copies
        self.positions = positions
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs // positions).uniform_(-bound, bound))
        self.chord_weight: nn.Parameter | None = None
        if chord:
            spread = bound * math.sqrt(copies)
            self.chord_weight = nn.Parameter(torch.empty(outputs, chord).uniform_(-spread, spread))
        self.spectral = SpectralScale(self.matrix(), spectral) if spectral else None
        self._keeps = False
        self._kept: tuple[Tensor, Tensor | None] | None = None

    def matrix(self) -> Float[Tensor, "outputs inputs"]:
        """[W, V / sqrt(K)], whose norms are those of the convolutional form."""
        if self.chord_weight is None:
            return self.weight
        chord_weight = self.chord_weight if self.copies == 1 else self.chord_weight / math.sqrt(self.copies)
        return torch.cat([self.weight, chord_weight], dim=1)

    def learning_rate_factors(self, chord_gain: float = math.inf) -> dict[nn.Parameter, float]:
        """Parameters that stand for many under Adam, which moves each by about the learning rate whatever it means.

        The chord's weights are each the sum of `copies`, and move so many times as fast, or `chord_gain` times where
        that is less. A learned gain is the norm of the whole matrix, which, were it free, could grow by the learning
        rate times the root of its size.
        """
        factors: dict[nn.Parameter, float] = {}
        if self.chord_weight is not None and self.copies > 1:
            factors[self.chord_weight] = float(min(self.copies, chord_gain))
        if self.spectral is not None and self.spectral.gain is not None:
            factors[self.spectral.gain] = math.sqrt(self.matrix().numel())
        return factors

    def forward(
        self, rows: Float[Tensor, "batch *time inputs"], chord: Float[Tensor, "batch vector"] | None = None
    ) -> Float[Tensor, "batch *time outputs"]:
        """Rows (B, C) or (B, T, C) and chord vectors (B, chord) to (B, C') or (B, T, C')."""
        weight, chord_weight = self._scaled()
        bias = self.bias.expand(self.positions, -1).flatten() if self.positions > 1 else self.bias
        if chord_weight is None or chord is None:
            return F.linear(rows, weight, bias)
        per_bar = F.linear(chord, chord_weight, bias)
        if rows.dim() == 2:
            return torch.addmm(per_bar, rows, weight.T)
        return F.linear(rows, weight).add_(per_bar.unsqueeze(1))

    def keep_scaled(self, keep: bool) -> None:
        """Scale the weights once for all calls from now on, or again in every call."""
        self._keeps, self._kept = keep, None

    def _scaled(self) -> tuple[Tensor, Tensor | None]:
        if self.spectral is None:
            return self.weight, self.chord_weight
        if self._kept is not None:
            return self._kept
        scale = self.spectral(self.matrix())
        weights = self.weight * scale, None if self.chord_weight is None else self.chord_weight * scale
        if self._keeps:
            self._kept = weights
        return weights


class Block(nn.Module):
    """A layer, its batch normalisation (or none) and its activation, on rows (B, T, C) or vectors (B, C).

    `kernel` and `stride` make it a convolution over time, `upsample` a transposed one of kernel = stride.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        upsample: int = 1,
        chord: int = 0,
        copies: int = 1,
        fan_in: int | None = None,
        norm: bool = True,
        spectral: Bound | None = None,
        slope: float = 0.2,
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.upsample, self.slope = kernel, stride, upsample, slope
        self.linear = RowLinear(
            kernel * inputs,
            upsample * outputs,
            chord=chord,
            copies=copies,
            positions=upsample,
            fan_in=fan_in,
            spectral=spectral,
        )
        self.norm = nn.BatchNorm1d(outputs) if norm else None

    def forward(
        self, rows: Float[Tensor, "batch *time inputs"], chord: Float[Tensor, "batch vector"] | None = None
    ) -> Float[Tensor, "batch *time_after outputs"]:
        """Rows (B, T, C) to (B, T', C'), vectors (B, C) to (B, C')."""
        if self.kernel > 1:
            rows = windows(rows, self.kernel, self.stride)
        result: Tensor = self.linear(rows, chord)
        if self.upsample > 1:
            batch, time, features = result.shape
            result = result.view(batch, time * self.upsample, features // self.upsample)
        if self.norm is not None:
            return self._activated(self.norm(result.flatten(0, -2))).view(result.shape)
        return self._activated(result)

    def _activated(self, result: Tensor) -> Tensor:
        # In place, as neither a product nor a normalisation needs its result once more; never on a view, which costs.
        return F.leaky_relu(result, self.slope, inplace=True) if self.slope else F.relu(result, inplace=True)


def windows(
    rows: Float[Tensor, "batch time features"], kernel: int, stride: int
) -> Float[Tensor, "batch positions kernel_features"]:
    """(B, T, C) to (B, T', kernel * C): the rows that each position of a convolution over time sees."""
    if kernel == stride:
        batch, time, features = rows.shape
        return rows.reshape(batch, time // kernel, kernel * features)
    # Copied: of this overlapping view torch makes one small product for each bar, which takes several times as long.
    return rows.unfold(1, kernel, stride).transpose(-1, -2).flatten(2).contiguous()


def iterate_spectral_norms(player: nn.Module) -> None:
    """One power iteration in every normalised layer of `player`; once per update of that player."""
    for scale, matrix in normalised(player):
        scale.iterate(matrix)


@contextmanager
def unchanging(player: nn.Module) -> Iterator[None]:
    """Scale every normalised weight once, however often `player` is called: it must not be updated between calls."""
    layers = [layer for layer in player.modules() if isinstance(layer, RowLinear) and layer.spectral is not None]
    for layer in layers:
        layer.keep_scaled(True)
    try:
        yield
    finally:
        for layer in layers:
            layer.keep_scaled(False)


def normalised(player: nn.Module) -> Iterator[tuple[SpectralScale, Float[Tensor, "rows columns"]]]:
    """Every spectral normalisation of `player`, with the matrix that it acts on as it now is."""
    for layer in player.modules():
        if isinstance(layer, RowLinear | ChordCoder) and layer.spectral is not None:
            yield layer.spectral, layer.matrix()


@contextmanager
def batch_statistics(player: nn.Module) -> Iterator[None]:
    """Batch normalisation by what it is shown, as in training, but without learning from it."""
    norms = [
        (module, module.track_running_stats, module.training)
        for module in player.modules()
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
    ]
    for norm, _, _ in norms:
        norm.track_running_stats = False
        norm.train()  # and nothing else: dropout and noise are as they were
    try:
        yield
    finally:
        for norm, tracked, training in norms:
            norm.track_running_stats = tracked
            norm.train(training)


def cancelled_spectral_norms(player: nn.Module) -> list[str]:
    """Names of blocks whose spectral normalisation has no effect, because batch normalisation undoes any scale."""
    return [name for name, block in _blocks(player) if block.norm is not None and block.linear.spectral]


def _blocks(player: nn.Module) -> Iterator[tuple[str, Block]]:
    return ((name, module) for name, module in player.named_modules() if isinstance(module, Block))
