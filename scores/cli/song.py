"""A MIDI file as music to score: its notes in ticks, its bars of sixteen steps, and the chords that a track plays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES
from data_prep.errors import UserError
from data_prep.folder import read_inside, root_of, shown
from data_prep.formats.midi import MAX_BYTES, Midi, Track, read_midi
from data_prep.grid import MAX_BARS, OTHER_METRE, PLAYED, WHOLE_BARS
from data_prep.keys import estimate_key
from data_prep.sources.midi_chords import played_chords
from scores.cli.events import EVENT_SCORES, Events, score_events
from scores.cli.named import check_there, files_in
from scores.cli.remarks import Remark
from scores.cli.tracks import Roles, whole
from scores.notes import NUM_STEPS
from scores.registry import SCORES, score_phrases

_OF_THE_WHOLE: Final = ("phrase_pce", "phrase_scale_consistency", "phrase_range")
"""Scores of a phrase that, with the whole piece as the phrase, note events tell better."""
UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {name: unit for name, (unit, _) in EVENT_SCORES.items()}
    | {
        name: score.unit
        for name, score in SCORES.items()
        if score.set is None and name not in EVENT_SCORES and name not in _OF_THE_WHOLE
    }
)
"""Name to unit of all that is scored of a file: from note events in exact time, then from bars of sixteen steps."""

_QUARTERS: Final = 4
_MUCH: Final = 0.2
"""Share of the onsets off the sixteenths from which on it is told."""
_MOST_TOLD: Final = 8

ChooseTracks = Callable[[Sequence[Track], str | None], Roles]
"""Which tracks are scored and which one gives the chords, `tracks.whole` or `tracks.melody_and_chords`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Song:
    """The music of a file in n bars of four quarter notes.

    Attributes:
        name: of the file, printable.
        notes: int64 (K, 3) start and end in ticks from the first bar line, and MIDI pitch; K is at least 1.
        resolution: ticks in a quarter note.
        length: ticks from the first bar line to the last end of a note, of the chords as well.
        chord: int8 (n, 4), the chord on each beat; all 24 without a chords track.
        first_chord: int8 (n,), the chord of each bar.
        tracks: names of the tracks that are scored.
        chords_track: name of the one that gives the chords, None for none.
        remarks: what a reader of its scores should know.
    """

    name: str
    notes: NDArray[np.int64]
    resolution: int
    length: int
    chord: NDArray[np.int8]
    first_chord: NDArray[np.int8]
    tracks: tuple[str, ...]
    chords_track: str | None
    remarks: tuple[Remark, ...]

    @property
    def num_bars(self) -> int:
        """How many bars there are, n."""
        return len(self.first_chord)

    @cached_property
    def roll(self) -> NDArray[np.bool_]:
        """Bool (n, 16, 128): what sounds at each step, times rounded to the nearest and no note shorter than one."""
        steps = NUM_STEPS / (_QUARTERS * self.resolution)
        start, end = np.rint(self.notes[:, :2].T * steps).astype(np.int64)
        start = np.minimum(start, self.num_bars * NUM_STEPS - 1)
        # As changes of the number of notes: their cells, one by one, could be more than memory holds.
        change = np.zeros((self.num_bars * NUM_STEPS + 1, NUM_PITCHES), np.int32)
        np.add.at(change, (start, self.notes[:, 2]), 1)
        np.add.at(change, (np.maximum(end, start + 1), self.notes[:, 2]), -1)
        sounding: NDArray[np.bool_] = np.cumsum(change[:-1], axis=0, out=change[:-1]) > 0
        return sounding.reshape(self.num_bars, NUM_STEPS, NUM_PITCHES)

    @cached_property
    def key(self) -> int:
        """Class of the tonic triad, 0-23, estimated from how long each pitch class sounds."""
        # Which steps they sound at makes no difference to a key, so they come as they are counted.
        sounding = np.repeat(np.arange(NUM_PITCHES, dtype=np.int8), self.roll.sum(axis=(0, 1)))
        return estimate_key(sounding, self.chord)


