"""The built-in source: Bach chorales and Monteverdi madrigals out of the installed music21 package.

The package is found, never imported: importing it takes seconds, and parsing with it minutes.
"""

import hashlib
import multiprocessing
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from data_prep.errors import UserError
from data_prep.musicxml import read_score
from data_prep.score_bars import section_of
from data_prep.song import RawSong, SkippedFile

FOLDERS: Final = ("bach", "monteverdi")
SUFFIXES: Final = (".mxl", ".musicxml", ".xml")
MELODY_PARTS: Final = ("soprano", "canto", "s.")
"""How the name of the part with the tune begins. Not "the first part": many chorales open with horns."""

Progress = Callable[[int, int], None]
"""Called with the number of files read so far, and of all files."""


def music21_version() -> str:
    """Version of the installed music21, which names the edition of the pieces."""
    corpus_folder()
    return version("music21")


def corpus_folder() -> Path:
    """The folder of scores inside the installed music21; UserError where there is none."""
    spec = find_spec("music21")
    places = list(spec.submodule_search_locations or ()) if spec else []
    folder = Path(places[0]) / "corpus" if places else None
    if folder is None or not all((folder / name).is_dir() for name in FOLDERS):
        raise UserError("The built-in corpus is read out of music21, which is not here: pip install music21.")
    return folder


def read_songs(jobs: int = 1, progress: Progress | None = None) -> list[RawSong | SkippedFile]:
    """Every piece, in the order of their paths whatever the number of processes (`jobs`)."""
    root = corpus_folder()
    paths = sorted(
        path.relative_to(root).as_posix()
        for name in FOLDERS
        for path in (root / name).iterdir()
        if path.suffix in SUFFIXES
    )
    read = partial(read_song, root)
    if jobs == 1:
        return _counted(map(read, paths), len(paths), progress)
    try:
        return _read_in_pool(read, paths, jobs, progress)
    except BrokenProcessPool:
        # A worker was killed, or the caller's script has no __main__ guard: slower, but the same songs.
        return _counted(map(read, paths), len(paths), progress)


def read_song(root: Path, path: str) -> RawSong | SkippedFile:
    """The piece at `path` under `root`, or why there is none."""
    try:
        score = read_score(root / path)
    except UserError as error:
        return SkippedFile(path=path, reason=str(error))
    melody = next((part for part in score.parts if part.name.lower().startswith(MELODY_PARTS)), None)
    if melody is None:
        return SkippedFile(path=path, reason="no soprano or canto part")
    sha256 = hashlib.sha256((root / path).read_bytes()).hexdigest()
    section = section_of(score, melody.notes, path=path, sha256=sha256)
    return RawSong(id=path.rpartition(".")[0], sections=(section,))


def _read_in_pool(
    read: Callable[[str], RawSong | SkippedFile], paths: list[str], jobs: int, progress: Progress | None
) -> list[RawSong | SkippedFile]:
    # spawn: safe under threads (torch, Ray) where a fork may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_interrupts_to_parent) as pool:
        try:
            return _counted(pool.map(read, paths, chunksize=16), len(paths), progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _counted(
    songs: Iterable[RawSong | SkippedFile], total: int, progress: Progress | None
) -> list[RawSong | SkippedFile]:
    done: list[RawSong | SkippedFile] = []
    for song in songs:
        done.append(song)
        if progress:
            progress(len(done), total)
    return done


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
