"""The music that a user names, as phrases of eight bars: MIDI files, or a corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import piano_roll
from data_prep.chords import NO_CHORD
from data_prep.corpus import KIND, Corpus, Split, load
from data_prep.errors import UserError
from data_prep.folder import root_of, shown
from data_prep.formats.midi import SUFFIXES
from data_prep.locate import check, resolve
from data_prep.pool import Progress, cores
from data_prep.source import Found, Item, find_by_suffix
from data_prep.sources import SOURCES
from data_prep.store import ARRAYS_FILE
from scores.cli.named import check_there, is_there
from scores.cli.remarks import Remark, counted, of_many
from scores.cli.song import song_inside
from scores.cli.thinned import MAX_PHRASES, NUM_BARS, Thinned
from scores.cli.tracks import melody_and_chords
from scores.copying import WINDOW_BARS, TrainingWindows
from scores.phrases import spread

_MOST_NAMED: Final = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class MusicSet:
    """M phrases.

    Attributes:
        name: what the user called them, printable.
        roll: bool (M, 8, 16, 128).
        chord: int8 (M, 8), chord class of each bar.
        song: (M,) number of the song that each phrase is of; None where it is not known.
        training: music that copies are looked for in; None where there is none.
        place: the file or folder that it was read from; None for music that was made up.
        rests_filled: whether rests prolong the note before them, as a corpus may have it.
        remarks: what a user should know of the set.
    """

    name: str
    roll: NDArray[np.bool_]
    chord: NDArray[np.int8]
    song: NDArray[np.int32] | None = None
    training: TrainingWindows | None = None
    place: Path | None = None
    rests_filled: bool = False
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
        chords_track: of every MIDI file that has it, as for `tracks.melody_and_chords`.
        progress: hears of files read.
    """
    found = _midi_files(data)
    if found is None:
        check(data)  # so that errors say what the user typed, and not where the cache is
        folder = resolve(data, progress, jobs=cores())
        return _of_corpus(load(folder), folder, shown(data), held_out)
    return _of_midi(found, Path(data).expanduser().resolve(), shown(data), chords_track, progress)


def _midi_files(data: str) -> Found | None:
    """The MIDI files that a name stands for; None where it stands for music of data_prep."""
    source, colon, _ = data.partition(":")
    if data in SOURCES or (colon and "/" not in source and not is_there(data)):
        return None
    check_there(data, "file or folder", SOURCES)
    path = Path(data).expanduser()
    if path.name == ARRAYS_FILE or is_there(str(path / ARRAYS_FILE)):
        return None
    if not path.is_dir():
        return Found(root=root_of(path), items=(Item(paths=(path.resolve().name,)),))
    found = find_by_suffix(path, SUFFIXES)
    if not found.items:
        skipped = f" ({_reasons([(item.path, item.reason) for item in found.skipped])})" if found.skipped else ""
        kinds = ", ".join(name for name, source in SOURCES.items() if source.takes_path and source.kind == KIND)
        raise UserError(
            f"{shown(data)}: no MIDI file in it{skipped}, and no corpus; write SOURCE:{shown(data)} for other music, "
            f"SOURCE being one of {kinds}."
        )
    return found


def _of_corpus(corpus: Corpus, folder: Path, name: str, held_out: bool) -> MusicSet:
    taken = [split for split in Split if split is not Split.TRAIN or not held_out]
    rows = np.concatenate([corpus.phrases(split, NUM_BARS) for split in taken])
    rows = rows[np.argsort(rows[:, 0])]  # in order of song, so that the spread is over songs
    rows = rows[spread(len(rows), MAX_PHRASES)]
    windows = corpus.phrases(Split.TRAIN, WINDOW_BARS)
    search = held_out and len(windows) > 0
    options = corpus.about.get("options")
    return MusicSet(
        name=name,
        roll=piano_roll(corpus.melody[rows]),
        chord=corpus.first_chord[rows],
        song=corpus.song[rows[:, 0]],
        training=TrainingWindows.of_lines(corpus.melody[windows]) if search else None,
        place=folder,
        rests_filled=isinstance(options, dict) and options.get("rests") == "fill",
    )


def _of_midi(found: Found, place: Path, name: str, chords_track: str | None, progress: Progress | None) -> MusicSet:
    """Eight bars after eight bars of every file."""
    phrases, short = Thinned(), list[str]()
    remarks: list[Remark] = []
    faulty = [(item.path, item.reason) for item in found.skipped]
    for number, item in enumerate(found.items, 1):
        file = shown(item.paths[0])
        try:
            song = song_inside(found.root, item.paths[0], file, chords_track, melody_and_chords)
        except UserError as error:
            faulty.append((file, str(error)))
        else:
            count = song.num_bars // NUM_BARS
            short += [] if count else [file]
            remarks += song.remarks if count else ()
            for start in range(0, count * NUM_BARS, NUM_BARS):
                bars = slice(start, start + NUM_BARS)
                phrases.add(song.roll[bars], song.first_chord[bars], number)
        if progress:
            progress(number, len(found.items))
    if len(faulty) == len(found.items) + len(found.skipped):
        told = faulty[0][1] if place.is_file() else f"none of its files can be scored: {_reasons(faulty)}"
        raise UserError(f"{name}: {told}")
    left_out = [f"{counted(len(faulty), 'file')} left out: {_reasons(faulty)}"] if faulty else []
    if short:
        left_out.append(f"{counted(len(short), 'file')} shorter than {NUM_BARS} bars left out: {_first(short)}")
    roll, chord, songs = phrases.arrays()
    return MusicSet(
        name=name,
        roll=roll,
        chord=chord,
        song=songs,
        place=place,
        remarks=tuple(f"{name}: {remark}" for remark in (*left_out, *of_many(remarks))),
    )


def _reasons(faulty: Sequence[tuple[str, str]]) -> str:
    """Why files cannot be used: each reason once, with a file that has it."""
    files: dict[str, list[str]] = {}
    for file, reason in faulty:
        files.setdefault(reason.rstrip("."), []).append(file)
    return _first(
        [
            f"{had[0]}: {reason}" if len(had) == 1 else f"{had[0]} and {len(had) - 1:,} more: {reason}"
            for reason, had in files.items()
        ]
    )


def _first(names: Sequence[str]) -> str:
    return "; ".join(names[:_MOST_NAMED]) + ("; ..." if len(names) > _MOST_NAMED else "")
