"""The networks on rows against MidiNet as it is drawn: convolutions, with chords as constant planes."""

from dataclasses import astuple
from itertools import pairwise, product
from typing import get_args

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from data_prep.chords import CODE, NO_CHORD, NUM_CHORDS
from data_prep.corpus import Corpus
from trainables.batches import TrainingBars, one_hot
from trainables.config import TrainConfig
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import NOISE, Generator
from trainables.networks.layers import Block, RowLinear
from trainables.step import Means, Players, train_step
from trainables.variants import VARIANTS, ChordCoding, ChordRoute, SpectralNorm, Variant

TOLERANCE = {"rtol": 1e-9, "atol": 1e-9}
BASELINE = Variant()
PREVIOUS = Variant(d_sees_previous=True)
# Without the spectral normalisation of the combined system, which has tests of its own (test_spectral.py).
COMBINED = Variant(chord="embedding", d_sees_previous=True, chord_route="conditioner")
EVERY_VARIANT = [
    Variant(chord=chord, spectral_norm=norm, d_sees_previous=previous, chord_route=route)
    for chord, norm, previous, route in product(
        get_args(ChordCoding), get_args(SpectralNorm), (False, True), get_args(ChordRoute)
    )
]


def planes(vector: Tensor, like: Tensor) -> Tensor:
    return vector[:, :, None, None].expand(-1, -1, *like.shape[2:])


