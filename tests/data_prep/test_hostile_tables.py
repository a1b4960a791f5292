"""Annotations of POP909 and tables of MAESTRO that nobody made: each alone, then all beside two good ones."""

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from data_prep.__main__ import main
from data_prep.kinds import load
from tests.data_prep.limited import LIMITED, MOST_KIB, READ, ROOT


def midi_file(events: bytes) -> bytes:
    body = events + b"\0\xff\x2f\0"
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 480, b"MTrk", len(body)) + body


def midi(*events: bytes, name: bytes = b"MELODY") -> bytes:
    """Thirty-two seconds: sixteen bars in quarters at 120 beats per minute, after these events."""
    notes = (bytes((0, 0x90, 60 + n * 5 % 13, 80, 0x83, 0x60, 60 + n * 5 % 13, 0)) for n in range(64))
    return midi_file(b"\0\xff\x03" + bytes((len(name),)) + name + b"".join((*events, *notes)))


BEATS: Final = "".join(f"{beat / 2} {float(beat % 2 == 0)} {float(beat % 4 == 0)}\n" for beat in range(65)).encode()
CHORDS: Final = "".join(f"{2 * bar} {2 * bar + 2} C:maj\n" for bar in range(16)).encode()


def fifth(line: bytes, lines: bytes = BEATS) -> bytes:
    """The lines with another fifth one."""
    every = lines.split(b"\n")
    return b"\n".join([*every[:4], line, *every[5:]])


def label(text: str | bytes) -> bytes:
    """The chords with this label on the fifth."""
    return fifth(b"8 10 " + (text if isinstance(text, bytes) else text.encode()), CHORDS)


def beats(count: int, per_bar: int) -> bytes:
    """So many beats, ten a second."""
    return "".join(f"{beat / 10} 0.0 {float(beat % per_bar == 0)}\n" for beat in range(count)).encode()


MISSING: Final = None
NO_BAR: Final = "0 bars"
NO_NUMBER: Final = "a time that is no number"
OUT_OF_ORDER: Final = "are not in order of time"
OUT_OF_RANGE: Final = "a time that is not from 0 to 10,800 s"
THREE: Final = "each line has 3"
TOO_LARGE: Final = "at most 4000000 are read"
UNFLAGGED: Final = "third column"
UNREADABLE: Final = "cannot be read"

Song = tuple[bytes | None, bytes | None, bytes | None]

