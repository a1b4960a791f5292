"""Values of the ABC fields that notes depend on: K (key), M (metre) and L (unit note length).

Facts: the ABC music standard 2.1 (December 2011), sections 3.1.6, 3.1.7 and 3.1.14.
"""

import re
from typing import Final, NamedTuple

from data_prep.errors import UserError

_SHARPS: Final = "FCGDAEB"
"""Letters in the order in which sharps join a signature; flats join it from the other end."""
_MODES: Final = {
    "": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1
}  # fmt: skip
"""First three letters of a mode, in small letters: fifths between its signature and that of major."""
ACCIDENTALS: Final = {"__": -2, "_": -1, "=": 0, "^": 1, "^^": 2}

_KEY: Final = re.compile(r"([A-G])([#b]?)([A-Za-z]*)\s*([A-Za-z]*)")
_MODIFIER: Final = re.compile(r"(\^\^?|__?|=)([A-Ga-g])(?![A-Za-z])")
_METRE: Final = re.compile(r"([1-9]\d?)/([1-9]\d?)")
_NO_METRE: Final = re.compile(r"none|[\d\s()+]{1,40}\+[\d\s()+]{1,40}/\s?\d{1,2}")
_UNIT: Final = re.compile(r"([1-9]\d{0,2})(?:/([1-9]\d{0,2}))?")
_PIPES: Final = {"HP": 0, "Hp": 2}
"""The keys of Highland pipes: without a signature, and with F sharp, C sharp and G natural."""
_NO_TONIC: Final = re.compile(
    r"(none|exp|(treble|alto|tenor|bass|perc)\d?([+-]8)?|[A-Za-z]+=\S*)?(\s|$)", re.IGNORECASE
)


class Key(NamedTuple):
    """Signature in fifths (sharps positive, flats negative), and semitones to add to each of the letters A to G."""

    fifths: int
    alter: dict[str, int]


def key_of(text: str) -> Key:
    """The key in a K field. Clefs and transposition are not read. UserError for a key that there is not."""
    text = text.strip()
    match = _KEY.match(text)
    if text[:2] in _PIPES:
        fifths = _PIPES[text[:2]]
    elif match is not None:
        fifths = _fifths(match)
    elif _NO_TONIC.match(text):
        fifths = 0
    else:
        raise UserError(f"its key is {text[:20]!r}; a key begins with a capital letter from A to G.")
    alter = {letter: (fifths > place) - (-fifths > 6 - place) for place, letter in enumerate(_SHARPS)}
    for accidental, letter in _MODIFIER.findall(text):
        alter[letter.upper()] = ACCIDENTALS[accidental]
    return Key(fifths, alter)


def metre_of(text: str) -> tuple[int, int]:
    """Beats and beat type in an M field; 0 beats for free metre and for sums such as 3+2. UserError for no metre."""
    text = text.strip()
    named = {"C": (4, 4), "C|": (2, 2), "": (0, 4)}.get(text)
    if named is not None:
        return named
    match = _METRE.fullmatch(text)
    if match is not None:
        return int(match[1]), int(match[2])
    if _NO_METRE.fullmatch(text):
        return 0, 4
    raise UserError(f"its metre is {text[:20]!r}; a metre is two numbers as in 6/8, or C, C| or none.")


def unit_of(text: str) -> tuple[int, int]:
    """The note length in an L field, in quarter notes, as a fraction. UserError for no length."""
    match = _UNIT.fullmatch(text.strip())
    if match is None:
        raise UserError(f"its unit note length is {text.strip()[:20]!r}; a length is a fraction such as 1/8.")
    return 4 * int(match[1]), int(match[2] or 1)


def default_unit(metre: tuple[int, int]) -> tuple[int, int]:
    """The note length, in quarter notes, of a tune that states a metre but no length: a sixteenth below 3/4."""
    beats, beat_type = metre
    return (1, 4) if 0 < beats * 4 < beat_type * 3 else (1, 2)


def _fifths(match: re.Match[str]) -> int:
    tonic, sign, joined, word = match.groups()
    mode = (joined or word).lower()[:3]
    if joined and mode not in _MODES and mode != "exp":
        raise UserError(f"its key is {match[0][:20]!r}, whose mode is none that is known.")
    if mode == "exp":
        return 0
    fifths = _SHARPS.index(tonic) - 1 + {"": 0, "#": 7, "b": -7}[sign] + _MODES.get(mode, 0)
    if not -7 <= fifths <= 7:
        raise UserError(f"its key is {match[0][:20]!r}; a signature has at most 7 sharps or flats.")
    return fifths