def read_song(path: Path, chords_track: str | None = None) -> Song:
    """All music of a MIDI file; UserError, with the file's name, where there is none.

    Args:
        path: of a regular file of at most 16 MiB.
        chords_track: name or number of the track that gives the chords, `none` for none; by default one whose name
            has the word chord or chords.
    """
    check_there(str(path), "file")
    root = root_of(path)
    if path.expanduser().is_dir():
        raise UserError(f"{shown(str(path))}: a folder; name its files, {files_in(path)}, or compare it with another.")
    try:
        return song_inside(root, path.expanduser().resolve().name, str(path), chords_track)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def song_inside(
    root: Path, relative: str, name: str, chords_track: str | None = None, choose: ChooseTracks = whole
) -> Song:
    """The same for a file by its path relative to a folder that it must not leave; the errors do not say its name."""
    return song_of(read_midi(read_inside(root, relative, MAX_BYTES)), shown(name), chords_track, choose)


def song_of(midi: Midi, name: str, chords_track: str | None = None, choose: ChooseTracks = whole) -> Song:
    """The song of a file that has been read; UserError for music that cannot be scored."""
    roles = choose(midi.tracks, chords_track)
    bar, shift = _QUARTERS * midi.resolution, _before_first_bar_line(midi)
    notes = np.concatenate([track.notes[:, :3] for track in roles.music]) + np.array([shift, shift, 0])
    length = max(int(track.notes[:, 1].max()) for track in (*roles.music, roles.chords) if track) + shift
    num_bars = -(-length // bar)
    if num_bars > MAX_BARS:
        raise UserError(f"{num_bars:,} bars; at most {MAX_BARS:,} are scored.")
    played = played_chords(roles.chords, bar * np.arange(num_bars) - shift, midi.resolution, strict=False)
    return Song(
        name=name,
        notes=notes,
        resolution=midi.resolution,
        length=length,
        chord=played.beats,
        first_chord=played.first,
        tracks=roles.names,
        chords_track=roles.chords_name,
        remarks=(*roles.remarks, *_metres(midi, length - shift), *_off_grid(notes[:, 0], midi.resolution)),
    )


def score_song(song: Song, key: int | None = None) -> dict[str, float]:
    """Every score of `UNITS` that the song defines, over the whole piece; all finite.

    Args:
        song: the music.
        key: class of the tonic triad (0-23) that the scale is taken from; by default `song.key`.
    """
    exact = score_events(
        Events(
            notes=song.notes,
            resolution=song.resolution,
            length=song.length,
            num_bars=song.num_bars,
            key=song.key if key is None else key,
        )
    )
    laid_out = score_phrases(song.roll[None], song.first_chord[None])
    values = {name: float(laid_out[name][0]) for name in UNITS if name not in EVENT_SCORES}
    return exact | {name: value for name, value in values.items() if np.isfinite(value)}


def _before_first_bar_line(midi: Midi) -> int:
    """Ticks before tick 0 at which bars begin, so that the first 4/4 or 2/2 signature stands on a bar line."""
    firsts = [tick for tick, beats, unit in midi.metres.tolist() if (beats, unit) in WHOLE_BARS]
    return -firsts[0] % (_QUARTERS * midi.resolution) if firsts else 0


def _metres(midi: Midi, end: int) -> list[Remark]:
    """Metres other than four quarter notes, which are laid in such bars all the same."""
    rows: Any = midi.metres[midi.metres[:, 0] < end].tolist()
    others = sorted({f"{beats}/{unit}" for _, beats, unit in rows if (beats, unit) not in WHOLE_BARS})
    if not others:
        return []
    told = ", ".join(others[:_MOST_TOLD]) + (", ..." if len(others) > _MOST_TOLD else "")
    counted = "bars of four quarter notes are counted all the same"
    return [Remark(f"written in {told}: {counted}", f"{{files}} {OTHER_METRE}: {counted}")]


def _off_grid(start: NDArray[np.int64], resolution: int) -> list[Remark]:
    """Whether so many onsets lie between the steps that the steps say little."""
    steps = np.unique(start) * (NUM_STEPS / (_QUARTERS * resolution))
    share = float(np.mean(np.abs(steps - np.rint(steps)) > PLAYED))
    if share <= _MUCH:
        return []
    off = "lie off the sixteenths by over a quarter of one: scores of rhythm and bars mean little"
    return [
        Remark(f"{100 * share:.0f} % of the onsets {off}", f"{{files}} in which over a fifth of the onsets {off} there")
    ]