class ConvGenerator(nn.Module):
    """§4.3: the 13 chord planes and the conditioner's features join every layer."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.ModuleList([nn.Conv2d(1, 16, (1, 128)), *(nn.Conv2d(16, 16, (2, 1), (2, 1)) for _ in range(3))])
        self.c_norm = nn.ModuleList(nn.BatchNorm2d(16) for _ in range(4))
        self.f = nn.ModuleList([nn.Linear(113, 1024), nn.Linear(1037, 256)])
        self.f_norm = nn.ModuleList([nn.BatchNorm1d(1024), nn.BatchNorm1d(256)])
        self.t = nn.ModuleList(nn.ConvTranspose2d(157, 128, (2, 1), (2, 1)) for _ in range(3))
        self.t_norm = nn.ModuleList(nn.BatchNorm2d(128) for _ in range(3))
        self.last = nn.ConvTranspose2d(157, 1, (1, 128))

    def forward(self, z: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        y = torch.from_numpy(CODE).to(z)[chord]
        condition, x = [], previous.unsqueeze(1)
        for layer, norm in zip(self.c, self.c_norm, strict=True):
            x = F.leaky_relu(norm(layer(x)), 0.2)
            condition.append(x)
        h = z
        for layer, norm in zip(self.f, self.f_norm, strict=True):
            h = F.relu(norm(layer(torch.cat([h, y], 1))))
        h = h.view(-1, 128, 2, 1)
        for layer, norm in zip(self.t, self.t_norm, strict=True):
            h = F.relu(norm(layer(torch.cat([h, planes(y, h), condition.pop()], 1))))
        return torch.sigmoid(self.last(torch.cat([h, planes(y, h), condition.pop()], 1))).squeeze(1)


class ConvDiscriminator(nn.Module):
    """§4.3; with the previous bar as a second channel (§5.4), where the first layer is as wide as its input."""

    def __init__(self, previous: bool) -> None:
        super().__init__()
        self.previous = previous
        wide = 15 if previous else 14
        self.d1 = nn.Conv2d(wide, wide, (2, 128), (2, 1))
        self.d2 = nn.Conv2d(wide + 13, 77, (4, 1), (2, 1))
        self.d2_norm = nn.BatchNorm2d(77)
        self.d3 = nn.Linear(231 + 13, 1024)
        self.d3_norm = nn.BatchNorm1d(1024)
        self.d4 = nn.Linear(1024 + 13, 1)

    def forward(self, bar: Tensor, previous: Tensor, chord: Tensor) -> tuple[Tensor, Tensor]:
        y = torch.from_numpy(CODE).to(bar)[chord]
        x = torch.stack([bar, previous] if self.previous else [bar], 1)
        features = F.leaky_relu(self.d1(torch.cat([x, planes(y, x)], 1)), 0.2)
        h = F.leaky_relu(self.d2_norm(self.d2(torch.cat([features, planes(y, features)], 1))), 0.2)
        h = F.leaky_relu(self.d3_norm(self.d3(torch.cat([h.flatten(1), y], 1))), 0.2)
        return self.d4(torch.cat([h, y], 1)).squeeze(1), features


class ConvCombinedGenerator(nn.Module):
    """§5.6: chords enter through the conditioner alone, as an embedding laid out over the bar."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(25, 256)
        widths = [32, 48, 64, 128]
        self.c = nn.ModuleList(
            [nn.Conv2d(1, 16, (1, 128)), *(nn.Conv2d(*pair, (2, 1), (2, 1)) for pair in pairwise(widths))]
        )
        self.c_norm = nn.ModuleList(nn.BatchNorm2d(width) for width in (16, 48, 64, 128))
        self.f = nn.ModuleList([nn.Linear(100, 256)])
        self.f_norm = nn.ModuleList([nn.BatchNorm1d(256)])
        self.t = nn.ModuleList(nn.ConvTranspose2d(width, 128, (2, 1), (2, 1)) for width in (256, 192, 176))
        self.t_norm = nn.ModuleList(nn.BatchNorm2d(128) for _ in range(3))
        self.last = nn.ConvTranspose2d(160, 1, (1, 128))

    def forward(self, z: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        x = F.leaky_relu(self.c_norm[0](self.c[0](previous.unsqueeze(1))), 0.2)
        condition = [torch.cat([x, self.embedding(chord).view(-1, 16, 16, 1)], 1)]
        for layer, norm in zip(self.c[1:], self.c_norm[1:], strict=True):
            condition.append(F.leaky_relu(norm(layer(condition[-1])), 0.2))
        h = F.leaky_relu(self.f_norm[0](self.f[0](z)), 0.2).view(-1, 128, 2, 1)
        for layer, norm in zip(self.t, self.t_norm, strict=True):
            h = F.leaky_relu(norm(layer(torch.cat([h, condition.pop()], 1))), 0.2)
        return torch.sigmoid(self.last(torch.cat([h, condition.pop()], 1))).squeeze(1)


class ConvCombinedDiscriminator(nn.Module):
    """§5.6: four convolutions over the bars alone; the chord enters once, before the last layer."""

    def __init__(self, previous: bool) -> None:
        super().__init__()
        self.previous = previous
        widths = (1 + previous, 32, 64, 128, 256)
        self.d = nn.ModuleList(nn.Conv2d(widths[i], widths[i + 1], (4, 128) if i == 0 else (4, 1)) for i in range(4))
        self.d_norm = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.f = nn.Linear(1024, 1000)
        self.f_norm = nn.BatchNorm1d(1000)
        self.embedding = nn.Embedding(25, 100)
        self.last = nn.Linear(1100, 1)

    def forward(self, bar: Tensor, previous: Tensor, chord: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.stack([bar, previous] if self.previous else [bar], 1)
        found = []
        for layer, norm in zip(self.d, self.d_norm, strict=True):
            h = F.leaky_relu(norm(layer(h)), 0.2)
            found.append(h)
        h = F.leaky_relu(self.f_norm(self.f(h.flatten(1))), 0.2)
        return self.last(torch.cat([h, self.embedding(chord)], 1)).squeeze(1), found[0]


# Our weights in the places of the reference. The maps are differentiable, so gradients of the reference come back to
# our own parameters: each of K equal chord weights is our one weight over K.


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
    return {"weight": taps.permute(3, 1, 0, 2), "bias": layer.bias}


def linear(layer: RowLinear, rows_in: int = 1, rows_out: int = 1) -> dict[str, Tensor]:
    """`rows_in`, `rows_out`: time steps of what is flattened before or after, channels first in the reference."""
    weight = channels_first(layer.weight.T, rows_in).T
    if layer.chord_weight is not None:
        weight = torch.cat([weight, layer.chord_weight], 1)
    return {"weight": channels_first(weight, rows_out), "bias": channels_first(layer.bias, rows_out)}


def channels_first(time_first: Tensor, time: int) -> Tensor:
    return time_first.unflatten(0, (time, -1)).transpose(0, 1).flatten(0, 1)


def norm(block: Block, rows: int = 1) -> dict[str, Tensor]:
    assert block.norm is not None
    return {"weight": channels_first(block.norm.weight, rows), "bias": channels_first(block.norm.bias, rows)}


def named(parts: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def as_convolutions(player: Generator | Discriminator) -> dict[str, Tensor]:
    return generator_weights(player) if isinstance(player, Generator) else discriminator_weights(player)


def generator_weights(g: Generator) -> dict[str, Tensor]:
    conditioner, parts = g.conditioner, {}
    for index, block in enumerate([conditioner.first, *conditioner.others]):
        below = 1 if index == 0 else conditioner.widths[index - 1]
        parts[f"c.{index}"] = conv(block.linear, block.kernel, below, 128 if index == 0 else 1)
        parts[f"c_norm.{index}"] = norm(block)
    for index, block in enumerate(g.dense):
        rows = 2 if index == len(g.dense) - 1 else 1
        parts[f"f.{index}"], parts[f"f_norm.{index}"] = linear(block.linear, rows_out=rows), norm(block, rows)
    for index, block in enumerate(g.up):
        parts[f"t.{index}"], parts[f"t_norm.{index}"] = transposed(block.linear, 2, 1), norm(block)
    parts["last"] = transposed(g.output, 1, 128)
    if conditioner.chord is not None:
        table = conditioner.chord.embedding.weight
        parts["embedding"] = {"weight": table.view(25, 16, 16).transpose(1, 2).flatten(1)}
    return named(parts)


def discriminator_weights(d: Discriminator) -> dict[str, Tensor]:
    channels = 1 + d.sees_previous
    blocks = list(d.convolutions)
    if len(blocks) == 2:
        first, second = blocks
        return named(
            {
                "d1": conv(first.linear, 2, channels, 128),
                "d2": conv(second.linear, 4, len(first.linear.weight)),
                "d2_norm": norm(second),
                "d3": linear(d.dense.linear, rows_in=3),
                "d3_norm": norm(d.dense),
                "d4": linear(d.output),
            }
        )
    parts = {"f": linear(d.dense.linear, rows_in=4), "f_norm": norm(d.dense), "last": linear(d.output)}
    for index, block in enumerate(blocks):
        below = channels if index == 0 else len(blocks[index - 1].linear.weight)
        parts[f"d.{index}"] = conv(block.linear, 4, below, 128 if index == 0 else 1)
        parts[f"d_norm.{index}"] = norm(block)
    parts["embedding"] = {"weight": d.chord.embedding.weight}
    return named(parts)


def bars(count: int, seed: int) -> Tensor:
    melody = torch.randint(-1, 128, (count, 16), generator=torch.Generator().manual_seed(seed))
    return one_hot(melody).double()


def chords(count: int, seed: int) -> Tensor:
    chord = torch.randint(NUM_CHORDS, (count,), generator=torch.Generator().manual_seed(seed))
    chord[0] = NO_CHORD
    return chord


def pair(player: Generator | Discriminator, reference: nn.Module) -> tuple[nn.Module, nn.Module]:
    player, reference = player.double(), reference.double()
    with torch.no_grad():
        for parameter in player.parameters():  # so that no scale or bias of a norm is trivially 1 or 0
            parameter.add_(
                0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
            )
        weights = as_convolutions(player)
        assert weights.keys() == dict(reference.named_parameters()).keys()
        for name, parameter in reference.named_parameters():
            assert weights[name].shape == parameter.shape, name
            parameter.copy_(weights[name])
    return player, reference


GENERATORS = [
    pytest.param(BASELINE, ConvGenerator, id="baseline"),
    pytest.param(COMBINED, ConvCombinedGenerator, id="combined"),
]
DISCRIMINATORS = [
    pytest.param(BASELINE, ConvDiscriminator, id="baseline"),
    pytest.param(PREVIOUS, ConvDiscriminator, id="previous"),
    pytest.param(COMBINED, ConvCombinedDiscriminator, id="combined"),
    pytest.param(
        Variant(chord="embedding", chord_route="conditioner"), ConvCombinedDiscriminator, id="combined_without_previous"
    ),
]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("variant", "reference_class"), GENERATORS)
def test_generator_is_the_convolutional_one(variant: Variant, reference_class: type[nn.Module], train: bool) -> None:
    ours, reference = pair(Generator(variant), reference_class())
    z = torch.randn(6, NOISE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inputs = (z, bars(6, 2), chords(6, 3))
    for _ in range(3):  # the running statistics that eval mode reads
        expected, found = reference(*inputs), ours(*inputs)
    ours.train(train)
    reference.train(train)
    expected, found = reference(*inputs), ours(*inputs)
    torch.testing.assert_close(found, expected, **TOLERANCE)


@pytest.mark.parametrize(("variant", "reference_class"), GENERATORS)
def test_generator_has_the_convolutional_gradients(variant: Variant, reference_class: type[nn.Module]) -> None:
    ours, reference = pair(Generator(variant), reference_class())
    z = torch.randn(6, NOISE, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    parameters = [z, *ours.parameters()]
    target = bars(6, 4)
    gradients = [
        torch.autograd.grad(F.mse_loss(output, target, reduction="sum"), parameters)
        for output in (
            functional_call(reference, as_convolutions(ours), (z, bars(6, 2), chords(6, 3))),
            ours(z, bars(6, 2), chords(6, 3)),
        )
    ]
    for expected, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, **TOLERANCE)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("variant", "reference_class"), DISCRIMINATORS)
def test_discriminator_is_the_convolutional_one(
    variant: Variant, reference_class: type[nn.Module], train: bool
) -> None:
    ours, reference = pair(Discriminator(variant), reference_class(variant.d_sees_previous))
    inputs = (bars(6, 1), bars(6, 2), chords(6, 3))
    for _ in range(3):
        reference(*inputs)
        ours(*inputs)
    ours.train(train)
    reference.train(train)
    (expected, expected_features), (found, features) = reference(*inputs), ours(*inputs)
    torch.testing.assert_close(found, expected, **TOLERANCE)
    # (B, T, C) against (B, C, T, 1)
    torch.testing.assert_close(features, expected_features.squeeze(-1).transpose(1, 2), **TOLERANCE)


@pytest.mark.parametrize(("variant", "reference_class"), DISCRIMINATORS)
def test_discriminator_has_the_convolutional_gradients(variant: Variant, reference_class: type[nn.Module]) -> None:
    ours, reference = pair(Discriminator(variant), reference_class(variant.d_sees_previous))
    bar = bars(6, 1).requires_grad_()
    inputs = (bar, bars(6, 2), chords(6, 3))
    parameters = [bar, *ours.parameters()]
    gradients = []
    for logit, features in (functional_call(reference, as_convolutions(ours), inputs), ours(*inputs)):
        loss = F.softplus(logit).sum() + features.mean(0).square().sum()
        gradients.append(torch.autograd.grad(loss, parameters))
    for expected, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, **TOLERANCE)


@pytest.mark.parametrize(("variant", "reference_class"), DISCRIMINATORS[:3])
def test_discriminator_learns_as_the_convolutional_one_under_adam(
    variant: Variant, reference_class: type[nn.Module]
) -> None:
    # One chord weight instead of K equal ones learns the same only at K times their rate.
    config = TrainConfig(learning_rate=1e-3)
    players = Players(variant, config, torch.device("cpu"))
    ours, reference = pair(players.discriminator, reference_class(variant.d_sees_previous))
    adam = torch.optim.Adam(reference.parameters(), lr=1e-3, betas=(0.5, 0.999))
    for step in range(20):
        real, fake, previous, chord = bars(8, step), bars(8, 100 + step), bars(8, 200 + step), chords(8, step)
        losses = []
        for player, optimiser in ((reference, adam), (ours, players.optimiser_d)):
            optimiser.zero_grad()
            logits = [player(bar, previous, chord)[0] for bar in (real, fake)]
            loss = F.softplus(-logits[0]).mean() + F.softplus(logits[1]).mean()
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
        torch.testing.assert_close(losses[1], losses[0], **TOLERANCE)
    found = as_convolutions(ours)
    for name, expected in reference.named_parameters():
        torch.testing.assert_close(found[name], expected, rtol=1e-8, atol=1e-8)


def size(player: nn.Module) -> int:
    return sum(parameter.numel() for parameter in player.parameters())


def test_players_have_the_published_sizes() -> None:
    without_previous = Variant(chord="embedding", chord_route="conditioner")
    assert size(Generator(BASELINE)) == 530_625
    assert size(Generator(COMBINED)) == 242_561
    assert size(Discriminator(BASELINE)) == 263_290
    assert sum(weight.numel() for weight in as_convolutions(Discriminator(BASELINE)).values()) == 312_703
    assert sum(weight.numel() for weight in as_convolutions(Discriminator(PREVIOUS)).values()) == 320_436
    assert size(Discriminator(without_previous)) == 1_220_457


@pytest.mark.parametrize(("variant", "reference_class"), GENERATORS + DISCRIMINATORS[:3])
def test_layers_start_with_the_spread_of_convolutions(variant: Variant, reference_class: type[nn.Module]) -> None:
    torch.manual_seed(0)
    generator = "Generator" in reference_class.__name__
    ours = Generator(variant) if generator else Discriminator(variant)
    reference = reference_class() if generator else reference_class(variant.d_sees_previous)
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    layers = [layer for layer in ours.modules() if isinstance(layer, RowLinear)]
    theirs = [layer for layer in reference.modules() if isinstance(layer, kinds)]
    for layer, expected in zip(layers, theirs, strict=True):
        bound = expected.weight.abs().max().item()  # of over a thousand uniform numbers: nearly their limit
        assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.02)
        assert layer.bias.abs().max().item() <= bound * 1.02
        if layer.chord_weight is not None:
            # It stands for the sum of K independent weights: sqrt(K) times the spread of one.
            copies = expected.kernel_size[0] * expected.kernel_size[1] if isinstance(expected, nn.Conv2d) else 1
            spread = bound * (copies / 3) ** 0.5
            assert layer.chord_weight.std().item() == pytest.approx(spread, rel=0.1 if copies > 1 else 0.5)


