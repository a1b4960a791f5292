"""The training step, held against a naive one and against the faults of earlier implementations."""

import copy
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from data_prep.corpus import Corpus
from trainables.batches import BarDealer, Batch
from trainables.config import TrainConfig
from trainables.means import Means
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import NOISE, Generator
from trainables.networks.layers import Block, RowLinear, iterate_spectral_norms
from trainables.networks.spectral import SpectralScale
from trainables.step import Players, train_step
from trainables.variants import VARIANTS, Variant

CPU = torch.device("cpu")
UPDATES = [(1, 2), (1, 1), (2, 1), (3, 3)]
SMALL = TrainConfig(batch_size=4)


class Run:
    """Players and all that a step of theirs needs."""

    def __init__(self, variant: Variant, config: TrainConfig, corpus: Corpus) -> None:
        torch.manual_seed(0)
        self.players = Players(Generator(variant), Discriminator(variant), config)
        self.bars = BarDealer(corpus, device=CPU, seed=0)
        self.noise = torch.Generator().manual_seed(0)
        self.config = config
        self.means = Means()

    def step(self) -> None:
        train_step(self.players, self.bars, self.noise, self.config, self.means)


def forget_gradients_after_each_step(optimiser: torch.optim.Optimizer) -> None:
    optimiser.register_step_post_hook(lambda *_: optimiser.zero_grad(set_to_none=True))


def gradients(player: nn.Module) -> list[Tensor]:
    return [p.grad for p in player.parameters() if p.grad is not None]


@pytest.mark.parametrize("system", VARIANTS)
def test_a_generator_update_leaves_no_gradient_on_the_discriminator(system: str, corpus: Corpus) -> None:
    run = Run(VARIANTS[system], SMALL, corpus)
    forget_gradients_after_each_step(run.players.optimiser_d)
    for _ in range(2):
        run.step()
        assert gradients(run.players.generator)
        assert not gradients(run.players.discriminator)


@pytest.mark.parametrize("system", VARIANTS)
def test_a_discriminator_update_leaves_no_gradient_on_the_generator(system: str, corpus: Corpus) -> None:
    run = Run(VARIANTS[system], SMALL, corpus)
    found: list[list[Tensor]] = []
    forget_gradients_after_each_step(run.players.optimiser_g)
    run.players.optimiser_d.register_step_post_hook(lambda *_: found.append(gradients(run.players.generator)))
    run.step()
    run.step()
    assert found == [[], []]


def test_both_players_can_learn_after_a_step(corpus: Corpus) -> None:
    run = Run(VARIANTS["combined"], SMALL, corpus)
    run.step()
    assert all(p.requires_grad for p in run.players.discriminator.parameters())
    assert all(p.requires_grad for p in run.players.generator.parameters())
    assert not any(p.requires_grad for p in run.players.average.parameters())


# Numbers of updates do not meet the parts of networks: all of them with one system, one of them with each.
MEETINGS = [*((name, (1, 2)) for name in VARIANTS), *(("baseline", updates) for updates in UPDATES[1:])]


@pytest.mark.parametrize(("system", "updates"), MEETINGS, ids=str)
def test_autograd_finds_nothing_changed_under_a_graph(system: str, updates: tuple[int, int], corpus: Corpus) -> None:
    # Weights that an optimiser changed between forward and backward: the in-place errors of torch 1.5.
    config = TrainConfig(batch_size=4, d_updates=updates[0], g_updates=updates[1])
    run = Run(VARIANTS[system], config, corpus)
    with torch.autograd.set_detect_anomaly(True):
        run.step()
        run.step()


def test_weights_that_stand_still_are_normalised_once(corpus: Corpus) -> None:
    run = Run(VARIANTS["spectral_gd"], SMALL, corpus)
    calls: list[SpectralScale] = []
    generator, discriminator = (
        [module for module in player.modules() if isinstance(module, SpectralScale)]
        for player in (run.players.generator, run.players.discriminator)
    )
    for scale in generator + discriminator:
        scale.register_forward_hook(lambda module, *_: calls.append(module))
    run.step()
    # D for its own update, and then for both of G; G anew in each of its updates.
    assert all(calls.count(scale) == 2 for scale in generator + discriminator)
    batch = run.bars.draw(4)
    for count in (3, 4):  # outside of a step nothing is kept
        run.players.discriminator(batch.bar, *batch.condition)
        assert all(calls.count(scale) == count for scale in discriminator)


