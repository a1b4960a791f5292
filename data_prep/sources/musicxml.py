"""Lead sheets in MusicXML (`.mxl`, `.musicxml`, `.xml`): a melody with chord symbols over it, e.g. OpenEWLD."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from data_prep.assemble import assemble
from data_prep.chords import NO_CHORD, encode
from data_prep.errors import UserError
from data_prep.folder import read_inside, shown
from data_prep.formats.musicxml import ChordSymbol, Part, Score, read_score
from data_prep.formats.xml import MAX_BYTES
from data_prep.grid import Chords, lay_out_chords
from data_prep.options import BARS, Options
from data_prep.song import RawSong
from data_prep.source import Found, Item, Source, find_by_suffix
from data_prep.sources.by_name import place_of
from data_prep.sources.score_bars import Span, bar_spans, melody_bars
from data_prep.sources.sections import readable

SUFFIXES: Final = (".mxl", ".musicxml", ".xml")
_TOLD: Final = 20
"""How many unknown kinds of chord are told one by one."""

_MINOR: Final = ("min", "dim", "half-dim", "major-minor")
_MAJOR: Final = ("maj", "dom", "aug", "sus")
"""How the kinds begin that have a minor third, and that have a major one or stand for it (MusicXML 4.0,
`kind-value`); kept short for names that files make up, such as maj69."""


def find(path: Path | None) -> Found:
    """Every score is a song."""
    return find_by_suffix(path, SUFFIXES)


def read(root: Path, item: Item, options: Options) -> list[RawSong]:
    """The song: the notes of the part with the melody, and the chord symbols."""
    path = item.paths[0]
    data = read_inside(root, path, MAX_BYTES)
    score = read_score(data)
    part = _melody_part(score.parts, options.melody_track)
    symbols = part.chords or next((other.chords for other in score.parts if other.chords), ())
    if not symbols and options.chords == "required":
        raise UserError("no chord symbol in it")
    spans, remarks = bar_spans(score.measures, score.resolution), Counter[str]()
    chords = _chords(symbols, score, spans, options.chord_quality == "strict", remarks)
    inputs = {shown(path): hashlib.sha256(data).hexdigest()}
    bars = melody_bars(score, part.notes, spans)
    section = readable(shown(path), inputs, [span.fault for span in spans], bars, chords, remarks)
    return [RawSong(id=shown(path), sections=(section,))]


def _melody_part(parts: Sequence[Part], wanted: str | None) -> Part:
    """The part asked for; else the first with notes under chord symbols, else the first with notes."""
    sounding = [part for part in parts if part.notes]
    if not sounding:
        raise UserError("no note in it")
    if wanted is None:
        return next((part for part in sounding if part.chords), sounding[0])
    place = place_of(wanted, [part.name for part in sounding])
    if place is not None:
        return sounding[place]
    names = ", ".join(repr(part.name) for part in sounding)
    raise UserError(f"no part {wanted!r} in it; its parts are {names[:150]}")


def _chords(
    symbols: Sequence[ChordSymbol], score: Score, spans: list[Span], strict: bool, remarks: Counter[str]
) -> Chords:
    """A symbol is meant until the next one."""
    start = np.array([symbol.start for symbol in symbols], np.int64)
    end = np.append(start[1:], np.iinfo(np.int64).max)[: len(start)]
    chord = np.array([_chord(symbol, strict, remarks) for symbol in symbols], np.int8)
    bar_start = np.array([span.start for span in spans], np.int64)
    beats = bar_start[:, None] + np.arange(4) * score.resolution
    return lay_out_chords(start, end, chord, beats, bar_start + 4 * score.resolution)


def _chord(symbol: ChordSymbol, strict: bool, remarks: Counter[str]) -> int:
    if symbol.kind == "none":
        return NO_CHORD
    minor = symbol.kind.startswith(_MINOR)
    if symbol.root is None or not (minor or symbol.kind.startswith(_MAJOR)):
        remark = f"chord of unknown kind {symbol.kind[:30]!r}"
        remarks[remark if remark in remarks or len(remarks) < _TOLD else "chord of another unknown kind"] += 1
        return NO_CHORD
    if strict and symbol.kind not in ("major", "minor"):
        return NO_CHORD
    return encode(symbol.root, minor=minor)


SOURCE: Final = Source(
    name="musicxml",
    help="lead sheets with chord symbols: a folder with .mxl, .musicxml or .xml files",
    find=find,
    read=read,
    assemble=assemble,
    hears=(*BARS, "chord_quality", "melody_track"),
)
