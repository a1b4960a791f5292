"""Every kind of music that can be prepared. A new kind is a file beside this one and a line here."""

from typing import Final

from data_prep.errors import UserError, unknown
from data_prep.source import Source
from data_prep.sources import builtin

SOURCES: Final[dict[str, Source]] = {module.SOURCE.name: module.SOURCE for module in (builtin,)}


def source_named(name: str) -> Source:
    """The source of that name; UserError, naming the nearest, for any other."""
    if name not in SOURCES:
        raise UserError(unknown("source", name, SOURCES))
    return SOURCES[name]
