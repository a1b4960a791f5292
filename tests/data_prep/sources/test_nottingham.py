"""Nottingham tunes against the printed ABC that their MIDI files were made from, and against pretty_midi's bars."""

import re
import warnings
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pretty_midi
import pytest

from data_prep.errors import UserError
from data_prep.formats.midi import read_midi
from data_prep.options import Options
from data_prep.song import RawSong, Section
from data_prep.sources.midi import NOTTINGHAM, metre_bars

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "nottingham"
TUNES = ("reelsa-c14", "reelsa-c48", "reelsa-c9", "reelsa-c74", "ashover40")
"""In whole sixteenths, repeated without a second ending."""

TOKEN = re.compile(
    r'"(?P<chord>[^"]*)"|(?P<key>K:\s*\w+)|(?P<bar>\|)|'
    r"(?P<alter>[\^_=]?)(?P<letter>[A-Ga-g])(?P<high>'?)"
    r"(?P<length>[\d/]*)"
)
SCALE = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SIGNATURES = {"F": {"B": -1}, "G": {"F": 1}, "D": {"F": 1, "C": 1}, "A": {"F": 1, "C": 1, "G": 1}}


class Tune(NamedTuple):
    """Notes as first step, step after the last, pitch; chords as first step and symbol."""

    notes: list[tuple[int, int, int]]
    chords: list[tuple[int, str]]


@pytest.fixture
def data() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"no Nottingham tunes at {DATA}")
    return DATA


def played_out(body: str) -> str:
    """The tune with its repeats."""
    parts = re.split(r"(:\|+:?|::|\|+:)", body)
    out = ""
    for part, sign in zip(parts[::2], [*parts[1::2], ""], strict=True):
        out += part + "|"
        if sign.startswith(":"):
            out += part + "|"
    return out


def steps(length: str, unit: Fraction) -> Fraction:
    above, slash, below = length.partition("/")
    return unit * int(above or 1) / (int(below or 2) if slash else 1)


def printed(text: str) -> Tune:
    """The tune as it is printed; its pick-up stands at the end of an otherwise empty bar."""
    head, _, body = text.partition("\nK:")
    unit = Fraction(4) if "L:1/4" in head else Fraction(2)
    notes: list[tuple[Fraction, Fraction, int]] = []
    chords: list[tuple[Fraction, str]] = []
    signature: dict[str, int] = {}
    altered: dict[str, int] = {}
    now, pickup = Fraction(0), None
    for found in TOKEN.finditer(played_out(("K:" + body).replace("\\\n", ""))):
        if found["key"]:
            signature = SIGNATURES[found["key"][2:].strip()]
        elif found["bar"]:
            altered = {}
            pickup = now if pickup is None else pickup
        elif found["letter"]:
            letter, end = found["letter"], now + steps(found["length"], unit)
            if found["alter"]:
                altered[letter] = {"^": 1, "_": -1, "=": 0}[found["alter"]]
            octave = 60 + 12 * letter.islower() + 12 * len(found["high"])
            shift = altered.get(letter, signature.get(letter.upper(), 0))
            notes.append((now, end, octave + SCALE[letter.upper()] + shift))
            now = end
        else:
            chords.append((now, found["chord"]))
    pad = (16 - int(pickup or 0)) % 16
    return Tune(
        [(int(start) + pad, int(end) + pad, pitch) for start, end, pitch in notes],
        [(int(start) + pad, symbol) for start, symbol in chords],
    )


def named(symbol: str) -> int:
    root, sharp, quality = re.fullmatch(r"([A-G])(#?)([m7]?)(?:/.*)?", symbol).groups()  # type: ignore[union-attr]
    return (SCALE[root] + len(sharp)) % 12 + (12 if quality == "m" else 0)


def book(data: Path, tune: str) -> str:
    name, number = re.fullmatch(r"(.*?)(\d+)", tune).groups()  # type: ignore[union-attr]
    text = (data / "ABC_cleaned" / f"{name}.abc").read_text(encoding="latin-1")
    return next(part for part in re.split(r"\n(?=X:)", text) if re.match(rf"\s*X:\s*{number}\n", part))


def read(data: Path, name: str, **options: str) -> Section:
    found = NOTTINGHAM.find(data)
    item = next(item for item in found.items if item.paths[0].endswith(f"/{name}.mid"))
    song = NOTTINGHAM.read(found.root, item, Options(**options))[0]  # type: ignore[arg-type]
    assert isinstance(song, RawSong)
    return song.sections[0]


@pytest.mark.parametrize("name", TUNES)
def test_bars_are_those_of_the_printed_tune(data: Path, name: str) -> None:
    notes, symbols = printed(book(data, name))
    bars = -(-notes[-1][1] // 16)
    melody, struck = [-1] * 16 * bars, [False] * 16 * bars
    for start, end, pitch in notes:
        melody[start:end] = [pitch] * (end - start)
        struck[start] = True
    beats = [[named(symbol) for start, symbol in symbols if start <= beat][-1:] for beat in range(0, 16 * bars, 4)]
    section = read(data, name)
    assert section.bar.tolist() == list(range(bars))
    assert section.melody.ravel().tolist() == melody
    assert (section.onset[:, None] >> np.arange(16) & 1).astype(bool).ravel().tolist() == struck
    assert section.chord.ravel().tolist() == [beat[0] if beat else 24 for beat in beats]
    expected_first = [beat[0] if beat else 24 for beat in beats[::4]]
    assert section.first_chord.tolist() == expected_first


def test_the_printed_tunes_are_no_trivial_ones(data: Path) -> None:
    assert sum(len(printed(book(data, name)).notes) for name in TUNES) == 774
    assert printed(book(data, "reelsa-c48")).notes[:3] == [(12, 16, 62), (16, 20, 67), (20, 24, 69)]


def test_bars_of_any_metre_begin_where_pretty_midi_has_them(data: Path) -> None:
    metres = set()
    for path in sorted((data / "MIDI").glob("*.mid"))[::6]:
        midi = read_midi(path.read_bytes())
        metres |= {tuple(metre) for metre in midi.metres[:, 1:].tolist()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = pretty_midi.PrettyMIDI(str(path)).get_downbeats()
        end = max(int(track.notes[:, 1].max()) for track in midi.tracks)
        ours = midi.seconds(metre_bars(midi, end).start)
        assert len(ours) - len(expected) in (0, -1)  # it has a bar that begins with the last note's end
        np.testing.assert_allclose(ours, expected[: len(ours)])
    assert {(4, 4), (6, 8), (3, 4)} <= metres


def test_the_set_is_read_as_a_whole(data: Path) -> None:
    found = NOTTINGHAM.find(data)
    assert len(found.items) == 120
    bars, chordless, refused = 0, 0, []
    for item in found.items:
        try:
            song = NOTTINGHAM.read(found.root, item, Options())[0]
        except UserError as error:
            refused.append(str(error))
            continue
        assert isinstance(song, RawSong)
        bars += len(song.sections[0].bar)
        chordless += int((song.sections[0].first_chord == 24).sum())
    assert refused == ["only one track with notes, so no chords; --chords optional takes its melody alone."] * 3
    assert 3_000 < bars < 3_200
    assert chordless < 0.03 * bars  # the pick-ups
