"""Who is winning, and what the generator does with what it is given: numbers of the balance of two players.

What concerns the discriminator is measured on the players in training, batch normalisation seeing real bars alone and
generated ones alone, as it does there. What concerns the music is measured on the averaged generator with its running
statistics, the one that is judged and heard.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from scores.balance import auc, d_balance
from trainables.batches import Batch, Roll
from trainables.losses import Logits, Scalar
from trainables.networks.layers import batch_statistics

DIAGNOSTICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "balance": "how well D tells real from generated bars: 0 not at all, 1 every pair (scores.balance)",
        "d_accuracy": "share of real and generated bars on their side of the median of D's outputs: 0.5, it is blind",
        "d_overfit": "how much oftener D puts a real bar above a generated one if both are of training songs",
        "d_real": "mean probability that D gives to real bars",
        "d_fake": "mean probability that D gives to generated bars",
        "d_chord_drop": "share of real bars above that median, less that with other bars' chords: 0, D ignores chords",
        "rounding_gap": "d_fake of the generated bars as notes, less d_fake: what D makes of their not being 0 or 1",
        "g_gradient": "norm of the gradient of G's adversarial loss for a generated bar: the signal G learns from",
        "notes_per_step": "sum of a step's probabilities: notes that are expected to sound (1 in a melody)",
        "top_probability": "probability of a step's likeliest pitch: how far the output is from notes",
        "out_of_register": "share of notes below or above all of the training music",
        "noise_sensitivity": "share of steps that change with the noise alone",
        "previous_sensitivity": "share of steps that change with the bar before alone",
        "chord_sensitivity": "share of steps that change with the chords alone",
        "statistics_gap": "share of all probability that moves if the batch's statistics replace the running ones",
        "copy_rate": "share of steps that are as in the bar before",
        "real_copy_rate": "the same of real bars",
        "distinct_bars": "share of bars that are unlike all bars before them",
        "real_distinct_bars": "the same of real bars",
        "pitches": "different pitches in all bars together",
        "real_pitches": "the same of real bars",
    }
)
"""Name of each diagnostic and what it says, real bars being those of held-out songs; D discriminator, G generator."""


def diagnose(
    generator: nn.Module,
    discriminator: nn.Module,
    average: nn.Module,
    held_out: Batch,
    training: Batch,
    *,
    notes: Callable[[Roll], Roll],
    generator_loss: Callable[[Logits], Scalar],
    register: tuple[int, int],
    seed: int,
    critic: bool = False,
    as_seen: Callable[[Roll], Roll] = torch.Tensor.detach,
) -> dict[str, float]:
    """Every diagnostic that the players' conditions define; none of their state, gradients or randomness is changed.

    Without conditions there are no diagnostics of the bar before or of chords. A number that is not finite says that
    the players' weights are not.

    Args:
        generator: in training; has the width of its `noise`.
        discriminator: in training.
        average: the moving average of the generator, its statistics renewed.
        held_out: real bars of songs that are not trained on, each after the bar before it and over its chords.
        training: as many bars of the training songs.
        notes: the notes (B, T, P), 0 or 1, that generated probabilities (B, T, P) are heard as.
        generator_loss: the adversarial loss of generated bars' logits (B,).
        register: lowest and highest pitch of the training music.
        seed: decides the noise, on any device, and which bars exchange conditions.
        critic: the discriminator's output is a score and stands for no probability (Wasserstein): these are left out.
        as_seen: what the discriminator gets of the generator's output in training, where that is not the output
            itself.

    Returns:
        Numbers by name, as in `DIAGNOSTICS`.
    """
    random = torch.Generator().manual_seed(seed)
    device = held_out.bar.device
    with _unchanged(generator, discriminator, average, device=device):
        torch.manual_seed(seed)  # dropout's, where a player has any
        z = [_noise(generator, held_out, random) for _ in range(2)]
        z_training = _noise(generator, training, random)
        order = torch.randperm(len(held_out.bar), generator=random).to(device)
        with batch_statistics(generator), torch.no_grad():
            fake = as_seen(generator(z[0], *held_out.condition))
            fake_training = as_seen(generator(z_training, *training.condition))
        with batch_statistics(discriminator):
            opinions = _Opinions(discriminator, held_out, fake, critic=critic)
            known = _Opinions(discriminator, training, fake_training, critic=critic)
            numbers = opinions.numbers(notes(fake)) | opinions.of_chords(order)
            numbers["g_gradient"] = _gradient(discriminator, generator_loss, fake, held_out)
        average.eval()
        with torch.no_grad():
            numbers |= _of_music(average, held_out, z, order, notes, register)
    return _read(numbers, opinions, known)


class _Opinions:
    """What the discriminator says of real and generated bars, and where its border between them is."""

    def __init__(self, discriminator: nn.Module, batch: Batch, fake: Roll, *, critic: bool) -> None:
        self._discriminator, self._batch, self._critic = discriminator, batch, critic
        self.real, self.fake = (self._logits(bar, *batch.condition) for bar in (batch.bar, fake))
        # Not zero: smoothed labels move what a blind discriminator says below it, and a critic's is anywhere.
        self._border = torch.cat([self.real, self.fake]).median()

    @torch.no_grad()
    def _logits(self, bar: Roll, *condition: Tensor) -> Logits:
        logits: Logits = self._discriminator(bar, *condition)[0]
        return logits

    def numbers(self, rounded: Roll) -> dict[str, Tensor]:
        """Accuracy and, unless a critic gives none, probabilities; `rounded` are the generated bars as notes."""
        accuracy = {"d_accuracy": (self._called_real(self.real) + 1 - self._called_real(self.fake)) / 2}
        if self._critic:
            return accuracy
        of_rounded = self._logits(rounded, *self._batch.condition)
        real, fake, rounded_fake = (logits.sigmoid().mean() for logits in (self.real, self.fake, of_rounded))
        return accuracy | {"d_real": real, "d_fake": fake, "rounding_gap": rounded_fake - fake}

    def of_chords(self, order: Int[Tensor, " batch"]) -> dict[str, Tensor]:
        """The share of real bars that fail with the chords of others."""
        if not self._batch.condition:
            return {}
        *others, chord = self._batch.condition
        misplaced = self._logits(self._batch.bar, *others, chord[order])
        return {"d_chord_drop": self._called_real(self.real) - self._called_real(misplaced)}

    def _called_real(self, logits: Logits) -> Scalar:
        return (logits > self._border).to(logits.dtype).mean()


def _gradient(discriminator: nn.Module, generator_loss: Callable[[Logits], Scalar], fake: Roll, batch: Batch) -> Scalar:
    fake = fake.clone().requires_grad_()
    with torch.enable_grad():
        logits, _ = discriminator(fake, *batch.condition)
        (gradient,) = torch.autograd.grad(generator_loss(logits), fake)
    norms: Tensor = gradient.flatten(1).norm(dim=1)
    return norms.sum()  # the loss is a mean over the bars: this is the mean of the norms of theirs


def _of_music(
    average: nn.Module,
    batch: Batch,
    z: Sequence[Float[Tensor, "batch noise"]],
    order: Int[Tensor, " batch"],
    notes: Callable[[Roll], Roll],
    register: tuple[int, int],
) -> dict[str, Tensor]:
    probability = average(z[0], *batch.condition)
    roll = notes(probability)
    lowest, highest = register

    def changed(noise: Float[Tensor, "batch noise"], *condition: Tensor) -> Scalar:
        return (notes(average(noise, *condition)) != roll).any(-1).to(probability.dtype).mean()

    numbers = {
        "notes_per_step": probability.sum(-1).mean(),
        "top_probability": probability.amax(-1).mean(),
        "out_of_register": (roll.sum() - roll[..., lowest : highest + 1].sum()) / roll.sum().clamp(min=1),
        "noise_sensitivity": changed(z[1], *batch.condition),
        "distinct_bars": _distinct(roll),
        "real_distinct_bars": _distinct(batch.bar),
        "pitches": _pitches(roll),
        "real_pitches": _pitches(batch.bar),
    }
    with batch_statistics(average):
        other = average(z[0], *batch.condition)
        numbers["statistics_gap"] = (other - probability).abs().sum() / (other + probability).sum().clamp(min=1e-9)
    if batch.condition:
        previous, chord = batch.condition
        numbers["previous_sensitivity"] = changed(z[0], previous[order], chord)
        numbers["chord_sensitivity"] = changed(z[0], previous, chord[order])
        numbers["copy_rate"] = _agreement(roll, previous)
        numbers["real_copy_rate"] = _agreement(batch.bar, previous)
    return numbers


def _distinct(roll: Roll) -> Scalar:
    """Share of the bars (B, T, P) that are new, by a hash of 63 bits."""
    random = torch.Generator().manual_seed(0)
    weights = torch.randint(2**62, roll.shape[1:], generator=random).to(roll.device)
    ordered = torch.where(roll > 0, weights, 0).flatten(1).sum(1).sort().values
    return ((ordered[1:] != ordered[:-1]).sum() + 1) / len(roll)


def _pitches(roll: Roll) -> Int[Tensor, ""]:
    return (roll > 0).flatten(0, 1).any(0).sum()


def _agreement(roll: Roll, previous: Roll) -> Scalar:
    return (roll == previous).all(-1).float().mean()


def _noise(generator: nn.Module, batch: Batch, random: torch.Generator) -> Float[Tensor, "batch noise"]:
    return torch.randn(len(batch.bar), cast(int, generator.noise), generator=random).to(batch.bar)


def _read(numbers: Mapping[str, Tensor], held_out: _Opinions, training: _Opinions) -> dict[str, float]:
    """All numbers, and those of the order of logits; one transfer from the device."""
    logits = (held_out.real, held_out.fake, training.real, training.fake)
    scalars = torch.stack([number.to(held_out.real) for number in numbers.values()])
    values = torch.cat([scalars, *logits]).cpu().numpy()
    found = dict(zip(numbers, values.tolist(), strict=False))
    real, fake, known_real, known_fake = np.split(values, np.cumsum([len(part) for part in (scalars, *logits)]))[1:5]
    overfit = auc(known_fake, known_real) - auc(fake, real)
    return {"balance": d_balance(real, fake), "d_overfit": overfit} | found


@contextmanager
def _unchanged(*players: nn.Module, device: torch.device) -> Iterator[None]:
    """Whatever is done inside, modes and random streams are afterwards what they were."""
    modes = [(module, module.training) for player in players for module in player.modules()]
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training
