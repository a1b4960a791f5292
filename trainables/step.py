"""One training step: updates of the discriminator, then of the generator (MidiNet: 1 and 2).

Faults of earlier implementations that this step does not have: features of real bars are constants in the generator's
loss; each further update of the generator sees bars made by the weights it starts from; no gradient of the
discriminator's weights is computed while the generator learns; nothing is read off the device inside the loop.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from trainables.averaging import AveragedGenerator
from trainables.batches import Batch, TrainingBars
from trainables.config import TrainConfig
from trainables.losses import discriminator_loss, generator_loss, mean_matching
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import NOISE, Generator
from trainables.networks.layers import RowLinear, iterate_spectral_norms
from trainables.variants import Variant


class Players:
    """Generator, discriminator, their optimisers and the generator's moving average: all that training changes."""

    def __init__(self, variant: Variant, config: TrainConfig, device: torch.device) -> None:
        self.generator = Generator(variant).to(device)
        self.discriminator = Discriminator(variant).to(device)
        self.average = AveragedGenerator(self.generator, config.average_decay)
        self.optimiser_g = _adam(self.generator, config.learning_rate_g, config)
        self.optimiser_d = _adam(self.discriminator, config.learning_rate_d, config)

    def state_dict(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold of the players."""
        return {name: part.state_dict() for name, part in vars(self).items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        for name, part in vars(self).items():
            part.load_state_dict(state[name])


class Means:
    """Running means of quantities on the device, read once at the end."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, **values: Tensor) -> None:
        """Count one more value of each name."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0) + value.detach()
            self._counts[name] = self._counts.get(name, 0) + 1

    def read(self) -> dict[str, float]:
        """The mean of each name; one transfer from the device."""
        if not self._sums:
            return {}
        sums = torch.stack([total.float() for total in self._sums.values()]).tolist()
        return {name: total / self._counts[name] for name, total in zip(self._sums, sums, strict=True)}


def train_step(players: Players, bars: TrainingBars, noise: torch.Generator, config: TrainConfig, means: Means) -> None:
    """Update the discriminator `d_updates` times, then the generator `g_updates` times."""
    for update in range(config.d_updates):
        batch = bars.draw(config.batch_size)
        z = torch.randn(config.batch_size, NOISE, generator=noise).to(batch.bar.device)
        with torch.set_grad_enabled(update == config.d_updates - 1):  # the generator learns from the last alone
            fake = players.generator(z, batch.previous, batch.chord)
        _update_discriminator(players, batch, fake.detach(), config, means)
    _set_trainable(players.discriminator, False)
    for update in range(config.g_updates):
        if update:
            fake = players.generator(z, batch.previous, batch.chord)
        _update_generator(players, batch, fake, config, means)
    _set_trainable(players.discriminator, True)


def _update_discriminator(players: Players, batch: Batch, fake: Tensor, config: TrainConfig, means: Means) -> None:
    d = players.discriminator
    iterate_spectral_norms(d)
    real_logit, _ = d(batch.bar, batch.previous, batch.chord)
    fake_logit, _ = d(fake, batch.previous, batch.chord)
    loss = discriminator_loss(real_logit, fake_logit, config.real_label)
    _descend(players.optimiser_d, loss)
    means.add(
        loss_d=loss,
        d_real=real_logit.detach().sigmoid().mean(),
        d_fake=fake_logit.detach().sigmoid().mean(),
        d_accuracy=((real_logit > 0).float().mean() + (fake_logit < 0).float().mean()) / 2,
    )


def _update_generator(players: Players, batch: Batch, fake: Tensor, config: TrainConfig, means: Means) -> None:
    d = players.discriminator
    with torch.no_grad():
        real_features = d.features(batch.bar, batch.previous, batch.chord)
    logit, features = d(fake, batch.previous, batch.chord)
    adversarial = generator_loss(logit)
    loss = (
        adversarial
        + config.feature_weight * mean_matching(real_features, features)
        + config.mean_weight * mean_matching(batch.bar, fake)
    )
    _descend(players.optimiser_g, loss)
    # `fake` belongs to the weights before this update: the norms may move only after it has been differentiated.
    iterate_spectral_norms(players.generator)
    players.average.update_parameters(players.generator)
    means.add(loss_g=loss, loss_g_adversarial=adversarial)


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def _set_trainable(player: nn.Module, trainable: bool) -> None:
    for parameter in player.parameters():
        parameter.requires_grad_(trainable)


def _adam(player: nn.Module, learning_rate: float, config: TrainConfig) -> torch.optim.Adam:
    return torch.optim.Adam(
        list(_parameter_groups(player, learning_rate)),
        lr=learning_rate,
        betas=(config.beta1, config.beta2),
        fused=True,
    )


def _parameter_groups(player: nn.Module, learning_rate: float) -> Iterable[dict[str, Any]]:
    """All parameters at the learning rate, but those that must move faster (`RowLinear.learning_rate_factors`)."""
    factors: dict[nn.Parameter, float] = {}
    for layer in player.modules():
        if isinstance(layer, RowLinear):
            factors |= layer.learning_rate_factors()
    yield {"params": [p for p in player.parameters() if p not in factors]}
    for parameter, factor in factors.items():
        yield {"params": [parameter], "lr": learning_rate * factor}