SONGS: Final[dict[str, tuple[Callable[[], Song], str]]] = {
    "no MIDI file": (lambda: (MISSING, BEATS, CHORDS), UNREADABLE),
    "no beats": (lambda: (midi(), MISSING, CHORDS), UNREADABLE),
    "no chords": (lambda: (midi(), BEATS, MISSING), UNREADABLE),
    "empty MIDI file": (lambda: (b"", BEATS, CHORDS), "no MIDI file"),
    "empty beats": (lambda: (midi(), b"", CHORDS), "no line in it"),
    "empty chords": (lambda: (midi(), BEATS, b""), "no line in it"),
    "zeros": (lambda: (bytes(1000), bytes(1000), bytes(1000)), "no MIDI file"),
    "no melody": (lambda: (midi(name=b"VOICE"), BEATS, CHORDS), "no track named MELODY"),
    "a melody in escapes": (lambda: (midi(name=b"\x1b[2J\n" * 20), BEATS, CHORDS), "no track named MELODY"),
    "tempo 0": (lambda: (midi(b"\0\xff\x51\3\0\0\0"), BEATS, CHORDS), READ),
    "200,000 notes at once": (lambda: (midi(b"\0\x90\x3c\x50" * 200_000), BEATS, CHORDS), READ),
    "400,000 notes": (lambda: (midi(b"\1\x90\x3c\x50\1\x3c\0" * 400_000), BEATS, CHORDS), "off the 16-step grid"),
    # Beats.
    "beats are one line": (lambda: (midi(), BEATS[:12], CHORDS), NO_BAR),
    "beats are two downbeats": (lambda: (midi(), b"0 1 1\n1 1 1\n", CHORDS), "not in 4/4"),
    "beats without a downbeat": (lambda: (midi(), BEATS.replace(b"1.0\n", b"0.0\n"), CHORDS), NO_BAR),
    "beats are all downbeats": (lambda: (midi(), beats(60, 1), CHORDS), "not in 4/4"),
    "beat at NaN": (lambda: (midi(), fifth(b"nan 0.0 1.0"), CHORDS), OUT_OF_RANGE),
    "beat at infinity": (lambda: (midi(), fifth(b"inf 0.0 1.0"), CHORDS), OUT_OF_RANGE),
    "beat at 1e400": (lambda: (midi(), fifth(b"1e400 0.0 1.0"), CHORDS), OUT_OF_RANGE),
    "beat at -1": (lambda: (midi(), fifth(b"-1 0.0 1.0"), CHORDS), OUT_OF_RANGE),
    "beat at a word": (lambda: (midi(), fifth(b"two 0.0 1.0"), CHORDS), NO_NUMBER),
    "beat at escapes": (lambda: (midi(), fifth(b"\x1b[31m 0.0 1.0"), CHORDS), NO_NUMBER),
    "beat at no UTF-8": (lambda: (midi(), fifth(b"\xff\xfe 0.0 1.0"), CHORDS), NO_NUMBER),
    "beat at a null byte": (lambda: (midi(), fifth(b"2\0 0.0 1.0"), CHORDS), NO_NUMBER),
    "beat of 3.9 million digits": (lambda: (midi(), fifth(b"2." + b"0" * 3_900_000 + b" 0 1"), CHORDS), READ),
    "beat before the last": (lambda: (midi(), fifth(b"0.1 0.0 1.0"), CHORDS), OUT_OF_ORDER),
    "beat with the last": (lambda: (midi(), fifth(b"1.5 0.0 1.0"), CHORDS), OUT_OF_ORDER),
    "beat right behind the last": (lambda: (midi(), fifth(b"1.5000000000000002 0.0 1.0"), CHORDS), READ),
    "beats closer than any": (lambda: (midi(), b"0 1 1\n5e-324 0 0\n1e-323 0 0\n2e-323 0 0\n4e-323 1 1", CHORDS), READ),
    "flag 7": (lambda: (midi(), fifth(b"2.0 0.0 7"), CHORDS), UNFLAGGED),
    "flag NaN": (lambda: (midi(), fifth(b"2.0 0.0 nan"), CHORDS), UNFLAGGED),
    "two columns": (lambda: (midi(), fifth(b"2.0 0.0"), CHORDS), THREE),
    "2 million columns": (lambda: (midi(), b"1 " * 1_999_999, CHORDS), THREE),
    "49,000 bars": (lambda: (midi(), beats(49_000, 1), CHORDS), "a song has from 1 to 10,000"),
    "10,000 bars": (lambda: (midi(), beats(40_001, 4), CHORDS), READ),
    "10^6 lines": (lambda: (midi(), b"0 0 0\n" * 1_000_000, CHORDS), TOO_LARGE),
    "3.9 million spaces": (lambda: (midi(), b" " * 3_900_000 + BEATS, CHORDS), READ),
    "9 million spaces": (lambda: (midi(), b" " * 9_000_000 + BEATS, CHORDS), TOO_LARGE),
    "byte order mark": (lambda: (midi(), b"\xef\xbb\xbf" + BEATS, CHORDS), NO_NUMBER),
    "UTF-16": (lambda: (midi(), BEATS.decode().encode("utf-16"), CHORDS), THREE),
    "lines of Windows": (lambda: (midi(), BEATS.replace(b"\n", b"\r\n"), CHORDS), READ),
    # Chords.
    "chords are half a line": (lambda: (midi(), BEATS, CHORDS[:4]), THREE),
    "chord out of order": (lambda: (midi(), BEATS, fifth(b"1 8 C:maj", CHORDS)), OUT_OF_ORDER),
    "chord that ends before": (lambda: (midi(), BEATS, fifth(b"8 7 C:maj", CHORDS)), OUT_OF_ORDER),
    "chord from NaN": (lambda: (midi(), BEATS, fifth(b"nan 10 C:maj", CHORDS)), OUT_OF_RANGE),
    "chord for ever": (lambda: (midi(), BEATS, fifth(b"8 inf C:maj", CHORDS)), OUT_OF_RANGE),
    "chord for three hours": (lambda: (midi(), BEATS, fifth(b"8 10800 C:maj", CHORDS)), READ),
    "label in escapes": (lambda: (midi(), BEATS, label("C:\x1b[31m\u202e")), READ),
    "label of no UTF-8": (lambda: (midi(), BEATS, label(b"\xff\xfe")), READ),
    "label of 1 MB": (lambda: (midi(), BEATS, label("C:" + "x" * 10**6)), READ),
    "label of 1 million slashes": (lambda: (midi(), BEATS, label("C:" + "/" * 10**6)), READ),
    "label of 100,000 sharps": (lambda: (midi(), BEATS, label("C" + "#" * 10**5 + ":maj")), READ),
    "10,000 labels": (
        lambda: (midi(), BEATS, CHORDS + "".join(f"32 32 C:q{n}\n" for n in range(10_000)).encode()), READ
    ),
}  # fmt: skip

