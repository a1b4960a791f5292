"""Phrases as pictures, uint8 (H, W, 3): discord is seen at a glance, in orange outside the pale blue triads."""

import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from data_prep.chords import NO_CHORD, TRIADS
from data_prep.chords import name as chord_name
from data_prep.files import write_atomic
from reporting.midi import STEPS_PER_BAR, STEPS_PER_BEAT, Note, check_phrase, notes

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

BLUE: Final[Colour] = (31, 90, 166)
"""Notes of the bar's chord."""
ORANGE: Final[Colour] = (233, 116, 26)
"""Notes outside the bar's chord."""
SLATE: Final[Colour] = (92, 99, 112)
"""Notes of a bar without a chord: there is nothing to be in or out of tune with."""
WHITE: Final[Colour] = (255, 255, 255)

_BLACK_KEY: Final[Colour] = (238, 239, 242)
_TRIAD: Final[Colour] = (211, 228, 248)
_TRIAD_BLACK_KEY: Final[Colour] = (196, 215, 239)
_BEAT_LINE: Final[Colour] = (220, 223, 228)
_BAR_LINE: Final[Colour] = (84, 90, 102)
_INK: Final[Colour] = (52, 57, 66)

_BLACK_KEYS: Final = np.isin(np.arange(12), (1, 3, 6, 8, 10))
_LEFT: Final = 24
_TOP: Final = 15
_EDGE: Final = 6
_CAPTION: Final = 17
_MARGIN: Final = 3
_OCTAVE: Final = 12


def pitch_range(*melodies: NDArray[np.int8]) -> tuple[int, int]:
    """Lowest and highest pitch to draw: those used and 3 semitones more, an octave at least.

    Give it all the melodies of a grid to draw them on one scale. The octave on middle C for silence.
    """
    used = np.concatenate([melody.ravel() for melody in melodies])
    used = used[used >= 0]
    low, high = (int(used.min()), int(used.max())) if used.size else (60, 71)
    low, high = low - _MARGIN, high + _MARGIN
    missing = max(0, _OCTAVE - (high - low + 1))
    low, high = low - missing // 2, high + (missing + 1) // 2
    return max(0, min(low, 127 - _OCTAVE + 1)), min(127, max(high, _OCTAVE - 1))


def draw(
    melody: NDArray[np.int8],
    chord: NDArray[np.int8],
    *,
    reference: NDArray[np.int8] | None = None,
    pitches: tuple[int, int] | None = None,
    cell: int = 6,
) -> Picture:
    """Piano roll of a phrase, (H, W, 3): a step and a semitone are `cell` pixels each way.

    `reference` (B, 16) is the real melody under the same chords, drawn below the generated one and to its
    scale. `pitches` is the lowest and the highest to show, `pitch_range` of the phrase if not given; a
    note outside it becomes a sliver at the edge. ValueError for a phrase that is none.
    """
    check_phrase(melody, chord)
    melodies = [melody] if reference is None else [melody, reference]
    low, high = pitches or pitch_range(*melodies)
    if not 0 <= low < high <= 127:
        raise ValueError(f"The pitches to show run upwards within 0..127, not from {low} to {high}.")
    if cell < 3:
        raise ValueError(f"A cell must be at least 3 pixels, not {cell}.")
    if reference is None:
        return _framed(_roll(melody, chord, low, high, cell), chord, low, high, cell)
    pictures = [draw(each, chord, pitches=(low, high), cell=cell) for each in melodies]
    return stack(pictures, captions=("generated, but for the first bar", "real"))


def stack(pictures: Sequence[Picture], captions: Sequence[str] = ()) -> Picture:
    """One picture of several, from top to bottom, each under its caption if there are any."""
    if not pictures or len(captions) not in (0, len(pictures)):
        raise ValueError(f"{len(pictures)} pictures cannot be stacked under {len(captions)} captions.")
    width = max(picture.shape[1] for picture in pictures)
    rows = []
    for number, picture in enumerate(pictures):
        if captions:
            strip = _blank(_CAPTION, width)
            _write(strip, captions[number], x=_LEFT, y=3)
            rows.append(strip)
        padded = _blank(picture.shape[0], width)
        padded[:, : picture.shape[1]] = picture
        rows.append(padded)
    return np.concatenate(rows)


