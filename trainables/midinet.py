"""MidiNet in training, without Ray: train, generate, save and go on."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from data_prep.corpus import Corpus
from trainables.batches import TrainingBars, one_hot
from trainables.config import TrainConfig
from trainables.networks.generator import NOISE
from trainables.networks.layers import batch_statistics, cancelled_spectral_norms
from trainables.sampling import continue_bars
from trainables.step import Means, Players, train_step
from trainables.variants import Variant


class MidiNet:
    """A generator and a discriminator that learn the next bar from the bar before and its chord."""

    def __init__(
        self, variant: Variant, config: TrainConfig, corpus: Corpus, *, seed: int, device: str = "cpu"
    ) -> None:
        torch.manual_seed(seed)
        torch.set_flush_denormal(True)
        self.config = config
        self.device = torch.device(device)
        self.rests = bool((corpus.melody < 0).any())  # where no rest was kept, none may be written
        self.players = Players(variant, config, self.device)
        self.bars = TrainingBars(corpus, device=self.device, seed=seed)
        self.noise = torch.Generator().manual_seed(seed)
        self.bars_seen = 0

    def train(self, until: int) -> dict[str, float]:
        """Train until `until` bars have been shown to the optimisers; means of the losses on the way.

        The discriminator's means are `loss_d`, the probabilities `d_real` and `d_fake` it gives to real and generated
        bars, and `d_accuracy`. A mean that is not finite says that training has diverged.
        """
        means = Means()
        while self.bars_seen < until:
            train_step(self.players, self.bars, self.noise, self.config, means)
            self.bars_seen += self.config.bars_per_step
        return means.read()

    def generate(self, first_bar: NDArray[np.int8], chord: NDArray[np.int8], *, seed: int) -> NDArray[np.int8]:
        """Phrases (M, B, 16) by the averaged generator that begin with `first_bar` (M, 16) over `chord` (M, B)."""
        self.players.average.renew_statistics(self.bars)
        return continue_bars(self.players.average.module, first_bar, chord, seed=seed, rests=self.rests)

    @torch.no_grad()
    def logits(
        self, bar: NDArray[np.int8], previous: NDArray[np.int8], chord: NDArray[np.int8], *, seed: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the discriminator says of real bars (N, 16), and of bars the generator writes in their place.

        Both are the players in training, not the average, and batch normalisation sees the real bars alone and the
        generated ones alone, as in training; their state is left as it is.
        """
        generator, discriminator = self.players.generator, self.players.discriminator
        real, before = (one_hot(torch.from_numpy(bars.astype(np.int64)).to(self.device)) for bars in (bar, previous))
        classes = torch.from_numpy(chord.astype(np.int64)).to(self.device)
        z = torch.randn(len(bar), NOISE, generator=torch.Generator().manual_seed(seed)).to(self.device)
        with batch_statistics(generator), batch_statistics(discriminator):
            fake = generator(z, before, classes)
            of_real, of_fake = (discriminator(bars, before, classes)[0] for bars in (real, fake))
        return of_real.float().cpu().numpy(), of_fake.float().cpu().numpy()

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
            "bars": self.bars.state_dict(),
            "noise": self.noise.get_state(),
            "bars_seen": self.bars_seen,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.players.load_state_dict(state["players"])
        self.bars.load_state_dict(state["bars"])
        self.noise.set_state(state["noise"])
        self.bars_seen = state["bars_seen"]


def diverged(losses: dict[str, float]) -> bool:
    """Whether a mean over training is not a finite number."""
    return not all(math.isfinite(value) for value in losses.values())
