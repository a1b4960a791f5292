"""What to say where there is too little memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from data_prep.errors import UserError

_SIGNS = ("not enough memory", "can't allocate", "out of memory", "invalid buffer size", "Storage size calculation")


@contextmanager
def within_memory() -> Iterator[None]:
    """A UserError instead of PyTorch's own where there is no room for what is computed inside."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        told = str(error).partition("\n")[0]
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and not any(sign in told for sign in _SIGNS):
            raise
        raise UserError(
            f"There is not enough memory ({told[:120]}): take a smaller batch_size, or smaller networks."
        ) from error
