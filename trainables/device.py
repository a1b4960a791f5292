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
