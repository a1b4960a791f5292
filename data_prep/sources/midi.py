"""MIDI files with one track for the melody and one for the chords, in bars by their own time signatures."""

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.assemble import assemble
from data_prep.errors import UserError
from data_prep.folder import read_inside, shown
from data_prep.formats.midi import MAX_BYTES, SUFFIXES, Midi, read_midi, versions
from data_prep.grid import MAX_BARS, OTHER_METRE, PARTIAL, WHOLE_BARS
from data_prep.options import BARS, Options
from data_prep.song import RawSong
from data_prep.source import Found, Item, Source, find_by_suffix
from data_prep.sources.midi_chords import played_chords
from data_prep.sources.midi_tracks import choose
from data_prep.sources.played import melody_bars
from data_prep.sources.sections import readable

_BEATS: Final = 4
_HALVES: Final = ("melody", "chords")
"""Folders of the Nottingham set in which every tune lies once more, as its melody or its chords alone."""


class MetreBars(NamedTuple):
    """First tick of every bar int64 (n,), and why it is no whole 4/4 bar (empty if it is one)."""

    start: NDArray[np.int64]
    faults: list[str]


def find(path: Path | None) -> Found:
    """Every MIDI file is a song."""
    return find_by_suffix(path, SUFFIXES)


def find_nottingham(path: Path | None) -> Found:
    """Every MIDI file is a tune, but for those that hold half of one."""
    found = find(path)
    whole = tuple(item for item in found.items if Path(item.paths[0]).parent.name not in _HALVES)
    return Found(root=found.root, items=whole, skipped=found.skipped)


def read(root: Path, item: Item, options: Options) -> list[RawSong]:
    """The song: the notes of its melody track, and the chords that its chord track plays."""
    path = item.paths[0]
    data = read_inside(root, path, MAX_BYTES)
    midi = read_midi(data)
    melody, accompaniment = choose(midi.tracks, options)
    end = max(int(track.notes[:, 1].max()) for track in (melody, accompaniment) if track is not None)
    bars = metre_bars(midi, end)
    start, stop, pitch, _ = melody.notes.T
    lines = melody_bars(start, stop, pitch, bars.start, _BEATS * midi.resolution)
    chords = played_chords(accompaniment, bars.start, midi.resolution, strict=options.chord_quality == "strict")
    inputs = {shown(path): hashlib.sha256(data).hexdigest()}
    section = readable(shown(path), inputs, bars.faults, lines, chords)
    return [RawSong(id=shown(path), sections=(section,))]


def metre_bars(midi: Midi, end: int) -> MetreBars:
    """The bars from the first tick to `end`, by the time signatures; 4/4 where there is none.

    A time signature begins a new bar, wherever it stands. One that makes no sense, or bars of no whole number of
    ticks, stands for one long bar up to the next. UserError for more than MAX_BARS.
    """
    starts: list[NDArray[np.int64]] = []
    faults: list[str] = []
    metres = _metres(midi.metres[midi.metres[:, 0] < end])
    for (tick, metre), until in zip(metres.items(), [*list(metres)[1:], end], strict=True):
        length = _bar_ticks(metre, midi.resolution) or until - tick
        count = -((tick - until) // length)
        if len(faults) + count > MAX_BARS:
            raise UserError(f"over {MAX_BARS:,} bars; longer music is not read.")
        starts.append(tick + length * np.arange(count))
        faults += [""] * count if metre in WHOLE_BARS else [OTHER_METRE] * count
        if metre in WHOLE_BARS and until < min(end, tick + count * length):
            faults[-1] = PARTIAL
    return MetreBars(np.concatenate(starts), faults)


def _metres(rows: NDArray[np.int64]) -> dict[int, tuple[int, int]]:
    """The metre from each tick on; of two at the same tick the last one."""
    last = rows[np.append(np.diff(rows[:, 0]) != 0, True)[: len(rows)]]
    if len(last) > MAX_BARS:
        raise UserError(f"{len(last):,} changes of metre; at most {MAX_BARS:,} bars are read.")
    return {0: (4, 4)} | {tick: (beats, unit) for tick, beats, unit in last.tolist()}


def _bar_ticks(metre: tuple[int, int], resolution: int) -> int:
    """Ticks in a bar of that metre; 0 where it has no whole number of them."""
    beats, unit = metre
    whole = 4 * resolution * beats
    return whole // unit if unit > 0 and unit & (unit - 1) == 0 and whole % unit == 0 else 0


MIDI: Final = Source(
    name="midi",
    help="MIDI files with a melody track and a chord track: a folder with .mid or .midi files",
    find=find,
    read=read,
    assemble=assemble,
    hears=(*BARS, "chord_quality", "melody_track", "chord_track"),
    versions=versions,
)

NOTTINGHAM: Final = Source(
    name="nottingham",
    help="the Nottingham folk tunes: the MIDI folder of jukedeck/nottingham-dataset",
    find=find_nottingham,
    read=read,
    assemble=assemble,
    hears=(*BARS, "chord_quality"),
    versions=versions,
)
