"""Phrases as pictures, uint8 (H, W, 3): discord is seen at a glance, in orange outside the pale blue triads.

Piano music has no chords to be out of tune with: its notes are the darker, the harder they are struck.
"""

import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from data_prep.bars import NUM_PITCHES
from data_prep.chords import NO_CHORD, TRIADS
from data_prep.chords import name as chord_name
from data_prep.files import write_atomic
from reporting.midi import STEPS_PER_BAR, STEPS_PER_BEAT, Music, Note, check_phrase, chord_spans, is_piano, notes

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

BLUE: Final[Colour] = (31, 90, 166)
"""Notes of the chord."""
ORANGE: Final[Colour] = (233, 116, 26)
"""Notes outside the chord."""
SLATE: Final[Colour] = (92, 99, 112)
"""Notes without a chord: there is nothing to be in or out of tune with."""
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
_SOFTEST: Final = 0.3
"""Share of ink of a note that is hardly struck; of one at velocity 127 it is 1."""


def pitch_range(*music: Music) -> tuple[int, int]:
    """Lowest and highest pitch to draw: those used and 3 semitones more, an octave at least.

    Give it all the phrases of a grid to draw them on one scale. The octave on middle C for silence.
    """
    used = np.concatenate([_used(each) for each in music])
    low, high = (int(used.min()), int(used.max())) if used.size else (60, 71)
    low, high = low - _MARGIN, high + _MARGIN
    missing = max(0, _OCTAVE - (high - low + 1))
    low, high = low - missing // 2, high + (missing + 1) // 2
    return max(0, min(low, 127 - _OCTAVE + 1)), min(127, max(high, _OCTAVE - 1))


def _used(music: Music) -> Music:
    if is_piano(music):
        return np.flatnonzero(music.reshape(-1, NUM_PITCHES).any(axis=0))
    return music[music >= 0]


def draw(
    music: Music,
    chord: NDArray[np.int8] | None = None,
    *,
    reference: Music | None = None,
    pitches: tuple[int, int] | None = None,
    cell: int = 6,
) -> Picture:
    """Piano roll of a phrase, (H, W, 3): a step and a semitone are `cell` pixels each way.

    Each chord is named where it begins. `reference` is the real music under the same chords, drawn below the generated
    one and to its scale. `pitches` is the lowest and the highest to show, `pitch_range` of the phrase if not given; a
    note outside it becomes a sliver at the edge. ValueError for a phrase that is none.
    """
    check_phrase(music, chord)
    both = [music] if reference is None else [music, reference]
    low, high = pitches or pitch_range(*both)
    if not 0 <= low < high <= 127:
        raise ValueError(f"The pitches to show run upwards within 0..127, not from {low} to {high}.")
    if cell < 3:
        raise ValueError(f"A cell must be at least 3 pixels, not {cell}.")
    if reference is None:
        return _framed(_roll(music, chord, low, high, cell), chord, low, high, cell)
    pictures = [draw(each, chord, pitches=(low, high), cell=cell) for each in both]
    prompted = np.array_equal(music[0], reference[0])
    return stack(pictures, captions=("generated, but for the first bar" if prompted else "generated", "real"))


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
    write_atomic(path, as_png(picture))


def as_png(picture: Picture) -> bytes:
    """A picture (H, W, 3) as a file of PNG."""
    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, format="PNG")
    return packed.getvalue()


def note_colour(pitch: int, chord: int) -> Colour:
    """Blue for a tone of the chord, orange for another, slate where there is no chord."""
    if chord == NO_CHORD:
        return SLATE
    return BLUE if TRIADS[chord, pitch % 12] else ORANGE


def _roll(music: Music, chord: NDArray[np.int8] | None, low: int, high: int, cell: int) -> Picture:
    """The grid alone, without names: (rows * cell, steps * cell, 3)."""
    num_steps = len(music) * STEPS_PER_BAR
    by_step = np.full(num_steps, NO_CHORD) if chord is None else chord.ravel().repeat(num_steps // chord.size)
    roll = _background(by_step, low, high).repeat(cell, 0).repeat(cell, 1)
    roll[:, :: STEPS_PER_BEAT * cell] = _BEAT_LINE
    for note in notes(music):
        if is_piano(music):
            colours = np.array([_faded(SLATE, note.velocity)], np.uint8).repeat(note.end - note.start, 0)
        else:
            colours = np.array([note_colour(note.pitch, each) for each in by_step[note.start : note.end].tolist()])
        _note(roll, note, colours, low, high, cell)
    roll[:, :: STEPS_PER_BAR * cell] = _BAR_LINE
    return roll


def _faded(colour: Colour, velocity: int) -> Picture:
    ink = _SOFTEST + (1 - _SOFTEST) * velocity / 127
    return np.round(np.array(WHITE) + (np.array(colour) - WHITE) * ink).astype(np.uint8)


def _background(by_step: NDArray[np.integer[Any]], low: int, high: int) -> Picture:
    """A pixel for each semitone and step, (rows, steps, 3): the keys, and over them the triads."""
    classes = np.arange(high, low - 1, -1) % 12
    black = _BLACK_KEYS[classes][:, None, None]
    triad = TRIADS[by_step][:, classes].T[:, :, None]
    keys = np.where(black, _BLACK_KEY, WHITE)
    tones = np.where(black, _TRIAD_BLACK_KEY, _TRIAD)
    return np.where(triad, tones, keys).astype(np.uint8)


def _note(roll: Picture, note: Note, colours: NDArray[Any], low: int, high: int, cell: int) -> None:
    """A bar in colours (steps, 3), with a white first column, which parts it from the note before, and air below."""
    top, height = (high - note.pitch) * cell, cell - 1
    if not low <= note.pitch <= high:
        height = max(1, cell // 3)
        top = 0 if note.pitch > high else len(roll) - height
    left, right = note.start * cell, note.end * cell
    roll[top : top + height, left] = WHITE
    roll[top : top + height, left + 1 : right] = colours.repeat(cell, 0)[1:]


def _framed(roll: Picture, chord: NDArray[np.int8] | None, low: int, high: int, cell: int) -> Picture:
    """The grid in a white frame that names the chords above it and the Cs on its left."""
    height, width = roll.shape[:2]
    picture = _blank(_TOP + height + _EDGE, _LEFT + width + _EDGE)
    picture[_TOP : _TOP + height, _LEFT : _LEFT + width] = roll
    picture[_TOP : _TOP + height, _LEFT + width] = _BAR_LINE  # the last bar's end
    for span in [] if chord is None else chord_spans(chord):
        _write(picture, chord_name(span.chord), x=_LEFT + span.start * cell + 2, y=2)
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
