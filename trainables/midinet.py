"""MidiNet in training, without Ray: train, generate, save and go on."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from data_prep.corpus import Corpus, Split
from trainables.adversarial import AdversarialSystem
from trainables.batches import BarDealer, Roll, one_hot
from trainables.config import TrainConfig
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import Generator
from trainables.sampling import binarise, continue_bars
from trainables.variants import Variant


class MidiNet(AdversarialSystem):
    """A generator and a discriminator that learn the next bar from the bar before and its chord."""

    def __init__(
        self,
        variant: Variant,
        config: TrainConfig,
        corpus: Corpus,
        *,
        seed: int,
        device: str = "cpu",
        horizon: int = 432_000,
    ) -> None:
        place = torch.device(device)
        shape: dict[str, Any] = {"bars": variant.bars, "chords_per_bar": variant.chords_per_bar}

        def networks() -> tuple[nn.Module, nn.Module]:
            blur: dict[str, Any] = {name: getattr(config, name) for name in ("previous_dropout", "previous_noise")}
            return Generator(variant, **blur), Discriminator(variant)

        dealer = BarDealer(corpus, device=place, seed=seed, **shape)
        held_out = None
        if len(corpus.phrases(Split.VALIDATION, variant.bars)):
            held_out = BarDealer(corpus, device=place, seed=seed, split=Split.VALIDATION, **shape)
        super().__init__(
            networks,
            dealer,
            held_out,
            config,
            register=dealer.register,
            seed=seed,
            device=place,
            horizon=horizon,
        )
        self._shape = shape

    def notes(self, probability: Roll) -> Roll:
        """The notes, 0 or 1, that probabilities are heard as: one a step."""
        return one_hot(binarise(probability, rests=self.dealer.rests)).to(probability)

    def generate(self, first_bar: NDArray[np.int8], chord: NDArray[np.int8], *, seed: int) -> NDArray[np.int8]:
        """Phrases (M, B, 16) by the averaged generator that begin with `first_bar` (M, 16) over `chord` (M, B, 4)."""
        return continue_bars(
            self.judged_generator(), first_bar, chord, seed=seed, rests=self.dealer.rests, **self._shape
        )
