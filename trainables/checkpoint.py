"""The file that a training goes on from, and that its system is brought back from."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch

from data_prep.errors import UserError
from data_prep.files import write_atomic
from data_prep.folder import shown
from trainables.factory import Music, System, build
from trainables.handover import STATE_FILE

_FAULTS: Final = (OSError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, EOFError, UnpicklingError)
"""What a missing or damaged checkpoint may raise."""


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write tensors and plain values into `folder`: the new state whole, or the old one untouched."""
    write_atomic(folder / STATE_FILE, packed(state))


def packed(state: Mapping[str, Any]) -> bytes:
    """Tensors and plain values as the bytes of a checkpoint."""
    file = io.BytesIO()
    torch.save(dict(state), file)
    return file.getvalue()


def unpacked(data: bytes) -> dict[str, Any]:
    """What was packed, on the CPU; nothing but tensors and plain values is ever read.

    Raises:
        UserError: it is damaged.
    """
    with sound(Path(STATE_FILE)):
        return _read(io.BytesIO(data))


def read_state(folder: Path) -> dict[str, Any]:
    """What was written, on the CPU; nothing but tensors and plain values is ever read.

    Raises:
        UserError: it is missing or damaged.
    """
    with sound(folder):
        return _read(folder / STATE_FILE)


def _read(file: Path | io.BytesIO) -> dict[str, Any]:
    state = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise TypeError(type(state).__name__)
    return state


@contextmanager
def sound(folder: Path) -> Iterator[None]:
    """Whatever is wrong with the checkpoint in `folder`, or with the values in it, is a UserError that names it."""
    try:
        yield
    except (UserError, torch.OutOfMemoryError):  # too little memory is no fault of the state
        raise
    except _FAULTS as error:
        fault = type(error).__name__
        raise UserError(f"The checkpoint in {shown(str(folder))} cannot be read ({fault}).") from error


def restored(
    folder: Path, system: str, settings: Mapping[str, Any], music: Music, *, horizon: int, device: str = "cpu"
) -> System:
    """The trained system of a trial, from the folder of its checkpoint.

    Args:
        folder: holds the checkpoint.
        system: name of the system.
        settings: what the trial set.
        music: what it was trained on.
        horizon: bars of its full budget.
        device: where it is to generate, or to go on.

    Raises:
        UserError: the checkpoint is missing or damaged.
    """
    trained = build(system, settings, music, seed=0, horizon=horizon, device=device)
    with sound(folder):
        trained.load_state_dict(read_state(folder)["system"])
    return trained
