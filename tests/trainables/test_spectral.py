from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from data_prep.corpus import Corpus
from trainables.config import TrainConfig
from trainables.midinet import MidiNet
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import NOISE, Generator
from trainables.networks.layers import Block, RowLinear, cancelled_spectral_norms, iterate_spectral_norms
from trainables.networks.spectral import SpectralScale
from trainables.variants import ChordRoute, SpectralNorm, Variant

ROUTES: tuple[ChordRoute, ...] = ("everywhere", "conditioner")


def operator_norm(matrix: Tensor) -> float:
    return torch.linalg.matrix_norm(matrix.detach(), 2).item()


def layers(player: nn.Module) -> dict[str, RowLinear]:
    return {name: module for name, module in player.named_modules() if isinstance(module, RowLinear)}


def normalised(player: nn.Module) -> set[str]:
    return {name.removesuffix(".linear") for name, layer in layers(player).items() if layer.spectral is not None}


def batch(count: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(3)
    return torch.rand(count, 16, 128), torch.rand(count, 16, 128), torch.randint(25, (count,))


def test_sigma_is_the_operator_norm() -> None:
    torch.manual_seed(0)
    layer = RowLinear(40, 30, spectral=True)
    for _ in range(300):
        iterate_spectral_norms(layer)
    assert (1 / layer.spectral(layer.matrix())).item() == pytest.approx(operator_norm(layer.weight), rel=1e-5)


def test_a_fresh_layer_is_already_close_to_norm_one() -> None:
    torch.manual_seed(0)
    for layer in layers(Discriminator(Variant(spectral_norm="d_all"))).values():
        scaled = layer.matrix() * layer.spectral(layer.matrix())
        # Never below 1: u W v cannot exceed the norm. Above it only as far as fifteen iterations fall short.
        assert 1 - 1e-5 <= operator_norm(scaled) < 1.1


@pytest.mark.parametrize(("kernel", "pitches"), [(2, 128), (4, 1)])
def test_with_chords_sigma_is_the_norm_of_the_convolution_over_planes(kernel: int, pitches: int) -> None:
    torch.manual_seed(0)
    copies = kernel * pitches
    layer = RowLinear(copies * 2, 14, chord=13, copies=copies, spectral=True)
    for _ in range(500):
        iterate_spectral_norms(layer)
    bars = layer.weight.view(14, kernel, 2, pitches).transpose(1, 2)
    planes = (layer.chord_weight / copies)[:, :, None, None].expand(-1, -1, kernel, pitches)
    convolution = torch.cat([bars, planes], 1).reshape(14, -1)
    assert (1 / layer.spectral(layer.matrix())).item() == pytest.approx(operator_norm(convolution), rel=1e-5)


def test_both_weights_are_divided_by_the_same_sigma() -> None:
    torch.manual_seed(0)
    layer = RowLinear(20, 30, chord=5, copies=4, spectral=True)
    rows, chord = torch.randn(3, 7, 20), torch.randn(3, 5)
    scale = layer.spectral(layer.matrix())
    expected = scale * (rows @ layer.weight.T + (chord @ layer.chord_weight.T)[:, None]) + layer.bias
    torch.testing.assert_close(layer(rows, chord), expected)


def test_outputs_and_gradients_are_those_of_torchs_own_spectral_norm() -> None:
    torch.manual_seed(0)
    ours = RowLinear(20, 30, spectral=True).double()
    theirs = nn.Linear(20, 30).double()
    with torch.no_grad():
        theirs.weight.copy_(ours.weight)
        theirs.bias.copy_(ours.bias)
    parametrizations.spectral_norm(theirs)
    theirs.parametrizations.weight[0]._u.copy_(ours.spectral.u)
    theirs.parametrizations.weight[0]._v.copy_(ours.spectral.v)
    theirs.eval()  # where torch's vectors stand still, as ours do in every forward pass
    rows, weights = torch.randn(6, 20, dtype=torch.float64), torch.randn(6, 30, dtype=torch.float64)
    expected, found = theirs(rows), ours(rows)
    torch.testing.assert_close(found, expected)
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.parametrizations.weight.original.grad)


def test_power_iteration_arrives_where_torchs_own_does() -> None:
    torch.manual_seed(0)
    ours = RowLinear(20, 30, spectral=True)
    theirs = nn.Linear(20, 30)
    with torch.no_grad():
        theirs.weight.copy_(ours.weight)
    parametrizations.spectral_norm(theirs)
    for _ in range(300):
        iterate_spectral_norms(ours)
        theirs(torch.zeros(1, 20))
    torch.testing.assert_close(ours.weight * ours.spectral(ours.matrix()), theirs.weight, rtol=1e-4, atol=1e-6)


