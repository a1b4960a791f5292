"""What holds for every corpus, checked before one is used: shapes, ranges, links, the song table."""

from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD
from data_prep.errors import UserError

_SHAPES: Final = {
    "melody": (16,),
    "onset": (),
    "chord": (4,),
    "first_chord": (),
    "prev": (),
    "song": (),
    "bar": (),
}
_RANGES: Final = {"melody": (-1, 127), "chord": (0, NO_CHORD), "first_chord": (0, NO_CHORD), "split": (0, 3)}


def check_arrays(arrays: dict[str, NDArray[Any]], where: str) -> None:
    """UserError, beginning with `where`, unless the arrays are a corpus's (dtypes are taken as checked)."""
    num_bars, num_songs = arrays["song"].size, arrays["split"].size
    for name, array in arrays.items():
        shape = (num_songs,) if name == "split" else (num_bars, *_SHAPES[name])
        if array.shape != shape:
            _refuse(where, f"{name} has shape {array.shape} where {shape} fits the other arrays")
        low, high = _RANGES.get(name, (None, None))
        if low is not None and array.size and not low <= array.min() <= array.max() <= high:
            _refuse(where, f"{name} holds {array.min()} to {array.max()}; it must lie in {low} to {high}")
    if not num_bars:
        _refuse(where, "it holds no bar")
    bits = arrays["onset"][:, None] >> np.arange(16, dtype=np.uint16) & 1
    if ((bits == 1) & (arrays["melody"] < 0)).any():
        _refuse(where, "onset marks a start where melody is silent")
    check_song_numbers(arrays["song"], num_songs, where)
    _check_links(arrays["prev"], arrays["song"], arrays["bar"], where)


def check_song_numbers(song: NDArray[np.int32], num_songs: int, where: str) -> None:
    """UserError, beginning with `where`, unless the rows name every song, in order."""
    if song[0] != 0 or song[-1] != num_songs - 1 or not np.isin(np.diff(song), (0, 1)).all():
        _refuse(where, f"song must count from 0 to {num_songs - 1} in order, leaving none out")


def _check_links(prev: NDArray[np.int32], song: NDArray[np.int32], bar: NDArray[np.int32], where: str) -> None:
    linked = np.flatnonzero(prev != -1)
    before = linked - 1
    if (prev[linked] != before).any() or (linked == 0).any():
        _refuse(where, "prev must be -1 or the row just above")
    if (song[linked] != song[before]).any() or (bar[linked] != bar[before] + 1).any() or (bar < 0).any():
        _refuse(where, "prev must link a bar to the one directly before it in the same song")


def check_songs(about: dict[str, Any], split: NDArray[np.int8], song: NDArray[np.int32], where: str) -> None:
    """UserError, beginning with `where`, unless `about` has the table of the songs (split (M,)) of these rows (N,)."""
    songs = about.get("songs")
    if not isinstance(songs, list) or not all(isinstance(entry, dict) for entry in songs):
        _refuse(where, "it has no table of songs")
    if [entry.get("split") for entry in songs] != split.tolist():
        _refuse(where, "its songs and their splits are not those of the arrays")
    identities = [entry.get("id") for entry in songs]
    if not all(isinstance(name, str) for name in identities) or len(set(identities)) != len(identities):
        _refuse(where, "two of its songs share an id, or one has none")
    expected_row = 0
    for entry, num_rows in zip(songs, np.bincount(song, minlength=len(songs)).tolist(), strict=True):
        if not _counts_up(entry.get("sections"), expected_row, num_rows):
            _refuse(where, f"the sections of {entry['id'][:80]!r} do not cover its bars")
        expected_row += num_rows


def _counts_up(sections: Any, first_row: int, num_bars: int) -> bool:
    """Whether the sections follow each other from `first_row` on and hold `num_bars` in all."""
    if not isinstance(sections, list) or not all(isinstance(section, dict) for section in sections):
        return False
    row = first_row
    for section in sections:
        count = section.get("num_bars")
        if section.get("first_row") != row or type(count) is not int or count < 0:
            return False
        row += count
    return row == first_row + num_bars


def _refuse(where: str, rule: str) -> NoReturn:
    raise UserError(f"{where}: {rule}; prepare the corpus again.")
