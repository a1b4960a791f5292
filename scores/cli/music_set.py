"""The music that a user names, as phrases of eight bars: MIDI files, or a corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import piano_roll
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split, load
from data_prep.errors import UserError
from data_prep.folder import root_of, shown
from data_prep.formats.midi import SUFFIXES
from data_prep.locate import resolve
from data_prep.pool import Progress, cores
from data_prep.source import Found, Item, find_by_suffix
from data_prep.sources import SOURCES
from data_prep.store import ARRAYS_FILE
from scores.cli.song import song_inside
from scores.copying import WINDOW_BARS, TrainingWindows
from scores.phrases import spread

NUM_BARS: Final = 8
"""Bars in a phrase."""
MAX_PHRASES: Final = 1_024
"""Phrases taken of a set, spread evenly over all there are."""

_MOST_NAMED: Final = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class MusicSet:
    """M phrases.

    Attributes:
        name: what the user called them, printable.
        roll: bool (M, 8, 16, 128).
        chord: int8 (M, 8), chord class of each bar.
        training: music that copies are looked for in; None where there is none.
        remarks: what a user should know of the set.
    """

    name: str
    roll: NDArray[np.bool_]
    chord: NDArray[np.int8]
    training: TrainingWindows | None = None
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.roll)

    @property
    def has_chords(self) -> bool:
        """Whether any bar has a chord."""
        return bool((self.chord != NO_CHORD).any())


def load_set(
    data: str, *, held_out: bool = False, chords_track: str | None = None, progress: Progress | None = None
) -> MusicSet:
    """The music that `data` names: a MIDI file, a folder of them, or whatever `data_prep.locate.resolve` takes.

    UserError, in one line, where there is no music.

    Args:
        data: the name.
        held_out: of a corpus take only songs that are kept from training; those trained on become `training`.
        chords_track: of every MIDI file, as for `song.read_song`.
        progress: hears of files read.
    """
    found = _midi_files(data)
    if found is None:
        return _of_corpus(load(resolve(data, progress, jobs=cores())), shown(data), held_out)
    return _of_midi(found, shown(data), chords_track, progress)


def _midi_files(data: str) -> Found | None:
    """The MIDI files that a name stands for; None where it stands for something else."""
    try:
        path = Path(data).expanduser()
        is_file, is_folder = path.is_file(), path.is_dir() and not (path / ARRAYS_FILE).is_file()
    except (OSError, ValueError, RuntimeError):  # a name too long, or with a null byte
        return None
    if is_file and path.name != ARRAYS_FILE:
        return Found(root=root_of(path), items=(Item(paths=(path.resolve().name,)),))
    if not is_folder or data in SOURCES:
        return None
    found = find_by_suffix(path, SUFFIXES)
    return found if found.items else None


def _of_corpus(corpus: Corpus, name: str, held_out: bool) -> MusicSet:
    taken = [split for split in Split if split is not Split.TRAIN or not held_out]
    rows = np.concatenate([corpus.phrases(split, NUM_BARS) for split in taken])
    rows = rows[np.argsort(rows[:, 0])]  # in order of song, so that the spread is over songs
    rows = rows[spread(len(rows), MAX_PHRASES)]
    windows = corpus.phrases(Split.TRAIN, WINDOW_BARS)
    search = held_out and len(windows) > 0
    return MusicSet(
        name=name,
        roll=piano_roll(corpus.melody[rows]),
        chord=corpus.first_chord[rows],
        training=TrainingWindows.of_lines(corpus.melody[windows]) if search else None,
    )


def _of_midi(found: Found, name: str, chords_track: str | None, progress: Progress | None) -> MusicSet:
    """Eight bars after eight bars of every file."""
    phrases, short = _Thinned(), []
    faulty = [f"{item.path}: {item.reason}" for item in found.skipped]
    for number, item in enumerate(found.items, 1):
        try:
            song = song_inside(found.root, item.paths[0], shown(item.paths[0]), chords_track)
        except UserError as error:
            faulty.append(str(error))
        else:
            count = song.num_bars // NUM_BARS
            short += [] if count else [song.name]
            for start in range(0, count * NUM_BARS, NUM_BARS):
                bars = slice(start, start + NUM_BARS)
                phrases.add(song.roll[bars], song.first_chord[bars])
        if progress:
            progress(number, len(found.items))
    if len(faulty) == len(found.items) + len(found.skipped):
        raise UserError(f"{name}: no music in it; {_first(faulty)}")
    remarks = [f"{name}: {_count(faulty)} left out: {_first(faulty)}"] if faulty else []
    if short:
        remarks.append(f"{name}: {_count(short)} shorter than {NUM_BARS} bars left out: {_first(short)}")
    roll, chord = phrases.arrays()
    return MusicSet(name=name, roll=roll, chord=chord, remarks=tuple(remarks))


class _Thinned:
    """Phrases spread evenly over all that are added; of the more there are, only every 2nd, 4th, 8th is kept."""

    def __init__(self) -> None:
        self._rolls: list[NDArray[np.bool_]] = []
        self._chords: list[NDArray[np.int8]] = []
        self._seen, self._every = 0, 1

    def add(self, roll: NDArray[np.bool_], chord: NDArray[np.int8]) -> None:
        """One phrase, (8, 16, 128) over (8,)."""
        if self._seen % self._every == 0:
            self._rolls.append(roll.copy())  # a view would keep the whole song in memory
            self._chords.append(chord)
        self._seen += 1
        if len(self._rolls) == 2 * MAX_PHRASES:
            self._rolls, self._chords, self._every = self._rolls[::2], self._chords[::2], 2 * self._every

    def arrays(self) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
        """At most 1,024 of them, (M, 8, 16, 128) and (M, 8)."""
        places = spread(len(self._rolls), MAX_PHRASES)
        roll = np.empty((len(places), NUM_BARS, 16, 128), np.bool_)
        chord = np.empty((len(places), NUM_BARS), np.int8)
        for row, place in enumerate(places):
            roll[row], chord[row] = self._rolls[place], self._chords[place]
        return roll, chord


def _count(names: Sequence[str]) -> str:
    return "1 file" if len(names) == 1 else f"{len(names):,} files"


def _first(names: Sequence[str]) -> str:
    return "; ".join(name.rstrip(".") for name in names[:_MOST_NAMED]) + ("; ..." if len(names) > _MOST_NAMED else "")
