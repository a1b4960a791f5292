"""From a generator to music: each bar written after the one before it (§4.1)."""

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from data_prep.bars import SILENCE
from data_prep.harmony import first_chords
from trainables.batches import one_hot
from trainables.networks.generator import NOISE

_SOUNDING = 0.5


def binarise(probability: Float[Tensor, "*batch time pitch"], *, rests: bool) -> Int[Tensor, "*batch time"]:
    """Pitches of probabilities: the likeliest of each step.

    With `rests` a step is silent (-1) where fewer than half a note is expected to sound. Without, no step is: a corpus
    whose rests were filled holds no silence, and knows none.
    """
    pitch = probability.argmax(-1)
    return torch.where(probability.sum(-1) < _SOUNDING, SILENCE, pitch) if rests else pitch


@torch.no_grad()
def continue_bars(
    generator: nn.Module,
    first_bar: NDArray[np.int8],
    chord: NDArray[np.int8],
    *,
    seed: int,
    rests: bool = False,
    bars: int = 1,
    chords_per_bar: int = 1,
) -> NDArray[np.int8]:
    """Phrases that begin with a real bar and go on by the generator.

    Args:
        generator: maps noise (M, Z), the matrix before (M, 16 `bars`, P) and the chords of the matrix it writes
            (M, `bars` `chords_per_bar`) to probabilities; in eval mode.
        first_bar: pitches (M, 16), -1 for silence.
        chord: chord classes (M, B, 4) of the beats of all bars, the first included.
        seed: decides the noise, on any device.
        rests: whether the music may fall silent (`binarise`).
        bars: bars in a matrix. Before the first bar of a phrase there is silence, as before that of a song; chords
            after its last are the last, and the bars written on them are left out.
        chords_per_bar: 1, a bar's one chord (`first_chords`), or 4, that of each beat.

    Returns:
        Pitches (M, B, 16): each matrix is written after what the phrase itself had before.
    """
    device = next((parameter.device for parameter in generator.parameters()), torch.device("cpu"))
    noise = torch.Generator().manual_seed(seed)
    count, length = chord.shape[:2]
    classes = _chords_of_matrices(chord, bars, chords_per_bar)
    silence = np.full((count, 16 * (bars - 1)), SILENCE, np.int64)
    previous = torch.from_numpy(np.concatenate([silence, first_bar], axis=1)).to(device)
    written = [torch.from_numpy(first_bar.astype(np.int64)).to(device)]
    for matrix in classes.swapaxes(0, 1):
        z = torch.randn(count, NOISE, generator=noise).to(device)
        previous = binarise(generator(z, one_hot(previous), torch.from_numpy(matrix).to(device)), rests=rests)
        written.append(previous)
    steps = torch.cat(written, dim=1)[:, : length * 16]
    return steps.view(count, length, 16).to(torch.int8).cpu().numpy()


def _chords_of_matrices(chord: NDArray[np.int8], bars: int, chords_per_bar: int) -> NDArray[np.int64]:
    """Classes (M, matrices, bars * chords_per_bar) of what follows the first bar of `chord` (M, B, 4)."""
    count, length = chord.shape[:2]
    by_bar = chord if chords_per_bar > 1 else first_chords(chord.reshape(-1, 4)).reshape(count, length, 1)
    matrices = -(-(length - 1) // bars)
    bar = np.minimum(np.arange(1, 1 + matrices * bars), length - 1)
    return by_bar[:, bar].reshape(count, matrices, bars * chords_per_bar).astype(np.int64)
