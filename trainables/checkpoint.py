"""The file that a trial goes on from, and that its system is brought back from."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch

from data_prep.errors import UserError
from trainables.build import Music, System, build

_FILE: Final = "state.pt"


def write_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write tensors and plain values into `folder`."""
    torch.save(dict(state), folder / _FILE)


def read_state(folder: Path) -> dict[str, Any]:
    """What was written, on the CPU; nothing but tensors and plain values is ever read."""
    state = torch.load(folder / _FILE, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise TypeError(f"{folder / _FILE} holds a {type(state).__name__}")
    return state


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
    try:
        trained.load_state_dict(read_state(folder)["system"])
    except (OSError, RuntimeError, LookupError, TypeError, ValueError, EOFError, UnpicklingError) as error:
        raise UserError(f"The checkpoint in {folder} cannot be read ({type(error).__name__}).") from error
    return trained
