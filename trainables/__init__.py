"""The systems: what a network is (variants), how it is trained (config, step) and the Ray Tune shells (trial).

Importing this package is cheap: torch comes in with the names that need it, when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainables.factory import System, build
    from trainables.judge import Judge
    from trainables.prompts import chords, first_bars
    from trainables.systems import SYSTEMS

__all__ = ["SYSTEMS", "Judge", "System", "build", "chords", "first_bars"]

_HOMES = {
    "SYSTEMS": "systems",
    "Judge": "judge",
    "System": "factory",
    "build": "factory",
    "chords": "prompts",
    "first_bars": "prompts",
}


def __getattr__(name: str) -> Any:
    """What the package offers, from the module that has it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
