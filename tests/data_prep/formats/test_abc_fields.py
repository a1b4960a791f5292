"""Keys, metres and note lengths, by the tables of the ABC standard 2.1."""

import pytest

from data_prep.errors import UserError
from data_prep.formats.abc_fields import default_unit, key_of, metre_of, unit_of

MAJOR = ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"]
SHARPED = ["F", "C", "G", "D", "A", "E", "B"]
# The tonics of the signatures from 7 flats to 7 sharps, read off the table in section 3.1.14.
TONICS = {
    "maj": MAJOR,
    "m": ["Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#"],
    "mix": ["Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#"],
    "dor": ["Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#"],
    "phr": ["Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "E#"],
    "lyd": ["Fb", "Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#"],
    "loc": ["Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "E#", "B#"],
}
SIGNATURES = [(tonic, mode, place - 7) for mode, tonics in TONICS.items() for place, tonic in enumerate(tonics)]


def altered(text: str) -> dict[str, int]:
    return {letter: semitones for letter, semitones in key_of(text).alter.items() if semitones}


@pytest.mark.parametrize(("tonic", "mode", "fifths"), SIGNATURES)
def test_every_tonic_in_every_mode(tonic: str, mode: str, fifths: int) -> None:
    sharps, flats = SHARPED[: max(0, fifths)], SHARPED[::-1][: max(0, -fifths)]
    for text in (f"{tonic}{mode}", f"{tonic} {mode}", f"{tonic}{mode.title()}"):
        assert key_of(text).fifths == fifths
        assert altered(text) == dict.fromkeys(sharps, 1) | dict.fromkeys(flats, -1)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("D", "Dmaj"),
        (" D ", "Dmaj"),
        ("D Ionian", "Dmaj"),
        ("E Minor", "Em"),
        ("EMin", "Em"),
        ("EM", "Em"),  # capitals and small letters are one in a mode
        ("E aeolian", "Em"),
        ("Dmixm", "Dmix"),  # the first three letters count
        ("G clef=treble", "Gmaj"),
        ("G treble", "Gmaj"),
        ("", "Cmaj"),
        ("none", "Cmaj"),
        ("clef=alto", "Cmaj"),
        ("bass middle=d", "Cmaj"),
        ("HP", "Cmaj"),
        ("Hp", "Dmaj"),
    ],
)
def test_other_ways_to_write_a_key(text: str, same: str) -> None:
    assert key_of(text) == key_of(same)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("D =c", {"F": 1}),
        ("Dmix=c", {"F": 1}),
        ("D Phr ^f", {"B": -1, "E": -1, "F": 1}),
        ("D exp _b _e ^f", {"B": -1, "E": -1, "F": 1}),
        ("C ^^f __B", {"F": 2, "B": -2}),
        ("G clef=bass", {"F": 1}),
    ],
)
def test_accidentals_change_a_signature(text: str, expected: dict[str, int]) -> None:
    assert altered(text) == expected


@pytest.mark.parametrize("text", ["Bn", "g", "X", "Q major", "G#", "E# lyd", "Fb", "H", "#", "1", "C" * 10_000])
def test_what_is_no_key_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(UserError, match="its key is ") as caught:
        key_of(text)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4/4", (4, 4)),
        (" 12/8 ", (12, 8)),
        ("C", (4, 4)),
        ("C|", (2, 2)),
        ("none", (0, 4)),
        ("", (0, 4)),
        ("2+3/8", (0, 4)),
        ("(2+3+2)/8", (0, 4)),
    ],
)
def test_metres(text: str, expected: tuple[int, int]) -> None:
    assert metre_of(text) == expected


@pytest.mark.parametrize("text", ["4", "4/0", "0/4", "100/4", "4/4/4", "C||", "-4/4", "9" * 5000 + "/4", "+" * 5000])
def test_what_is_no_metre_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="its metre is "):
        metre_of(text)


def test_unit_note_lengths_in_quarter_notes() -> None:
    assert [unit_of(text) for text in ("1/8", " 1/16 ", "1", "3/8")] == [(4, 8), (4, 16), (4, 1), (12, 8)]


@pytest.mark.parametrize("text", ["", "1/0", "0/8", "/8", "1/8000", "-1/8", "1.5", "9" * 5000])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="its unit note length is "):
        unit_of(text)


@pytest.mark.parametrize(
    ("metre", "eighth"), [("2/4", False), ("5/8", False), ("3/4", True), ("6/8", True), ("C", True), ("none", True)]
)
def test_without_a_length_it_is_a_sixteenth_in_metres_shorter_than_three_quarters(metre: str, eighth: bool) -> None:
    numerator, denominator = default_unit(metre_of(metre))
    assert numerator / denominator == (1 / 2 if eighth else 1 / 4)
