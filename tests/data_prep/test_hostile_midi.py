"""MIDI files that no musician wrote: each alone, then all in one folder beside two good ones."""

import gzip
import io
import json
import os
import random
import struct
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from data_prep.__main__ import main
from data_prep.errors import UserError
from data_prep.formats import midi
from data_prep.formats.midi_pretty import read_pretty_midi
from data_prep.kinds import load
from tests.data_prep.limited import LIMITED, MOST_KIB, READ, ROOT

QUARTER: Final = 480
EITHER: Final = None
"""Of an event cut short, which is read as the bytes behind it happen to be."""

ENVIRONMENT: Final = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def length(number: int) -> bytes:
    """A variable-length quantity."""
    groups = [number & 127]
    while number := number >> 7:
        groups.append(number & 127 | 128)
    return bytes(reversed(groups))


def header(form: int = 1, tracks: int = 2, resolution: int = QUARTER, size: int = 6) -> bytes:
    return struct.pack(">4sIHHH", b"MThd", size, form, tracks, resolution)


def track(*events: bytes, size: int | None = None, end: bytes = b"\0\xff\x2f\0") -> bytes:
    body = b"".join(events) + end
    return struct.pack(">4sI", b"MTrk", len(body) if size is None else size) + body


def meta(kind: int, data: bytes) -> bytes:
    return bytes((0, 255, kind)) + length(len(data)) + data


def note(pitch: int, ticks: int = QUARTER, channel: int = 0) -> bytes:
    return bytes((0, 0x90 | channel, pitch, 80)) + length(ticks) + bytes((0x80 | channel, pitch, 0))


def melody(*before: bytes) -> bytes:
    """Sixteen bars in quarters."""
    return track(*before, meta(3, b"MELODY"), *(note(60 + number * 5 % 13) for number in range(64)))


def harmony() -> bytes:
    """A chord in each of sixteen bars, on channel 2."""
    chord = b"".join(b"\0\x91" + bytes((pitch, 80)) for pitch in (48, 52, 55))
    release = length(4 * QUARTER) + b"\x81\x30\0\0\x81\x34\0\0\x81\x37\0"
    return track(meta(3, b"CHORDS"), *[chord + release] * 16)


def song(*before: bytes, resolution: int = QUARTER, tracks: int = 2, form: int = 1) -> bytes:
    """Sound music, with these events at the head of its melody."""
    return header(form, tracks, resolution) + melody(*before) + harmony()


def named(name: bytes) -> bytes:
    """Sound music whose melody has this name."""
    return header() + track(meta(3, name), *[note(60)] * 64) + harmony()


def instruments() -> list[bytes]:
    """A note of every program on every channel."""
    every = [(channel, program) for channel in range(16) for program in range(128)]
    return [bytes((0, 0xC0 | channel, program)) + note(60, channel=channel) for channel, program in every]


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("song.mid", song())
    return packed.getvalue()


def riff() -> bytes:
    whole = song()
    return struct.pack("<4sI4s4sI", b"RIFF", len(whole) + 12, b"RMID", b"data", len(whole)) + whole


def noise(seed: int) -> bytes:
    """Random bytes, under a sound header for even seeds."""
    drawn = random.Random(seed).randbytes(20_000)
    return drawn if seed % 2 else header() + struct.pack(">4sI", b"MTrk", len(drawn)) + drawn


def mutated(seed: int) -> bytes:
    """Sound music with 40 bytes changed."""
    drawn, whole = random.Random(seed), bytearray(song())
    for _ in range(40):
        whole[drawn.randrange(14, len(whole))] = drawn.randrange(256)
    return bytes(whole)


ON: Final = b"\0\x90\x3c\x50"
OFF: Final = b"\0\x80\x3c\0"
FOREVER: Final = b"\xff\xff\xff\x7f"
"""The longest time between two events, 2^28 - 1 ticks; as a length, 256 MiB."""

METRE: Final = b"\x01\xff\x58\x04\x01\x02\x18\x08"
"""1/4, a tick later."""
ESCAPES: Final = meta(3, b"\x1b[2J\n" * 2000)

DAMAGED: Final = "a damaged MIDI file"
LONE: Final = "only one track with notes"
NO_MIDI: Final = "no MIDI file"
NO_NOTE: Final = "no note in it"
OFF_GRID: Final = "off the 16-step grid"
OTHER_METRE: Final = "not in 4/4"
SHORT: Final = "remainder shorter than a window"
TOO_LONG: Final = "at most 10,800 s"
TOO_MANY_TICKS: Final = "over 1,000,000,000 ticks"
UNCOUNTED: Final = "ticks of a quarter note"
WHICH: Final = "which track is the melody"

