"""Music of the systems that know no first bar: whole windows out of random vectors."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from data_prep.errors import UserError
from trainables.rolls.music import BARS, STEPS_PER_BAR, Music

_AT_ONCE: Final = 32
"""Windows made at once: what is needed beside the music stays below some hundred megabytes."""


@torch.no_grad()
def whole_windows(
    decode: Callable[[Float[Tensor, "some width"]], Float[Tensor, "some 128 128"]],
    vectors: Float[Tensor, "batch width"],
    music: Music,
    bars: int,
) -> NDArray[Any]:
    """The first `bars` bars of the windows that `decode` makes of `vectors`, in the corpus's own form.

    Raises:
        UserError: a window has fewer bars.
    """
    if bars > BARS:
        raise UserError(f"{bars} bars are asked for, but this system writes {BARS} at most: ask for {BARS} or fewer.")
    parts = (decode(some)[:, : bars * STEPS_PER_BAR] for some in vectors.split(_AT_ONCE))
    phrases: NDArray[Any] = np.concatenate([music.write(part) for part in parts])
    return phrases
