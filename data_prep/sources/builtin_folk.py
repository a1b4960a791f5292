"""Folk tunes of 1778 to 1907 out of the installed music21 package: melodies without chords.

Four collections in ABC: Aird's Airs, O'Neill's Music of Ireland, Ryan's Mammoth Collection and a few more. The Essen
collection beside them is not read: its terms allow no commercial use.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from data_prep.assemble import assemble
from data_prep.chords import NO_CHORD
from data_prep.errors import UserError
from data_prep.folder import read_inside, shown
from data_prep.formats.abc import MAX_BYTES, BadTune, Tune, read_tunes
from data_prep.formats.musicxml import Score
from data_prep.grid import Chords
from data_prep.options import BARS, Options
from data_prep.song import RawSong, Section, SkippedFile
from data_prep.source import Found, Item, Read, Source
from data_prep.sources.builtin import find_installed, music21_version
from data_prep.sources.score_bars import bar_spans, melody_bars
from data_prep.sources.sections import readable

FOLDERS: Final = ("airdsAirs", "miscFolk", "oneills1850", "ryansMammoth")
SUFFIX: Final = ".abc"


def find(_: Path | None) -> Found:
    """Every file of tunes, in the order of their paths."""
    return find_installed(FOLDERS, (SUFFIX,))


def read(root: Path, item: Item, _: Options) -> Sequence[Read]:
    """Every tune of the file, by its path and number: `airdsAirs/book1.abc#12`."""
    data = read_inside(root, item.paths[0], MAX_BYTES)
    path = shown(item.paths[0])
    inputs, seen = {path: hashlib.sha256(data).hexdigest()}, Counter[int]()
    songs: list[Read] = []
    for tune in read_tunes(data):
        seen[tune.number] += 1
        again = f".{seen[tune.number]}" if seen[tune.number] > 1 else ""
        songs.append(_song(f"{path}#{tune.number}{again}", path, inputs, tune))
    return songs


def _song(name: str, path: str, inputs: dict[str, str], tune: Tune | BadTune) -> RawSong | SkippedFile:
    if isinstance(tune, BadTune):
        return SkippedFile(path=name, reason=shown(tune.reason))
    try:
        return RawSong(id=name, sections=(_section(path, inputs, tune.score),))
    except UserError as error:
        return SkippedFile(path=name, reason=shown(str(error)))


def _section(path: str, inputs: dict[str, str], score: Score) -> Section:
    spans = bar_spans(score.measures, score.resolution)
    bars = melody_bars(score, score.parts[0].notes, spans)
    silence = Chords(np.full((len(spans), 4), NO_CHORD, np.int8), np.full(len(spans), NO_CHORD, np.int8))
    return readable(path, inputs, [span.fault for span in spans], bars, silence)


SOURCE: Final = Source(
    name="builtin-folk",
    help="folk tunes without chords out of the installed music21: Aird, O'Neill, Ryan and others",
    find=find,
    read=read,
    assemble=assemble,
    hears=tuple(name for name in BARS if name != "chords"),
    defaults=Options(chords="optional"),
    versions=music21_version,
    takes_path=False,
)
