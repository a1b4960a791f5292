"""Every kind of music that can be prepared. A new kind is a file beside this one and a line here."""

from typing import Final

from data_prep.source import Source
from data_prep.sources import builtin, builtin_folk, lead_sheet, maestro, midi, musicxml, piano, pop909

_ALL: Final = (
    builtin.SOURCE,
    builtin_folk.SOURCE,
    lead_sheet.SOURCE,
    pop909.SOURCE,
    midi.NOTTINGHAM,
    midi.MIDI,
    musicxml.SOURCE,
    maestro.SOURCE,
    piano.SOURCE,
)

SOURCES: Final[dict[str, Source]] = {source.name: source for source in _ALL}
