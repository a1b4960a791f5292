"""From a generator to music: eight bars, each written after the one before it (§4.1)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainables.batches import one_hot
from trainables.networks.generator import NOISE

_SOUNDING = 0.5


def binarise(probability: Tensor, *, rests: bool) -> Tensor:
    """Pitches (B, 16) of probabilities (B, 16, P): the likeliest of each step.

    With `rests` a step is silent (-1) where fewer than half a note is expected to sound. Without, no step is: a corpus
    whose rests were filled holds no silence, and knows none.
    """
    pitch = probability.argmax(-1)
    return torch.where(probability.sum(-1) < _SOUNDING, -1, pitch) if rests else pitch


@torch.no_grad()
def continue_bars(
    generator: nn.Module,
    first_bar: NDArray[np.int8],
    chord: NDArray[np.int8],
    *,
    seed: int,
    rests: bool = False,
) -> NDArray[np.int8]:
    """Phrases that begin with a real bar and go on by the generator.

    Args:
        generator: maps noise (M, Z), the bar before (M, 16, P) and chords (M,) to probabilities; in eval mode.
        first_bar: pitches (M, 16), -1 for silence.
        chord: chord classes (M, B) of all bars, the first included.
        seed: decides the noise, on any device.
        rests: whether the music may fall silent (`binarise`).

    Returns:
        Pitches (M, B, 16): bar k is written after bar k - 1 of the phrase itself, on chord k.
    """
    device = next((parameter.device for parameter in generator.parameters()), torch.device("cpu"))
    noise = torch.Generator().manual_seed(seed)
    classes = torch.from_numpy(chord.astype(np.int64)).to(device)
    bars = [torch.from_numpy(first_bar.astype(np.int64)).to(device)]
    for k in range(1, classes.shape[1]):
        z = torch.randn(len(classes), NOISE, generator=noise).to(device)
        bars.append(binarise(generator(z, one_hot(bars[-1]), classes[:, k]), rests=rests))
    return torch.stack(bars, dim=1).to(torch.int8).cpu().numpy()
