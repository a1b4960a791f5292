"""Bach chorales and Monteverdi madrigals out of the installed music21 package.

The package is found, never imported: importing it takes seconds, and parsing with it minutes.
"""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from data_prep.assemble import assemble
from data_prep.errors import UserError
from data_prep.folder import read_inside
from data_prep.formats.musicxml import Score, read_score
from data_prep.formats.xml import MAX_BYTES
from data_prep.grid import Chords
from data_prep.harmony import beat_chords, first_chords
from data_prep.options import BARS, Options
from data_prep.song import RawSong
from data_prep.source import Found, Item, Source
from data_prep.sources.score_bars import Span, bar_spans, melody_bars
from data_prep.sources.sections import readable

FOLDERS: Final = ("bach", "monteverdi")
SUFFIXES: Final = (".mxl", ".musicxml", ".xml")
MELODY_PARTS: Final = ("soprano", "canto", "s.")
"""How the name of the part with the tune begins. Not "the first part": many chorales open with horns."""


def music21_version() -> dict[str, str]:
    """Version of the installed music21, which names the edition of the pieces."""
    corpus_folder(FOLDERS)
    return {"music21": version("music21")}


def corpus_folder(folders: Sequence[str]) -> Path:
    """The folder of scores inside the installed music21; UserError where it lacks one of these folders."""
    spec = find_spec("music21")
    places = list(spec.submodule_search_locations or ()) if spec else []
    folder = Path(places[0]).resolve() / "corpus" if places else None
    if folder is None or not all((folder / name).is_dir() for name in folders):
        raise UserError("The built-in corpora are read out of music21, which is not here: pip install music21.")
    return folder


def find(_: Path | None) -> Found:
    """Every piece, in the order of their paths."""
    return find_installed(FOLDERS, SUFFIXES)


def find_installed(folders: Sequence[str], suffixes: Sequence[str]) -> Found:
    """Every file of these kinds in these folders of music21, in the order of their paths."""
    root = corpus_folder(folders)
    files = (path for name in folders for path in (root / name).iterdir() if path.suffix in suffixes)
    paths = sorted(path.relative_to(root).as_posix() for path in files)
    return Found(root=root, items=tuple(Item(paths=(path,)) for path in paths))


def read(root: Path, item: Item, _: Options) -> list[RawSong]:
    """The piece: its soprano, and the chords that all its parts make."""
    path = item.paths[0]
    data = read_inside(root, path, MAX_BYTES)
    score = read_score(data)
    melody = next((part for part in score.parts if part.name.lower().startswith(MELODY_PARTS)), None)
    if melody is None:
        raise UserError("no soprano or canto part")
    spans = bar_spans(score.measures, score.resolution)
    inputs = {path: hashlib.sha256(data).hexdigest()}
    bars = melody_bars(score, melody.notes, spans)
    section = readable(path, inputs, [span.fault for span in spans], bars, _chords(score, spans))
    return [RawSong(id=path.rpartition(".")[0], sections=(section,))]


def _chords(score: Score, spans: list[Span]) -> Chords:
    notes = np.array([note for part in score.parts for note in part.notes], np.int64).reshape(-1, 3)
    starts = np.array([span.start for span in spans], np.int64)
    beats = (starts[:, None] + np.arange(4) * score.resolution).ravel()
    chord = beat_chords(notes, beats, score.resolution).reshape(-1, 4)
    return Chords(chord, first_chords(chord))


SOURCE: Final = Source(
    name="builtin",
    help="Bach chorales and Monteverdi madrigals out of the installed music21",
    find=find,
    read=read,
    assemble=assemble,
    hears=BARS,
    versions=music21_version,
    takes_path=False,
)
