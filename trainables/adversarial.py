"""Two players in training, without Ray: what MidiNet and the plain GAN share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainables.batches import Dealer, Roll
from trainables.config import TrainConfig
from trainables.denormals import flushed_to_zero
from trainables.diagnostics import diagnose
from trainables.losses import LOSSES
from trainables.means import Means
from trainables.networks.layers import cancelled_spectral_norms
from trainables.randomness import RandomStream
from trainables.step import Players, likeliest, train_step


class AdversarialSystem(ABC):
    """A generator and a discriminator that learn from what a dealer deals.

    Args:
        networks: makes generator and discriminator; called once, under the system's own random numbers.
        dealer: the training music.
        held_out: music of songs that are not trained on, if there is any.
        register: lowest and highest pitch of the training music.
        config: the numbers.
        seed: decides the weights and all noise; the dealer has its own.
        device: of the networks and all noise in training.
        horizon: bars of the full budget, which schedules refer to.
        statistics_batch: items in each batch that the average's statistics are estimated from.
        diagnosed: items that diagnostics look at.
    """

    def __init__(
        self,
        networks: Callable[[], tuple[nn.Module, nn.Module]],
        dealer: Dealer,
        held_out: Dealer | None,
        config: TrainConfig,
        *,
        register: tuple[int, int],
        seed: int,
        device: torch.device,
        horizon: int,
        statistics_batch: int = 128,
        diagnosed: int = 1024,
    ) -> None:
        self.config = config
        self.device = device
        self.horizon = horizon
        self.dealer = dealer
        self.random = RandomStream(seed, device)
        with self.random.flowing():
            generator, discriminator = (network.to(device) for network in networks())
            self.players = Players(generator, discriminator, config)
        self.noise = torch.Generator(device).manual_seed(seed)
        self.bars_seen = 0
        self._held_out = held_out
        self._register = register
        self._statistics_batch = statistics_batch
        self._diagnosed = diagnosed

    def train(self, until: int) -> dict[str, float]:
        """Train until `until` bars have been shown to the optimisers; means of the losses on the way.

        The discriminator's means are `loss_d`, the probabilities `d_real` and `d_fake` it gives to real and generated
        bars, and `d_accuracy`. With them come the norms of the weights, `norm_g` and `norm_d`, as they are in the end.
        Where one of them is not finite, training has diverged.
        """
        means = Means()
        with self.random.flowing(), flushed_to_zero():
            while self.bars_seen < until:
                spent = self.bars_seen / self.horizon
                train_step(self.players, self.dealer, self.noise, self.config, means, spent=spent)
                self.bars_seen += self.config.items_per_step * self.dealer.bars_per_item
        return means.read() | self.players.norms()

    def judged_generator(self) -> nn.Module:
        """The moving average of the generator, in eval mode, its statistics up to date."""
        average = self.players.average
        average.renew_statistics(self.dealer, self._statistics_batch)
        return average.module

    @abstractmethod
    def notes(self, probability: Roll) -> Roll:
        """The notes, 0 or 1, that probabilities are heard as."""

    @abstractmethod
    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        """Phrases of as many bars as there are chords, in the corpus's own form of music."""

    def diagnose(self, *, seed: int) -> dict[str, float]:
        """Diagnostics of the players (`trainables.diagnostics.DIAGNOSTICS`); none where no music is held out."""
        if self._held_out is None:
            return {}
        players = self.players
        return diagnose(
            players.generator,
            players.discriminator,
            self.judged_generator(),
            self._held_out.sample(self._diagnosed, seed),
            self.dealer.sample(self._diagnosed, seed),
            notes=self.notes,
            generator_loss=LOSSES[self.config.loss].generator,
            register=self._register,
            seed=seed,
            critic=not LOSSES[self.config.loss].has_border,
            as_seen=self._as_seen if self.config.straight_through else Tensor.detach,
        )

    def _as_seen(self, bar: Roll) -> Roll:
        return likeliest(bar, rests=self.dealer.rests)

    @property
    def cancelled_spectral_norms(self) -> list[str]:
        """Layers whose spectral normalisation is undone by the batch normalisation after it."""
        return [
            f"{player}.{name}"
            for player in ("generator", "discriminator")
            for name in cancelled_spectral_norms(getattr(self.players, player))
        ]

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on as if training had never stopped."""
        return {
            "players": self.players.state_dict(),
            "dealer": self.dealer.state_dict(),
            "random": self.random.state_dict(),
            "noise": self.noise.get_state(),
            "bars_seen": self.bars_seen,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.players.load_state_dict(state["players"])
        self.dealer.load_state_dict(state["dealer"])
        self.random.load_state_dict(state["random"])
        if self.noise.get_state().shape == state["noise"].shape:  # a GPU's noise cannot go on on a CPU
            self.noise.set_state(state["noise"])
        self.bars_seen = state["bars_seen"]