HOSTILE: Final[dict[str, tuple[Any, ...]]] = {
    # Cut short, or no MIDI at all.
    "empty": (lambda: b"", NO_MIDI),
    "four bytes": (lambda: b"MThd", NO_MIDI),
    "thirteen bytes": (lambda: header()[:13], NO_MIDI),
    "header alone": (header, NO_NOTE),
    "cut in the head of a track": (lambda: song()[:19], DAMAGED),
    "cut in a track": (lambda: song()[:300], DAMAGED),
    "cut before the last track": (lambda: song()[: song().rindex(b"MTrk")], LONE, READ),
    "cut in a delta time": (lambda: header(0, 1) + track(ON, b"\x83", end=b""), DAMAGED),
    "cut in a note": (lambda: header(0, 1) + track(ON, OFF[:2], end=b""), DAMAGED),
    "cut in a meta event": (lambda: header(0, 1) + track(ON, b"\0\xff\x51\x03\x07", end=b""), DAMAGED),
    "cut before its last byte": (lambda: song()[:-1], DAMAGED),
    "wrong magic": (lambda: b"MThx" + song()[4:], NO_MIDI),
    "byte order mark": (lambda: b"\xef\xbb\xbf" + song(), NO_MIDI),
    "in RIFF": (riff, NO_MIDI),
    "in gzip": (lambda: gzip.compress(song()), NO_MIDI),
    "in a zip": (zipped, NO_MIDI),
    "a page": (lambda: b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>", NO_MIDI),
    "16 MiB of zeros": (lambda: bytes(2**24), NO_MIDI),
    "zeros in a track": (lambda: header(0, 1) + track(end=bytes(2**24 - 22)), DAMAGED),
    "over 16 MiB": (lambda: song() + bytes(2**24), "at most 16777216 are read"),
    # Headers.
    "header of 0 bytes": (lambda: header(size=0) + song()[14:], DAMAGED),
    "header of 5 bytes": (lambda: header(size=5) + song()[14:], DAMAGED),
    "header of 8 bytes": (lambda: header(size=8) + b"\0\0" + song()[14:], DAMAGED),
    "header of 4 GiB": (lambda: header(size=2**32 - 1) + song()[14:], DAMAGED),
    "format 2": (lambda: song(form=2), "of format 2"),
    "format 3": (lambda: song(form=3), "of format 3"),
    "format 65535": (lambda: song(form=65535), "of format 65535"),
    "no track declared": (lambda: song(tracks=0), NO_NOTE),
    "65535 tracks declared": (lambda: song(tracks=65535), READ),
    "resolution 0": (lambda: song(resolution=0), UNCOUNTED),
    "resolution 1": (lambda: song(resolution=1), TOO_LONG),
    "resolution 32767": (lambda: song(resolution=32767), OFF_GRID, SHORT),
    "time codes": (lambda: song(resolution=0xE728), UNCOUNTED),
    # Tracks and events.
    "track longer than the file": (lambda: header(0, 1) + track(ON, OFF, size=2**31), DAMAGED),
    "track of 4 GiB": (lambda: header(0, 1) + track(ON, OFF, size=2**32 - 1), DAMAGED),
    "track shorter than its events": (lambda: header(0, 1) + track(note(60), note(62), size=9), LONE, SHORT),
    "track of 0 bytes": (lambda: header(0, 1) + track(note(60), size=0), NO_NOTE),
    "track without an end": (lambda: header(0, 1) + track(note(60), end=b""), LONE, SHORT),
    "an unknown chunk": (lambda: header(1, 3) + b"XFIH\0\0\0\x08" + bytes(8) + song()[14:], READ),
    "bytes behind the end": (lambda: song() + b"\xff" * 1000, READ),
    "5,000 empty tracks": (lambda: song(tracks=5002) + track() * 5000, READ),
    "5,000 tracks with a note": (lambda: song(tracks=5002) + track(note(60)) * 5000, "5,002 tracks with notes"),
    "2,048 instruments in a track": (lambda: song(*instruments()), "2,049 tracks with notes"),
    "400,000 instruments": (lambda: header(tracks=65535) + track(*instruments()) * 200, "over 20,000 instruments"),
    "400,000 instruments without an end": (
        lambda: header(tracks=65535) + track(b"".join(instruments()).replace(b"\x83\x60\x80", b"\0\xa0")) * 200,
        "over 20,000 instruments",
    ),
    "60,000 tracks with a note": (lambda: song(tracks=65535) + track(ON, end=b"") * 60_000, "over 20,000 instruments"),
    "running status first": (lambda: song(b"\0\x3c\x50"), DAMAGED),
    "running status behind a meta event": (lambda: song(ON, meta(1, b"x"), b"\0\x3c\0"), READ),
    "delta time of five bytes": (lambda: song(b"\xff\xff\xff\xff\x7f\x90\x3c\x50"), DAMAGED),
    "delta time of ten bytes": (lambda: song(b"\xff" * 9 + b"\x7f\x90\x3c\x50"), DAMAGED),
    "meta event of 256 MiB": (lambda: song(b"\0\xff\x01" + FOREVER), DAMAGED),
    "sysex of 256 MiB": (lambda: song(b"\0\xf0" + FOREVER), DAMAGED),
    "sysex without an end": (lambda: song(b"\0\xf0\x20" + b"\x01" * 32), READ),
    "status bytes that are none": (lambda: song(b"\0\xf4\0\xf5\0\xfd"), DAMAGED),
    "data bytes over 127": (lambda: song(b"\0\x90\xff\xff"), DAMAGED),
    # Times.
    "20 times 2^28 - 1 ticks": (lambda: song(*[FOREVER + ON[1:] + OFF] * 20), TOO_MANY_TICKS),
    "note of 10^9 ticks": (lambda: song(ON, *[FOREVER + b"\xa0\x3c\0"] * 4, OFF), TOO_MANY_TICKS),
    "note of 2 x 10^8 ticks": (lambda: song(note(60, 200_000_000)), TOO_LONG),
    "tempo 0": (lambda: song(meta(0x51, bytes(3))), READ),
    "slowest tempo": (lambda: song(meta(0x51, b"\xff" * 3)), READ),
    "slowest tempo for long": (lambda: song(meta(0x51, b"\xff" * 3), note(60, 1000 * QUARTER)), TOO_LONG),
    "tempo of 0 bytes": (lambda: song(meta(0x51, b"")), READ, EITHER),
    "tempo of 0 bytes at the end": (lambda: song(tracks=3) + track(end=b"\0\xff\x51\0"), READ, EITHER),
    "tempo of 200 bytes": (lambda: song(meta(0x51, bytes(200))), READ),
    "10^5 tempi": (lambda: song(meta(0x51, b"\x07\xa1\x20") * 100_000), READ),
    # Metres and keys.
    "metre of 0 quarters": (lambda: song(meta(0x58, b"\0\x02\x18\x08")), OTHER_METRE, READ),
    "metre of four 2^200ths": (lambda: song(meta(0x58, b"\x04\xc8\x18\x08")), OTHER_METRE, READ),
    "metre of four 2^255ths": (lambda: song(meta(0x58, b"\x04\xff\x18\x08")), OTHER_METRE, READ),
    "metre of 255 wholes": (lambda: song(meta(0x58, b"\xff\0\x18\x08")), OTHER_METRE, READ),
    "metre of 1 byte": (lambda: song(meta(0x58, b"\x04")), EITHER, READ),
    "metre at every tick": (lambda: song(METRE * 30_000), "30,000 changes of metre", READ),
    "10^5 metres at once": (lambda: song(meta(0x58, b"\x03\x02\x18\x08") * 100_000), OTHER_METRE, READ),
    "10^4 bars and more": (lambda: song(METRE, note(61, 10_000 * QUARTER)), "over 10,000 bars", READ),
    "key of 127 flats": (lambda: song(meta(0x59, b"\x81\x07")), READ),
    "key of 0 bytes": (lambda: song(meta(0x59, b"")), READ),
    # Texts.
    "null bytes in a name": (lambda: named(b"melody\0b"), READ),
    "escape codes in a name": (lambda: named(b"melody \x1b[31m\x1b]0;x\x07\r\n"), READ),
    "escape codes in all names": (lambda: header(1, 3) + track(ESCAPES, note(60)) * 3, WHICH, SHORT),
    "a name in Latin-1": (lambda: named(b"melody of the fl\xf6te"), READ),
    "a name of 1 MiB": (lambda: named(b"melody " + b"x" * 2**20), READ),
    "karaoke": (lambda: song(meta(5, b"la\\/ ") * 5000), READ),
    # Notes.
    "no note, only meta events": (lambda: header(0, 1) + track(meta(3, b"x"), meta(5, b"la")), NO_NOTE),
    "only drums": (lambda: header(0, 1) + track(*[note(40, channel=9)] * 64), WHICH, "no note in it but drums"),
    "starts without ends": (lambda: header(0, 1) + track(*[b"\x60\x90\x3c\x50"] * 100), NO_NOTE),
    "ends without starts": (lambda: song(OFF * 1000), READ),
    "notes of no length": (lambda: header(0, 1) + track((ON + OFF) * 1000), NO_NOTE),
    "notes of velocity 0": (lambda: header(0, 1) + track(b"\0\x90\x3c\0" * 1000), NO_NOTE),
    "400,000 notes": (lambda: song(b"\0\x90\x3c\x50\x01\x3c\0" * 400_000), OFF_GRID, READ),
    "10^6 notes": (lambda: song(b"\0\x90\x3c\x50\x01\x3c\0" * 1_000_000), "at most 500,000 are read"),
    "200,000 notes at once": (lambda: song(ON * 200_000, length(QUARTER) + OFF[1:], OFF * 199_999), READ),
    "200,000 long notes": (lambda: song(ON * 200_000, length(200_000) + OFF[1:], OFF * 199_999), READ),
    "200,000 notes one by one": (
        lambda: song(b"\x01\x90\x3c\x50" * 200_000, b"\x01\x80\x3c\0" * 200_000), OFF_GRID, READ
    ),
    "10^6 changes of the pedal": (lambda: song(b"\0\xb0\x40\x7f\0\xb0\x40\0" * 500_000), READ),
    # Whatever comes.
    **{f"random {seed}": (partial(noise, seed), NO_MIDI) for seed in (1, 3)},
    **{f"random under a header {seed}": (partial(noise, seed), DAMAGED) for seed in (0, 2)},
    **{f"40 bytes changed {seed}": (partial(mutated, seed), EITHER) for seed in range(4)},
}  # fmt: skip


def told_of(name: str, source: str) -> str | None:
    """What must be said of a hostile file: its second word is of it as piano music, where that is another."""
    return HOSTILE[name][1 if source == "midi" else -1]


def printable(*texts: str) -> bool:
    return all(line.isprintable() for text in texts for line in text.split("\n"))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("source", ["midi", "piano"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_music_or_one_line(
    name: str, source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out, told = tmp_path / f"{name}.mid", tmp_path / "corpus", told_of(name, source)
    file.write_bytes(HOSTILE[name][0]())
    code = main([source, str(file), "--out", str(out), "--jobs", "1"])
    said = capsys.readouterr()
    assert printable(said.out, said.err)
    assert told is EITHER or code == (0 if told is READ else 2), said.err
    if code:
        assert code == 2
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        assert (told or "") in said.err
        assert not out.exists()
    else:
        assert said.err == ""
        assert load(out).num_songs == 1


@pytest.mark.timeout(60)
def test_without_symusic_hostile_files_are_music_or_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi, "_reader", lambda: read_pretty_midi)
    refused = 0
    for make, *_ in HOSTILE.values():
        data = make()
        if len(data) < 100_000:
            try:
                midi.read_midi(data)
            except UserError:
                refused += 1
    assert refused > len(HOSTILE) // 3


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
@pytest.mark.parametrize("source", ["midi", "piano"])
def test_among_hostile_files_the_good_ones_are_read(source: str, tmp_path: Path) -> None:
    folder, out = tmp_path / "music", tmp_path / "corpus"
    folder.mkdir()
    for name in HOSTILE:
        (folder / f"{name}.mid").write_bytes(HOSTILE[name][0]())
    for number in (1, 2):
        (folder / f"good {number}.mid").write_bytes(song(note(60 + number)))
    command = (sys.executable, "-c", LIMITED, source, folder, "--out", out)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert printable(done.stdout)
    assert int(done.stdout.split()[-1]) < MOST_KIB
    about = json.loads((out / "corpus.json").read_text())
    songs, skipped = (
        {song["id"] for song in about["songs"]},
        {item["path"]: item["reason"] for item in about["skipped"]},
    )
    assert {"good 1.mid", "good 2.mid"} <= songs
    assert songs | set(skipped) == {file.name for file in folder.iterdir()}
    assert printable(*skipped.values())
    for name in HOSTILE:
        told = told_of(name, source)
        if told is not EITHER:
            assert told in skipped[f"{name}.mid"] if told else f"{name}.mid" in songs, name
