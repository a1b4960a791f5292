"""The two annotations that POP909 has beside every MIDI file, on the clock of that file: beats and chords.

Wang et al., "POP909: A Pop-song Dataset for Music Arrangement Generation", ISMIR 2020.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD, encode
from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.formats.midi import MAX_SECONDS

MAX_LINES: Final = 50_000
"""Most lines read: three hours have 40,000 beats at 220 a minute."""
MAX_BYTES: Final = 80 * MAX_LINES
"""Largest file read: no line is longer than three numbers of 64 bits."""

_COLUMNS: Final = 3
_FLAGS: Final = {b"0.0": False, b"1.0": True, b"0": False, b"1": True}
_PITCH_CLASSES: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LABEL: Final = re.compile(r"([A-G])([#b]{0,2}):([^/]+)(?:/.+)?")
_MAJOR: Final = ("maj", "7", "maj7", "maj6", "sus2", "sus4", "sus4(b7)", "aug")
_MINOR: Final = ("min", "min7", "min6", "minmaj7", "dim", "dim7", "hdim7")
_PLAIN: Final = ("maj", "min")
_TOLD: Final = 20
"""How many unknown chords are told one by one."""


class Beats(NamedTuple):
    """When each beat is, float64 (B,) in seconds, increasing; and whether it begins a bar, bool (B,)."""

    time: NDArray[np.float64]
    downbeat: NDArray[np.bool_]


class ChordLabels(NamedTuple):
    """When each chord begins and ends, float64 (E,) in seconds, in order, and its label."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    label: list[str]


def read_beats(data: bytes) -> Beats:
    """The beats in the bytes of a `beat_midi.txt`: time, whether a half bar begins, whether a bar begins.

    UserError, without the file's name, for anything but such lines, in order of time.
    """
    times, _, begins = _columns(data)
    time = _times(times)
    flags = list(map(_FLAGS.get, begins))
    if None in flags:
        flag = begins[flags.index(None)]
        raise UserError(f"{shown(repr(flag))[:30]} in the third column, which is 1 where a bar begins, and else 0.")
    if not (np.diff(time) > 0).all():
        raise UserError("its beats are not in order of time.")
    return Beats(time, np.array(flags, np.bool_))


def read_chords(data: bytes) -> ChordLabels:
    """The chords in the bytes of a `chord_midi.txt`: start, end, label.

    UserError, without the file's name, for anything but such lines, in order of time.
    """
    starts, ends, labels = _columns(data)
    start, end = _times(starts), _times(ends)
    if not ((np.diff(start) >= 0).all() and (end >= start).all()):
        raise UserError("its chords are not in order of time.")
    return ChordLabels(start, end, [label.decode("utf-8", "replace") for label in labels])


def chord_classes(labels: list[str], *, strict: bool) -> tuple[NDArray[np.int8], Counter[str]]:
    """The class of each label int8 (E,), and how often each unknown chord, which is none, occurs.

    A label is N or ROOT:quality, with or without /bass. `strict`: only plain major and minor triads count.
    """
    known = {label: _chord(label, strict) for label in set(labels)}
    strange = Counter(_strangeness(label) for label in labels if known[label] is None)
    remarks = Counter(dict(strange.most_common(_TOLD)))
    if strange.total() > remarks.total():
        remarks["chord of another unknown quality"] = strange.total() - remarks.total()
    classes = {label: NO_CHORD if chord is None else chord for label, chord in known.items()}
    return np.array([classes[label] for label in labels], np.int8), remarks


@lru_cache(maxsize=1000)
def _chord(label: str, strict: bool) -> int | None:
    """The class of a label; None for one that is not known."""
    if label == "N":
        return NO_CHORD
    read = _LABEL.fullmatch(label)
    if read is None or read[3] not in _MAJOR + _MINOR:
        return None
    if strict and read[3] not in _PLAIN:
        return NO_CHORD
    root = _PITCH_CLASSES[read[1]] + read[2].count("#") - read[2].count("b")
    return encode(root % 12, minor=read[3] in _MINOR)


def _strangeness(label: str) -> str:
    read = _LABEL.fullmatch(label)
    what = f"quality {shown(read[3])[:30]!r}" if read else f"name {shown(label)[:30]!r}"
    return f"chord of unknown {what}"


def _columns(data: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """The texts of the three columns; lines are not cut up one by one, which would take twice as long."""
    if data.count(b"\n") > MAX_LINES:
        raise UserError(f"over {MAX_LINES:,} lines; no song has as many.")
    texts, lines = data.split(), sum(map(bool, map(bytes.strip, data.split(b"\n"))))
    if not texts:
        raise UserError("no line in it.")
    if len(texts) != _COLUMNS * lines:
        raise UserError(f"{len(texts):,} texts in {lines:,} lines; each line has {_COLUMNS}.")
    return texts[::3], texts[1::3], texts[2::3]


def _times(texts: list[bytes]) -> NDArray[np.float64]:
    try:
        times = np.array(list(map(float, texts)))
    except ValueError as error:
        value = str(error).rpartition(": ")[2]
        raise UserError(f"a time that is no number: {shown(value)[:40]}.") from error
    if not ((times >= 0) & (times <= MAX_SECONDS)).all():
        raise UserError(f"a time that is not from 0 to {MAX_SECONDS:,} s.")
    return times
