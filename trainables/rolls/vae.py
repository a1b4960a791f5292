"""`vae`: windows to and from vectors that are normally distributed (§3.1.2; Kingma & Welling 2014)."""

from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from data_prep.corpus import Corpus
from data_prep.windows import WindowCorpus
from trainables.rolls.learner import Learner
from trainables.rolls.options import VaeConfig, VaeNetwork
from trainables.rolls.unprompted import whole_windows

_SMALLEST: Final = 8
"""Rows and columns of the smallest map: 128 halved four times."""


class MultiResBlock(nn.Module):
    """Sees at several resolutions: a chain of 3 × 3 convolutions whose outputs are laid side by side, and a shortcut.

    After the paper's code, itself after Ibtehaz & Rahman 2020. Each convolution has batch normalisation and sigmoid.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        small, middle = outputs // 6, outputs // 3
        widths = (inputs, small, middle, outputs - small - middle)
        self.shortcut = _convolution(inputs, outputs, kernel=1)
        self.chain = nn.ModuleList(_convolution(before, width, kernel=3) for before, width in pairwise(widths))

    def forward(self, images: Float[Tensor, "batch inputs time pitch"]) -> Float[Tensor, "batch outputs time pitch"]:
        """The sum of both branches, each in (0, 1)."""
        seen, rest = [], images
        for convolution in self.chain:
            rest = convolution(rest)
            seen.append(rest)
        shortcut: Tensor = self.shortcut(images)
        return shortcut + torch.cat(seen, dim=1)


class Encoder(nn.Module):
    """Windows to the means and log-variances of their vectors."""

    def __init__(self, options: VaeNetwork) -> None:
        super().__init__()
        width, flat = options.width, 4 * options.width * _SMALLEST**2
        widths = (1, width, 2 * width, 4 * width, 4 * width)
        self.blocks = nn.Sequential(
            *(nn.Sequential(MultiResBlock(before, after), nn.MaxPool2d(2)) for before, after in pairwise(widths))
        )
        self.mean = nn.Linear(flat, options.latent)
        self.log_variance = nn.Linear(flat, options.latent)

    def forward(
        self, windows: Float[Tensor, "batch 128 128"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Mean and log-variance of each window's vector."""
        features = self.blocks(windows.unsqueeze(1)).flatten(1)
        return self.mean(features), self.log_variance(features)


class Decoder(nn.Module):
    """Vectors to windows."""

    def __init__(self, options: VaeNetwork) -> None:
        super().__init__()
        width = options.width
        widths = (4 * width, 2 * width, width, width, width)
        self.linear = nn.Linear(options.latent, widths[0] * _SMALLEST**2)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(MultiResBlock(before, after), nn.Upsample(scale_factor=2))
                for before, after in pairwise(widths)
            ),
            nn.Conv2d(width, 1, 3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, vectors: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch 128 128"]:
        """Windows, each cell in (0, 1)."""
        maps = self.linear(vectors).unflatten(1, (-1, _SMALLEST, _SMALLEST))
        windows: Tensor = self.blocks(maps)
        return windows.squeeze(1)


class Autoencoder(nn.Module):
    """Both halves."""

    def __init__(self, options: VaeNetwork) -> None:
        super().__init__()
        self.latent = options.latent
        self.encoder, self.decoder = Encoder(options), Decoder(options)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.4 times as fast a step on a CPU

    def forward(
        self, windows: Float[Tensor, "batch 128 128"]
    ) -> tuple[Float[Tensor, "batch 128 128"], Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Windows as they come back from a vector drawn for each, and the means and log-variances of these."""
        mean, log_variance = self.encoder(windows)
        vectors = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        return self.decoder(vectors), mean, log_variance


class Vae(Learner):
    """The autoencoder in training.

    It knows neither a first bar nor chords: all bars of a phrase are its own, decoded from a random vector.
    """

    module: Autoencoder

    def __init__(
        self,
        network: VaeNetwork,
        config: VaeConfig,
        corpus: Corpus | WindowCorpus,
        *,
        seed: int,
        device: str = "cpu",
        horizon: int,
    ) -> None:
        """Make the system.

        Args:
            network: the options of `Autoencoder`.
            config: how it learns.
            corpus: of bars or of windows.
            seed: decides the weights, the order of windows and the vectors drawn in training.
            device: where it trains and generates.
            horizon: bars of the full budget, of which the warm-up is a share.

        Raises:
            UserError: the corpus has no training window.
        """
        super().__init__(
            lambda: Autoencoder(network),
            corpus,
            learning_rate=config.learning_rate,
            batch_size=config.batch_size,
            transpose=config.transpose,
            seed=seed,
            device=device,
            horizon=horizon,
        )
        self.config = config

    def losses(self, windows: Float[Tensor, "batch 128 128"]) -> dict[str, Float[Tensor, ""]]:
        """What a window costs: `reconstruction`, half its squared error; `kl` in nats; and their weighted sum."""
        shown = self._seen(windows)
        decoded, mean, log_variance = self.module(shown)
        reconstruction = (decoded - shown).square().sum() / (2 * len(shown))
        kl = kl_from_normal(mean, log_variance).mean(0)
        loss = reconstruction + self.kl_weight * kl.clamp(min=self.config.free_bits).sum()
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl.sum()}

    @property
    def kl_weight(self) -> float:
        """`beta`, or what the warm-up has reached of it."""
        warm_up = self.config.kl_warm_up
        return self.config.beta * (min(1.0, self.progress / warm_up) if warm_up else 1.0)

    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        """Phrases of up to eight bars, cut from the start of windows decoded from random vectors.

        Args:
            first_bar: tells the number of phrases alone.
            chord: (M, B, 4); tells the number of bars alone.
            seed: decides the vectors, on any device.

        Returns:
            int8 pitches (M, B, 16), -1 for silence, or uint8 velocities (M, B, 16, 128), as the corpus has them.

        Raises:
            UserError: more than eight bars are asked for.
        """
        self.module.eval()
        vectors = torch.randn(len(first_bar), self.module.latent, generator=torch.Generator().manual_seed(seed))
        return whole_windows(
            lambda some: self._seen(self.module.decoder(some)), vectors.to(self.device), self.music, chord.shape[1]
        )

    def _seen(self, windows: Float[Tensor, "batch 128 128"]) -> Float[Tensor, "batch 128 128"]:
        """Windows as the networks see them, and back."""
        return 1 - windows if self.config.invert else windows


def kl_from_normal(
    mean: Float[Tensor, "batch latent"], log_variance: Float[Tensor, "batch latent"]
) -> Float[Tensor, "batch latent"]:
    """Kullback-Leibler divergence, in nats, of each normal distribution from the standard one."""
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2


def _convolution(inputs: int, outputs: int, *, kernel: int) -> nn.Sequential:
    """A convolution that keeps the size; it needs no bias, as batch normalisation has one."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.Sigmoid()
    )
