"""Where a system is trained."""

from typing import Final

import torch

from data_prep.errors import UserError, unknown

DEVICES: Final = ("auto", "cpu", "cuda", "mps")


def device_of(name: str) -> str:
    """The device that the name stands for: `auto` is a GPU if this process sees one, else the CPU.

    `cuda:1` and the like name one of several GPUs.

    Raises:
        UserError: there is no such device.
    """
    kind, colon, number = name.partition(":")
    if kind not in DEVICES or (colon and not number.isdecimal()):
        raise UserError(unknown("device", name, DEVICES))
    if kind == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }[kind]
    if int(number or 0) >= there:
        raise UserError(f"device is {name!r}, but PyTorch sees {there} of that kind here: choose auto or cpu.")
    return name


def device_of_share(gpus: float | None) -> str:
    """The device of a process that was given so many GPUs: none, a share of one or one; None where nobody says.

    Where others have the rest of the GPU, PyTorch may take that share of its memory and no more: a process that wants
    more fails alone. CUDA's own few hundred megabytes come on top.
    """
    if gpus == 0:  # not what PyTorch sees: Ray hides GPUs from those only that were given others
        return "cpu"
    device = device_of("auto")
    if device == "cuda" and gpus is not None and gpus < 1:
        torch.cuda.set_per_process_memory_fraction(gpus)
    return device