def write_png(path: Path, picture: Picture) -> None:
    """Write a picture (H, W, 3) as PNG, whole or not at all."""
    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, format="PNG")
    write_atomic(path, packed.getvalue())


def note_colour(pitch: int, chord: int) -> Colour:
    """Blue for a tone of the chord, orange for another, slate where there is no chord."""
    if chord == NO_CHORD:
        return SLATE
    return BLUE if TRIADS[chord, pitch % 12] else ORANGE


def _roll(melody: NDArray[np.int8], chord: NDArray[np.int8], low: int, high: int, cell: int) -> Picture:
    """The grid alone, without names: (rows * cell, steps * cell, 3)."""
    roll = _background(chord, low, high).repeat(cell, 0).repeat(STEPS_PER_BAR * cell, 1)
    roll[:, :: STEPS_PER_BEAT * cell] = _BEAT_LINE
    chords = chord.tolist()
    for note in notes(melody):
        colour = note_colour(note.pitch, chords[note.start // STEPS_PER_BAR])
        _note(roll, note, colour, low, high, cell)
    roll[:, :: STEPS_PER_BAR * cell] = _BAR_LINE
    return roll


def _background(chord: NDArray[np.int8], low: int, high: int) -> Picture:
    """A pixel for each semitone and bar, (rows, B, 3): the keys, and over them the triads."""
    classes = np.arange(high, low - 1, -1) % 12
    black = _BLACK_KEYS[classes][:, None, None]
    triad = TRIADS[chord][:, classes].T[:, :, None]
    keys = np.where(black, _BLACK_KEY, WHITE)
    tones = np.where(black, _TRIAD_BLACK_KEY, _TRIAD)
    return np.where(triad, tones, keys).astype(np.uint8)


def _note(roll: Picture, note: Note, colour: Colour, low: int, high: int, cell: int) -> None:
    """A bar with a white first column, which parts it from the note before, and air to the semitone below."""
    top, height = (high - note.pitch) * cell, cell - 1
    if not low <= note.pitch <= high:
        height = max(1, cell // 3)
        top = 0 if note.pitch > high else len(roll) - height
    left, right = note.start * cell, note.end * cell
    roll[top : top + height, left] = WHITE
    roll[top : top + height, left + 1 : right] = colour


def _framed(roll: Picture, chord: NDArray[np.int8], low: int, high: int, cell: int) -> Picture:
    """The grid in a white frame that names the chords above it and the Cs on its left."""
    height, width = roll.shape[:2]
    picture = _blank(_TOP + height + _EDGE, _LEFT + width + _EDGE)
    picture[_TOP : _TOP + height, _LEFT : _LEFT + width] = roll
    picture[_TOP : _TOP + height, _LEFT + width] = _BAR_LINE  # the last bar's end
    for bar, each in enumerate(chord.tolist()):
        _write(picture, chord_name(each), x=_LEFT + bar * STEPS_PER_BAR * cell + 2, y=2)
    for pitch in range(-(-low // 12) * 12, high + 1, 12):
        middle = _TOP + (high - pitch) * cell + cell // 2
        _write(picture, f"C{pitch // 12 - 1}", x=4, y=middle - 6)
    return picture


def _blank(height: int, width: int) -> Picture:
    return np.full((height, width, 3), 255, np.uint8)


def _write(picture: Picture, text: str, *, x: int, y: int) -> None:
    """Write text in place with its corner at (x, y); what does not fit is cut off."""
    mask = _lettering(text)[: max(0, len(picture) - y), : max(0, picture.shape[1] - x), None]
    place = picture[y : y + mask.shape[0], x : x + mask.shape[1]]
    place[:] = np.round(place + (np.array(_INK) - place) * mask).astype(np.uint8)


@functools.lru_cache(maxsize=256)
def _lettering(text: str) -> NDArray[np.float32]:
    """How much ink each pixel of the text takes, 0..1, (h, w)."""
    font = ImageFont.load_default()
    _, _, right, bottom = font.getbbox(text)
    sheet = Image.new("L", (max(1, int(right)), max(1, int(bottom))))
    ImageDraw.Draw(sheet).text((0, 0), text, fill=255, font=font)
    ink: NDArray[np.float32] = np.asarray(sheet, np.float32) / np.float32(255)
    return ink
