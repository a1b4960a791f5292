"""Numbers next to zero, which processors are slow at."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def flushed_to_zero() -> Iterator[None]:
    """Round them to zero within: weights that fade to nothing would slow every product. On GPUs nothing changes.

    It is a state of the whole process, and as before when it ends: others may want the numbers it takes away.
    """
    already = bool(torch.tensor(1e-40) * 1 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)
