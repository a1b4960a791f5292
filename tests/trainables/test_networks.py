"""The networks on rows against MidiNet as it is drawn: convolutions, with chords as constant planes."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from data_prep.chords import NO_CHORD, NUM_CHORDS
from tests.trainables.combinations import D_PARTS, G_PARTS, OPTIONS, SHAPES, covering, every, legal, name, of_one, some
from tests.trainables.correspondence import as_convolutions, load, settle_scale
from tests.trainables.reference import parameter_groups, reference, refresh
from trainables.batches import one_hot
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import NOISE, Generator
from trainables.networks.initialise import initialise
from trainables.networks.layers import RowLinear, iterate_spectral_norms, normalised
from trainables.networks.spectral import SpectralScale
from trainables.variants import VARIANTS, Variant

TOLERANCE = {"rtol": 1e-9, "atol": 1e-9}
ITEMS = 4
PLAYERS = (Generator, Discriminator)
PARTS = {Generator: G_PARTS, Discriminator: D_PARTS}
COVERED = [
    pytest.param(player, variant, id=f"{player.__name__}-{name(variant)}")
    for player in PLAYERS
    for variant in dict.fromkeys(
        [*(of_one(variant, PARTS[player] | SHAPES) for variant in VARIANTS.values()), *covering(PARTS[player] | SHAPES)]
    )
]


def rolls(variant: Variant, seed: int, count: int = ITEMS) -> Tensor:
    melody = torch.randint(-1, 128, (count, variant.steps), generator=torch.Generator().manual_seed(seed))
    return one_hot(melody).double()


def chords(variant: Variant, seed: int, count: int = ITEMS) -> Tensor:
    chord = torch.randint(NUM_CHORDS, (count, variant.num_chords), generator=torch.Generator().manual_seed(seed))
    chord[0] = NO_CHORD
    return chord


def z(seed: int, count: int = ITEMS) -> Tensor:
    return torch.randn(count, NOISE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def inputs(player: nn.Module, variant: Variant, seed: int = 0, count: int = ITEMS) -> tuple[Tensor, Tensor, Tensor]:
    first = z(seed, count) if isinstance(player, Generator) else rolls(variant, seed, count)
    return first, rolls(variant, seed + 1, count), chords(variant, seed + 2, count)


def pair(player: nn.Module, variant: Variant) -> tuple[nn.Module, nn.Module]:
    """`player` in double, with no scale or bias of a norm trivially 1 or 0, and the convolutions of its weights."""
    player, theirs = player.double(), reference(variant)[isinstance(player, Discriminator)].double()
    with torch.no_grad():
        for parameter in player.parameters():
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
            parameter.add_(0.05 * noise)
    load(theirs, player)
    return player, theirs


def loss(output: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """A number on which every output counts."""
    if isinstance(output, Tensor):
        return F.mse_loss(output, torch.linspace(0, 1, output.shape[-1]).to(output).expand_as(output), reduction="sum")
    logit, features = output
    return F.softplus(logit).sum() + features.mean(0).square().sum()


@pytest.mark.parametrize(("player", "variant"), COVERED)
def test_a_player_is_the_convolutional_one_and_has_its_gradients(player: type[nn.Module], variant: Variant) -> None:
    torch.manual_seed(0)
    ours, theirs = pair(player(variant), variant)
    first, *condition = inputs(ours, variant)
    first.requires_grad_()
    learned = [first, *ours.parameters()]
    expected = functional_call(theirs, as_convolutions(ours, theirs), (first, *condition))
    found = ours(first, *condition)
    same(found, expected)
    gradients = [torch.autograd.grad(loss(output), learned) for output in (expected, found)]
    for wanted, gradient in zip(*gradients, strict=True):
        torch.testing.assert_close(gradient, wanted, **TOLERANCE)
    with torch.no_grad():
        ours.eval()
        found = ours(first, *condition)
        same(found, theirs.eval()(first, *condition))
        if isinstance(ours, Discriminator):
            assert torch.equal(ours.features(first, *condition), found[1])


def same(found: Tensor | tuple[Tensor, Tensor], expected: Tensor | tuple[Tensor, Tensor]) -> None:
    if isinstance(found, Tensor):
        torch.testing.assert_close(found, expected, **TOLERANCE)
    else:
        torch.testing.assert_close(found[0], expected[0], **TOLERANCE)
        # (B, T, C) against (B, C, T, 1)
        torch.testing.assert_close(found[1], expected[1].squeeze(-1).transpose(1, 2), **TOLERANCE)


@pytest.mark.parametrize(
    ("player", "system"),
    [
        *(
            (Discriminator, system)
            for system in ("baseline", "previous", "four_convolutions", "spectral_d", "combined")
        ),
        *((Generator, system) for system in ("baseline", "spectral_gd", "combined")),
    ],
)
def test_a_player_learns_as_the_convolutional_one_under_adam(
    player: type[nn.Module], system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One chord weight instead of K equal ones learns the same only at K times their rate.
    monkeypatch.setattr(SpectralScale, "iterate", settle_scale)
    variant = VARIANTS[system]
    torch.manual_seed(0)
    ours, theirs = pair(player(variant), variant)
    factors = {p: f for m in ours.modules() if isinstance(m, RowLinear) for p, f in m.learning_rate_factors().items()}
    groups = [{"params": [p], "lr": 1e-3 * factors.get(p, 1)} for p in ours.parameters()]
    players = [(ours, groups), (theirs, parameter_groups(theirs, 1e-3))]
    optimisers = [(player, torch.optim.Adam(groups, betas=(0.5, 0.999))) for player, groups in players]
    for step in range(8):
        losses = []
        iterate_spectral_norms(ours)
        refresh(theirs)
        for one, optimiser in optimisers:
            optimiser.zero_grad()
            # Small, so that Adam makes no steps out of the rounding of gradients that are zero: biases before a norm.
            number = loss(one(*inputs(ours, variant, step, count=8))) / 10_000
            number.backward()
            optimiser.step()
            losses.append(number.detach())
        torch.testing.assert_close(*losses, **TOLERANCE)
    found = as_convolutions(ours, theirs)
    for key, expected in theirs.named_parameters():
        torch.testing.assert_close(found[key], expected, rtol=1e-8, atol=1e-8)


def size(player: nn.Module) -> int:
    return sum(parameter.numel() for parameter in player.parameters())


@pytest.mark.parametrize(
    ("system", "generator", "discriminator"),
    [
        ("baseline", 530_625, 312_703),
        ("previous", 530_625, 320_436),
        ("four_convolutions", 530_625, 444_952 - 2 * 14),  # the published code has a norm there that it never uses
        ("mlp", 530_625, 1_651_634),
        ("embedding", 278_021, 5_874_616),
        ("combined_as_committed", 242_561, 1_220_457),
    ],
)
def test_players_have_the_published_sizes(system: str, generator: int, discriminator: int) -> None:
    assert tuple(map(size, reference(VARIANTS[system]))) == (generator, discriminator)
    assert size(Generator(VARIANTS[system])) == generator


def test_a_chord_takes_one_vector_instead_of_planes() -> None:
    assert size(Discriminator(VARIANTS["baseline"])) == 263_290
    assert size(Discriminator(VARIANTS["embedding"])) == 638_516


@pytest.mark.parametrize("system", VARIANTS)
def test_layers_start_with_the_spread_of_convolutions(system: str) -> None:
    variant = replace(VARIANTS[system], spectral_norm="none")
    torch.manual_seed(0)
    for player, theirs in zip(PLAYERS, reference(variant), strict=True):
        ours = player(variant)
        layers = [layer for layer in ours.modules() if isinstance(layer, RowLinear)]
        kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
        drawn = [layer for layer in theirs.modules() if isinstance(layer, kinds)]
        for layer, expected in zip(layers, drawn, strict=True):
            bound = expected.weight.abs().max().item()  # of many uniform numbers: nearly their limit
            tolerance = 0.02 if layer.weight.numel() > 500 else 0.1
            assert layer.weight.abs().max().item() == pytest.approx(bound, rel=tolerance)
            assert layer.bias.abs().max().item() <= bound * (1 + tolerance)
            if layer.chord_weight is not None:
                # It stands for the sum of K independent weights: sqrt(K) times the spread of one.
                copies = math.prod(expected.kernel_size) if isinstance(expected, nn.Conv2d) else 1
                assert layer.copies == copies
                spread = bound * (copies / 3) ** 0.5
                wide = layer.chord_weight.numel() > 150
                assert layer.chord_weight.std().item() == pytest.approx(spread, rel=0.1 if wide else 0.5)


@pytest.mark.parametrize(
    ("player", "parts"),
    [
        (Generator, ("chord_route", "previous_route", "conditioner_norm", "chord", "spectral_norm")),
        (Discriminator, ("discriminator", "d_head", "d_norm", "spectral_norm")),
    ],
)
def test_in_every_combination_of_parts_every_weight_gets_a_gradient(
    player: type[nn.Module], parts: tuple[str, ...]
) -> None:
    # The full product of the parts that change which layers there are. Of all others each pair is above.
    for variant in every({part: PARTS[player][part] for part in parts}):
        ours = player(variant)
        loss(ours(*single(inputs(ours, variant, count=2)))).backward()
        for key, parameter in ours.named_parameters():
            assert parameter.grad is not None, (variant, key)  # no part is declared and then left out of the sum


@settings(max_examples=20, deadline=None)
@given(st.fixed_dictionaries({field: st.sampled_from(options) for field, options in OPTIONS.items()}))
def test_any_combination_learns_and_survives_its_state_dict(options: dict[str, str | int]) -> None:
    variant = legal(**options)
    assume(variant)
    for player in PLAYERS:
        ours, again = player(variant), player(variant)
        given_ = single(inputs(ours, variant, count=2))
        loss(ours(*given_)).backward()
        assert all(parameter.grad.isfinite().all() for parameter in ours.parameters())
        again.load_state_dict(ours.state_dict())
        with torch.no_grad():
            for one, other in zip(again.eval()(*given_), ours.eval()(*given_), strict=True):
                assert torch.equal(one, other)


def single(given_: tuple[Tensor, ...]) -> list[Tensor]:
    return [tensor.float() if tensor.is_floating_point() else tensor for tensor in given_]


@pytest.mark.parametrize("option", ["dropout", "noise"])
def test_what_hides_the_previous_bar_does_so_in_training_alone(option: str) -> None:
    torch.manual_seed(0)
    hiding = Generator(Variant(), **{f"previous_{option}": 0.5})
    plain = Generator(Variant())
    plain.load_state_dict(hiding.state_dict())
    given_ = single(inputs(plain, Variant()))
    expected = plain(*given_)
    assert not torch.allclose(hiding(*given_), expected)
    assert not torch.equal(hiding(*given_), hiding(*given_))
    hiding.eval()
    plain.eval()
    plain.load_state_dict(hiding.state_dict())
    assert torch.equal(hiding(*given_), plain(*given_))


def test_dropout_hides_that_share_of_the_conditioners_features() -> None:
    torch.manual_seed(0)
    conditioner = Generator(Variant(), previous_dropout=0.25).conditioner
    features = conditioner(rolls(Variant(), 0, 64).float(), chords(Variant(), 1, 64))
    assert len(features) == 4
    for rows in features:
        assert (rows == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)


def test_noise_on_the_previous_bar_has_that_deviation() -> None:
    torch.manual_seed(0)
    conditioner = Generator(Variant(), previous_noise=0.3).conditioner
    seen: list[Tensor] = []
    conditioner.first.register_forward_pre_hook(lambda _, given_: seen.append(given_[0]))
    previous = rolls(Variant(), 0, 64).float()
    conditioner(previous, chords(Variant(), 1, 64))
    assert (seen[0] - previous).std().item() == pytest.approx(0.3, rel=0.02)
    assert (seen[0] - previous).mean().item() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("variant", covering(some("chord_route", "previous_route", "g_dense")), ids=name)
def test_the_generator_sees_of_the_previous_bar_what_its_route_lets_through(variant: Variant) -> None:
    torch.manual_seed(0)
    ours = Generator(variant).double().eval()
    first, previous, chord = inputs(ours, variant)
    seen: list[Tensor] = []
    ours.up[-1].register_forward_hook(lambda _, __, rows: seen.append(rows))
    different = [ours(first, bars, chord) for bars in (previous, 1 - previous)]
    hidden, output = (not torch.equal(*two) for two in (seen, different))
    expected = {"everywhere": (True, True), "output": (False, True), "none": (False, False)}
    assert (hidden, output) == expected[variant.previous_route]


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize(
    "variant", covering(some("chord", "chord_route", "discriminator", "d_head") | SHAPES), ids=name
)
def test_every_chord_is_heard_in_its_place(player: type[nn.Module], variant: Variant) -> None:
    torch.manual_seed(0)
    ours = player(variant).double().eval()
    first, previous, chord = inputs(ours, variant, count=1)
    chord = torch.zeros_like(chord)
    outputs = [loss(ours(first, previous, chord)).item()]
    for index in range(variant.num_chords):
        moved = chord.clone()
        moved[:, index] = 7
        outputs.append(loss(ours(first, previous, moved)).item())
    assert len(set(outputs)) == variant.num_chords + 1


def test_a_beats_chord_lies_over_its_own_steps() -> None:
    torch.manual_seed(0)
    variant = replace(VARIANTS["combined"], chords_per_bar=4, bars=2)
    conditioner = Generator(variant).conditioner
    chord = torch.zeros(1, 8, dtype=torch.long)
    changed = chord.clone()
    changed[0, 5] = 3
    maps = [conditioner(torch.zeros(1, 32, 128), classes)[0] for classes in (chord, changed)]
    different = (maps[0] != maps[1]).any(-1)[0]
    assert different.nonzero().flatten().tolist() == [20, 21, 22, 23]


def test_the_chords_weights_learn_no_faster_than_their_gain_lets_them() -> None:
    layer = RowLinear(20, 30, chord=5, copies=256, spectral="gain")
    root = math.sqrt(30 * 25)
    for allowed, expected in ((math.inf, 256), (512, 256), (16, 16), (1, 1)):
        factors = layer.learning_rate_factors(allowed)
        assert factors == {layer.chord_weight: expected, layer.spectral.gain: root}


@pytest.mark.parametrize("variant", [Variant(spectral_norm="gd"), VARIANTS["embedding"]], ids=name)
def test_weights_may_start_as_those_of_dcgan(variant: Variant) -> None:
    torch.manual_seed(0)
    for player in PLAYERS:
        ours = player(variant)
        tables = {key: value.clone() for key, value in ours.state_dict().items() if "embedding" in key}
        initialise(ours, "dcgan")
        for layer in ours.modules():
            if isinstance(layer, RowLinear):
                few = layer.weight.numel() < 1500
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.2 if few else 0.06)
                assert not layer.bias.any()
                if layer.chord_weight is not None and layer.chord_weight.numel() > 150:
                    assert layer.chord_weight.std().item() == pytest.approx(0.02 * layer.copies**0.5, rel=0.1)
            if isinstance(layer, nn.BatchNorm1d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.6)
                assert not layer.bias.any()
        assert all(torch.equal(ours.state_dict()[key], table) for key, table in tables.items())
        for scale, matrix in normalised(ours):  # singular vectors are those of the new weights
            norm = torch.linalg.matrix_norm(matrix * scale(matrix), 2).item()
            assert 1 - 1e-5 <= norm < 1.1


def test_pytorchs_own_start_leaves_the_weights_as_made() -> None:
    ours = Generator(Variant())
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    state = torch.get_rng_state()
    initialise(ours, "torch")
    assert all(torch.equal(value, before[key]) for key, value in ours.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_convolutions_start_as_those_of_dcgan() -> None:
    torch.manual_seed(0)
    player = nn.Sequential(nn.Linear(50, 50), nn.Conv2d(30, 30, 3), nn.BatchNorm2d(30), nn.ConvTranspose2d(30, 30, 3))
    initialise(player, "dcgan")
    assert all(player[i].weight.std().item() == pytest.approx(0.02, rel=0.1) for i in (0, 1, 3))
    assert player[2].weight.mean().item() == pytest.approx(1, abs=0.02)
    assert not any(part.bias.any() for part in player)
