"""What holds for every corpus, checked before one is used: shapes, ranges, links, the song table."""

from itertools import accumulate
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
_NOTE_ARRAYS: Final = ("start", "end", "pitch", "velocity")
_WINDOW_RANGES: Final = {"pitch": (0, 127), "velocity": (1, 127), "split": (0, 3)}


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
    try:
        sections = [section for entry in songs for section in entry["sections"]]
        first_row, num_bars = ([section[key] for section in sections] for key in ("first_row", "num_bars"))
        owner = np.repeat(np.arange(len(songs)), [len(entry["sections"]) for entry in songs])
    except (TypeError, KeyError, IndexError):
        _refuse(where, "the sections of its songs lack a first_row or num_bars")
    whole = {type(number) for number in (*first_row, *num_bars)} <= {int}
    if not whole or min(num_bars, default=0) < 0 or first_row != [0, *accumulate(num_bars)][:-1]:
        _refuse(where, "the sections of its songs do not follow each other")
    if sum(num_bars) != len(song) or (np.bincount(owner, num_bars, len(songs)) != np.bincount(song)).any():
        _refuse(where, "the sections of its songs do not cover their bars")


def check_window_arrays(arrays: dict[str, NDArray[Any]], steps: int, where: str) -> None:
    """UserError, beginning with `where`, unless the arrays are those of a corpus of windows of this many steps.

    Dtypes are taken as checked.
    """
    num_notes, num_windows = arrays["start"].size, arrays["song"].size
    lengths = dict.fromkeys(_NOTE_ARRAYS, num_notes) | {"split": arrays["split"].size}
    ranges = _WINDOW_RANGES | {"first_note": (0, num_notes - 1), "end_note": (1, num_notes)}
    for name, array in arrays.items():
        length = lengths.get(name, num_windows)
        if array.shape != (length,):
            _refuse(where, f"{name} has shape {array.shape} where {(length,)} fits the other arrays")
        low, high = ranges.get(name, (0, np.iinfo(np.int32).max))
        if array.size and not low <= array.min() <= array.max() <= high:
            _refuse(where, f"{name} holds {array.min()} to {array.max()}; it must lie in {low} to {high}")
    if not num_windows:
        _refuse(where, "it holds no window")
    if (arrays["end"] <= arrays["start"]).any():
        _refuse(where, "end must lie after start")
    check_song_numbers(arrays["song"], arrays["split"].size, where)
    _check_slices(arrays, steps, where)


def _check_slices(arrays: dict[str, NDArray[Any]], steps: int, where: str) -> None:
    """UserError unless each window has just the notes of its piece from the first to the last that sound in it."""
    song, window, first, stop = (arrays[name] for name in ("song", "window", "first_note", "end_note"))
    start, end = arrays["start"], arrays["end"]
    if (np.diff(window)[np.diff(song) == 0] <= 0).any():
        _refuse(where, "window must count up within a song")
    # A piece begins with the first note of its first window: before that window it is silent.
    piece = np.append(first[np.diff(song, prepend=-1) == 1], len(start)).astype(np.int64)
    if piece[0] or (np.diff(piece) < 1).any():
        _refuse(where, "first_note must leave no note between two pieces")
    owner = np.repeat(np.arange(len(piece) - 1), np.diff(piece))
    order = (owner * 2**31 + start) * 128 + arrays["pitch"]
    if (np.diff(order) < 0).any():
        _refuse(where, "the notes of a piece must be in order of start, then pitch")
    if (first >= stop).any() or (first < piece[song]).any() or (stop > piece[song + 1]).any():
        _refuse(where, "first_note to end_note must lie within the notes of the window's song")
    latest = np.maximum.accumulate(owner * 2**31 + end) - owner * 2**31
    origin = window * np.int64(steps)
    early = (end[first] <= origin) | ((first > piece[song]) & (latest[first - 1] > origin))
    following = np.append(start, 0)[stop]
    late = (start[stop - 1] >= origin + steps) | ((stop < piece[song + 1]) & (following < origin + steps))
    if (early | late).any():
        _refuse(where, "first_note to end_note must be the notes from the first to the last that sound in the window")


def check_sampling_frequency(about: dict[str, Any], where: str) -> None:
    """UserError, beginning with `where`, unless `about` says how many steps a second has."""
    options = about.get("options")
    frequency = options.get("sampling_frequency") if isinstance(options, dict) else None
    if isinstance(frequency, bool) or not isinstance(frequency, int | float) or not 1 <= frequency <= 200:
        _refuse(where, "its options give no sampling_frequency from 1 to 200 Hz")


def _refuse(where: str, rule: str) -> NoReturn:
    raise UserError(f"{where}: {rule}; prepare the corpus again.")