def test_the_gradient_flows_through_sigma() -> None:
    # At the converged vectors it is that of the true norm, so it must vanish along W: W / sigma(W) ignores scale.
    torch.manual_seed(0)
    matrix = torch.randn(6, 9, dtype=torch.float64, requires_grad=True)
    scale = SpectralScale(matrix.detach().float(), learned_gain=False).double()
    for _ in range(500):
        scale.iterate(matrix)
    cotangent = torch.randn(6, 9, dtype=torch.float64)
    found = torch.autograd.grad((cotangent * matrix * scale(matrix)).sum(), matrix)[0]
    true_norm = torch.linalg.matrix_norm(matrix, 2)
    expected = torch.autograd.grad((cotangent * matrix / true_norm).sum(), matrix)[0]
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
    assert (found * matrix).sum().item() == pytest.approx(0, abs=1e-9)
    numerical = torch.zeros_like(matrix)
    with torch.no_grad():
        for i in range(6):
            for j in range(9):
                step = torch.zeros_like(matrix)
                step[i, j] = 1e-6
                higher, lower = ((cotangent * m * scale(m)).sum() for m in (matrix + step, matrix - step))
                numerical[i, j] = (higher - lower) / 2e-6
    torch.testing.assert_close(found, numerical, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("train", [True, False])
def test_vectors_stand_still_in_forward_and_backward_and_move_when_told(train: bool) -> None:
    torch.manual_seed(0)
    bar, previous, chord = batch()
    d = Discriminator(Variant(spectral_norm="d_all")).train(train)
    with torch.no_grad():
        d.output.weight.mul_(torch.rand(d.output.weight.shape))
        d.dense.linear.weight.mul_(torch.rand(d.dense.linear.weight.shape))
    vectors = {name: buffer.clone() for name, buffer in d.named_buffers() if name.endswith((".u", ".v"))}
    assert len(vectors) == 8
    first = d(bar, previous, chord)[0]
    first.sum().backward()
    assert torch.equal(d(bar, previous, chord)[0], first)
    assert all(torch.equal(d.get_buffer(name), vector) for name, vector in vectors.items())
    iterate_spectral_norms(d)
    assert not torch.equal(d.get_buffer("dense.linear.spectral.u"), vectors["dense.linear.spectral.u"])


def test_vectors_may_move_between_forward_and_backward() -> None:
    torch.manual_seed(0)
    layer = RowLinear(20, 30, spectral=True)
    rows = torch.randn(4, 20)
    expected = torch.autograd.grad(layer(rows).sum(), layer.weight)[0]
    loss = layer(rows).sum()
    iterate_spectral_norms(layer)
    torch.testing.assert_close(torch.autograd.grad(loss, layer.weight)[0], expected, rtol=0, atol=0)


D_CONVOLUTIONS = {"everywhere": {0, 1}, "conditioner": {0, 1, 2, 3}}
G_DENSE = {"everywhere": 2, "conditioner": 1}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("placement", "d_convolutions", "d_rest", "g"),
    [
        ("none", False, False, False),
        ("d_conv", True, False, False),
        ("d_all", True, True, False),
        ("g_all", False, False, True),
        ("gd", True, True, True),
    ],
)
def test_each_placement_normalises_its_layers(
    placement: SpectralNorm, d_convolutions: bool, d_rest: bool, g: bool, route: ChordRoute
) -> None:
    variant = Variant(spectral_norm=placement, chord_route=route)
    expected = {f"convolutions.{i}" for i in D_CONVOLUTIONS[route]} if d_convolutions else set()
    expected |= {"dense", "output"} if d_rest else set()
    assert normalised(Discriminator(variant)) == expected
    hidden = {f"dense.{i}" for i in range(G_DENSE[route])} | {"up.0", "up.1", "up.2", "output"}
    assert normalised(Generator(variant)) == (hidden if g else set())


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("placement", ["d_all", "gd"])
def test_a_wholly_normalised_discriminator_has_no_batch_norm_to_cancel_it(
    placement: SpectralNorm, route: ChordRoute
) -> None:
    variant = Variant(spectral_norm=placement, chord_route=route)
    assert not any(isinstance(module, nn.BatchNorm1d) for module in Discriminator(variant).modules())
    assert any(isinstance(module, nn.BatchNorm1d) for module in Generator(variant).modules())


@pytest.mark.parametrize("placement", ["none", "d_conv", "g_all"])
def test_other_discriminators_keep_their_batch_norm(placement: SpectralNorm) -> None:
    found = [block.norm is not None for block in blocks(Discriminator(Variant(spectral_norm=placement)))]
    assert found == [False, True, True]  # MidiNet's first layer has none


def blocks(player: nn.Module) -> list[Block]:
    return [module for module in player.modules() if isinstance(module, Block)]


@pytest.mark.parametrize("placement", ["none", "d_conv", "d_all", "g_all", "gd"])
def test_only_the_generators_normalised_output_learns_its_gain(placement: SpectralNorm) -> None:
    variant = Variant(spectral_norm=placement)
    gains = [
        name for p in (Generator(variant), Discriminator(variant)) for name, _ in p.named_parameters() if "gain" in name
    ]
    assert gains == (["output.spectral.gain"] if placement in ("g_all", "gd") else [])