@pytest.mark.parametrize("updates", UPDATES, ids=str)
def test_each_side_takes_the_configured_number_of_optimiser_steps(updates: tuple[int, int], corpus: Corpus) -> None:
    run = Run(VARIANTS["baseline"], TrainConfig(batch_size=4, d_updates=updates[0], g_updates=updates[1]), corpus)
    for _ in range(3):
        run.step()
    for optimiser, count in zip((run.players.optimiser_d, run.players.optimiser_g), updates, strict=True):
        assert {state["step"].item() for state in optimiser.state.values()} == {3 * count}
    assert run.players.average.n_averaged == 3 * updates[1]


@pytest.mark.parametrize("updates", UPDATES, ids=str)
def test_each_generator_update_hears_bars_of_the_weights_it_starts_from(
    updates: tuple[int, int], corpus: Corpus
) -> None:
    run = Run(VARIANTS["baseline"], TrainConfig(batch_size=4, d_updates=updates[0], g_updates=updates[1]), corpus)
    generator = run.players.generator
    events: list[tuple[str, Tensor]] = []
    generator.register_forward_hook(lambda _, __, bars: events.append(("bars", bars.detach().clone())))
    run.players.optimiser_g.register_step_pre_hook(lambda *_: events.append(("update", weights(generator))))
    made_by: list[Tensor] = []
    generator.register_forward_pre_hook(lambda *_: made_by.append(weights(generator)))
    run.step()
    # The last discriminator update and the first generator update share one pass; each further one has its own.
    assert [kind for kind, _ in events] == ["bars"] * updates[0] + ["update"] + ["bars", "update"] * (updates[1] - 1)
    bars = [tensor for kind, tensor in events if kind == "bars"][updates[0] - 1 :]
    starts = [tensor for kind, tensor in events if kind == "update"]
    assert all(torch.equal(made, start) for made, start in zip(made_by[updates[0] - 1 :], starts, strict=True))
    assert all((a != b).any() for a, b in pairwise(bars))


