"""`lstm`: which keys sound in the next step, by all steps before it (§3.1.1)."""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from data_prep.corpus import Corpus
from data_prep.windows import WindowCorpus
from trainables.batches import PITCHES
from trainables.rolls.learner import Learner
from trainables.rolls.music import STEPS_PER_BAR
from trainables.rolls.options import LstmConfig, LstmNetwork

State = tuple[Tensor, Tensor]


class Recurrent(nn.Module):
    """A step's keys to the log-odds of the keys of the next.

    All 128 pitches are keys, where the paper had a piano's 88 (21 to 108): melodies may leave these, and weights must
    not depend on a corpus. That makes 82 thousand weights more, of 4.3 million.
    """

    def __init__(self, options: LstmNetwork, keys: int = PITCHES) -> None:
        super().__init__()
        self.embed = nn.Linear(keys, options.embedding)
        self.norm_in = nn.BatchNorm1d(options.embedding)
        self.dropout_in = nn.Dropout(options.dropout_in)
        self.recurrent = nn.LSTM(options.embedding, options.hidden, options.layers, batch_first=True)
        self.norm_out = nn.BatchNorm1d(options.hidden)
        self.dropout_out = nn.Dropout(options.dropout_out)
        self.output = nn.Linear(options.hidden, keys)

    def forward(
        self, roll: Float[Tensor, "batch time keys"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch time keys"], State]:
        """Log-odds for the step after each of `roll` (0 and 1), and the state to go on from."""
        rows = self.dropout_in(_normalised(self.norm_in, self.embed(roll)))
        rows, state = self.recurrent(rows, state)
        return self.output(self.dropout_out(_normalised(self.norm_out, rows))), state


class Lstm(Learner):
    """The recurrent network in training. It goes on from a real first bar, and knows no chords."""

    module: Recurrent

    def __init__(
        self,
        network: LstmNetwork,
        config: LstmConfig,
        corpus: Corpus | WindowCorpus,
        *,
        seed: int,
        device: str = "cpu",
        horizon: int,
    ) -> None:
        """Make the system.

        Args:
            network: the options of `Recurrent`.
            config: how it learns and samples.
            corpus: of bars (melodies: one note a step) or of windows (any number of notes at once).
            seed: decides the weights, the order of windows and dropout.
            device: where it trains and generates.
            horizon: bars of the full budget, over which the learning rate has its triangles.

        Raises:
            UserError: the corpus has no training window.
        """
        super().__init__(
            lambda: Recurrent(network),
            corpus,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            clip_norm=config.clip_norm,
            batch_size=config.batch_size,
            transpose=config.transpose,
            seed=seed,
            device=device,
            horizon=horizon,
        )
        self.config = config

    def losses(self, windows: Float[Tensor, "batch 128 128"]) -> dict[str, Float[Tensor, ""]]:
        """`loss`: cross-entropy in nats a key and step, each step told by those before it."""
        sounding = (windows > 0).to(windows)
        logits, _ = self.module(sounding[:, :-1])
        return {"loss": F.binary_cross_entropy_with_logits(logits, sounding[:, 1:])}

    @property
    def learning_rate(self) -> float:
        """Of the next step: where its triangle stands."""
        return self.config.learning_rate * triangle(self.progress, self.config)

    @torch.no_grad()
    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        """Phrases that begin with a real bar, of any length, each step sampled after all before it.

        No key is struck that lies outside the register of the training windows: a hundred keys that are each all but
        impossible are not so together.

        Args:
            first_bar: int8 pitches (M, 16), or uint8 velocities (M, 16, 128), as the corpus has them.
            chord: (M, B, 4); tells the number of bars alone.
            seed: decides what is sampled, on any device.

        Returns:
            int8 pitches (M, B, 16), -1 for silence, or uint8 velocities (M, B, 16, 128), which are the median velocity
            of the training windows wherever a note is sampled.
        """
        self.module.eval()
        noise = torch.Generator().manual_seed(seed)
        step, state = self.music.prompt(first_bar), None
        steps: list[Tensor] = []
        lowest, highest = self.windows.register
        pitch = torch.arange(PITCHES, device=self.device)
        outside = (pitch < lowest) | (pitch > highest)
        for _ in range(STEPS_PER_BAR * (chord.shape[1] - 1)):
            logits, state = self.module(step, state)
            odds = logits[:, -1].masked_fill(outside, -math.inf)
            step = self.music.sample(odds, temperature=self.config.temperature, noise=noise).unsqueeze(1)
            steps.append(step)
        phrases: NDArray[Any] = first_bar[:, None]
        if steps:
            written = self.music.write(torch.cat(steps, 1) * self.music.loudness)
            phrases = np.concatenate([phrases, written], axis=1)
        return phrases


def triangle(progress: float, config: LstmConfig) -> float:
    """Share of the learning rate at `progress` (0 to 1) of the budget."""
    height = 1 - abs(2 * math.modf(progress * config.triangles)[0] - 1)
    return config.learning_rate_floor + (1 - config.learning_rate_floor) * height


def _normalised(norm: nn.BatchNorm1d, rows: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
    normalised: Tensor = norm(rows.flatten(0, 1))
    return normalised.view(rows.shape)
