"""Lead sheets in JSON that no editor wrote: each alone, then all beside two good ones."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from data_prep.__main__ import main
from data_prep.corpus import load
from tests.data_prep.limited import LIMITED, MOST_KIB, READ, ROOT

NAME: Final = "verse_symbol_nokey.json"


Fields = dict[str, Any]


def note(start: float, end: float, **fields: Any) -> Fields:
    return {"pitch": 0, "isRest": False, "event_on": start, "event_off": end, **fields}


def chord(start: float, end: float, **fields: Any) -> Fields:
    plain = {"root": 0, "quality": "m", "chord_type": 5, "sus": None}
    return {**plain, "event_on": start, "event_off": end, **fields}


def sheet(melody: Any = None, chords: Any = None, /, **metadata: Any) -> Fields:
    """Sixteen bars in quarters with a chord each, but for what is given."""
    tune = [note(beat, beat + 1, pitch=beat * 5 % 13) for beat in range(64)]
    harmony = [chord(4 * bar, 4 * bar + 4, root=bar % 12) for bar in range(16)]
    tracks = {"melody": tune if melody is None else melody, "chord": harmony if chords is None else chords}
    return {"metadata": {"beats_in_measure": "4", **metadata}, "tracks": tracks}


def text(*tracks: Any, **metadata: Any) -> bytes:
    return json.dumps(sheet(*tracks, **metadata)).encode()


def filled(value: str, *tracks: Any, **metadata: Any) -> bytes:
    """The sheet with this text of JSON in the place of "@"."""
    return text(*tracks, **metadata).replace(b'"@"', value.encode())


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


NO_JSON: Final = "not sound JSON"
NO_MELODY: Final = "no melody"
NO_SHEET: Final = "it is no symbol file of the Lead Sheet Dataset"
TOO_LARGE: Final = "at most 8388608 are read"
TOO_LONG: Final = "at most 10,000 bars are read"
UNENDING: Final = "must be a finite number"

HOSTILE: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    # No JSON, or not in UTF-8.
    "empty": (lambda: b"", NO_JSON),
    "a null byte": (lambda: b"\0", NO_JSON),
    "a page": (lambda: b"<!DOCTYPE html>\n<html></html>", NO_JSON),
    "gzip": (lambda: gzip.compress(text()), NO_JSON),
    "cut short": (lambda: text()[:500], NO_JSON),
    "trailing bracket": (lambda: text() + b"}", NO_JSON),
    "twice": (lambda: text() * 2, NO_JSON),
    "three lines": (lambda: b"\n".join([text()] * 3), NO_JSON),
    "byte order mark": (lambda: b"\xef\xbb\xbf" + text(), READ),
    "two byte order marks": (lambda: b"\xef\xbb\xbf" * 2 + text(), NO_JSON),
    "UTF-16": (lambda: text().decode().encode("utf-16"), NO_JSON),
    "UTF-16 without a mark": (lambda: text().decode().encode("utf-16-le"), NO_JSON),
    "UTF-32": (lambda: text().decode().encode("utf-32"), NO_JSON),
    "no UTF-8": (lambda: text(title="%").replace(b"%", b"\xff\xfe"), NO_JSON),
    # Size and depth.
    "2 million spaces": (lambda: b" " * 2_000_000, NO_JSON),
    "2 million spaces around": (lambda: b" " * 2_000_000 + text() + b"\n" * 2_000_000, READ),
    "9 MB": (lambda: text() + b" " * 9_000_000, TOO_LARGE),
    "100,000 brackets": (lambda: b"[" * 100_000, NO_JSON),
    "100,000 lists": (lambda: nested(100_000).encode(), NO_JSON),
    "100,000 objects": (lambda: nested(100_000, '{"":', "}").encode(), NO_JSON),
    "100,000 lists in the melody": (lambda: filled(nested(100_000), ["@"]), NO_JSON),
    "900 lists in the melody": (lambda: filled(nested(900), ["@"]), "where an event or null is due"),
    "900 lists for a pitch": (lambda: filled(nested(900), [note(0, 1, pitch="@")]), UNENDING),
    "900 lists for a quality": (lambda: filled(nested(900), None, [chord(0, 4, quality="@"), chord(4, 8)]), READ),
    "1.6 million rests": (lambda: filled(nested(1_600_000, "null,", "")[:-1], ["@"]), NO_MELODY),
    "1.3 million lists": (lambda: filled("[" + "[]," * 1_200_000 + "0]", title="@"), READ),
    "4 million numbers": (lambda: filled("[" + "1," * 4_100_000 + "1]", title="@"), READ),
    "200,000 keys": (lambda: text(keys=dict.fromkeys(range(200_000), 0)), READ),
    # Numbers.
    "a number": (lambda: b"4", NO_SHEET),
    "NaN": (lambda: b"NaN", NO_JSON),
    "5,000 digits": (lambda: b"1" * 5_000, NO_JSON),
    "8 million digits": (lambda: b"1" * 8_000_000, NO_JSON),
    "8 million decimals": (lambda: filled("1." + "1" * 8_000_000, [note(0, "@"), note(1, 2)]), "no usable bar"),
    "exponent of 8 million digits": (lambda: filled("1e" + "1" * 8_000_000, [note(0, "@")]), UNENDING),
    "pitch of 300 digits": (lambda: text([note(0, 1, pitch=10**300)]), "must be whole"),
    "pitch below the lowest": (lambda: text([note(0, 1, pitch=-61)]), "must be whole"),
    "pitch above the highest": (lambda: text([note(0, 1, pitch=68)]), "must be whole"),
    "beats as 4.0": (lambda: text(beats_in_measure=4.0), READ),
    "beats as 1 million digits": (lambda: text(beats_in_measure="4" * 1_000_000), UNENDING),
    "beats as 1e400 in text": (lambda: text(beats_in_measure="1e400"), UNENDING),
    "beats as nan in text": (lambda: text(beats_in_measure="nan"), UNENDING),
    "no beats in a measure": (lambda: text(beats_in_measure="0"), "not in 4/4: 0 beats"),
    "-4 beats in a measure": (lambda: text(beats_in_measure="-4"), "not in 4/4: -4 beats"),
    # Times.
    "note to beat 1e308": (lambda: text([note(0, 1), note(1, 1e308)]), TOO_LONG),
    "note at beat 1e308": (lambda: text([note(0, 1), note(1e308, 1.1e308)]), TOO_LONG),
    "note from beat -1e308": (lambda: text([note(-1e308, 1)]), "an event of its melody lasts from beat -1e+308"),
    "chord at beat 1e308": (lambda: text(None, [chord(0, 4), chord(1e308, 1.5e308)]), TOO_LONG),
    "10,000 bars": (lambda: text([note(0, 1), note(39_999, 40_000)]), READ),
    "10,001 bars": (lambda: text([note(0, 1), note(40_000, 40_001)]), TOO_LONG),
    "shortest note there is": (lambda: text([note(0, 5e-324)]), READ),
    "shortest chord there is": (lambda: text(None, [chord(0, 5e-324), chord(4, 8)]), READ),
    "triplets": (lambda: text([note(1 / 3, 2 / 3)]), "no usable bar"),
    "backwards": (lambda: text(sheet()["tracks"]["melody"][::-1], sheet()["tracks"]["chord"][::-1]), READ),
    # Many events.
    "40,000 notes": (lambda: text([note(step / 4, step / 4 + 0.25) for step in range(40_000)]), READ),
    "40,000 notes at once": (lambda: filled(",".join([json.dumps(note(0, 4))] * 40_000), ["@"]), READ),
    "40,000 long notes": (lambda: text([note(step / 4, 39_999) for step in range(40_000)]), READ),
    "20,000 kinds of chord": (lambda: text(None, [chord(0, 4, quality=str(n)) for n in range(20_000)]), "no chord in"),
    # Keys and texts.
    "tracks twice": (lambda: text().replace(b'"tracks"', b'"tracks": null, "tracks"'), READ),
    "tracks twice, then null": (lambda: text()[:-1] + b', "tracks": null}', NO_SHEET),
    "__proto__": (lambda: text()[:-1] + b', "__proto__": {"tracks": null}, "__class__": 1}', READ),
    "half a character for a key": (lambda: text()[:-1] + b', "\\ud800": 1}', READ),
    "half a character for a pitch": (lambda: text([note(0, 1, pitch="\ud800")]), "must be whole"),
    "half a character for a quality": (lambda: text(None, [chord(0, 4, quality="\udfff"), chord(4, 8)]), READ),
    "escape codes for a pitch": (lambda: text([note(0, 1, pitch="\x1b[31m\r\n\u202e")]), "must be whole"),
    "escape codes for a quality": (lambda: text(None, [chord(0, 4, quality="\x1b[2J\r\n\u202e"), chord(4, 8)]), READ),
    "escape codes for the beats": (lambda: text(beats_in_measure="\x1b[31m\r\n\u202e"), UNENDING),
    "quality of 1 MB": (lambda: text(None, [chord(0, 4, quality="x" * 10**6), chord(4, 8)]), READ),
    # Not what it should be.
    "only rests": (lambda: text([None] * 10), NO_MELODY),
    "no event": (lambda: text([], []), NO_MELODY),
    "in roman numerals": (lambda: text([{"scale_degree": "1s", "event_on": 0, "event_off": 1}]), "pitch is 'None'"),
}  # fmt: skip

VALUES: Final = (
    *("null", "true", "[]", "[[]]", "{}", "-1", "0.5", "-0.0", "1e308", "1e400", "NaN", "-Infinity", "9" * 5_000),
    *('""', '"x"', '"4"', r'"\ud800"', r'"\u001b[2J\n"'),
)
NEVER: Final = ("NaN", "-Infinity", "9" * 5_000)
"""No values of JSON, or not to be read: wherever they stand."""
ALL: Final = tuple(value for value in VALUES if value not in NEVER)

FIELDS: Final[dict[tuple[str | int, ...], tuple[str, ...]]] = {
    (): (),
    ("metadata",): (),
    ("metadata", "beats_in_measure"): ('"4"',),
    ("tracks",): (),
    ("tracks", "melody"): (),
    ("tracks", "melody", 1): ("null",),
    ("tracks", "melody", 1, "pitch"): ("-1", "-0.0"),
    ("tracks", "melody", 1, "event_on"): ("0.5", "-0.0"),
    ("tracks", "melody", 1, "event_off"): ('"4"',),
    ("tracks", "melody", 1, "isRest"): ALL,
    ("tracks", "chord"): (),
    ("tracks", "chord", 1): ("null",),
    ("tracks", "chord", 1, "root"): ALL,
    ("tracks", "chord", 1, "quality"): ALL,
    ("tracks", "chord", 1, "chord_type"): ALL,
    ("tracks", "chord", 1, "sus"): ALL,
    ("tracks", "chord", 1, "event_on"): ("0.5", "-0.0", '"4"'),
    ("tracks", "chord", 1, "event_off"): ('"4"',),
}
"""Every field that is read, and which of the values above it may have; its own lies from beat 1 or 4 to the next."""


def with_value(field: tuple[str | int, ...], value: str) -> bytes:
    """The sheet with this text of JSON in one field."""
    if not field:
        return value.encode()
    content = place = sheet()
    for key in field[:-1]:
        place = place[key]  # type: ignore[index]
    place[field[-1]] = "@"  # type: ignore[index]
    return json.dumps(content).replace('"@"', value).encode()


@cache
def made(name: str) -> bytes:
    return HOSTILE[name][0]()


def alone(folder: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of the only sheet of a folder: nothing, or one line, and then nothing is written."""
    out = folder / "corpus"
    (folder / NAME).write_bytes(data)
    code = main(["lead-sheet", str(folder), "--out", str(out), "--jobs", "1", "--chord-quality", "strict"])
    said = capsys.readouterr()
    assert all(line.isprintable() for line in (said.out + said.err).split("\n"))
    assert (code, said.err.count("\n"), out.exists()) in ((0, 0, True), (2, 1, False))
    return said.err


