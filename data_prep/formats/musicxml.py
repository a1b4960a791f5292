"""MusicXML files to exact notes and measures.

A score is read as it is written: repeats are not played out. All times are whole ticks, `resolution` of
them to a quarter note (the least common multiple of every `<divisions>`), so nothing is ever rounded.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from math import lcm
from typing import Final, NamedTuple

from data_prep.errors import UserError
from data_prep.formats.xml import parse_xml
from data_prep.grid import MAX_BARS

_STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_WHOLE: Final = re.compile(r"\s*(-?\d{1,9})(?:\.0*)?\s*")
_METRE: Final = re.compile(r"[1-9]\d?")
MAX_PARTS: Final = 1_000
_MAX_TICKS: Final = 10**9


class Note(NamedTuple):
    """A sounding note: first tick, tick after the last, MIDI pitch (0-127)."""

    start: int
    end: int
    pitch: int


class ChordSymbol(NamedTuple):
    """A chord written over the staff, meant until the next: its tick, root (pitch class, if it has one) and kind."""

    start: int
    root: int | None
    kind: str


class Measure(NamedTuple):
    """One written measure: first tick, true length in ticks, time signature (0 beats: none that is usable)."""

    start: int
    length: int
    beats: int
    beat_type: int

    def full(self, resolution: int) -> int:
        """Ticks its time signature asks for; a pick-up or a cut bar is shorter."""
        return self.beats * 4 * resolution // self.beat_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A named part: its notes, ties joined, in order of start, then pitch; its chord symbols in order of start."""

    name: str
    notes: tuple[Note, ...]
    chords: tuple[ChordSymbol, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A whole file; `fifths` is the first key signature (sharps positive, flats negative)."""

    resolution: int
    fifths: int
    measures: tuple[Measure, ...]
    parts: tuple[Part, ...]


@dataclass(slots=True)
class _Raw:
    """A measure of one part while it is read: times from the measure's start."""

    beats: int
    beat_type: int
    length: int = 0
    notes: list[tuple[int, int, int, bool]] = field(default_factory=list)  # start, end, pitch, tie goes on
    chords: list[ChordSymbol] = field(default_factory=list)


def read_score(data: bytes) -> Score:
    """The score in the bytes of a `.mxl`, `.musicxml` or `.xml` file. UserError for what is not sound MusicXML."""
    root = parse_xml(data)
    if root.tag != "score-partwise":
        raise UserError(f"its root is <{root.tag[:40]}>; save it as partwise MusicXML.")
    try:
        return _score(root)
    except ValueError as error:
        raise UserError(str(error)) from error


def _score(root: ET.Element) -> Score:
    resolution = _resolution(root)
    written = [(part.get("id"), part.findall("measure")) for part in root.findall("part")]
    if not written:
        raise ValueError("no <part> in it; there is nothing to read.")
    if len(written) > MAX_PARTS or max(len(measures) for _, measures in written) > MAX_BARS:
        raise ValueError(f"over {MAX_PARTS:,} parts or {MAX_BARS:,} measures; that many are not read.")
    names = {part.get("id"): part.findtext("part-name") or "" for part in root.iter("score-part")}
    read = [(names.get(part, ""), list(_part(measures, resolution))) for part, measures in written]
    measures = _timeline([raw for _, raw in read])
    starts = [measure.start for measure in measures]
    parts = tuple(
        Part(name=name.strip(), notes=_join_ties(raw, starts), chords=_chords(raw, starts)) for name, raw in read
    )
    fifths = _whole(root.findtext(".//fifths", "0"), "fifths")
    return Score(resolution=resolution, fifths=fifths, measures=measures, parts=parts)


def _resolution(root: ET.Element) -> int:
    """Ticks to a quarter note in which every duration is whole."""
    resolution = 1
    for element in root.iter("divisions"):
        resolution = lcm(resolution, _whole(element.text, "divisions"))
        if not 0 < resolution < _MAX_TICKS:
            raise ValueError(f"{resolution} divisions of a quarter note; at most {_MAX_TICKS} can be read.")
    return resolution


def _timeline(parts: list[list[_Raw]]) -> tuple[Measure, ...]:
    """Measures by position: as long as the longest part's, with the first part's time signature."""
    columns = [[part[i] for part in parts if i < len(part)] for i in range(max(map(len, parts)))]
    lengths = [max(raw.length for raw in column) for column in columns]
    starts = accumulate(lengths, initial=0)
    return tuple(
        Measure(start, length, column[0].beats, column[0].beat_type)
        for start, length, column in zip(starts, lengths, columns, strict=False)
    )


def _part(measures: list[ET.Element], resolution: int) -> Iterator[_Raw]:
    scale, shift, beats, beat_type = resolution, 0, 4, 4
    for element in measures:
        raw, now, onset = _Raw(beats, beat_type), 0, 0
        for item in element:
            if item.tag == "note":
                onset, now = _note(item, raw, scale, shift, onset, now)
            elif item.tag in ("backup", "forward"):
                step = _whole(item.findtext("duration"), "duration") * scale
                now = max(0, now - step) if item.tag == "backup" else now + step
            elif item.tag == "harmony":
                raw.chords.append(_chord_symbol(item, now, scale, shift))
            elif item.tag == "attributes":
                scale, shift = _tuning(item, resolution, scale, shift)
                beats, beat_type = _time(item, beats, beat_type)
                raw.beats, raw.beat_type = beats, beat_type
            # Some files write the rest of an empty bar twice, so silence alone makes no bar longer than its metre.
            raw.length = max(raw.length, min(now, raw.beats * 4 * resolution // raw.beat_type))
        if not 0 <= raw.length < _MAX_TICKS:
            raise ValueError(f"a measure of {raw.length} ticks; at most {_MAX_TICKS} can be read.")
        yield raw


def _note(item: ET.Element, raw: _Raw, scale: int, shift: int, onset: int, now: int) -> tuple[int, int]:
    """Adds the note to the measure; the onset a following `<chord/>` shares, and the time after it."""
    if item.find("grace") is not None or item.find("cue") is not None:
        return onset, now
    duration = _whole(item.findtext("duration"), "duration") * scale
    if duration < 0:
        raise ValueError(f"a note of {duration} ticks; a duration is never negative.")
    if item.find("chord") is None:
        onset, now = now, now + duration
    pitch = item.find("pitch")
    if pitch is not None and duration:
        tied = any(tie.get("type") == "start" for tie in item.iter("tie"))
        raw.notes.append((onset, onset + duration, _midi(pitch, shift), tied))
        raw.length = max(raw.length, onset + duration)
    return onset, now


def _midi(pitch: ET.Element, shift: int) -> int:
    """MIDI number of the note as it sounds."""
    step, alter = pitch.findtext("step", "").strip(), pitch.findtext("alter")
    if step not in _STEPS:
        raise ValueError(f"a note named {step[:20]!r}; a step is a letter from A to G.")
    octave = _whole(pitch.findtext("octave"), "octave")
    number = 12 * (octave + 1) + _STEPS[step] + (_whole(alter, "alter") if alter else 0) + shift
    if not 0 <= number <= 127:
        raise ValueError(f"a note with MIDI number {number}; it must lie between 0 and 127.")
    return number


def _chord_symbol(item: ET.Element, now: int, scale: int, shift: int) -> ChordSymbol:
    """The symbol (the first, where several are stacked), with its root as it sounds."""
    offset = item.findtext("offset")
    start = min(max(0, now + (_whole(offset, "offset") * scale if offset else 0)), _MAX_TICKS)
    step, alter = item.findtext("root/root-step", "").strip(), item.findtext("root/root-alter")
    root = (_STEPS[step] + (_whole(alter, "root-alter") if alter else 0) + shift) % 12 if step in _STEPS else None
    return ChordSymbol(start, root, item.findtext("kind", "").strip())


def _tuning(item: ET.Element, resolution: int, scale: int, shift: int) -> tuple[int, int]:
    divisions, transpose = item.findtext("divisions"), item.find("transpose")
    if divisions is not None:
        count = _whole(divisions, "divisions")
        if count < 1:
            raise ValueError(f"{count} divisions of a quarter note; there is at least 1.")
        scale = resolution // count
    if transpose is not None:
        octaves = _whole(transpose.findtext("octave-change", "0"), "octave-change")
        shift = _whole(transpose.findtext("chromatic"), "chromatic") + 12 * octaves
    return scale, shift


def _time(item: ET.Element, beats: int, beat_type: int) -> tuple[int, int]:
    time = item.find("time")
    if time is None:
        return beats, beat_type
    text, unit = time.findtext("beats", ""), time.findtext("beat-type", "")
    # "3+2" and senza misura are no metre that a bar of sixteen steps can hold.
    if not (_METRE.fullmatch(text) and _METRE.fullmatch(unit)):
        return 0, 4
    return int(text), int(unit)


def _whole(text: str | None, what: str) -> int:
    match = _WHOLE.fullmatch(text or "")
    if match is None:
        raise ValueError(f"a <{what}> of {(text or '')[:20]!r}; it must be a whole number.")
    return int(match[1])


def _chords(measures: list[_Raw], starts: list[int]) -> tuple[ChordSymbol, ...]:
    symbols = (
        symbol._replace(start=start + symbol.start)
        for raw, start in zip(measures, starts, strict=False)
        for symbol in raw.chords
    )
    return tuple(sorted(symbols, key=lambda symbol: symbol.start))


def _join_ties(measures: list[_Raw], starts: list[int]) -> tuple[Note, ...]:
    """Absolute notes. A start mark is enough to join: some files leave out the stop."""
    notes: list[Note] = []
    held: dict[tuple[int, int], int] = {}  # (pitch, end) of a note that ties on -> its place in notes
    for raw, start in zip(measures, starts, strict=False):
        for first, last, pitch, tied in sorted(raw.notes):
            begin, end = start + first, start + last
            place = held.pop((pitch, begin), len(notes))
            if place < len(notes):
                notes[place] = notes[place]._replace(end=end)
            else:
                notes.append(Note(begin, end, pitch))
            if tied:
                held[pitch, end] = place
    return tuple(sorted(notes, key=lambda note: (note.start, note.pitch)))
