"""Files of tunes in ABC notation to exact notes and measures.

A tune begins at its X field and ends at an empty line (the ABC music standard 2.1, section 2.2). It is read as it is
written: repeats are not played out. What stands before the first tune, defaults for them all included, is passed over.
"""

import re
from collections.abc import Iterator
from itertools import islice
from math import gcd, lcm
from typing import Final, NamedTuple

from data_prep.errors import UserError
from data_prep.formats.abc_body import Bar, Body, Event
from data_prep.formats.abc_fields import default_unit, key_of, metre_of, unit_of
from data_prep.formats.musicxml import Measure, Note, Part, Score

MAX_BYTES: Final = 2**20
MAX_TUNES: Final = 10_000
"""Largest file read, and most tunes of one."""

_MAX_RESOLUTION: Final = 10**6
_MAX_TICKS: Final = 10**9
_NUMBER: Final = re.compile(r"\s*0*(\d{1,9})(?!\d)")
# A line that begins with "A:|" is music.
_FIELD: Final = re.compile(r"(?![A-Ga-gxz]:[|:\]])([A-Za-z+]):(.*)")


class Tune(NamedTuple):
    """A tune: its number in the file (0 where it has none), and its score of one part, which bears the title."""

    number: int
    score: Score


class BadTune(NamedTuple):
    """A tune that cannot be read, and why."""

    number: int
    reason: str


class _Text(NamedTuple):
    """The lines of a tune: its number, the fields of its header by their letters, and its body."""

    number: int
    header: dict[str, str]
    body: list[str]

    def add(self, line: str) -> None:
        match = _FIELD.match(line)
        if "K" in self.header:
            self.body.append(line)
        elif match is not None and not (match[1] == "T" and "T" in self.header):
            self.header[match[1]] = match[2].strip()


def read_tunes(data: bytes) -> Iterator[Tune | BadTune]:
    """All tunes in the bytes of an `.abc` file, in order; a bad one leaves the others whole.

    UserError where there is none, or more than can be read.
    """
    if len(data) > MAX_BYTES:
        raise UserError(f"{len(data)} bytes; at most {MAX_BYTES} can be read.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    tunes = list(islice(_split(text), MAX_TUNES + 1))
    if not 1 <= len(tunes) <= MAX_TUNES:
        told = f"over {MAX_TUNES} tunes in it" if tunes else "no tune in it, which a line beginning with X: would start"
        raise UserError(f"{told}; a file in ABC has 1 to {MAX_TUNES}.")
    return map(_tune, tunes)


def _split(text: str) -> Iterator[_Text]:
    tune: _Text | None = None
    for written in re.split(r"\r\n?|\n", text):
        line = written.partition("%")[0]
        if line.startswith("X:"):
            if tune is not None:
                yield tune
            number = _NUMBER.match(line[2:])
            tune = _Text(int(number[1]) if number else 0, {}, [])
        elif tune is not None and not written.strip():
            yield tune
            tune = None
        elif tune is not None:
            tune.add(line)
    if tune is not None:
        yield tune


def _tune(text: _Text) -> Tune | BadTune:
    try:
        return Tune(text.number, _score(text))
    except UserError as error:
        return BadTune(text.number, str(error))


def _score(text: _Text) -> Score:
    header = text.header
    if "K" not in header:
        raise UserError("no key (a line that begins with K:), which every tune has.")
    key, metre = key_of(header["K"]), metre_of(header.get("M", ""))
    body = Body(key, metre, unit_of(header["L"]) if "L" in header else default_unit(metre))
    for line in text.body:
        match = _FIELD.match(line)
        if match is None:
            body.read_line(line)
        else:
            body.read_field(match[1], match[2])
    body.end_bar()
    resolution = _resolution(body.bars)
    measures, notes = _timeline(body.bars, resolution)
    if not notes:
        raise UserError("no note in it; there is nothing to read.")
    part = Part(name=header.get("T", ""), notes=tuple(notes), chords=())
    return Score(resolution=resolution, fifths=key.fifths, measures=tuple(measures), parts=(part,))


def _resolution(bars: list[Bar]) -> int:
    """The fewest ticks to a quarter note that make every length whole."""
    resolution = 1
    for numerator, denominator in {(event.numerator, event.denominator) for bar in bars for event in bar.events}:
        resolution = lcm(resolution, denominator // gcd(numerator, denominator))
        if resolution > _MAX_RESOLUTION:
            raise UserError(f"its notes share no unit of time down to 1/{_MAX_RESOLUTION} of a quarter note.")
    return resolution


def _timeline(bars: list[Bar], resolution: int) -> tuple[list[Measure], list[Note]]:
    """All measures, and all notes in order of start, then pitch, ties joined."""
    measures: list[Measure] = []
    notes: list[Note] = []
    held: dict[int, int] = {}
    now = 0
    for bar in bars:
        start = now
        for event in bar.events:
            end = now + event.numerator * resolution // event.denominator
            held = _sound(event, now, end, notes, held)
            now = end
        if now - start > _MAX_TICKS:
            raise UserError(f"a measure of {now - start} ticks; at most {_MAX_TICKS} can be read.")
        measures.append(Measure(start, now - start, *bar.metre))
    return measures, sorted(notes, key=lambda note: (note.start, note.pitch))


def _sound(event: Event, start: int, end: int, notes: list[Note], held: dict[int, int]) -> dict[int, int]:
    """Adds what is heard from start to end to the notes, or lengthens what is held.

    Held, before and after, are the pitches that are tied on, with their places in the notes.
    """
    tied: dict[int, int] = {}
    for _, pitch in event.heard:
        place = held.get(pitch, len(notes))
        if place < len(notes):
            notes[place] = notes[place]._replace(end=end)
        else:
            notes.append(Note(start, end, pitch))
        if event.tied:
            tied[pitch] = place
    return tied