HEADER: Final = "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"


def row(path: str, split: str = "train") -> str:
    return f"Bach,Fugue,{split},2004,{path},a.wav,32"


def table(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join((header, row("good.midi"), *lines)).encode()


ROWS: Final[dict[str, str]] = {
    row("/etc/passwd.midi"): "a path that leads out of the folder",
    row("../music/good.midi"): "a path that leads out of the folder",
    row(""): "no midi_filename",
    row("good.wav"): "a name that does not end in",
    row("none.midi"): "no such file",
    row("x" * 5_000 + ".midi"): "no such file",
    row("a/" * 3_000 + "b.midi"): "no such file",
    row("\x1b[2J\u202e.midi"): "no such file",
    row('"two\nlines.midi"'): "no such file",
    row("~/good.midi"): "no such file",
    row("folder.midi"): "no such file",
    row("pipe.midi"): "no such file",
    row("zero.midi"): "no such file",
    row("nowhere.midi"): "no such file",
    row("loop.midi"): "no such file",
    row("outside.midi"): "a link that leads out of the folder",
    row("page.midi"): "no MIDI file",
    row("short.midi"): "no usable window",
    row("good.midi"): "named twice",
    row("./good.midi"): "named twice",
    row("good 2.midi", "Train"): "unknown split",
    row("good 2.midi", "\x1b[31m" * 1000): "unknown split",
    row("both.midi", "test") + "\n" + row("both.midi"): "in two splits",
    "too,few": "2 fields where the header has 7",
    row("good 2.midi") + "," * 1000: "1007 fields where the header has 7",
}
"""Rows that cost no more than themselves, and what is said of each."""

TABLES: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "empty": (lambda: b"", "no column canonical_composer"),
    "header alone": (lambda: HEADER.encode(), "No music of this kind there"),
    "null bytes": (lambda: bytes(1000), "null bytes in it"),
    "byte order mark": (lambda: b"\xef\xbb\xbf" + table(), READ),
    "UTF-16": (lambda: table().decode().encode("utf-16"), "null bytes in it"),
    "Latin-1": (lambda: table("Dvo\xf8\xe1k").decode().encode("latin-1"), "is no UTF-8"),
    "a page": (lambda: b"<!DOCTYPE html>\n<html></html>", "no column canonical_composer"),
    "semicolons": (lambda: table().replace(b",", b";"), "no column canonical_composer"),
    "tabs": (lambda: table().replace(b",", b"\t"), "no column canonical_composer"),
    "lines of old Macs": (lambda: table().replace(b"\n", b"\r"), READ),
    "a column twice": (lambda: table(header=f"{HEADER},split"), "two columns split"),
    "a column missing": (lambda: table(header=HEADER.replace("split", "part")), "no column split"),
    "10,000 columns more": (lambda: table(header=HEADER + ",x" * 10_000), "Nothing usable"),
    "a header of 1 MB": (lambda: table(header=HEADER + "x" * 10**6), "a line of"),
    "a line of 64 MB": (lambda: table("x" * 2**26), "at most 67108864 are read"),
    "a line of 1 MB": (lambda: table("x" * 10**6), "a line of"),
    "a quote that never ends": (lambda: table('"' + "x\n" * 1_000_000), "row 3:"),
    "40,000 line breaks in quotes": (lambda: table(*['"'] * 79_998), READ),
    "a quote within a field": (lambda: table(row('go"od.midi')), READ),
    "200,000 empty lines": (lambda: table(*[""] * 200_000, row("good 2.midi")), "over 100,000 rows"),
    "100,001 rows": (lambda: table(*["x"] * 100_001), "over 100,000 rows"),
    "30,000 bad rows": (lambda: table(*["x"] * 30_000), READ),
}


@cache
def made(name: str) -> Song:
    return SONGS[name][0]()


def write_song(folder: Path, song: Song) -> None:
    folder.mkdir(parents=True)
    for name, data in zip((f"{folder.name}.mid", "beat_midi.txt", "chord_midi.txt"), song, strict=True):
        if data is not MISSING:
            (folder / name).write_bytes(data)


