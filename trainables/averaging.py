"""The moving average of the generator: the one that is judged, saved and heard."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from trainables.batches import TrainingBars
from trainables.networks.generator import NOISE, Generator
from trainables.networks.layers import iterate_spectral_norms

_BATCHES: Final = 16
_BATCH_SIZE: Final = 128
_SEED: Final = 0
_POWER_ITERATIONS: Final = 100


class AveragedGenerator(AveragedModel):
    """Exponential moving average of the weights, which forgets the first, random ones fast.

    After n updates the decay is min(`decay`, (1 + n) / (10 + n)): a fixed decay of .999 would still hold a third of
    the initial weights after a thousand updates.
    """

    def __init__(self, generator: Generator, decay: float) -> None:
        super().__init__(generator, multi_avg_fn=_moving_average(decay))
        self.requires_grad_(False)
        self._renewed_at = -1

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Go on from a saved state, whose statistics are renewed before they are used."""
        self._renewed_at = -1
        return super().load_state_dict(state_dict, strict=strict, assign=assign)

    def renew_statistics(self, bars: TrainingBars) -> None:
        """Estimate anew, for the averaged weights, what is not averaged itself.

        That is the means and variances of batch normalisation, on training bars in train mode, and the singular
        vectors of spectral normalisation.
        """
        if self._renewed_at == int(self.n_averaged):
            return
        self._renewed_at = int(self.n_averaged)
        for _ in range(_POWER_ITERATIONS):
            iterate_spectral_norms(self.module)
        norms = [module for module in self.module.modules() if isinstance(module, nn.BatchNorm1d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all batches
        self.module.train()
        noise = torch.Generator().manual_seed(_SEED)
        with torch.no_grad():
            for index in range(_BATCHES):
                batch = bars.sample(_BATCH_SIZE, seed=index)
                z = torch.randn(_BATCH_SIZE, NOISE, generator=noise).to(batch.bar.device)
                self.module(z, batch.previous, batch.chord)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        self.module.eval()


def _moving_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    @torch.no_grad()
    def update(averages: Sequence[Tensor], currents: Sequence[Tensor], updates: Tensor | int) -> None:
        count = int(updates)
        weight = 1 - min(decay, (1 + count) / (10 + count))
        torch._foreach_lerp_(list(averages), list(currents), weight)

    return update