def together(folder: Path, out: Path) -> dict[str, str]:
    """What is said of every song, by its folder, when all are read within bounds of time and memory."""
    command = (sys.executable, "-c", LIMITED, "lead-sheet", folder, "--out", out)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.isprintable() for line in done.stdout.split("\n"))
    assert int(done.stdout.split()[-1]) < MOST_KIB
    about = load(out).about
    said = {item["path"].removesuffix(f"/{NAME}"): item["reason"] for item in about["skipped"]}
    assert all(reason.isprintable() for reason in (*said.values(), *about["counts"]["remarks"]))
    return said | {song["id"]: READ for song in about["songs"]}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_sheet_is_music_or_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told, said = HOSTILE[name][1], alone(tmp_path, made(name), capsys)
    assert told in said if told else said == READ


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: " ".join(map(str, field)) or "all of it")
def test_a_field_holds_what_it_should_or_one_line_says_so(
    field: tuple[str | int, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, value in enumerate(VALUES):
        folder = tmp_path / str(number)
        folder.mkdir()
        said = alone(folder, with_value(field, value), capsys)
        assert (said == READ) == (value in FIELDS[field]), f"{value[:20]}: {said}"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
def test_among_hostile_sheets_the_good_ones_are_read(tmp_path: Path) -> None:
    sheets = {name: made(name) for name in HOSTILE}
    fields = {
        f"field {place} {number}": (field, value)
        for place, field in enumerate(FIELDS)
        for number, value in enumerate(VALUES)
    }
    sheets |= {name: with_value(*place) for name, place in fields.items()} | {"good 1": text(), "good 2": text()}
    for name, data in sheets.items():
        folder = tmp_path / "music" / name
        folder.mkdir(parents=True)
        (folder / NAME).write_bytes(data)
    said = together(tmp_path / "music", tmp_path / "corpus")
    assert said.keys() == sheets.keys()
    assert said["good 1"] == said["good 2"] == READ
    for name, (_, told) in HOSTILE.items():
        assert told in said[name] if told else said[name] == READ, name
    for name, (field, value) in fields.items():
        assert (said[name] == READ) == (value in FIELDS[field]), f"{field} {value[:20]}: {said[name]}"


def test_a_hostile_section_costs_no_more_than_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in HOSTILE:
        if len(made(name)) < 1_000_000:
            (tmp_path / f"{name}_symbol_nokey.json").write_bytes(made(name))
    assert alone(tmp_path, text(), capsys) == READ
