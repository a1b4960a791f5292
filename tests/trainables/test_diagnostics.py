"""Diagnostics of players whose every answer is known, and of real ones that must not notice."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from data_prep.corpus import Corpus
from scores.balance import auc, d_balance
from trainables.batches import Batch
from trainables.config import TrainConfig
from trainables.diagnostics import DIAGNOSTICS, diagnose
from trainables.midinet import MidiNet
from trainables.variants import VARIANTS, Variant

BARS, STEPS, PITCHES = 24, 4, 12


class Writer(nn.Module):
    """A generator that does what it is told with noise (B, 3), previous bars and chords."""

    noise = 3

    def __init__(self, write: Callable[..., Tensor]) -> None:
        super().__init__()
        self.write = write

    def forward(self, noise: Tensor, *condition: Tensor) -> Tensor:
        return self.write(noise, *condition)


class Critic(nn.Module):
    """A discriminator that says what it is told of bars and their conditions."""

    def __init__(self, opinion: Callable[..., Tensor]) -> None:
        super().__init__()
        self.opinion = opinion

    def forward(self, bar: Tensor, *condition: Tensor) -> tuple[Tensor, Tensor]:
        return self.opinion(bar, *condition), bar


def melody(pitch: Tensor) -> Tensor:
    return F.one_hot(pitch, PITCHES).float()


def likeliest(probability: Tensor) -> Tensor:
    return melody(probability.argmax(-1))


def batch(seed: int = 0) -> Batch:
    """Random melodies after random melodies over all of 25 chords."""
    random = torch.Generator().manual_seed(seed)
    bar, previous = (melody(torch.randint(PITCHES, (BARS, STEPS), generator=random)) for _ in range(2))
    return Batch(bar=bar, condition=(previous, torch.randperm(BARS, generator=random).unsqueeze(1)))


def blind(bar: Tensor, *_: Tensor) -> Tensor:
    return (0 * bar).sum((1, 2))


def silent(noise: Tensor, *_: Tensor) -> Tensor:
    return torch.zeros(len(noise), STEPS, PITCHES)


def found(
    write: Callable[..., Tensor] = silent,
    opinion: Callable[..., Tensor] = blind,
    *,
    held_out: Batch | None = None,
    training: Batch | None = None,
    **options: Any,
) -> dict[str, float]:
    defaults: dict[str, Any] = {
        "notes": likeliest,
        "generator_loss": lambda logit: F.softplus(-logit).mean(),
        "register": (0, PITCHES - 1),
        "seed": 0,
    }
    batches = held_out or batch(), training or batch(seed=1)
    return diagnose(Writer(write), Critic(opinion), Writer(write), *batches, **defaults | options)


def test_a_generator_that_follows_nothing_is_insensitive_to_everything() -> None:
    numbers = found(lambda noise, *_: melody(torch.full((len(noise), STEPS), 5)))
    assert [numbers[f"{what}_sensitivity"] for what in ("noise", "previous", "chord")] == [0, 0, 0]
    assert numbers["distinct_bars"] == pytest.approx(1 / BARS)
    assert numbers["pitches"] == 1


def by_noise(noise: Tensor, *_: Tensor) -> Tensor:
    return melody((noise[:, :1] * 1e6).long().remainder(PITCHES).repeat(1, STEPS))


def by_previous(noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
    return previous.roll(1, -1)


def by_chord(noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
    return melody(chord.remainder(PITCHES).repeat(1, STEPS))


@pytest.mark.parametrize(("what", "write"), [("noise", by_noise), ("previous", by_previous), ("chord", by_chord)])
def test_a_generator_is_sensitive_to_what_it_follows_and_to_nothing_else(
    what: str, write: Callable[..., Tensor]
) -> None:
    numbers = found(write)
    for name in ("noise", "previous", "chord"):
        sensitivity = numbers[f"{name}_sensitivity"]
        assert sensitivity > 0.7 if name == what else sensitivity == 0  # one in twelve falls on the same pitch


def test_copies_are_told_from_what_only_depends_on_the_bar_before() -> None:
    real = batch()
    expected = (real.bar == real.condition[0]).all(-1).float().mean().item()
    copy = found(lambda noise, previous, chord: previous)
    assert copy["copy_rate"] == 1
    assert copy["real_copy_rate"] == pytest.approx(expected)
    assert found(by_previous)["copy_rate"] == 0


def test_the_output_is_measured_before_it_becomes_notes() -> None:
    def write(noise: Tensor, *_: Tensor) -> Tensor:
        bars = torch.full((len(noise), STEPS, PITCHES), 0.1)
        bars[:, :, 3] = 0.4
        return bars

    numbers = found(write)
    assert numbers["notes_per_step"] == pytest.approx(0.4 + 0.1 * (PITCHES - 1))
    assert numbers["top_probability"] == pytest.approx(0.4)


@pytest.mark.parametrize(("register", "outside"), [((0, 11), 0), ((2, 11), 0.5), ((0, 8), 0.25), ((3, 8), 1)])
def test_the_register_includes_its_ends(register: tuple[int, int], outside: float) -> None:
    numbers = found(
        lambda noise, *_: melody(torch.tensor([0, 1, 2, 9]).repeat(len(noise), 1)),
        register=(register[0], register[1]),
    )
    assert numbers["out_of_register"] == pytest.approx(outside)


def test_music_without_notes_is_in_its_register() -> None:
    assert found(notes=torch.zeros_like)["out_of_register"] == 0


@given(st.lists(st.lists(st.integers(0, 2), min_size=STEPS, max_size=STEPS), min_size=2, max_size=12))
@settings(deadline=None, max_examples=50)
def test_bars_are_told_apart_as_numpy_tells_them(lines: list[list[int]]) -> None:
    bar = melody(torch.tensor(lines))
    numbers = found(held_out=Batch(bar=bar, condition=()), training=Batch(bar=bar, condition=()))
    assert numbers["real_distinct_bars"] == pytest.approx(len(np.unique(lines, axis=0)) / len(lines))
    assert numbers["real_pitches"] == len(np.unique(lines))


def test_chords_of_notes_count_as_what_they_are() -> None:
    bar = torch.zeros(3, STEPS, PITCHES)
    bar[0, :, [0, 4, 7]] = 1
    bar[1, :, [0, 4]] = 1
    bar[2, :, [0, 4, 7]] = 1
    numbers = found(held_out=Batch(bar=bar, condition=()), training=Batch(bar=bar, condition=()))
    assert numbers["real_distinct_bars"] == pytest.approx(2 / 3)
    assert numbers["real_pitches"] == 3


def first_pitch(bar: Tensor, *_: Tensor) -> Tensor:
    return bar[:, 0] @ torch.linspace(-2, 3, PITCHES)


def test_what_the_discriminator_says_is_taken_at_its_word() -> None:
    real, logit = batch(), torch.linspace(-2, 3, PITCHES)
    numbers = found(lambda noise, *_: melody(torch.full((len(noise), STEPS), 4)), first_pitch)
    of_real, of_fake = first_pitch(real.bar), logit[4].repeat(BARS)
    border = torch.cat([of_real, of_fake]).median()
    right = ((of_real > border).float().mean() + (of_fake <= border).float().mean()) / 2
    assert numbers["d_real"] == pytest.approx(of_real.sigmoid().mean().item())
    assert numbers["d_fake"] == pytest.approx(logit[4].sigmoid().item())
    assert numbers["d_accuracy"] == pytest.approx(right.item())
    assert numbers["balance"] == pytest.approx(d_balance(of_real.numpy(), of_fake.numpy()))


@pytest.mark.parametrize("offset", [-30.0, 0.0, 30.0])
@pytest.mark.parametrize(("sign", "accuracy"), [(1, 1.0), (0, 0.5), (-1, 0.0)])
def test_accuracy_needs_no_zero(offset: float, sign: int, accuracy: float) -> None:
    def opinion(bar: Tensor, *_: Tensor) -> Tensor:
        return sign * bar.sum((1, 2)) + offset  # generated bars are empty

    numbers = found(silent, opinion)
    assert numbers["d_accuracy"] == accuracy
    assert numbers["balance"] == abs(sign)


def test_a_discriminator_that_knows_the_training_bars_by_heart_overfits() -> None:
    training, held_out = batch(seed=1), batch(seed=2)

    def opinion(bar: Tensor, *_: Tensor) -> Tensor:
        known = (bar.flatten(1).unsqueeze(1) == training.bar.flatten(1)).all(-1).any(-1)
        return known.to(bar.dtype) + 0 * bar.sum((1, 2))

    numbers = found(silent, opinion, held_out=held_out, training=training)
    assert numbers["d_overfit"] == pytest.approx(0.5)
    assert numbers["balance"] == 0
    unknowing = found(by_noise, first_pitch, held_out=held_out, training=held_out)
    assert abs(unknowing["d_overfit"]) < 0.2  # other noise


def test_a_discriminator_that_judges_by_chords_fails_on_others() -> None:
    real = batch()
    sung = Batch(bar=by_chord(torch.zeros(0), *real.condition), condition=real.condition)

    def opinion(bar: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        return (bar * by_chord(torch.zeros(0), previous, chord)).sum((1, 2))

    assert found(silent, opinion, held_out=sung)["d_chord_drop"] > 0.7
    assert found(silent, lambda bar, *_: bar.sum((1, 2)), held_out=sung)["d_chord_drop"] == 0


def test_the_gradient_is_that_of_one_bar() -> None:
    slope, bias = 0.3, -1.5
    numbers = found(silent, lambda bar, *_: slope * bar.sum((1, 2)) + bias)
    by_hand = slope * math.sqrt(STEPS * PITCHES) / (1 + math.exp(bias))  # of softplus(-logit)
    assert numbers["g_gradient"] == pytest.approx(by_hand, rel=1e-5)


def test_a_discriminator_that_sees_roundness_shows_in_the_rounding_gap() -> None:
    def grey(noise: Tensor, *_: Tensor) -> Tensor:
        return torch.full((len(noise), STEPS, PITCHES), 0.5)

    gap = found(grey, lambda bar, *_: -(bar * (1 - bar)).sum((1, 2)))["rounding_gap"]
    assert gap == pytest.approx(0.5 - 1 / (1 + math.exp(STEPS * PITCHES / 4)))
    assert found(grey, blind)["rounding_gap"] == 0


def test_the_discriminator_is_shown_what_it_sees_in_training() -> None:
    def grey(noise: Tensor, *_: Tensor) -> Tensor:
        return torch.full((len(noise), STEPS, PITCHES), 0.5)

    assert found(grey, lambda bar, *_: -(bar * (1 - bar)).sum((1, 2)), as_seen=likeliest)["rounding_gap"] == 0


def test_a_critic_has_no_probabilities() -> None:
    absent = {"d_real", "d_fake", "rounding_gap"}
    assert set(found()) - set(found(critic=True)) == absent


def test_without_conditions_nothing_is_said_of_them() -> None:
    alone = Batch(bar=batch().bar, condition=())
    numbers = found(by_noise, first_pitch, held_out=alone, training=alone)
    absent = {"d_chord_drop", "previous_sensitivity", "chord_sensitivity", "copy_rate", "real_copy_rate"}
    assert set(DIAGNOSTICS) - set(numbers) == absent


class Normalising(Writer):
    """Noise, normalised by channel, as probabilities."""

    def __init__(self, mean: float) -> None:
        super().__init__(silent)
        self.norm = nn.BatchNorm2d(1)
        nn.init.constant_(self.norm.running_mean, mean)

    def forward(self, noise: Tensor, *condition: Tensor) -> Tensor:
        grid = noise[:, :1, None, None].expand(-1, 1, STEPS, PITCHES)
        return self.norm(grid).squeeze(1).sigmoid()


@pytest.mark.parametrize(("mean", "gap"), [(0.0, 0.08), (10.0, 0.99)])
def test_statistics_that_are_not_those_of_the_batch_show(mean: float, gap: float) -> None:
    generator = Normalising(mean)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    numbers = diagnose(
        generator,
        Critic(blind),
        generator,
        batch(),
        batch(seed=1),
        notes=likeliest,
        generator_loss=lambda logit: F.softplus(-logit).mean(),
        register=(0, PITCHES - 1),
        seed=0,
    )
    assert numbers["statistics_gap"] < gap if mean == 0 else numbers["statistics_gap"] > gap
    assert all(torch.equal(value, before[name]) for name, value in generator.state_dict().items())


PLAYERS = ("generator", "discriminator", "average")
SYSTEMS = {
    **{name: (variant, TrainConfig(batch_size=8)) for name, variant in VARIANTS.items()},
    "two bars, four chords, dropout": (
        Variant(bars=2, chords_per_bar=4),
        TrainConfig(batch_size=8, previous_dropout=0.5, previous_noise=0.1),
    ),
}


def trained(name: str, corpus: Corpus) -> MidiNet:
    variant, config = SYSTEMS[name]
    net = MidiNet(variant, config, corpus, seed=0)
    net.train(until=2 * config.items_per_step * variant.bars)
    return net


def look(net: MidiNet, seed: int, average: nn.Module | None = None) -> dict[str, float]:
    players = net.players
    return diagnose(
        players.generator,
        players.discriminator,
        average or players.average.module,
        net.dealer.sample(32, 1),
        net.dealer.sample(32, 2),
        notes=net.notes,
        generator_loss=lambda logit: F.softplus(-logit).mean(),
        register=(55, 88),
        seed=seed,
    )


@pytest.mark.parametrize("name", SYSTEMS)
def test_nothing_is_changed_by_looking(name: str, corpus: Corpus) -> None:
    net = trained(name, corpus)

    def state() -> dict[str, Any]:
        players = [getattr(net.players, player) for player in PLAYERS]
        tensors = {
            f"{i}.{name}": value.clone()
            for i, player in enumerate(players)
            for name, value in player.state_dict().items()
        }
        gradients = {
            f"{i}.{name}.grad": weight.grad.clone()
            for i, player in enumerate(players)
            for name, weight in player.named_parameters()
            if weight.grad is not None
        }
        return tensors | gradients | {"random": torch.get_rng_state()}

    def modes() -> list[bool]:
        return [
            flag
            for player in PLAYERS
            for module in getattr(net.players, player).modules()
            for flag in (module.training, getattr(module, "track_running_stats", True))
        ]

    before, modes_before = state(), modes()
    first = look(net, 3)
    after = state()
    assert set(first) == set(DIAGNOSTICS)
    assert all(math.isfinite(value) for value in first.values())
    assert after.keys() == before.keys()
    assert [key for key in before if not torch.equal(after[key], before[key])] == []
    assert modes() == modes_before
    assert all(weight.requires_grad for weight in net.players.discriminator.parameters())
    torch.manual_seed(12345)  # nothing may come from the global stream
    assert look(net, 3) == first
    assert look(net, 4) != first


def test_all_is_read_off_the_device_at_once(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    net = trained("baseline", corpus)
    reads = []
    cpu = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: reads.append(1) or cpu(tensor))
    for name in ("item", "tolist", "__bool__", "__float__", "__int__"):

        def refuse(tensor: Tensor, name: str = name) -> None:
            raise AssertionError(f"{name} waits for the device")

        monkeypatch.setattr(torch.Tensor, name, refuse)
    look(net, 0)
    assert reads == [1]


def test_the_judged_generator_has_the_statistics_of_the_music(corpus: Corpus) -> None:
    net = trained("baseline", corpus)
    assert look(net, 0, net.judged_generator())["statistics_gap"] < 0.05


def test_weights_that_are_no_numbers_show(corpus: Corpus) -> None:
    net = trained("baseline", corpus)
    with torch.no_grad():
        next(net.players.discriminator.parameters()).fill_(math.nan)
    numbers = look(net, 0)
    assert math.isnan(numbers["d_real"])
    assert math.isnan(numbers["balance"])


def test_the_average_is_what_music_is_measured_by_and_the_player_what_the_discriminator_is(corpus: Corpus) -> None:
    net = trained("baseline", corpus)
    before = look(net, 0)
    with torch.no_grad():
        for weight in net.players.generator.parameters():
            weight.mul_(0.5)
    after = look(net, 0)
    changed = {name for name in before if after[name] != before[name]}
    assert {"balance", "d_fake", "rounding_gap", "g_gradient"} <= changed
    assert not changed & {"notes_per_step", "noise_sensitivity", "copy_rate", "statistics_gap", "d_real"}


def test_overfitting_is_a_difference_of_areas_under_the_curve() -> None:
    held_out, training = batch(seed=2), batch(seed=1)
    numbers = found(silent, first_pitch, held_out=held_out, training=training)
    zero = np.zeros(BARS)
    expected = auc(zero, first_pitch(training.bar).numpy()) - auc(zero, first_pitch(held_out.bar).numpy())
    assert numbers["d_overfit"] == pytest.approx(expected)
