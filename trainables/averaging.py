"""The moving average of the generator: the one that is judged, saved and heard."""

import copy
from typing import Final, cast

import torch
from torch import Tensor, nn

from trainables.batches import Dealer
from trainables.networks.layers import iterate_spectral_norms

_BATCHES: Final = 16
_SEED: Final = 0
_POWER_ITERATIONS: Final = 100


class AveragedGenerator(nn.Module):
    """Exponential moving average of the weights, which forgets the first, random ones fast.

    After n updates the decay is min(`decay`, (1 + n) / (10 + n)): a fixed decay of .999 would still hold a third of
    the initial weights after a thousand updates.
    """

    n_averaged: Tensor
    renewed_at: Tensor

    def __init__(self, generator: nn.Module, decay: float) -> None:
        super().__init__()
        self.module = copy.deepcopy(generator).requires_grad_(False)
        self._decay = decay
        self.eval()
        self.register_buffer("n_averaged", torch.tensor(0))
        self.register_buffer("renewed_at", torch.tensor(-1))  # saved, or a restored average would not be the same

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Move the weights towards those of `model`, whose own they are at first."""
        count = int(self.n_averaged)
        decay = min(self._decay, (1 + count) / (10 + count)) if count else 0.0
        averages: list[Tensor] = list(self.module.parameters())
        torch._foreach_lerp_(averages, list(model.parameters()), 1 - decay)
        self.n_averaged += 1

    def renew_statistics(self, dealer: Dealer, batch_size: int) -> None:
        """Estimate anew, for the averaged weights, what is not averaged itself.

        That is the means and variances of batch normalisation, on 16 batches of this size of the training music, and
        the singular vectors of spectral normalisation.
        """
        if self.renewed_at == self.n_averaged:
            return
        self.renewed_at.copy_(self.n_averaged)
        for _ in range(_POWER_ITERATIONS):
            iterate_spectral_norms(self.module)
        norms = [module for module in self.module.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all batches
        for norm in norms:
            norm.train()  # and nothing else: dropout and noise stay out
        noise = torch.Generator().manual_seed(_SEED)
        with torch.no_grad():
            for index in range(_BATCHES):
                batch = dealer.sample(batch_size, seed=index)
                z = torch.randn(batch_size, cast(int, self.module.noise), generator=noise).to(batch.bar.device)
                self.module(z, *batch.condition)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        self.module.eval()
