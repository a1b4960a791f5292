"""Our weights in the places of the convolutional reference.

The maps are differentiable, so gradients of the reference come back to our own parameters: each of K equal weights of
a chord's planes is our one weight over K.
"""

import torch
from torch import Tensor, nn

from tests.trainables.reference import refresh, singular_vectors
from trainables.networks.chords import ChordCoder
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import Generator
from trainables.networks.layers import Block, RowLinear, normalised
from trainables.networks.spectral import SpectralScale

Parts = dict[str, dict[str, Tensor]]


def as_convolutions(player: nn.Module, reference: nn.Module) -> dict[str, Tensor]:
    """Parameters of `reference`, by its names, that make it the function that `player` is."""
    assert isinstance(player, Generator | Discriminator)
    parts = generator_parts(player) if isinstance(player, Generator) else discriminator_parts(player)
    weights = {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
    names = {name: plain(name) for name, _ in reference.named_parameters()}
    assert sorted(names.values()) == sorted(weights)
    return {name: weights[ours] for name, ours in names.items()}


def load(reference: nn.Module, player: nn.Module) -> None:
    """Copy the weights of `player` into `reference`; both then have their true singular vectors."""
    with torch.no_grad():
        weights = as_convolutions(player, reference)
        for name, parameter in reference.named_parameters():
            assert weights[name].shape == parameter.shape, name
            parameter.copy_(weights[name])
    settle(player)
    refresh(reference)


def settle(player: nn.Module) -> None:
    """Give every spectral normalisation the singular vectors that its power iteration would arrive at."""
    for scale, matrix in normalised(player):
        settle_scale(scale, matrix)


@torch.no_grad()
def settle_scale(scale: SpectralScale, matrix: Tensor) -> None:
    """The same for one; in the place of `SpectralScale.iterate` it makes a step comparable with the reference's."""
    u, v = singular_vectors(matrix.reshape(1, -1) if scale.one_row else matrix)
    scale.u.copy_(u)
    scale.v.copy_(v)


def plain(name: str) -> str:
    return name.replace(".parametrizations.weight.original", ".weight").replace(".parametrizations.weight.0", "")


def conv(layer: RowLinear, kernel: int, channels: int, pitches: int = 1) -> dict[str, Tensor]:
    outputs = len(layer.weight)
    weight = layer.weight.view(outputs, kernel, channels, pitches).transpose(1, 2)
    if layer.chord_weight is not None:
        copies = layer.chord_weight / (kernel * pitches)
        weight = torch.cat([weight, copies[:, :, None, None].expand(-1, -1, kernel, pitches)], 1)
    return {"weight": weight, "bias": layer.bias}


def transposed(layer: RowLinear, time: int, pitches: int, channels: int = 128) -> dict[str, Tensor]:
    """From features, chord, conditioner in this order; ours are features, conditioner and, apart, chord."""
    features, condition = layer.weight.split([channels, layer.weight.shape[1] - channels], 1)
    chord = layer.weight[:, :0] if layer.chord_weight is None else layer.chord_weight
    rows = torch.cat([features, chord, condition], 1)  # (taps of the kernel * outputs, inputs)
    taps = rows.view(time, -1, pitches, rows.shape[1])
    return {"weight": taps.permute(3, 1, 0, 2), "bias": layer.bias} | gain(layer)


def linear(layer: RowLinear, rows_in: int = 1, rows_out: int = 1) -> dict[str, Tensor]:
    """`rows_in`, `rows_out`: time steps of what is flattened before or after, channels first in the reference."""
    weight = channels_first(layer.weight.T, rows_in).T
    if layer.chord_weight is not None:
        weight = torch.cat([weight, layer.chord_weight], 1)
    return {"weight": channels_first(weight, rows_out), "bias": channels_first(layer.bias, rows_out)}


def gain(layer: RowLinear) -> dict[str, Tensor]:
    return {} if layer.spectral is None or layer.spectral.gain is None else {"gain": layer.spectral.gain}


def channels_first(time_first: Tensor, time: int) -> Tensor:
    return time_first.unflatten(0, (time, -1)).transpose(0, 1).flatten(0, 1)


def norm(name: str, block: Block, rows: int = 1) -> Parts:
    if block.norm is None:
        return {}
    weight, bias = channels_first(block.norm.weight, rows), channels_first(block.norm.bias, rows)
    return {name: {"weight": weight, "bias": bias}}


def generator_parts(g: Generator) -> Parts:
    conditioner, parts = g.conditioner, {}
    if conditioner.first is not None:
        parts |= {"bar": conv(conditioner.first.linear, 1, 1, 128)} | norm("bar_norm", conditioner.first)
    for index, block in enumerate(conditioner.others):
        layer = block.linear
        parts |= {f"c.{index}": conv(layer, 2, layer.weight.shape[1] // 2)} | norm(f"c_norm.{index}", block)
    for index, block in enumerate(g.dense):
        rows = block.linear.weight.shape[0] // 128 if index == len(g.dense) - 1 else 1
        parts |= {f"f.{index}": linear(block.linear, rows_out=rows)} | norm(f"f_norm.{index}", block, rows)
    for index, block in enumerate(g.up):
        parts |= {f"t.{index}": transposed(block.linear, 2, 1)} | norm(f"t_norm.{index}", block)
    parts["last"] = transposed(g.output, 1, 128)
    return parts | chords(g.chord or conditioner.chord, conditioner.chord_map)


def discriminator_parts(d: Discriminator) -> Parts:
    parts: Parts = {}
    channels, pitches = 1 + d.sees_previous, 128
    for index, block in enumerate(d.convolutions):
        layer = block.linear
        parts |= {f"d.{index}": conv(layer, block.kernel, channels, pitches)} | norm(f"d_norm.{index}", block)
        channels, pitches = len(layer.weight), 1
    for index, block in enumerate([d.dense, *d.head]):
        rows = block.linear.weight.shape[1] // channels if index == 0 else 1
        parts |= {f"f.{index}": linear(block.linear, rows_in=rows)} | norm(f"f_norm.{index}", block)
    parts["last"] = linear(d.output)
    return parts | chords(d.chord)


def chords(coder: ChordCoder, channels: int = 0) -> Parts:
    """With `channels`, a chord is laid out as an image, ours time first, the reference's channels first."""

    def image(table: Tensor) -> Tensor:
        return table.unflatten(-1, (-1, channels)).transpose(-1, -2).flatten(-2) if channels else table

    if coder.embedding is not None:
        return {"chords.embedding": {"weight": image(coder.embedding.weight)}}
    return {} if coder.project is None else {"chords.project": {"weight": image(coder.project.weight.T).T}}
