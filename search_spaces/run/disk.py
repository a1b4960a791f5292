"""Whether there is room on the disk for what a search will write."""

import shutil
from pathlib import Path
from typing import Final

from data_prep.errors import UserError
from data_prep.folder import shown

_COMFORT: Final = 2
"""Free space below so many times what is expected is worth a word: what is expected is an estimate."""


def check_room(results: Path, expected: float) -> str:
    """Refuse a search that would fill the disk; a warning where it comes near, else nothing.

    Args:
        results: the folder that it writes to, which need not be there yet.
        expected: bytes of all its trials.

    Raises:
        UserError: less is free.
    """
    nearest = next(path for path in (results, *results.parents) if path.exists())
    free = shutil.disk_usage(nearest).free
    told = f"{shown_bytes(free)} are free in {shown(str(nearest))}"
    if expected > free:
        raise UserError(
            f"The search will write about {shown_bytes(expected)}, but {told}: make room, or choose fewer --trials or "
            "other --results."
        )
    if expected * _COMFORT > free:
        return f"The search will write about {shown_bytes(expected)}, and {told}: that may become tight."
    return ""


def shown_bytes(number: float) -> str:
    """Bytes in the largest unit of which there is one."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return f"{number:.0f} bytes"
