"""PyTorch's global random numbers, one stream for each system."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class RandomStream:
    """What `torch` draws within `flowing()`, whoever else draws before, between and after.

    Initial weights and dropout know no generator but the global one. With a stream of its own a system's numbers
    depend on its seed alone, and go on where they stood when it is restored.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self._devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(self._devices):
            torch.manual_seed(seed)
            self._state = self._read()

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Draw from this stream; the global one is as before when it ends."""
        with torch.random.fork_rng(self._devices):
            self._write()
            yield
            self._state = self._read()

    def state_dict(self) -> dict[str, Any]:
        """Where the stream stands."""
        return {"state": list(self._state)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`; on another kind of device, as far as it goes."""
        self._state = [*state["state"], *self._state[len(state["state"]) :]][: len(self._state)]

    def _read(self) -> list[torch.Tensor]:
        return [torch.get_rng_state(), *(torch.cuda.get_rng_state(device) for device in self._devices)]

    def _write(self) -> None:
        cpu, *others = self._state
        torch.set_rng_state(cpu)
        for device, state in zip(self._devices, others, strict=True):
            torch.cuda.set_rng_state(state, device)
