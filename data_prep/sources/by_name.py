"""A track or part that the user names."""

from collections.abc import Sequence


def place_of(wanted: str, names: Sequence[str]) -> int | None:
    """Place of what is wanted among these names: a number from 1 on, else a name in full, else a part of one.

    Case and space around a name do not matter. None where nothing fits.
    """
    if wanted.isdecimal() and 1 <= int(wanted[:9]) <= len(names):
        return int(wanted[:9]) - 1
    sought, plain = wanted.strip().casefold(), [name.strip().casefold() for name in names]
    if not sought:
        return None
    fitting = [name == sought for name in plain] if sought in plain else [sought in name for name in plain]
    return fitting.index(True) if True in fitting else None
