"""What a system is asked to go on from: chords by their names, and first bars that fit them."""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep import bars
from data_prep.chords import NO_CHORD, encode
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.harmony import first_chords
from scores.phrases import spread

BEATS: Final = 4
"""Beats of a bar."""

_NAME: Final = re.compile(r"([A-G])([#♯b♭]?)(m|min|)", re.ASCII)
_ROOTS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS: Final = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_NONE: Final = ("N", "-")


def chord_class(name: str) -> int:
    """Class (`data_prep.chords`) of a major triad such as C, F# or Bb, of a minor one such as Am, or of N, no chord.

    Raises:
        UserError: any other name.
    """
    if name in _NONE:
        return NO_CHORD
    found = _NAME.fullmatch(name)
    if not found:
        raise UserError(
            f"There is no chord {shown(name[:20])!r}: write major triads like C, F# and Bb, minor ones like Am and "
            "C#m, and N for none."
        )
    letter, accidental, minor = found.groups()
    return encode((_ROOTS[letter] + _ACCIDENTALS[accidental]) % 12, minor=bool(minor))


def chords(text: str, bars: int | None = None) -> NDArray[np.int8]:
    """Chord classes int8 (B, 4) of the beats of a progression such as `C Am F G`: a chord for every bar.

    Two or four chords of one bar are separated by commas: `C,G Am F,F,G,G`. Fewer than `bars` are repeated from the
    start, and what is beyond is left out; without `bars` it is as long as it is written.

    Raises:
        UserError: it is empty, a name is none of a chord, or a bar has not one, two or four of them.
    """
    written = [_bar(bar) for bar in text.split()]
    if not written:
        raise UserError('The progression is empty: write chords with spaces between them, such as "C Am F G".')
    return np.array([written[bar % len(written)] for bar in range(bars or len(written))], np.int8)


def _bar(text: str) -> list[int]:
    names = text.split(",")
    if BEATS % len(names):
        raise UserError(
            f"The bar {shown(text[:40])!r} has {len(names)} chords, but must have 1, 2 or 4, separated by commas."
        )
    return [chord_class(name) for name in names for _ in range(BEATS // len(names))]


def first_bars(corpus: Corpus, chord: NDArray[np.int8], count: int) -> NDArray[np.int8]:
    """Pitches int8 (count, 16) of real bars that fit the first of the bars with chords `chord` (B, 4).

    They are bars of the songs kept for prompts, over a chord of the same mode where there is one, transposed so that
    it becomes the first chord; where there are fewer than `count`, some are given more than once.

    Raises:
        UserError: the corpus keeps no songs for prompts.
    """
    rows = corpus.rows(Split.PROMPTS)
    if not len(rows):
        raise UserError("The corpus keeps no songs for prompts: prepare it from more songs, or give a first bar.")
    wanted = int(first_chords(chord[:1])[0])
    rows = _where_any(rows, corpus.melody[rows].max(axis=1) >= 0)  # a bar with notes
    own = corpus.first_chord[rows]
    rows = _where_any(rows, np.equal(own // 12, wanted // 12))  # 0 major, 1 minor, 2 none
    rows = np.resize(rows[spread(len(rows), count)], count)
    own = corpus.first_chord[rows]
    nearest = (wanted - own + 5) % 12 - 5  # semitones, -5 to 6
    return bars.transpose(corpus.melody[rows], np.where((own == NO_CHORD) | (wanted == NO_CHORD), 0, nearest))


def _where_any(rows: NDArray[np.int64], holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rows where it holds, or all of them if it holds nowhere."""
    return rows[holds] if holds.any() else rows
