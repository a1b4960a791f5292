"""`gan`: windows from noise, against a discriminator (§3.1.3)."""

from itertools import pairwise
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from data_prep.corpus import Corpus, Split
from data_prep.windows import WindowCorpus
from trainables.adversarial import AdversarialSystem
from trainables.batches import Roll
from trainables.config import TrainConfig
from trainables.rolls.music import music_of
from trainables.rolls.options import GanNetwork
from trainables.rolls.unprompted import whole_windows
from trainables.rolls.windows import RollWindows

_SMALLEST: Final = 4
_SHARES: Final = (96, 64, 48, 32, 24, 16, 12, 8, 4, 2, 1)
"""Channels after each hidden convolution of the generator, in 128ths of the width of its smallest map."""
_SHARES_OF: Final = 128
_UPSAMPLING: Final = (True, False) * 5 + (False, False)
"""Which of the generator's convolutions double rows and columns: 4, 8, 8, 16, 16, 32, 32, 64, 64, 128, ..."""


# A window costs a thousand times what a bar costs MidiNet: fewer have to do beside training.
_STATISTICS_BATCH: Final = 8
_DIAGNOSED: Final = 64


class WindowGenerator(nn.Module):
    """Noise to a window: two linear layers and twelve transposed convolutions, each with ReLU, then normalisation.

    The paper's code had one linear layer, its text a pair of them.

    Attributes:
        noise: length of the noise vector.
    """

    def __init__(self, options: GanNetwork) -> None:
        super().__init__()
        self.noise = options.noise
        self.dense = nn.Sequential(
            nn.Linear(options.noise, options.hidden),
            nn.ReLU(),
            nn.Linear(options.hidden, options.width * _SMALLEST**2),
        )
        widths = (options.width, *(options.width * share // _SHARES_OF for share in _SHARES))
        layers = [
            layer
            for (before, after), doubles in zip(pairwise(widths), _UPSAMPLING[:-1], strict=True)
            for layer in (_transposed(before, after, doubles=doubles), nn.ReLU(), nn.BatchNorm2d(after))
        ]
        self.convolutions = nn.Sequential(*layers, _transposed(widths[-1], 1, doubles=_UPSAMPLING[-1]))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.2 times as fast a step on a CPU

    def forward(self, noise: Float[Tensor, "batch noise"]) -> Float[Tensor, "batch 128 128"]:
        """Noise to a window, each cell in (0, 1)."""
        maps = self.dense(noise).unflatten(1, (-1, _SMALLEST, _SMALLEST))
        windows: Tensor = self.convolutions(maps)
        return torch.sigmoid(windows).squeeze(1)


class WindowDiscriminator(nn.Module):
    """A window to the logit that it is real: three convolutions without normalisation, and a linear layer."""

    def __init__(self, options: GanNetwork) -> None:
        super().__init__()
        width = options.discriminator_width
        self.first = nn.Conv2d(1, width, 7, stride=2)
        self.second = nn.Conv2d(width, 2 * width, 5, stride=2)
        self.third = nn.Conv2d(2 * width, 4 * width, 3, padding=1)
        self.output = nn.Linear(4 * width * 29 * 29, 1)  # 128 columns, then 61, then 29

    def forward(
        self, bar: Float[Tensor, "batch 128 128"]
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch width 61 61"]]:
        """Logits, and the features whose means the generator may match."""
        features = self.features(bar)
        maps = F.relu(self.third(F.relu(self.second(features))))
        logits: Tensor = self.output(maps.flatten(1))
        return logits.squeeze(1), features

    def features(self, bar: Float[Tensor, "batch 128 128"]) -> Float[Tensor, "batch width 61 61"]:
        """What the first convolution sees."""
        return F.relu(self.first(bar.unsqueeze(1)))


class Gan(AdversarialSystem):
    """Both players in training.

    They know neither a first bar nor chords: all bars of a phrase are the generator's own, made of noise.
    """

    def __init__(
        self,
        network: GanNetwork,
        config: TrainConfig,
        corpus: Corpus | WindowCorpus,
        *,
        seed: int,
        device: str = "cpu",
        horizon: int,
    ) -> None:
        """Make the system.

        Args:
            network: the options of both players.
            config: how they learn.
            corpus: of bars or of windows.
            seed: decides the weights, the order of windows and all noise.
            device: where it trains and generates.
            horizon: bars of the full budget, which schedules refer to.

        Raises:
            UserError: the corpus has no training window.
        """
        self.music = music_of(corpus, torch.device(device))
        windows, held_out = RollWindows(self.music, seed=seed), None
        if len(self.music.windows(Split.VALIDATION)):
            held_out = RollWindows(self.music, seed=seed, split=Split.VALIDATION)
        super().__init__(
            lambda: (WindowGenerator(network), WindowDiscriminator(network)),
            windows,
            held_out,
            config,
            register=windows.register,
            seed=seed,
            device=torch.device(device),
            horizon=horizon,
            statistics_batch=_STATISTICS_BATCH,
            diagnosed=_DIAGNOSED,
        )

    def notes(self, probability: Roll) -> Roll:
        """The notes, 0 or 1, that a window is heard as."""
        return self.music.notes(probability)

    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        """Phrases of up to eight bars, cut from the start of windows that the averaged generator makes of noise.

        Args:
            first_bar: tells the number of phrases alone.
            chord: (M, B, 4); tells the number of bars alone.
            seed: decides the noise, on any device.

        Returns:
            int8 pitches (M, B, 16), -1 for silence, or uint8 velocities (M, B, 16, 128), as the corpus has them.

        Raises:
            UserError: more than eight bars are asked for.
        """
        noise = torch.randn(len(first_bar), self.players.noise_width, generator=torch.Generator().manual_seed(seed))
        return whole_windows(self.judged_generator(), noise.to(self.device), self.music, chord.shape[1])


def _transposed(inputs: int, outputs: int, *, doubles: bool) -> nn.ConvTranspose2d:
    if doubles:
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
    return nn.ConvTranspose2d(inputs, outputs, 3, padding=1)