def alone(source: str, folder: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a folder: nothing, or one line, and then nothing is written."""
    code = main([source, str(folder), "--out", str(out), "--jobs", "1"])
    said = capsys.readouterr()
    assert all(line.isprintable() for line in (said.out + said.err).split("\n"))
    assert (code, said.err.count("\n"), out.exists()) in ((0, 0, True), (2, 1, False))
    return said.err


def together(source: str, folder: Path, out: Path) -> tuple[set[str], dict[str, str]]:
    """Songs, and what is said of each that gave none, when all are read within bounds of time and memory."""
    command = (sys.executable, "-c", LIMITED, source, folder, "--out", out)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.isprintable() for line in done.stdout.split("\n"))
    assert int(done.stdout.split()[-1]) < MOST_KIB
    about = load(out).about
    said = {item["path"]: item["reason"] for item in about["skipped"]}
    assert all(text.isprintable() for text in (*said, *said.values(), *about["counts"]["remarks"]))
    return {song["id"] for song in about["songs"]}, said


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", SONGS)
def test_a_hostile_song_is_music_or_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_song(tmp_path / "song", made(name))
    said, told = alone("pop909", tmp_path / "song", tmp_path / "corpus", capsys), SONGS[name][1]
    assert told in said if told else said == READ


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
def test_among_hostile_songs_the_good_ones_are_read(tmp_path: Path) -> None:
    for name in SONGS:
        write_song(tmp_path / "music" / name, made(name))
    for name in ("good 1", "good 2"):
        write_song(tmp_path / "music" / name, (midi(), BEATS, CHORDS))
    songs, said = together("pop909", tmp_path / "music", tmp_path / "corpus")
    reasons = {path.partition("/")[0]: reason for path, reason in said.items()}
    assert songs == {"good 1", "good 2", *(name for name, (_, told) in SONGS.items() if not told)}
    assert reasons.keys() == {name for name, (_, told) in SONGS.items() if told}
    assert all(SONGS[name][1] in reason for name, reason in reasons.items()), reasons


@pytest.fixture
def maestro(tmp_path: Path) -> Path:
    """A folder of good and hostile files; its table is up to the test."""
    folder = tmp_path / "music"
    (folder / "folder.midi").mkdir(parents=True)
    for name in ("good.midi", "good 2.midi", "both.midi"):
        (folder / name).write_bytes(midi())
    (tmp_path / "outside.midi").write_bytes(midi())
    (folder / "page.midi").write_text("<html></html>")
    (folder / "short.midi").write_bytes(midi_file(b"\0\x90\x3c\x50\x60\x3c\0"))
    os.mkfifo(folder / "pipe.midi")
    links = {"zero": "/dev/zero", "nowhere": "nothing", "loop": "loop.midi", "outside": "../outside.midi"}
    for name, target in links.items():
        (folder / f"{name}.midi").symlink_to(target)
    return folder


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", TABLES)
def test_a_hostile_table_is_read_or_one_line(name: str, maestro: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, told = TABLES[name]
    (maestro / "maestro.csv").write_bytes(make())
    said = alone("maestro", maestro, maestro.parent / "corpus", capsys)
    assert told in said if told else said == READ


@pytest.mark.parametrize("place", ["folder", "pipe", "link out", "link to /dev/zero", "two", "none"])
def test_a_table_that_is_no_file_is_one_line(place: str, maestro: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = maestro / "maestro.csv"
    if place == "folder":
        path.mkdir()
    elif place == "pipe":
        os.mkfifo(path)
    elif place == "link out":
        (maestro.parent / "outside.csv").write_bytes(table())
        path.symlink_to("../outside.csv")
    elif place == "link to /dev/zero":
        path.symlink_to("/dev/zero")
    elif place == "two":
        path.write_bytes(table())
        (maestro / "\x1b[2J.csv").write_bytes(table())
    assert alone("maestro", maestro, maestro.parent / "corpus", capsys) != READ


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
def test_among_hostile_rows_the_good_ones_are_read(maestro: Path) -> None:
    (maestro / "maestro.csv").write_bytes(table(row("good 2.midi", "test"), *ROWS))
    songs, said = together("maestro", maestro, maestro.parent / "corpus")
    assert songs == {"good.midi", "good 2.midi"}
    for told in set(ROWS.values()):
        wanted = sum(reason == told for reason in ROWS.values()) + (told == "in two splits")
        assert sum(told in reason for reason in said.values()) == wanted, told
    assert len(said) == len(ROWS) + 1
