"""What `lstm` and `vae` share: one network and one optimiser, in training on windows, without Ray."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from data_prep.corpus import Corpus
from data_prep.windows import WindowCorpus
from trainables.denormals import flushed_to_zero
from trainables.means import Means
from trainables.randomness import RandomStream
from trainables.rolls.music import BARS, music_of
from trainables.rolls.windows import RollWindows


class Learner(ABC):
    """A network that learns from windows by going down one loss.

    Attributes:
        bars_seen: bars shown to the optimiser; a window of 128 steps counts eight.
    """

    def __init__(
        self,
        build: Callable[[], nn.Module],
        corpus: Corpus | WindowCorpus,
        *,
        learning_rate: float,
        weight_decay: float = 0.0,
        clip_norm: float = math.inf,
        batch_size: int,
        transpose: bool,
        seed: int,
        device: str,
        horizon: int,
    ) -> None:
        self.device = torch.device(device)
        self.music = music_of(corpus, self.device)
        self.windows = RollWindows(self.music, seed=seed, transpose=transpose)
        self.random = RandomStream(seed, self.device)
        with self.random.flowing():
            self.module = build().to(self.device)
        self.optimiser = torch.optim.Adam(
            self.module.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True
        )
        self.bars_seen = 0
        self._rate, self._clip_norm = learning_rate, clip_norm
        self._batch_size, self._horizon = batch_size, horizon

    @abstractmethod
    def losses(self, windows: Float[Tensor, "batch 128 128"]) -> dict[str, Float[Tensor, ""]]:
        """What is reported of a batch; `loss` is what is minimised."""

    @abstractmethod
    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        """Phrases of as many bars as there are chords, in the corpus's own form of music."""

    def train(self, until: int) -> dict[str, float]:
        """Train until `until` bars have been shown to the optimiser; means of the losses on the way.

        With them comes the norm of the weights as they are in the end, `norm`. Where one of them is not finite,
        training has diverged.
        """
        means = Means()
        self.module.train()
        with self.random.flowing(), flushed_to_zero():
            while self.bars_seen < until:
                losses = self.losses(self.windows.draw(self._batch_size).bar)
                self.optimiser.zero_grad(set_to_none=True)
                losses["loss"].backward()
                self._step()
                means.add(**losses)
                self.bars_seen += BARS * self._batch_size
        return means.read() | {"norm": self._norm()}

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return self._rate

    def diagnose(self, *, seed: int) -> dict[str, float]:
        """Nothing: there is no second player."""
        return {}

    @property
    def cancelled_spectral_norms(self) -> list[str]:
        """None: no layer is normalised so."""
        return []

    @property
    def progress(self) -> float:
        """Share of the full budget that is spent, 0 to 1."""
        return min(1.0, self.bars_seen / self._horizon)

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on as if training had never stopped."""
        return {name: part.state_dict() for name, part in self._parts().items()} | {"bars_seen": self.bars_seen}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.bars_seen = state["bars_seen"]

    def _parts(self) -> dict[str, Any]:
        return {
            "module": self.module,
            "optimiser": self.optimiser,
            "windows": self.windows,
            "random": self.random,
        }

    def _norm(self) -> float:
        squares = [weight.detach().square().sum() for weight in self.module.parameters()]
        return float(torch.stack(squares).sum().sqrt())

    def _step(self) -> None:
        if math.isfinite(self._clip_norm):
            nn.utils.clip_grad_norm_(self.module.parameters(), self._clip_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate
        self.optimiser.step()