def test_the_learned_gain_is_the_layers_operator_norm() -> None:
    torch.manual_seed(0)
    g = Generator(Variant(spectral_norm="g_all"))
    with torch.no_grad():
        g.output.spectral.gain.fill_(7.0)
    for _ in range(300):
        iterate_spectral_norms(g)
    assert operator_norm(g.output.matrix() * g.output.spectral(g.output.matrix())) == pytest.approx(7, rel=1e-4)
    z, (_, previous, chord) = torch.randn(4, NOISE), batch()
    g(z, previous, chord).sum().backward()
    assert g.output.spectral.gain.grad.abs() > 0


@pytest.mark.parametrize(
    ("placement", "route", "g_cancelled", "d_cancelled"),
    [
        ("none", "everywhere", [], []),
        ("d_conv", "everywhere", [], ["convolutions.1"]),
        ("d_all", "everywhere", [], []),
        ("g_all", "everywhere", ["dense.0", "dense.1", "up.0", "up.1", "up.2"], []),
        ("gd", "everywhere", ["dense.0", "dense.1", "up.0", "up.1", "up.2"], []),
        ("d_conv", "conditioner", [], [f"convolutions.{i}" for i in range(4)]),
        ("d_all", "conditioner", [], []),
        ("gd", "conditioner", ["dense.0", "up.0", "up.1", "up.2"], []),
    ],
)
def test_normalisations_that_batch_norm_undoes_are_named(
    placement: SpectralNorm, route: ChordRoute, g_cancelled: list[str], d_cancelled: list[str], corpus: Corpus
) -> None:
    variant = Variant(spectral_norm=placement, chord_route=route)
    assert cancelled_spectral_norms(Generator(variant)) == g_cancelled
    assert cancelled_spectral_norms(Discriminator(variant)) == d_cancelled
    net = MidiNet(variant, TrainConfig(), corpus, seed=0)
    names = [f"generator.{name}" for name in g_cancelled] + [f"discriminator.{name}" for name in d_cancelled]
    assert net.cancelled_spectral_norms == names


@pytest.mark.parametrize("name", ["convolutions.1", "convolutions.0"])
def test_a_named_normalisation_has_no_effect_and_another_has(name: str) -> None:
    torch.manual_seed(0)
    bar, previous, chord = batch(16)
    d = Discriminator(Variant(spectral_norm="d_conv"))
    expected = d(bar, previous, chord)[0].detach()
    layer: Any = d.get_submodule(name).linear
    with torch.no_grad():
        layer.spectral.u.mul_(-0.5)  # sigma becomes another number; the bias before the norm is undone as well
        layer.spectral.v.mul_(-1)
    same = torch.allclose(d(bar, previous, chord)[0], expected, atol=1e-3)
    assert same == (name in cancelled_spectral_norms(d))


@pytest.mark.parametrize("route", ROUTES)
def test_the_average_is_normalised_for_its_own_weights(route: ChordRoute, corpus: Corpus) -> None:
    # The vectors that it is given are those of the generator in training, whose weights are others.
    config = TrainConfig(batch_size=4)
    net = MidiNet(Variant(spectral_norm="gd", chord_route=route), config, corpus, seed=0)
    net.train(until=config.bars_per_step)
    average = net.players.average
    found = {name: layer for name, layer in layers(average.module).items() if layer.spectral is not None}
    for layer in found.values():
        weight = layer.weight
        weight += torch.outer(torch.randn(len(weight)), torch.randn(weight.shape[1]) / weight.shape[1] ** 0.5)
    average.renew_statistics(net.bars)
    for name, layer in found.items():
        sigma = (1 if layer.spectral.gain is None else layer.spectral.gain) / layer.spectral(layer.matrix())
        assert sigma.item() == pytest.approx(operator_norm(layer.matrix()), rel=1e-4), name


def test_batch_statistics_of_the_average_are_those_of_its_own_weights(corpus: Corpus) -> None:
    config = TrainConfig(batch_size=4, learning_rate=5e-3)
    net = MidiNet(Variant(), config, corpus, seed=0)
    net.train(until=10 * config.bars_per_step)
    average = net.players.average
    average.renew_statistics(net.bars)
    first = average.module.conditioner.first
    sample = net.bars.sample(2000, seed=99)
    with torch.no_grad():
        rows = first.linear(sample.previous).flatten(0, 1)
    # Other bars than those it was estimated on, but of the same corpus.
    torch.testing.assert_close(first.norm.running_mean, rows.mean(0), rtol=0.1, atol=0.02)
    torch.testing.assert_close(first.norm.running_var, rows.var(0), rtol=0.1, atol=0.02)
    assert not average.module.training
    assert all(module.momentum == 0.1 for module in average.module.modules() if isinstance(module, nn.BatchNorm1d))