@pytest.mark.parametrize("variant", EVERY_VARIANT, ids=lambda v: "-".join(map(str, astuple(v))))
def test_every_combination_trains_and_survives_its_state_dict(variant: Variant, corpus: Corpus) -> None:
    cpu, config = torch.device("cpu"), TrainConfig(batch_size=4)
    torch.manual_seed(0)
    players, bars_ = Players(variant, config, cpu), TrainingBars(corpus, device=cpu, seed=0)
    noise, means = torch.Generator().manual_seed(0), Means()
    before = [p.detach().clone() for p in players.generator.parameters()]
    for _ in range(2):
        train_step(players, bars_, noise, config, means)
    assert all(torch.tensor(value).isfinite() for value in means.read().values())
    # No part of a network is declared and then left out of the sum.
    assert all(p.grad is not None for p in players.generator.parameters())
    assert all(p in players.optimiser_d.state for p in players.discriminator.parameters())
    assert any((p != q).any() for p, q in zip(players.generator.parameters(), before, strict=True))
    again = Players(variant, config, cpu)
    again.load_state_dict(players.state_dict())
    batch, z = bars_.draw(4), torch.randn(4, NOISE)
    for player in (players, again):
        player.generator.eval()
        player.discriminator.eval()
    fakes = [player.generator(z, batch.previous, batch.chord) for player in (players, again)]
    assert torch.equal(*fakes)
    assert torch.equal(*(p.discriminator(fakes[0], batch.previous, batch.chord)[0] for p in (players, again)))
    assert torch.equal(*(p.average.module.output.weight for p in (players, again)))


def test_every_named_system_is_tested_as_a_combination() -> None:
    assert set(VARIANTS.values()) <= set(EVERY_VARIANT)
