import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from data_prep.corpus import Corpus
from tests.trainables.combinations import D_PARTS, G_PARTS, covering, name, some
from tests.trainables.correspondence import settle
from trainables.config import TrainConfig
from trainables.midinet import MidiNet
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import NOISE, Generator
from trainables.networks.layers import (
    RowLinear,
    cancelled_spectral_norms,
    iterate_spectral_norms,
    normalised,
)
from trainables.networks.spectral import SpectralScale
from trainables.variants import VARIANTS, SpectralNorm, Variant


def operator_norm(matrix: Tensor) -> float:
    return torch.linalg.matrix_norm(matrix.detach(), 2).item()


def layers(player: nn.Module) -> dict[str, RowLinear]:
    return {name: module for name, module in player.named_modules() if isinstance(module, RowLinear)}


def normalised_names(player: nn.Module) -> set[str]:
    found = (name for name, module in player.named_modules() if isinstance(module, SpectralScale))
    return {name.removesuffix(".spectral").removesuffix(".linear") for name in found}


def batch(count: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(3)
    return torch.rand(count, 16, 128), torch.rand(count, 16, 128), torch.randint(25, (count, 1))


def test_sigma_is_the_operator_norm() -> None:
    torch.manual_seed(0)
    layer = RowLinear(40, 30, spectral="operator")
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
    layer = RowLinear(copies * 2, 14, chord=13, copies=copies, spectral="operator")
    for _ in range(500):
        iterate_spectral_norms(layer)
    bars = layer.weight.view(14, kernel, 2, pitches).transpose(1, 2)
    planes = (layer.chord_weight / copies)[:, :, None, None].expand(-1, -1, kernel, pitches)
    convolution = torch.cat([bars, planes], 1).reshape(14, -1)
    assert (1 / layer.spectral(layer.matrix())).item() == pytest.approx(operator_norm(convolution), rel=1e-5)


def test_both_weights_are_divided_by_the_same_sigma() -> None:
    torch.manual_seed(0)
    layer = RowLinear(20, 30, chord=5, copies=4, spectral="operator")
    rows, chord = torch.randn(3, 7, 20), torch.randn(3, 5)
    scale = layer.spectral(layer.matrix())
    expected = scale * (rows @ layer.weight.T + (chord @ layer.chord_weight.T)[:, None]) + layer.bias
    torch.testing.assert_close(layer(rows, chord), expected)


def test_outputs_and_gradients_are_those_of_torchs_own_spectral_norm() -> None:
    torch.manual_seed(0)
    ours = RowLinear(20, 30, spectral="operator").double()
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
    ours = RowLinear(20, 30, spectral="operator")
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
    scale = SpectralScale(matrix.detach().float(), "operator").double()
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
    layer = RowLinear(20, 30, spectral="operator")
    rows = torch.randn(4, 20)
    expected = torch.autograd.grad(layer(rows).sum(), layer.weight)[0]
    loss = layer(rows).sum()
    iterate_spectral_norms(layer)
    torch.testing.assert_close(torch.autograd.grad(loss, layer.weight)[0], expected, rtol=0, atol=0)


def test_the_frobenius_norm_is_that_of_torchs_own_for_a_single_output_channel() -> None:
    torch.manual_seed(0)
    g = Generator(VARIANTS["spectral_gd_as_committed"])
    theirs = nn.ConvTranspose2d(157, 1, (1, 128))
    with torch.no_grad():
        theirs.weight.copy_(torch.cat([g.output.weight, g.output.chord_weight], 1).T[:, None, None, :])
    expected = parametrizations.spectral_norm(theirs, eps=1e-12).weight
    scale = g.output.spectral(g.output.matrix())
    found = torch.cat([g.output.weight, g.output.chord_weight], 1).T * scale
    torch.testing.assert_close(found, expected[:, 0, 0, :], rtol=1e-5, atol=1e-7)
    assert found.norm().item() == pytest.approx(1, rel=1e-5)  # of all 128 pitches together: .088 for each


def test_normalised_embeddings_have_norm_one() -> None:
    torch.manual_seed(0)
    for player in (Generator, Discriminator):
        ours = player(Variant(chord="embedding", spectral_norm="emb"))
        settle(ours)
        vectors = ours.chord(torch.arange(25)[:, None])
        assert operator_norm(vectors) == pytest.approx(1, rel=1e-4)
        torch.testing.assert_close(
            vectors, ours.chord.embedding.weight / operator_norm(ours.chord.embedding.weight), rtol=1e-4, atol=1e-6
        )


def every_layer(*fields: str) -> list[Variant]:
    return covering(some(*fields, "spectral_norm"))


CONVOLUTIONS = {"two": 2, "four": 4, "wide": 4, "late": 4}


def expected_layers(variant: Variant) -> tuple[set[str], set[str]]:
    """Normalised layers of the generator and of the discriminator, said once more."""
    norm = variant.spectral_norm
    convolutions = {f"convolutions.{i}" for i in range(CONVOLUTIONS[variant.discriminator])}
    end = {"dense", "output"} | ({f"head.{i}" for i in range(4)} if variant.d_head == "mlp" else set())
    everywhere = variant.chord_route == "everywhere"
    hidden = {"dense.0", "up.0", "up.1", "up.2"} | ({"dense.1"} if variant.g_dense == "two" else set())
    up = {"up.0", "up.1", "up.2"}
    bar = {"conditioner.first"} if variant.previous_route != "none" else set()
    conditioner = {f"conditioner.others.{i}" for i in range(3)}
    conditioner = bar | (conditioner if not everywhere or variant.previous_route == "everywhere" else set())
    d = {"d_conv": convolutions, "d_fc": end, "gd_paper": convolutions} | dict.fromkeys(
        ("d_all", "d_all_bn", "gd", "emb"), convolutions | end
    )
    g = {"g_hidden": hidden, "cond": conditioner, "gd_paper": conditioner | up | {"output"}} | dict.fromkeys(
        ("g_all_paper", "g_all", "gd", "emb"), hidden | {"output"}
    )
    tables = ({"chord"} if everywhere else {"conditioner.chord"}, {"chord"}) if norm == "emb" else (set(), set())
    return g.get(norm, set()) | tables[0], d.get(norm, set()) | tables[1]


@pytest.mark.parametrize(
    "variant", every_layer("chord", "chord_route", "g_dense", "previous_route", "discriminator", "d_head"), ids=name
)
def test_each_placement_normalises_its_layers(variant: Variant) -> None:
    players = Generator(variant), Discriminator(variant)
    assert tuple(map(normalised_names, players)) == expected_layers(variant)
    gains = [key for player in players for key, _ in player.named_parameters() if "gain" in key]
    assert gains == (["output.spectral.gain"] if variant.spectral_norm in ("g_all", "gd", "emb") else [])


@pytest.mark.parametrize("variant", every_layer("discriminator", "d_head", "d_norm"), ids=name)
def test_a_discriminators_batch_norm_gives_way_where_it_would_undo_the_spectral_one(variant: Variant) -> None:
    d = Discriminator(variant)
    convolutions, end = ([block.norm is not None for block in part] for part in (d.convolutions, [d.dense, *d.head]))
    kept = variant.d_norm == "batch"
    all_of_d = variant.spectral_norm in ("d_all", "gd", "emb")
    first = kept and not all_of_d and variant.discriminator in ("wide", "late")
    assert convolutions == [first, *[kept and not all_of_d] * (len(convolutions) - 1)]
    assert set(end) == {kept and not all_of_d and variant.spectral_norm != "d_fc"}
    assert any(isinstance(module, nn.BatchNorm1d) for module in Generator(variant).modules())


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


HIDDEN = ["dense.0", "dense.1", "up.0", "up.1", "up.2"]
CONDITIONER = ["conditioner.first", *(f"conditioner.others.{i}" for i in range(3))]


@pytest.mark.parametrize(
    ("placement", "g_cancelled", "d_cancelled"),
    [
        ("none", [], []),
        ("d_conv", [], ["convolutions.1"]),
        ("d_fc", [], []),
        ("d_all", [], []),
        ("d_all_bn", [], ["convolutions.1", "dense"]),
        ("g_hidden", HIDDEN, []),
        ("g_all_paper", HIDDEN, []),
        ("g_all", HIDDEN, []),
        ("cond", CONDITIONER, []),
        ("gd", HIDDEN, []),
        ("gd_paper", CONDITIONER + HIDDEN[2:], ["convolutions.1"]),
    ],
)
def test_normalisations_that_batch_norm_undoes_are_named(
    placement: SpectralNorm, g_cancelled: list[str], d_cancelled: list[str], corpus: Corpus
) -> None:
    variant = Variant(spectral_norm=placement)
    assert cancelled_spectral_norms(Generator(variant)) == g_cancelled
    assert cancelled_spectral_norms(Discriminator(variant)) == d_cancelled
    net = MidiNet(variant, TrainConfig(), corpus, seed=0)
    names = [f"generator.{key}" for key in g_cancelled] + [f"discriminator.{key}" for key in d_cancelled]
    assert net.cancelled_spectral_norms == names


@pytest.mark.parametrize(
    ("player", "variant"),
    [
        pytest.param(player, variant, id=f"{player.__name__}-{name(variant)}")
        for player, parts in ((Generator, G_PARTS), (Discriminator, D_PARTS))
        for variant in covering(parts)
        if variant.spectral_norm != "none"
    ],
)
def test_a_normalisation_is_named_if_and_only_if_its_scale_does_not_matter(
    player: type[nn.Module], variant: Variant
) -> None:
    torch.manual_seed(0)
    ours = player(variant).double()
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eps = 1e-30  # the one thing by which a batch norm can tell scales apart
    bar, previous, chord = batch(16)
    first = (torch.randn(16, NOISE) if player is Generator else bar).double()

    def output() -> Tensor:
        result = ours(first, previous.double(), chord)
        return (result if player is Generator else result[0]).detach()

    expected = output()
    cancelled = {f"{key}.linear" for key in cancelled_spectral_norms(ours)}
    for key, module in ours.named_modules():
        if isinstance(module, SpectralScale):
            hook = module.register_forward_hook(lambda _, __, scale: 3 * scale)
            same = torch.allclose(output(), expected, rtol=1e-6, atol=1e-9)
            hook.remove()
            assert same == (key.removesuffix(".spectral") in cancelled), key


@pytest.mark.parametrize(
    "variant",
    [Variant(spectral_norm="gd"), Variant(spectral_norm="gd_paper"), Variant(chord="embedding", spectral_norm="emb")],
    ids=name,
)
def test_the_average_is_normalised_for_its_own_weights(variant: Variant, corpus: Corpus) -> None:
    # The vectors that it is given are those of the generator in training, whose weights are others.
    config = TrainConfig(batch_size=4)
    net = MidiNet(variant, config, corpus, seed=0)
    net.train(until=config.items_per_step)
    average = net.players.average
    for layer in layers(average.module).values():
        weight = layer.weight
        weight += torch.outer(torch.randn(len(weight)), torch.randn(weight.shape[1]) / weight.shape[1] ** 0.5)
    net.judged_generator()
    for scale, matrix in normalised(average.module):
        sigma = (1 if scale.gain is None else scale.gain) / scale(matrix)
        expected = matrix.norm().item() if scale.one_row else operator_norm(matrix)
        assert sigma.item() == pytest.approx(expected, rel=1e-4)


def test_batch_statistics_of_the_average_are_those_of_its_own_weights(corpus: Corpus) -> None:
    config = TrainConfig(batch_size=4, learning_rate=5e-3)
    net = MidiNet(Variant(), config, corpus, seed=0)
    net.train(until=10 * config.items_per_step)
    net.judged_generator()
    average = net.players.average
    first = average.module.conditioner.first
    previous, _ = net.dealer.sample(2000, seed=99).condition
    with torch.no_grad():
        rows = first.linear(previous).flatten(0, 1)
    # Other bars than those it was estimated on, but of the same corpus.
    torch.testing.assert_close(first.norm.running_mean, rows.mean(0), rtol=0.1, atol=0.02)
    torch.testing.assert_close(first.norm.running_var, rows.var(0), rtol=0.1, atol=0.02)
    assert not average.module.training
    assert all(module.momentum == 0.1 for module in average.module.modules() if isinstance(module, nn.BatchNorm1d))
