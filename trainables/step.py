"""One training step: updates of the discriminator, then of the generator (MidiNet: 1 and 2).

Faults of earlier implementations that this step does not have: features of real bars are constants in the generator's
loss; each further update of the generator sees bars made by the weights it starts from; no gradient of the
discriminator's weights is computed while the generator learns; nothing is read off the device inside the loop.
"""

from collections.abc import Iterable
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from trainables.averaging import AveragedGenerator
from trainables.batches import Batch, Dealer, Roll, one_hot
from trainables.config import TrainConfig
from trainables.losses import LOSSES, gradient_penalty, mean_matching, squared_slopes
from trainables.means import Means
from trainables.networks.initialise import initialise
from trainables.networks.layers import RowLinear, iterate_spectral_norms, unchanging
from trainables.sampling import binarise


class Players:
    """Generator, discriminator, their optimisers and the generator's moving average: all that training changes."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, config: TrainConfig) -> None:
        for player in (generator, discriminator):
            initialise(player, config.initialisation)
        self.generator = generator
        self.discriminator = discriminator
        self.average = AveragedGenerator(generator, config.average_decay)
        self.optimiser_g = _adam(generator, config.learning_rate_g, config)
        self.optimiser_d = _adam(discriminator, config.learning_rate_d, config)

    @property
    def noise_width(self) -> int:
        """Length of the vector z that the generator writes from."""
        return cast(int, self.generator.noise)

    def scale_learning_rates(self, share: float) -> None:
        """Set all learning rates to this share of those at the start."""
        for optimiser in (self.optimiser_g, self.optimiser_d):
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * share

    def norms(self) -> dict[str, float]:
        """Euclidean norms `norm_g` and `norm_d` of all weights; not finite if one of them is not."""
        totals = [
            torch.stack([weight.detach().square().sum() for weight in player.parameters()]).sum().sqrt()
            for player in (self.generator, self.discriminator)
        ]
        return dict(zip(("norm_g", "norm_d"), torch.stack(totals).tolist(), strict=True))

    def state_dict(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold of the players."""
        return {name: part.state_dict() for name, part in vars(self).items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`, at the learning rates of these players: a state may be another configuration's."""
        optimisers = (self.optimiser_d, self.optimiser_g)
        rates = [[(group["lr"], group["initial_lr"]) for group in each.param_groups] for each in optimisers]
        for name, part in vars(self).items():
            part.load_state_dict(state[name])
        for optimiser, own in zip(optimisers, rates, strict=True):
            for group, (rate, initial) in zip(optimiser.param_groups, own, strict=True):
                group["lr"], group["initial_lr"] = rate, initial


def train_step(
    players: Players, dealer: Dealer, noise: torch.Generator, config: TrainConfig, means: Means, *, spent: float = 0.0
) -> None:
    """Update the discriminator `d_updates` times, then the generator `g_updates` times.

    Args:
        players: what learns.
        dealer: where batches come from.
        noise: random numbers of z and of all other noise; on the device of the batches.
        config: the numbers.
        means: takes what is worth knowing of the step.
        spent: share of the budget that is spent, from which learning rates and instance noise follow.
    """
    if config.learning_rate_end != 1:
        players.scale_learning_rates(1 - (1 - config.learning_rate_end) * min(spent, 1.0))
    show = _Showing(config, noise, spent, rests=dealer.rests)
    for update in range(config.d_updates):
        batch = dealer.draw(config.batch_size)
        z = torch.randn(config.batch_size, players.noise_width, generator=noise, device=batch.bar.device)
        with torch.set_grad_enabled(update == config.d_updates - 1):  # the generator learns from the last alone
            fake = players.generator(z, *batch.condition)
        _update_discriminator(players, batch, fake.detach(), config, show, means)
    _set_trainable(players.discriminator, False)
    with unchanging(players.discriminator):
        real_features = _features(players, batch, config, show)
        for update in range(config.g_updates):
            if update:
                fake = players.generator(z, *batch.condition)
            _update_generator(players, batch, fake, real_features, config, show, means)
    _set_trainable(players.discriminator, True)


def likeliest(bar: Roll, *, rests: bool) -> Roll:
    """The likeliest note of each step alone, as 1; with `rests` none where generation would write one (`binarise`)."""
    return one_hot(binarise(bar, rests=rests)).to(bar)


class _Showing:
    """What D is shown of a bar: the bar itself, but for the options that keep it from telling bars by their values."""

    def __init__(self, config: TrainConfig, noise: torch.Generator, spent: float, *, rests: bool) -> None:
        self.noise = noise
        self._rests = rests
        self._straight_through = config.straight_through
        self._deviation = config.instance_noise * max(0.0, 1 - 2 * spent)

    def real(self, bar: Roll) -> Roll:
        """Real bars, under instance noise."""
        return bar + self._deviation * self.like(bar) if self._deviation else bar

    def fake(self, bar: Roll) -> Roll:
        """Generated bars, as their likeliest notes if these are asked for, under instance noise."""
        if self._straight_through:
            bar = likeliest(bar, rests=self._rests) + (bar - bar.detach())
        return self.real(bar)

    def like(self, bar: Roll) -> Roll:
        """Standard normal numbers in the shape of `bar`."""
        return torch.randn(bar.shape, generator=self.noise, device=bar.device)


def _update_discriminator(
    players: Players, batch: Batch, fake: Roll, config: TrainConfig, show: _Showing, means: Means
) -> None:
    d = players.discriminator
    iterate_spectral_norms(d)
    real = show.real(batch.bar)
    if config.r1:
        real = real.clone().requires_grad_()
    fake = show.fake(fake)
    with unchanging(d):
        real_logit, _ = d(real, *batch.condition)
        fake_logit, _ = d(fake, *batch.condition)
    adversarial = LOSSES[config.loss]
    loss = adversarial.discriminator(real_logit, fake_logit, config.real_label)
    if config.r1:
        loss = loss + config.r1 / 2 * squared_slopes(real_logit, real).mean()
    if adversarial.penalised:
        loss = loss + config.gradient_penalty * _penalty(players, batch, real.detach(), fake, show)
    _descend(players.optimiser_d, loss)
    means.add(loss_d=loss)
    if adversarial.has_border:
        means.add(
            d_real=real_logit.detach().sigmoid().mean(),
            d_fake=fake_logit.detach().sigmoid().mean(),
            d_accuracy=((real_logit > 0).float().mean() + (fake_logit < 0).float().mean()) / 2,
        )


def _penalty(players: Players, batch: Batch, real: Roll, fake: Roll, show: _Showing) -> Float[Tensor, ""]:
    """The gradient penalty at one point between each pair of a real and a generated bar."""
    share = torch.rand(len(real), 1, 1, generator=show.noise, device=real.device).to(real)
    between = torch.lerp(real, fake, share).requires_grad_()
    logit, _ = players.discriminator(between, *batch.condition)
    return gradient_penalty(squared_slopes(logit, between))


@torch.no_grad()
def _features(players: Players, batch: Batch, config: TrainConfig, show: _Showing) -> Tensor | None:
    """First features of the real bars: constants, as D stands still while G learns; None where nothing needs them."""
    if not config.feature_weight:
        return None
    features: Tensor = cast(Any, players.discriminator).features(show.real(batch.bar), *batch.condition)
    return features


def _update_generator(
    players: Players,
    batch: Batch,
    fake: Roll,
    real_features: Tensor | None,
    config: TrainConfig,
    show: _Showing,
    means: Means,
) -> None:
    logit, features = players.discriminator(show.fake(fake), *batch.condition)
    adversarial = LOSSES[config.loss].generator(logit)
    loss = adversarial
    if real_features is not None:
        loss = loss + config.feature_weight * mean_matching(real_features, features)
    if config.mean_weight:
        loss = loss + config.mean_weight * mean_matching(batch.bar, fake)
    _descend(players.optimiser_g, loss)
    # `fake` belongs to the weights before this update: the norms may move only after it has been differentiated.
    iterate_spectral_norms(players.generator)
    players.average.update_parameters(players.generator)
    means.add(loss_g=loss, loss_g_adversarial=adversarial)


def _descend(optimiser: torch.optim.Optimizer, loss: Float[Tensor, ""]) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def _set_trainable(player: nn.Module, trainable: bool) -> None:
    for parameter in player.parameters():
        parameter.requires_grad_(trainable)


def _adam(player: nn.Module, learning_rate: float, config: TrainConfig) -> torch.optim.Adam:
    groups = list(_parameter_groups(player, learning_rate, config.chord_gain))
    return torch.optim.Adam(groups, lr=learning_rate, betas=(config.beta1, config.beta2), fused=True)


def _parameter_groups(player: nn.Module, learning_rate: float, chord_gain: float) -> Iterable[dict[str, Any]]:
    """All parameters at the learning rate, but those that must move faster (`RowLinear.learning_rate_factors`)."""
    factors: dict[nn.Parameter, float] = {}
    for layer in player.modules():
        if isinstance(layer, RowLinear):
            factors |= layer.learning_rate_factors(chord_gain)
    yield {"params": [p for p in player.parameters() if p not in factors], "initial_lr": learning_rate}
    for parameter, factor in factors.items():
        yield {"params": [parameter], "lr": learning_rate * factor, "initial_lr": learning_rate * factor}