def weights(player: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(player.parameters()).detach().clone()


class Recorder:
    """Hands out another's batches and keeps them."""

    def __init__(self, bars: BarDealer) -> None:
        self.bars = bars
        self.drawn: list[Batch] = []
        self.rests = bars.rests

    def draw(self, size: int) -> Batch:
        self.drawn.append(self.bars.draw(size))
        return self.drawn[-1]


@pytest.mark.parametrize("updates", UPDATES, ids=str)
def test_each_discriminator_update_has_a_fresh_batch_and_fresh_noise(updates: tuple[int, int], corpus: Corpus) -> None:
    config = TrainConfig(batch_size=4, d_updates=updates[0], g_updates=updates[1])
    run = Run(VARIANTS["baseline"], config, corpus)
    recorder: Any = Recorder(run.bars)
    run.bars = recorder
    noise: list[Tensor] = []
    run.players.generator.register_forward_pre_hook(lambda _, inputs: noise.append(inputs[0]))
    seen: list[Tensor] = []
    run.players.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    run.step()
    assert len(recorder.drawn) == updates[0]
    # Real bars and generated ones in turn, never together: each pass has batch statistics of its own.
    real = seen[: 2 * updates[0] : 2]
    assert all(x is batch.bar for x, batch in zip(real, recorder.drawn, strict=True))
    assert all((a.bar != b.bar).any() for a, b in pairwise(recorder.drawn))
    assert len(torch.cat(noise[: updates[0]]).unique(dim=0)) == 4 * updates[0]
    # The generator's updates stay with the last of them.
    assert all(torch.equal(z, noise[updates[0] - 1]) for z in noise[updates[0] :])


def test_singular_vectors_move_once_per_update_of_their_player(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(Variant(spectral_norm="gd"), TrainConfig(batch_size=4, d_updates=2, g_updates=3), corpus)
    moved: list[SpectralScale] = []
    iterate = SpectralScale.iterate

    def spy(scale: SpectralScale, matrix: Tensor) -> None:
        moved.append(scale)
        iterate(scale, matrix)

    monkeypatch.setattr(SpectralScale, "iterate", spy)
    run.step()
    for player, count in ((run.players.discriminator, 2), (run.players.generator, 3)):
        scales = [module for module in player.modules() if isinstance(module, SpectralScale)]
        assert scales
        assert all(sum(scale is other for other in moved) == count for scale in scales)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
@pytest.mark.parametrize(
    ("variant", "factors_d", "factors_g"),
    [
        # Positions of the kernel that a chord plane covers: 2 steps by 128 pitches, then 4 steps.
        (Variant(), {"convolutions.0.linear.chord_weight": 256, "convolutions.1.linear.chord_weight": 4}, {}),
        (
            Variant(chord="embedding", spectral_norm="d_all", d_sees_previous=True),
            {"convolutions.0.linear.chord_weight": 256, "convolutions.1.linear.chord_weight": 4},
            {},
        ),
        (VARIANTS["combined"], {}, {}),
        # The norm of a free matrix of 128 pitches by 128 + 16 features and 13 chord numbers moves as fast.
        (
            Variant(spectral_norm="gd"),
            {"convolutions.0.linear.chord_weight": 256, "convolutions.1.linear.chord_weight": 4},
            {"output.spectral.gain": (128 * 157) ** 0.5},
        ),
    ],
    ids=["baseline", "embedding", "combined", "gd"],
)
def test_every_weight_learns_at_its_rate(
    variant: Variant, factors_d: dict[str, float], factors_g: dict[str, float], ratio: float, corpus: Corpus
) -> None:
    config = TrainConfig(learning_rate=1e-3, learning_rate_ratio=ratio, beta1=0.25, beta2=0.9, batch_size=4)
    run = Run(variant, config, corpus)
    run.step()  # the optimisers as they are in a trial
    for player, optimiser, rate in (
        (run.players.discriminator, run.players.optimiser_d, 1e-3 * ratio**0.5),
        (run.players.generator, run.players.optimiser_g, 1e-3 / ratio**0.5),
    ):
        rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
        assert sum(len(group["params"]) for group in optimiser.param_groups) == len(rates)
        factors = factors_d if player is run.players.discriminator else factors_g
        expected = {id(p): rate * factors.get(name, 1) for name, p in player.named_parameters()}
        assert rates == pytest.approx(expected)
        assert {group["betas"] for group in optimiser.param_groups} == {(0.25, 0.9)}


def test_rates_move_the_weights_that_far(corpus: Corpus) -> None:
    # Adam's first step is the learning rate itself wherever the gradient is not tiny.
    run = Run(VARIANTS["baseline"], TrainConfig(batch_size=8, learning_rate_ratio=4.0, g_updates=1), corpus)
    first = run.players.discriminator.convolutions[0].linear
    assert isinstance(first, RowLinear)
    watched = {
        4e-4: first.weight,
        256 * 4e-4: first.chord_weight,
        1e-4: run.players.generator.output.weight,
    }
    before = [p.detach().clone() for p in watched.values()]
    run.step()
    for (rate, after), start in zip(watched.items(), before, strict=True):
        assert (after - start).abs().max().item() == pytest.approx(rate, rel=1e-3)


def test_a_step_reports_losses_and_probabilities(corpus: Corpus) -> None:
    run = Run(VARIANTS["baseline"], SMALL, corpus)
    for _ in range(3):
        run.step()
    found = run.means.read()
    assert found.keys() == {"loss_d", "d_real", "d_fake", "d_accuracy", "loss_g", "loss_g_adversarial"}
    assert all(type(value) is float for value in found.values())
    assert all(0 <= found[name] <= 1 for name in ("d_real", "d_fake", "d_accuracy"))
    # Feature and mean matching can only add.
    assert found["loss_g"] > found["loss_g_adversarial"] > 0


class NaiveTraining:
    """The step as the paper tells it: nothing is shared, kept or frozen."""

    def __init__(self, players: Players, config: TrainConfig) -> None:
        self.config = config
        self.g, self.d = copy.deepcopy(players.generator), copy.deepcopy(players.discriminator)
        self.average = [p.detach().clone() for p in self.g.parameters()]
        self.updates = 0
        betas = (config.beta1, config.beta2)
        # One chord weight stands for as many equal ones as its kernel has positions.
        kernel = 4 if isinstance(self.d.convolutions[0], Block) and self.d.convolutions[0].kernel == 4 else 2
        faster = {"convolutions.0.linear.chord_weight": kernel * 128}
        faster |= {f"convolutions.{layer}.linear.chord_weight": 4 for layer in (1, 2, 3)}
        groups = [
            {"params": [p], "lr": config.learning_rate_d * faster.get(name, 1)} for name, p in self.d.named_parameters()
        ]
        self.adam_d = torch.optim.Adam(groups, betas=betas, foreach=False)
        gains = [p for name, p in self.g.named_parameters() if name.endswith("gain")]
        others = [p for name, p in self.g.named_parameters() if not name.endswith("gain")]
        groups_g = [{"params": others}, {"params": gains, "lr": config.learning_rate_g * (128 * 157) ** 0.5}]
        self.adam_g = torch.optim.Adam(groups_g, lr=config.learning_rate_g, betas=betas, foreach=False)

    def update_d(self, batch: Batch, z: Tensor) -> float:
        iterate_spectral_norms(self.d)
        fake = self.g(z, *batch.condition).detach()
        on_real, on_fake = (self.d(x, *batch.condition)[0].sigmoid() for x in (batch.bar, fake))
        loss = F.binary_cross_entropy(on_real, torch.full_like(on_real, self.config.real_label))
        loss = loss + F.binary_cross_entropy(on_fake, torch.zeros_like(on_fake))
        self.adam_d.zero_grad()
        self.adam_g.zero_grad()
        loss.backward()
        self.adam_d.step()
        return loss.item()

    def update_g(self, batch: Batch, z: Tensor) -> float:
        fake = self.g(z, *batch.condition)
        logit, features = self.d(fake, *batch.condition)
        wanted = self.d(batch.bar, *batch.condition)[1].detach()
        loss = F.binary_cross_entropy(logit.sigmoid(), torch.ones_like(logit))
        loss = loss + self.config.feature_weight * 0.5 * (wanted.mean(0) - features.mean(0)).pow(2).sum()
        loss = loss + self.config.mean_weight * 0.5 * (batch.bar.mean(0) - fake.mean(0)).pow(2).sum()
        self.adam_d.zero_grad()
        self.adam_g.zero_grad()
        loss.backward()
        self.adam_g.step()
        iterate_spectral_norms(self.g)
        decay = min(self.config.average_decay, (1 + self.updates) / (10 + self.updates)) if self.updates else 0.0
        for average, p in zip(self.average, self.g.parameters(), strict=True):
            average.copy_(decay * average + (1 - decay) * p.detach())
        self.updates += 1
        return loss.item()


@pytest.mark.parametrize(("system", "updates"), MEETINGS, ids=str)
def test_a_step_is_the_naive_one(
    system: str, updates: tuple[int, int], corpus: Corpus, in_double: Callable[..., None]
) -> None:
    config = TrainConfig(batch_size=6, d_updates=updates[0], g_updates=updates[1], learning_rate_ratio=3.0)
    run = Run(VARIANTS[system], config, corpus)
    bars, noise = BarDealer(corpus, device=CPU, seed=0), torch.Generator().manual_seed(0)
    in_double(run.players, run.bars, bars)
    naive = NaiveTraining(run.players, config)
    losses: dict[str, list[float]] = {"loss_d": [], "loss_g": []}
    for _ in range(2):
        run.step()
        for _ in range(updates[0]):
            batch, z = bars.draw(6), torch.randn(6, NOISE, generator=noise)
            losses["loss_d"].append(naive.update_d(batch, z))
        losses["loss_g"] += [naive.update_g(batch, z) for _ in range(updates[1])]
    found = run.means.read()
    for name, values in losses.items():
        assert found[name] == pytest.approx(sum(values) / len(values), rel=1e-6)  # read as float32
    close = {"rtol": 0, "atol": 1e-9}
    for ours, theirs in ((run.players.generator, naive.g), (run.players.discriminator, naive.d)):
        for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(p, q, **close, msg=lambda text, name=name: f"{name}: {text}")
    for p, q in zip(run.players.average.parameters(), naive.average, strict=True):
        torch.testing.assert_close(p, q, **close)
