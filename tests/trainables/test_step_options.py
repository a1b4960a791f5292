"""What is searched about the training step beyond rates and updates: each option in the place where it acts."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from data_prep.corpus import Corpus
from trainables import step
from trainables.config import TrainConfig
from trainables.losses import mean_matching
from trainables.means import Means
from trainables.midinet import MidiNet
from trainables.networks.layers import RowLinear
from trainables.step import train_step
from trainables.variants import Variant


def midinet(corpus: Corpus, variant: Variant | None = None, *, horizon: int = 432_000, **numbers: object) -> MidiNet:
    config = TrainConfig(**({"batch_size": 4, "g_updates": 1} | numbers))  # type: ignore[arg-type]
    return MidiNet(variant or Variant(), config, corpus, seed=0, horizon=horizon)


def one_step(net: MidiNet, *, spent: float = 0.0) -> dict[str, float]:
    means = Means()
    with net.random.flowing():
        train_step(net.players, net.dealer, net.noise, net.config, means, spent=spent)
    return means.read()


def shown(net: MidiNet) -> list[Tensor]:
    """What the discriminator will be shown, in order: real, generated (D's update), generated (G's)."""
    seen: list[Tensor] = []
    net.players.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    return seen


@pytest.mark.parametrize("loss", ["bce", "hinge", "wgan_gp"])
def test_each_loss_trains_both_players(loss: str, corpus: Corpus) -> None:
    net = midinet(corpus, Variant(d_norm="none"), loss=loss)
    before = [p.detach().clone() for p in net.players.generator.parameters()]
    found = one_step(net)
    assert all(math.isfinite(value) for value in found.values())
    assert any((p != q).any() for p, q in zip(net.players.generator.parameters(), before, strict=True))


def discriminator_gradients(net: MidiNet) -> list[Tensor]:
    grads: list[Tensor] = []
    players = net.players
    players.optimiser_d.register_step_pre_hook(
        lambda *_: grads.extend(p.grad.clone() for p in players.discriminator.parameters() if p.grad is not None)
    )
    one_step(net)
    return grads


def test_r1_adds_its_gradient_at_real_bars(corpus: Corpus, in_double: Callable[..., None]) -> None:
    variant = Variant(d_norm="none")
    plain, penalised, again = (midinet(corpus, variant, r1=r1) for r1 in (0.0, 3.0, 0.0))
    for net in (plain, penalised, again):
        in_double(net.players, net.dealer)
    batch = again.dealer.draw(4)
    bar = batch.bar.clone().requires_grad_()
    d = again.players.discriminator
    (slope,) = torch.autograd.grad(d(bar, *batch.condition)[0].sum(), bar, create_graph=True)
    penalty = 3.0 / 2 * slope.pow(2).sum((1, 2)).mean()
    expected = torch.autograd.grad(penalty, list(d.parameters()), allow_unused=True)
    found = zip(discriminator_gradients(penalised), discriminator_gradients(plain), expected, strict=True)
    for with_r1, without, extra in found:
        torch.testing.assert_close(with_r1 - without, torch.zeros_like(without) if extra is None else extra)


def test_the_gradient_penalty_acts_in_proportion_to_its_weight(corpus: Corpus, in_double: Callable[..., None]) -> None:
    nets = [midinet(corpus, Variant(d_norm="none"), loss="wgan_gp", gradient_penalty=g) for g in (0.0, 1.0, 10.0)]
    for net in nets:
        in_double(net.players, net.dealer)
    none, one, ten = (torch.cat([g.flatten() for g in discriminator_gradients(net)]) for net in nets)
    assert (one - none).norm() > 1e-3 * none.norm()
    torch.testing.assert_close(ten - none, 10 * (one - none))


def test_the_gradient_penalty_is_taken_between_real_and_generated_bars(corpus: Corpus) -> None:
    net = midinet(corpus, Variant(d_norm="none"), loss="wgan_gp")
    seen = shown(net)
    one_step(net)
    real, fake, between = seen[:3]
    share = (between - real).flatten(1).norm(dim=1) / (fake - real).flatten(1).norm(dim=1)
    assert ((share > 0) & (share < 1)).all()
    assert len(share.unique()) == 4  # each bar at a place of its own
    torch.testing.assert_close(between, real + share.view(-1, 1, 1) * (fake - real), rtol=0, atol=1e-5)


def test_only_what_the_discriminator_sees_is_noisy(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    net = midinet(corpus, instance_noise=0.2)
    features: list[Tensor] = []
    ask = net.players.discriminator.features
    monkeypatch.setattr(
        net.players.discriminator, "features", lambda bar, *rest: features.append(bar.clone()) or ask(bar, *rest)
    )
    matched: list[tuple[Tensor, Tensor]] = []
    monkeypatch.setattr(
        step, "mean_matching", lambda real, fake: matched.append((real, fake)) or mean_matching(real, fake)
    )
    one_step(net)
    assert features[0].min() < 0  # real bars whose features are matched
    bars = next((real, fake) for real, fake in matched if real.shape[1:] == (16, 128))
    assert all(((bar >= 0) & (bar <= 1)).all() for bar in bars)  # but not the bars whose means are


def test_notes_shown_straight_through_have_rests_where_the_corpus_has(corpus: Corpus) -> None:
    melody = corpus.melody.copy()
    melody[:, 3::4] = -1
    for music, rests in ((corpus, False), (replace(corpus, melody=melody), True)):
        net = midinet(music, straight_through=True)
        with torch.no_grad():
            net.players.generator.output.bias.fill_(-20.0)  # no pitch is likely
        seen = shown(net)
        one_step(net)
        assert (seen[1].sum(-1) == (0 if rests else 1)).all()


@pytest.mark.parametrize(("spent", "deviation"), [(0.0, 0.2), (0.25, 0.1), (0.5, 0.0), (0.9, 0.0)])
def test_instance_noise_is_on_all_that_the_discriminator_sees_and_falls(
    spent: float, deviation: float, corpus: Corpus
) -> None:
    clear, noisy = midinet(corpus), midinet(corpus, instance_noise=0.2)
    seen = [shown(net) for net in (clear, noisy)]
    for net in (clear, noisy):
        one_step(net, spent=spent)
    first = [(b - a) for a, b in zip(*seen, strict=True)][:2]  # afterwards the weights have parted
    for difference in first:
        assert difference.std().item() == pytest.approx(deviation, rel=0.05)
    if deviation:
        assert (first[0] != first[1]).any()


def test_straight_through_shows_notes_and_teaches_probabilities(corpus: Corpus) -> None:
    net = midinet(corpus, straight_through=True)
    seen = shown(net)
    learnt: list[Tensor] = []
    net.players.optimiser_g.register_step_pre_hook(
        lambda *_: learnt.extend(p.grad for p in net.players.generator.parameters() if p.grad is not None)
    )
    one_step(net)
    for bar in seen[1:]:
        torch.testing.assert_close(bar.sum(-1), torch.ones(4, 16))
        torch.testing.assert_close(bar, F.one_hot(bar.argmax(-1), 128).float())
    assert all((gradient != 0).any() for gradient in learnt)


@pytest.mark.parametrize(("end", "spent", "share"), [(1.0, 0.7, 1.0), (0.0, 0.25, 0.75), (0.5, 1.0, 0.5), (0, 2, 0)])
def test_learning_rates_fall_in_a_straight_line(end: float, spent: float, share: float, corpus: Corpus) -> None:
    net = midinet(corpus, learning_rate_end=float(end))
    start = [group["lr"] for group in net.players.optimiser_d.param_groups]
    one_step(net, spent=spent)
    assert [group["lr"] for group in net.players.optimiser_d.param_groups] == pytest.approx([r * share for r in start])
    assert net.players.optimiser_g.param_groups[0]["lr"] == pytest.approx(2e-4 * share)


def test_the_horizon_says_what_share_is_spent(corpus: Corpus) -> None:
    net = midinet(corpus, learning_rate_end=0.0, horizon=80)
    net.train(until=41)  # six steps of 8 bars: the last began with half of the budget spent
    assert net.players.optimiser_g.param_groups[0]["lr"] == pytest.approx(2e-4 / 2)


@pytest.mark.parametrize("gain", [1.0, 16.0, 512.0])
def test_chord_gain_limits_how_fast_chords_are_learnt(gain: float, corpus: Corpus) -> None:
    players = midinet(corpus, chord_gain=gain).players
    rates = {id(p): group["lr"] for group in players.optimiser_d.param_groups for p in group["params"]}
    for layer, copies in zip(players.discriminator.convolutions, (256, 4), strict=True):
        assert isinstance(layer.linear, RowLinear)
        assert rates[id(layer.linear.chord_weight)] == pytest.approx(2e-4 * min(copies, gain))
        assert rates[id(layer.linear.weight)] == pytest.approx(2e-4)


def test_the_initialisation_is_that_of_both_players(corpus: Corpus) -> None:
    players = midinet(corpus, initialisation="dcgan").players
    for weight in (players.generator.output.weight, players.discriminator.dense.linear.weight):
        assert weight.std().item() == pytest.approx(0.02, rel=0.05)
    torch.testing.assert_close(players.average.module.output.weight, players.generator.output.weight)


def test_without_an_average_the_generator_itself_is_judged(corpus: Corpus) -> None:
    net = midinet(corpus, average_decay=0.0)
    for _ in range(3):
        one_step(net)
    for average, weight in zip(
        net.players.average.module.parameters(), net.players.generator.parameters(), strict=True
    ):
        torch.testing.assert_close(average, weight, rtol=0, atol=0)


@pytest.mark.parametrize("blur", [{"previous_dropout": 0.5}, {"previous_noise": 0.3}], ids=str)
def test_the_previous_bar_is_blurred_in_training_alone(blur: dict[str, float], corpus: Corpus) -> None:
    net, clear = midinet(corpus, **blur), midinet(corpus)
    generator = net.players.generator
    batch = net.dealer.sample(4, seed=0)
    z = torch.zeros(4, 100)
    assert (generator(z, *batch.condition) != generator(z, *batch.condition)).any()
    generator.eval()
    torch.testing.assert_close(generator(z, *batch.condition), generator(z, *batch.condition), rtol=0, atol=0)
    assert one_step(net) != one_step(clear)


def test_blurring_comes_from_the_systems_own_random_numbers(corpus: Corpus) -> None:
    first, second = (midinet(corpus, previous_dropout=0.5, previous_noise=0.1) for _ in range(2))
    losses = [first.train(until=64)]
    torch.manual_seed(99)
    torch.randn(7)
    second.train(until=24)
    saved = second.state_dict()
    torch.manual_seed(98)
    third = midinet(corpus, previous_dropout=0.5, previous_noise=0.1)
    third.load_state_dict(saved)
    third.train(until=64)
    assert third.players.norms() == {name: losses[0][name] for name in ("norm_g", "norm_d")}


def test_weights_that_are_no_numbers_show_in_their_norm(corpus: Corpus) -> None:
    net = midinet(corpus)
    with torch.no_grad():
        net.players.generator.output.bias[0] = math.inf
    assert not math.isfinite(net.players.norms()["norm_g"])
    assert math.isfinite(net.players.norms()["norm_d"])
