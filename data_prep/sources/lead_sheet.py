"""Lead Sheet Dataset (TheoryTab): `<section>_symbol_nokey.json`, melody and chords of one section of a song, in C.

The `nokey` files have the tonic moved to C and the mode kept, so melody and chords of one file are in one key.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

from data_prep.assemble import assemble
from data_prep.chords import NO_CHORD, encode
from data_prep.errors import UserError
from data_prep.folder import find_files, read_inside, shown
from data_prep.grid import MAX_BARS, STEPS, Bars, Chords, lay_out, lay_out_chords
from data_prep.options import BARS, Options
from data_prep.song import RawSong, Section, SkippedFile
from data_prep.source import Found, Item, Source
from data_prep.sources.sections import readable

SUFFIX: Final = "_symbol_nokey.json"
MIDDLE_C: Final = 60
"""MIDI pitch of a file's pitch 0: the authors' own rendering agrees."""

_MAX_BYTES: Final = 8 * 2**20
_BEATS: Final = 4
_TOLD: Final = 20
"""How many unknown chords are told one by one."""
_THIRDS: Final = {"": False, "maj": False, "m": True, "o": True, "ø": True}
"""Quality: whether its third is minor. These five are all there are; the kinds of seventh are told elsewhere."""


class Event(NamedTuple):
    """A note or chord: first beat, beat after the last, and its fields."""

    start: float
    end: float
    fields: dict[str, Any]


def find(path: Path | None) -> Found:
    """A song is a folder: its sections belong together."""
    root, paths, skipped = find_files(path or Path(), lambda name: name.endswith(SUFFIX))
    song = partial(_song, root)
    by_song = groupby(sorted(paths, key=song), key=song)
    items = tuple(Item(paths=tuple(sorted(sections))) for _, sections in by_song)
    return Found(root=root, items=items, skipped=tuple(skipped))


def _song(root: Path, path: str) -> str:
    """The song of a section: the name of its folder, which may be the one given."""
    return path.rpartition("/")[0] or root.name


def read(root: Path, item: Item, options: Options) -> list[RawSong | SkippedFile]:
    """The song, and those of its sections that cannot be read."""
    read = [_section_or_why(root, path, options) for path in item.paths]
    sections = tuple(section for section in read if isinstance(section, Section))
    songs = [RawSong(id=shown(_song(root, item.paths[0])), sections=sections)] if sections else []
    return [*songs, *(skipped for skipped in read if isinstance(skipped, SkippedFile))]


def _section_or_why(root: Path, path: str, options: Options) -> Section | SkippedFile:
    try:
        return _section(path, read_inside(root, path, _MAX_BYTES), options)
    except UserError as error:
        return SkippedFile(path=shown(path), reason=shown(str(error)).rstrip("."))


def _section(path: str, data: bytes, options: Options) -> Section:
    melody, chords = _tracks(data)
    if not melody:
        raise UserError("no melody")
    end = max(event.end for event in (*melody, *chords))
    num_bars = math.ceil(end / _BEATS)
    if num_bars > MAX_BARS:
        raise UserError(f"it ends on beat {end:g}; at most {MAX_BARS:,} bars are read.")
    remarks = Counter[str]()
    inputs = {shown(path): hashlib.sha256(data).hexdigest()}
    harmony = _chords(chords, num_bars, options.chord_quality == "strict", remarks)
    return readable(shown(path), inputs, [""] * num_bars, _melody(melody, num_bars), harmony, remarks)


def _melody(events: list[Event], num_bars: int) -> Bars:
    steps = STEPS / _BEATS
    start, end = (np.array([event[i] for event in events]) * steps for i in (0, 1))
    pitch = np.array([_pitch(event.fields.get("pitch")) for event in events])
    return lay_out(start, end, pitch, num_bars, monophonic=True)


def _chords(events: list[Event], num_bars: int, strict: bool, remarks: Counter[str]) -> Chords:
    events = sorted(events, key=lambda event: event.start)
    chord = np.array([_chord(event.fields, strict, remarks) for event in events], np.int8)
    start, end = (np.array([event[i] for event in events], np.float64) for i in (0, 1))
    beats = np.arange(num_bars * _BEATS, dtype=np.float64).reshape(num_bars, _BEATS)
    return lay_out_chords(start, end, chord, beats, beats[:, 0] + _BEATS, lead=1e-6)


def _tracks(data: bytes) -> tuple[list[Event], list[Event]]:
    """The events of melody and chords; UserError for what is not in four or not sound."""
    try:
        content = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UserError(f"not sound JSON ({str(error)[:80] or 'nested too deeply'})") from error
    metadata, tracks = _member(content, "metadata"), _member(content, "tracks")
    beats = _number(metadata.get("beats_in_measure"), "beats_in_measure")
    if beats != _BEATS:
        raise UserError(f"not in 4/4: {beats:g} beats in a measure")
    return list(_events(tracks, "melody")), list(_events(tracks, "chord"))


def _member(content: Any, name: str) -> dict[str, Any]:
    member = content.get(name) if isinstance(content, dict) else None
    if not isinstance(member, dict):
        raise UserError(f"no {name!r} in it; it is no symbol file of the Lead Sheet Dataset")
    return member


def _events(tracks: dict[str, Any], name: str) -> Iterator[Event]:
    events = tracks.get(name)
    if not isinstance(events, list):
        raise UserError(f"its {name} is no list of events")
    for fields in events:
        if fields is None or (isinstance(fields, dict) and fields.get("isRest") is True):
            continue  # a rest, or no chord
        if not isinstance(fields, dict):
            raise UserError(f"its {name} holds {str(fields)[:20]!r} where an event or null is due")
        start, end = (_number(fields.get(key), key) for key in ("event_on", "event_off"))
        if not 0 <= start <= end:
            raise UserError(f"an event of its {name} lasts from beat {start:g} to {end:g}")
        if start < end:
            yield Event(start, end, fields)


def _number(value: Any, name: str) -> float:
    """A finite number, also as text: the metadata have theirs so."""
    if not isinstance(value, bool) and isinstance(value, int | float | str):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise UserError(f"{name} is {str(value)[:20]!r}; it must be a finite number")


def _pitch(value: Any) -> int:
    pitch = MIDDLE_C + (_number(value, "pitch") if not isinstance(value, str) else math.nan)
    if not (0 <= pitch <= 127 and pitch == int(pitch)):
        raise UserError(f"pitch is {str(value)[:20]!r}; it must be whole and from {-MIDDLE_C} to {127 - MIDDLE_C}")
    return int(pitch)


def _chord(fields: dict[str, Any], strict: bool, remarks: Counter[str]) -> int:
    root, quality = fields.get("root"), fields.get("quality")
    if isinstance(root, bool) or not isinstance(root, int | float) or root not in range(12):
        remarks["chord without a known root"] += 1
        return NO_CHORD
    if not isinstance(quality, str) or quality not in _THIRDS:
        remark = f"chord of unknown quality {str(quality)[:20]!r}"
        remarks[remark if remark in remarks or len(remarks) < _TOLD else "chord of another unknown quality"] += 1
        return NO_CHORD
    plain = quality in ("", "m") and fields.get("chord_type") == 5 and not fields.get("sus")
    if strict and not plain:
        return NO_CHORD
    return encode(int(root), minor=_THIRDS[quality])


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


SOURCE: Final = Source(
    name="lead-sheet",
    help="Lead Sheet Dataset / TheoryTab: a folder with *_symbol_nokey.json files",
    find=find,
    read=read,
    assemble=assemble,
    hears=(*BARS, "chord_quality"),
)
