"""POP909: pop songs as MIDI files with a melody track, and annotations of beats and chords on the same clock."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from posixpath import basename, join
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.assemble import assemble
from data_prep.errors import UserError
from data_prep.folder import find_files, read_inside, shown
from data_prep.formats import midi, pop909
from data_prep.formats.midi import Midi
from data_prep.formats.pop909 import Beats, ChordLabels
from data_prep.grid import MAX_BARS, OTHER_METRE, Bars, Chords, lay_out_chords
from data_prep.options import BARS, Options
from data_prep.song import RawSong
from data_prep.source import Found, Item, Source
from data_prep.sources.played import melody_bars
from data_prep.sources.sections import readable

ANNOTATIONS: Final = ("beat_midi.txt", "chord_midi.txt")
MELODY: Final = "MELODY"
LEAD: Final = 0.025
"""How long after its beat a chord may begin, in seconds: a third of a semiquaver of the fastest song."""
DOUBTFUL: Final = 0.35
"""Share of chord changes on downbeats below which these may be misplaced; in half the songs it is over 0.57."""

_BEATS: Final = 4
_LIMITS: Final = (midi.MAX_BYTES, pop909.MAX_BYTES, pop909.MAX_BYTES)


class BeatBars(NamedTuple):
    """The n bars from each downbeat to the next.

    `start` int64 (n + 1,) is the first beat of each, and where the last one ends; `faults` why each is no whole 4/4
    bar, empty if it is one.
    """

    start: NDArray[np.int64]
    faults: list[str]


def find(path: Path | None) -> Found:
    """A song is a folder NNN with NNN.mid and the annotations, or some of them; the folder given may be one itself."""
    root, paths, skipped = find_files(path or Path(), lambda name: name.endswith((".mid", *ANNOTATIONS)))
    split = (relative.rpartition("/") for relative in paths)
    folders = sorted({folder for folder, _, name in split if name in _names(root, folder)})
    songs = (tuple(join(folder, name) for name in _names(root, folder)) for folder in folders)
    return Found(root=root, items=tuple(Item(paths=song) for song in songs), skipped=tuple(skipped))


def read(root: Path, item: Item, options: Options) -> list[RawSong]:
    """The song: its melody track in bars by the beats, and the chords by their labels."""
    data = [_bytes(root, path, most) for path, most in zip(item.paths, _LIMITS, strict=True)]
    with _naming(item.paths[0]):
        music = midi.read_midi(data[0])
    with _naming(item.paths[1]):
        beats = pop909.read_beats(data[1])
        bars = beat_bars(beats)
    with _naming(item.paths[2]):
        labels = pop909.read_chords(data[2])
    chords, remarks = _chords(labels, beats, bars, options.chord_quality == "strict")
    inputs = {shown(path): hashlib.sha256(file).hexdigest() for path, file in zip(item.paths, data, strict=True)}
    section = readable(shown(item.paths[0]), inputs, bars.faults, _melody(music, beats, bars), chords, remarks)
    folder = item.paths[0].rpartition("/")[0] or root.name
    return [RawSong(id=shown(folder), sections=(section,), doubt=_doubt(labels, beats))]


def beat_bars(beats: Beats) -> BeatBars:
    """The bars of a song; none of them is in 4/4 where most have another number of beats than four.

    The beats before the first downbeat and after the last are left out. UserError where there is no bar at all, or
    more than MAX_BARS.
    """
    start = np.flatnonzero(beats.downbeat)
    lengths = np.diff(start)
    if not 0 < len(lengths) <= MAX_BARS:
        raise UserError(f"{len(lengths):,} bars; a song has from 1 to {MAX_BARS:,}.")
    if np.bincount(lengths).argmax() != _BEATS:
        return BeatBars(start, [OTHER_METRE] * len(lengths))
    told = {_BEATS: "", 1: "bar of 1 beat"}
    return BeatBars(start, [told.get(length, f"bar of {length} beats") for length in lengths.tolist()])


def _melody(music: Midi, beats: Beats, bars: BeatBars) -> Bars:
    track = next((track for track in music.tracks if track.name == MELODY), None)
    if track is None:
        names = ", ".join(repr(shown(track.name)[:30]) for track in music.tracks[:8])
        raise UserError(f"no track named {MELODY}: its tracks with notes are {names}.")
    # One more beat before the first and after the last: further out is before the first bar, or after the last.
    time = beats.time
    time = np.concatenate(([2 * time[0] - time[1]], time, [2 * time[-1] - time[-2]]))
    start, end = np.interp(music.seconds(track.notes[:, :2]), time, np.arange(-1.0, len(time) - 1)).T
    return melody_bars(start, end, track.notes[:, 2], bars.start[:-1], _BEATS)


def _chords(labels: ChordLabels, beats: Beats, bars: BeatBars, strict: bool) -> tuple[Chords, dict[str, int]]:
    classes, remarks = pop909.chord_classes(labels.label, strict=strict)
    # In a bar of fewer beats, which is dropped, these reach into the next.
    beat = np.minimum(bars.start[:-1, None] + np.arange(_BEATS), len(beats.time) - 1)
    bar_end = beats.time[bars.start[1:]] - LEAD
    return lay_out_chords(labels.start, labels.end, classes, beats.time[beat], bar_end, lead=LEAD), dict(remarks)


def _doubt(labels: ChordLabels, beats: Beats) -> str:
    """What speaks against the downbeats; empty if nothing does."""
    changed = np.array([now != before for before, now in pairwise(labels.label)], np.bool_)
    change, downbeat = labels.start[1:][changed], beats.time[beats.downbeat]
    if not len(change):
        return ""
    latest = np.searchsorted(downbeat, change + LEAD, side="right") - 1
    share = float(((latest >= 0) & (change - downbeat[latest] <= LEAD)).mean())
    return f"only {100 * share:.0f} % of its chord changes fall on downbeats" if share < DOUBTFUL else ""


def _names(root: Path, folder: str) -> tuple[str, ...]:
    """How the files of a song are called in its folder."""
    return (f"{basename(folder) or root.name}.mid", *ANNOTATIONS)


def _bytes(root: Path, path: str, most: int) -> bytes:
    with _naming(path):
        return read_inside(root, path, most)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Errors with the name of the file of the song that they are about."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{str(error).rstrip('.')} (in {shown(basename(path))})") from error


SOURCE: Final = Source(
    name="pop909",
    help="POP909, 909 pop songs: the folder of music-x-lab/POP909-Dataset",
    find=find,
    read=read,
    assemble=assemble,
    hears=(*BARS, "chord_quality", "doubtful"),
    versions=midi.versions,
)
