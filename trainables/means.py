"""Quantities of many training steps, averaged where they are and read once."""

import torch
from torch import Tensor


class Means:
    """Running means of quantities on the device, read once at the end."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, **values: Tensor) -> None:
        """Count one more value of each name."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0) + value.detach()
            self._counts[name] = self._counts.get(name, 0) + 1

    def read(self) -> dict[str, float]:
        """The mean of each name; one transfer from the device."""
        if not self._sums:
            return {}
        sums = torch.stack([total.float() for total in self._sums.values()]).tolist()
        return {name: total / self._counts[name] for name, total in zip(self._sums, sums, strict=True)}
