"""The music of one ABC tune, line by line, to bars of exact lengths and pitches.

Of the ABC music standard 2.1 (section 4) this reads all that has to do with time and pitch, and passes over the rest.
Where it leaves a choice:

- An accidental counts for its letter in all octaves up to the next bar line (section 11.3, the default), and for a note
  tied over that line. Grace notes are passed over with their accidentals.
- Any bar line, repeats and those in mid-bar among them, ends a bar that has something in it. Nothing is played twice.
- Broken rhythm multiplies the lengths on either side of it, whatever they are.
- Only the first voice is read, with what stands before it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from data_prep.errors import UserError
from data_prep.formats.abc_fields import ACCIDENTALS, Key, key_of, metre_of, unit_of
from data_prep.grid import MAX_BARS

MAX_NOTES: Final = 500_000
"""Most notes and rests of one tune."""

_NATURAL: Final = dict(zip("CDEFGABcdefgab", (60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83), strict=True))
_NOTE: Final = r"(\^\^?|__?|=)?([A-Ga-g])([,']*)([\d/]*)"
_ASIDE: Final = r'"[^"]*"?|![^!\s|\[\]]*!|\{[^}]*\}?'
"""Chord symbols and other text, decorations, grace notes."""
_TOKEN: Final = re.compile(
    rf"(?P<note>{_NOTE})|{_ASIDE}"
    r"|(?P<bar>(?:::|:?\||:\]|\[(?=\|))[|:\]]*(?:\[(?=[|:\]])[|:\]]+){0,9})"
    r"|\[?\d[\d,.-]*"  # the number of an ending
    r"|(?P<field>\[(?P<name>[A-Za-z]):(?P<value>[^\[\]]*)\])"
    r"|(?P<chord>\[(?P<inside>[^\[\]|]*)\](?P<times>[\d/]*))"
    r"|(?P<rest>[zx](?P<length>[\d/]*))|(?P<silence>[ZX](?P<bars>\d*))"
    r"|(?P<tuplet>\((?P<p>\d+)(?::(?P<q>\d*))?(?::(?P<r>\d*))?)|(?P<broken>>+|<+)|(?P<tie>-)"
)
_IN_CHORD: Final = re.compile(rf"{_ASIDE}|(?P<note>{_NOTE})")
_LENGTH: Final = re.compile(r"(\d{0,4})(?:(/{1,6})|/(\d{1,4}))?")
_TUPLET_TIME: Final = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_COMPOUND: Final = ((6, 8), (9, 8), (12, 8))
_MAX_TUPLET: Final = 99
_MAX_CHORD: Final = 1000
_MAX_DOTS: Final = 3


@dataclass(slots=True)
class Event:
    """A note, chord or rest.

    Its length in quarter notes is a fraction, not in lowest terms. `heard` holds for each note the MIDI pitch that its
    letter has without accidentals and the one that sounds; `tied` says that it goes on in the next event.
    """

    numerator: int
    denominator: int
    heard: tuple[tuple[int, int], ...]
    tied: bool = False

    def times(self, numerator: int, denominator: int) -> None:
        """Change the length by this factor."""
        self.numerator *= numerator
        self.denominator *= denominator


@dataclass(slots=True)
class Bar:
    """What stands between two bar lines, and the metre (beats, beat type) where it begins."""

    metre: tuple[int, int]
    events: list[Event] = field(default_factory=list)


class Body:
    """The bars of a tune as far as its lines have been read.

    Args:
        key: the signature at the beginning.
        metre: beats and beat type at the beginning.
        unit: length of a note that states none, in quarter notes, as a fraction.
    """

    def __init__(self, key: Key, metre: tuple[int, int], unit: tuple[int, int]) -> None:
        self.bars: list[Bar] = []
        self._key, self._metre, self._unit = key, metre, unit
        self._alter = dict(key.alter)  # semitones to add to a letter, up to the next bar line
        self._bar: Bar | None = None
        self._last: Event | None = None
        self._tied: dict[int, int] = {}  # what is heard in the last event, if that is tied on
        self._tuplet: tuple[int, int, int] | None = None  # events still to come in it, and the factor of their lengths
        self._broken: tuple[int, int] | None = None  # the factor of the next event's length
        self._num_notes = 0
        self._lead: str | None = None  # the first voice that is named
        self._is_read = True

    def read_line(self, line: str) -> None:
        """A line of music. UserError for what cannot be played or is beyond the limits."""
        for match in _TOKEN.finditer(line):
            kind = match.lastgroup
            if kind is not None and (self._is_read or kind == "field"):
                _READERS[kind](self, match)

    def read_field(self, name: str, value: str) -> None:
        """A field in mid-tune; those that change no note are passed over."""
        if name == "V":
            name = (value.split() or [""])[0]
            self._lead = name if self._lead is None else self._lead
            self._is_read = name == self._lead
        elif self._is_read:
            if name == "K":
                self._key = key_of(value)
                self._alter = dict(self._key.alter)
            elif name == "M":
                self._metre = metre_of(value)
            elif name == "L":
                self._unit = unit_of(value)

    def end_bar(self) -> None:
        """A bar line, or the end of the tune. Where nothing stands before it, it ends no bar."""
        self._alter = dict(self._key.alter)
        if self._bar is None:
            return
        if len(self.bars) == MAX_BARS:
            raise UserError(f"over {MAX_BARS} bars; that is no tune.")
        self.bars.append(self._bar)
        self._bar = None

    def _read_inline_field(self, match: re.Match[str]) -> None:
        self.read_field(match["name"], match["value"])

    def _read_note(self, match: re.Match[str]) -> None:
        accidental, letter, octave, length = match.group(2, 3, 4, 5)
        self._add((self._pitch(accidental, letter, octave),), *_length(length, self._unit))

    def _read_rest(self, match: re.Match[str]) -> None:
        self._add((), *_length(match["length"], self._unit))

    def _read_silence(self, match: re.Match[str]) -> None:
        """Whole bars of rest, as many as the number says."""
        beats, beat_type = self._metre
        if not beats:
            raise UserError("a whole bar of rest without a metre; nothing says how long it is.")
        for place in range(_count(match["bars"] or "1", MAX_BARS, "bars of rest")):
            if place:
                self.end_bar()
            self._add((), 4 * beats, beat_type)

    def _read_chord(self, match: re.Match[str]) -> None:
        """Notes at once, as long as the first of them says, times what stands after the bracket."""
        if len(match["inside"]) > _MAX_CHORD:
            raise UserError(f"a chord of {len(match['inside'])} characters; at most {_MAX_CHORD} can be read.")
        notes = [note.group(2, 3, 4, 5) for note in _IN_CHORD.finditer(match["inside"]) if note["note"]]
        if not notes:
            return
        inside, outside = _length(notes[0][3], self._unit), _length(match["times"], (1, 1))
        heard = tuple(self._pitch(*note[:3]) for note in notes)
        self._add(heard, inside[0] * outside[0], inside[1] * outside[1])
        if "-" in match["inside"]:
            self._read_tie(match)

    def _read_tuplet(self, match: re.Match[str]) -> None:
        """Of `(p:q:r`: p notes in the time of q, for the next r of them."""
        notes = _count(match["p"], _MAX_TUPLET, "notes in a tuplet")
        usual = _TUPLET_TIME.get(notes, 3 if self._metre in _COMPOUND else 2)
        time = _count(match["q"] or str(usual), _MAX_TUPLET, "notes that a tuplet takes the time of")
        self._tuplet = (_count(match["r"] or match["p"], _MAX_TUPLET, "notes in a tuplet"), time, notes)

    def _read_broken(self, match: re.Match[str]) -> None:
        """Of `>`: the note before is dotted, the next one cut by half; of `>>`, twice; of `<`, the other way round."""
        dots = len(match["broken"])
        if dots > _MAX_DOTS:
            raise UserError(f"a rhythm broken by {dots} marks; at most {_MAX_DOTS} can be read.")
        if self._last is None or self._broken is not None:
            return
        dotted, cut = (2 ** (dots + 1) - 1, 2**dots), (1, 2**dots)
        before, self._broken = (dotted, cut) if match["broken"][0] == ">" else (cut, dotted)
        self._last.times(*before)

    def _read_tie(self, _: re.Match[str]) -> None:
        if self._last is not None:
            self._last.tied = True
            self._tied = dict(self._last.heard)

    def _pitch(self, accidental: str | None, letter: str, octave: str) -> tuple[int, int]:
        natural, name = _NATURAL[letter], letter.upper()
        if octave:
            natural += 12 * (octave.count("'") - octave.count(","))
        pitch = natural + self._alter[name]
        if accidental:
            self._alter[name] = ACCIDENTALS[accidental]
            pitch = natural + self._alter[name]
        elif self._tied:
            pitch = self._tied.get(natural, pitch)
        if not 0 <= pitch <= 127:
            raise UserError(f"a note with MIDI number {pitch}; it must lie between 0 and 127.")
        return natural, pitch

    def _add(self, heard: tuple[tuple[int, int], ...], numerator: int, denominator: int) -> None:
        self._num_notes += max(1, len(heard))
        if self._num_notes > MAX_NOTES:
            raise UserError(f"over {MAX_NOTES} notes; that is no tune.")
        self._last = event = Event(numerator, denominator, heard)
        if self._broken is not None:
            event.times(*self._broken)
            self._broken = None
        if self._tuplet is not None:
            left, time, notes = self._tuplet
            event.times(time, notes)
            self._tuplet = (left - 1, time, notes) if left > 1 else None
        if self._tied:
            self._tied = {}
        if self._bar is None:
            self._bar = Bar(self._metre)
        self._bar.events.append(event)


@lru_cache(maxsize=4096)
def _length(text: str, unit: tuple[int, int]) -> tuple[int, int]:
    """The length that a note states, such as 3, 3/2, / or //, times the unit, as numerator and denominator."""
    match = _LENGTH.fullmatch(text)
    times = int(match[1] or 1) if match else 0
    parts = 2 ** len(match[2]) if match and match[2] else int(match[3] or 1) if match else 0
    if not times or not parts:
        raise UserError(f"a note of length {text[:20]!r}; a length is a number or a fraction such as 3/2.")
    return unit[0] * times, unit[1] * parts


def _count(text: str, most: int, what: str) -> int:
    if not 1 <= (int(text) if len(text) <= 9 else 0) <= most:
        raise UserError(f"{text[:20]!r} {what}; there can be 1 to {most}.")
    return int(text)


_READERS: Final[dict[str, Callable[[Body, re.Match[str]], None]]] = {
    "note": Body._read_note,
    "bar": lambda body, _: body.end_bar(),
    "field": Body._read_inline_field,
    "chord": Body._read_chord,
    "rest": Body._read_rest,
    "silence": Body._read_silence,
    "tuplet": Body._read_tuplet,
    "broken": Body._read_broken,
    "tie": Body._read_tie,
}
