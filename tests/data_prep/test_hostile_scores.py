"""MusicXML that no program saved: each score alone, then all in one folder beside two good ones."""

import gzip
import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from data_prep.__main__ import main
from data_prep.corpus import load
from tests.data_prep.limited import LIMITED, MOST_KIB, READ, ROOT

CHORD: Final = "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>"
CONTAINER: Final = '<container><rootfiles><rootfile full-path="{}"/></rootfiles></container>'
ONE_DIVISION: Final = "<attributes><divisions>1</divisions></attributes>"
FORWARD: Final = "<forward><duration>999999999</duration></forward>"
VALUE: Final = "x" * 100
ESCAPES: Final = "\u202e&#9;&#10;\u0085" * 1000


def note(duration: object = 1, step: str = "C", octave: int = 5, more: str = "") -> str:
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note>{more}{pitch}<duration>{duration}</duration></note>"


def measure(inner: str = "") -> str:
    return f"<measure>{CHORD}{inner or note() * 4}</measure>"


def several(form: str, count: int) -> str:
    """The form for every number from 1."""
    return "".join(map(form.format, range(1, count + 1)))


def attributes(inner: str) -> str:
    return f"<attributes>{inner}</attributes>"


def score(inner: str = "", *, divisions: object = 1, measures: str = "", root: str = "score-partwise") -> str:
    """Eight bars in quarters with a chord each: what is given is in the first of them, or follows the last."""
    time = "<time><beats>4</beats><beat-type>4</beat-type></time>"
    first = f"<measure>{attributes(f'<divisions>{divisions}</divisions>{time}')}{inner}{note() * 4}</measure>"
    names = '<part-list><score-part id="P1"><part-name>Melody</part-name></score-part></part-list>'
    return f'<{root}>{names}<part id="P1">{first}{measure() * 7}{measures}</part></{root}>'


def file(*arguments: str, prolog: str = '<?xml version="1.0"?>', **options: object) -> bytes:
    return (prolog + score(*arguments, **options)).encode()  # type: ignore[arg-type]


def declared(doctype: str, text: str = "Melody") -> bytes:
    """The score under this DOCTYPE, with this name of its part."""
    return file(prolog=f'<?xml version="1.0"?><!DOCTYPE score-partwise {doctype}>').replace(b"Melody", text.encode())


def encoded(name: str) -> bytes:
    return file(prolog=f'<?xml version="1.0" encoding="{name}"?>')


def first(inner: str) -> bytes:
    """The score with this at the head of its first measure."""
    return file(inner)


def one(inner: str) -> bytes:
    """The score with a measure of this after its eight."""
    return file(measures=measure(inner))


def transposed(semitones: int) -> bytes:
    return first(attributes(f"<transpose><chromatic>{semitones}</chromatic></transpose>"))


def metre(beats: int, beat_type: int) -> bytes:
    return first(attributes(f"<time><beats>{beats}</beats><beat-type>{beat_type}</beat-type></time>"))


def mxl(
    files: dict[str, bytes] | None = None,
    *,
    path: str = "score.xml",
    container: str = "",
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A compressed score; its files are the score alone unless given."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", container or CONTAINER.format(path))
        for name, data in ({"score.xml": file()} if files is None else files).items():
            archive.writestr(name, data, method)
    return packed.getvalue()


def patched(field: int, value: int, data: bytes | None = None) -> bytes:
    """A compressed score with two bytes changed in the directory entry, and in the local header, of every file."""
    packed = bytearray(data or mxl())
    for sign, place in ((b"PK\1\2", field), (b"PK\3\4", field - 2)):
        at = packed.find(sign)
        while at >= 0:
            struct.pack_into("<H", packed, at + place, value)
            at = packed.find(sign, at + 4)
    return bytes(packed)


def lying(size: int) -> bytes:
    """An archive whose directory gives this size for 70 MB."""
    packed = bytearray(mxl({"score.xml": bytes(70_000_000)}))
    struct.pack_into("<I", packed, packed.rfind(b"PK\1\2") + 24, size)
    return bytes(packed)


def nested_mxl() -> bytes:
    data = file()
    for _ in range(6):
        data = mxl({"score.xml": data})
    return data


def laughs() -> str:
    entities = (f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True))
    return f'[<!ENTITY a "ha">{"".join(entities)}]'


DECLARES: Final = "its DOCTYPE declares entities"
DAMAGED: Final = "a damaged .mxl archive"
ILL_FORMED: Final = "not well-formed XML"
MULTIBYTE: Final = "multi-byte encodings are not supported"
NO_NOTE: Final = "no note in it"
NUMBER: Final = "a note with MIDI number"
OTHER_ROOT: Final = "save it as partwise MusicXML"
PACKED: Final = "is packed in another way than by deflate"
TOO_LARGE: Final = "over 67108864 bytes when unzipped"
TOO_MANY: Final = "over 1,000 parts or 10,000 measures"
TOO_MANY_TAGS: Final = "over 1,000,000 tags"
TICKS: Final = "at most 1000000000 can be read"
WHOLE: Final = "it must be a whole number"

HOSTILE: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    # No MusicXML, or not in an encoding that can be read.
    "empty": (lambda: b"", ILL_FORMED),
    "null bytes": (lambda: bytes(1000), ILL_FORMED),
    "a null byte inside": (lambda: file().replace(b"Melody", b"Mel\0dy"), ILL_FORMED),
    "a page": (lambda: b"<!DOCTYPE html><html><body>404</body></html>", OTHER_ROOT),
    "gzip": (lambda: gzip.compress(file()), ILL_FORMED),
    "cut short": (lambda: file()[:400], ILL_FORMED),
    "a second root": (lambda: file() + b"<score-partwise/>", ILL_FORMED),
    "timewise": (lambda: file(root="score-timewise"), OTHER_ROOT),
    "root of 1 MB": (lambda: file(root="x" * 10**6), OTHER_ROOT),
    "byte order mark": (lambda: b"\xef\xbb\xbf" + file(), READ),
    "UTF-16": (lambda: file(prolog='<?xml version="1.0" encoding="UTF-16"?>').decode().encode("utf-16"), READ),
    "UTF-7": (lambda: encoded("UTF-7"), MULTIBYTE),
    "UTF-32": (lambda: file().decode().encode("utf-32"), ILL_FORMED),
    "Shift JIS": (lambda: encoded("shift_jis"), MULTIBYTE),
    "EBCDIC": (lambda: encoded("cp037"), ILL_FORMED),
    "zlib for an encoding": (lambda: encoded("zlib"), ILL_FORMED),
    "unknown encoding": (lambda: encoded("klingon"), ILL_FORMED),
    "encoding of 1 MB": (lambda: encoded("a" * 10**6), ILL_FORMED),
    "no UTF-8": (lambda: file().replace(b"Melody", b"Mel\xff\xfe"), ILL_FORMED),
    # Declarations.
    "a billion laughs": (lambda: declared(laughs(), "&i;"), DECLARES),
    "one large entity": (lambda: declared(f'[<!ENTITY a "{"x" * 10**5}">]', "&a;" * 10**5), DECLARES),
    "external entity": (lambda: declared('[<!ENTITY a SYSTEM "file:///etc/passwd">]', "&a;"), DECLARES),
    "parameter entity": (lambda: declared('[<!ENTITY % a SYSTEM "file:///dev/zero"> %a;]'), DECLARES),
    "100 MB of default attributes": (
        lambda: declared(f"[<!ATTLIST note {several(f'a{{}} CDATA {VALUE!r} ', 1000)}>]"), DECLARES
    ),
    "100,000 brackets in a declaration": (lambda: declared(f"[<!ELEMENT x {'(' * 10**5}a{')' * 10**5}>]"), DECLARES),
    "external DOCTYPE": (lambda: declared('SYSTEM "file:///etc/passwd"'), READ),
    "undefined entity": (lambda: file().replace(b"Melody", b"&nbsp;"), ILL_FORMED),
    "XInclude": (lambda: first('<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'), READ),
    "namespace of 1 MB over 10,000 names": (
        lambda: first(f'<a xmlns="{"x" * 10**6}">{several("<b{}/>", 10_000)}</a>'), READ
    ),
    # Size and depth.
    "200,000 elements deep": (lambda: first("<a>" * 200_000 + "</a>" * 200_000), READ),
    "200,000 elements deep, not closed": (lambda: b"<a>" * 200_000, ILL_FORMED),
    "1 million elements": (lambda: first("<a/>" * 1_000_000), TOO_MANY_TAGS),
    "1 million attributes": (lambda: first("<a " + several("a{}='' ", 10**6) + "/>"), "over 1,000,000 attributes"),
    "comment of 5 MB": (lambda: file() + b"<!--" + b"x" * 5_000_000 + b"-->", READ),
    "10 million lines in an element": (lambda: mxl({"score.xml": first(f"<a>{chr(10) * 10_000_000}</a>")}), READ),
    "10,001 measures": (lambda: file(measures=measure() * 9_994), TOO_MANY),
    "100,000 measures": (lambda: file(measures="<measure/>" * 100_000), TOO_MANY),
    "1,001 parts": (lambda: file().replace(b"</part>", b"</part>" + b"<part/>" * 1000), TOO_MANY),
    "20,000 parts in each other": (
        lambda: f"<score-partwise>{'<part>' * 20_000}{measure()}{'</part>' * 20_000}</score-partwise>".encode(), NO_NOTE
    ),
    "40,000 notes at once": (lambda: one(note() + note(more="<chord/>") * 39_999), READ),
    "30,000 tied notes": (lambda: one(note() + note(more='<chord/><tie type="start"/>') * 30_000), READ),
    "ties that never end": (lambda: file(measures=measure(note(4, more='<tie type="start"/>')) * 5_000), READ),
    "20,000 kinds of chord": (lambda: first(several(CHORD.replace("major", "k{}"), 20_000)), READ),
    # Numbers.
    "0 divisions": (lambda: file(divisions=0), TICKS),
    "-1 divisions": (lambda: file(divisions=-1), "there is at least 1"),
    "10^9 divisions": (lambda: file(divisions=10**9), WHOLE),
    "999,999,999 divisions": (lambda: file(divisions=999_999_999), "no usable bar"),
    "divisions of 100 digits": (lambda: file(divisions=10**100), WHOLE),
    "10^5 divisions without a common multiple": (
        lambda: first(several("<divisions>{}</divisions>", 10**5)), TICKS
    ),
    "duration of 10^9": (lambda: one(note(999_999_999)), READ),
    "duration of 10^10": (lambda: one(note(10**10)), WHOLE),
    "durations of 10^11 together": (lambda: one(note(999_999_999) * 100), TICKS),
    "duration of -1": (lambda: one(note(-1)), "a duration is never negative"),
    "duration of 0": (lambda: one(note(0) * 4), READ),
    "duration in words": (lambda: one(note("long")), WHOLE),
    "no duration": (lambda: one(note("")), WHOLE),
    "back beyond the start": (lambda: one(f"<backup><duration>999999999</duration></backup>{note() * 4}"), READ),
    "back by less than nothing": (lambda: one("<backup><duration>-9</duration></backup>" + note()), READ),
    "forward by 10^19 ticks": (
        lambda: file(divisions=2 * 10**8, measures=measure(ONE_DIVISION + FORWARD * 50 + CHORD)),
        "no usable bar",
    ),
    "chord 10^9 ticks away": (lambda: first(CHORD.replace("</h", "<offset>-999999999</offset></h") + CHORD), READ),
    "octave 99": (lambda: one(note(octave=99)), NUMBER),
    "octave -99": (lambda: one(note(octave=-99)), NUMBER),
    "a note named H": (lambda: one(note(step="H")), "a step is a letter from A to G"),
    "a note named in escapes": (lambda: one(note(step=ESCAPES)), "a step is a letter from A to G"),
    "transposed off the keyboard": (lambda: transposed(60), NUMBER),
    "transposed by -10^9": (lambda: transposed(-999_999_999), NUMBER),
    "transposed by nothing": (lambda: first(attributes("<transpose/>")), WHOLE),
    "metre of 0": (lambda: metre(0, 0), "not in 4/4"),
    "metre of four thirds": (lambda: metre(4, 3), "not in 4/4"),
    "key of 127 flats": (lambda: first(attributes("<key><fifths>-127</fifths></key>")), READ),
    "key of x": (lambda: first(attributes("<key><fifths>x</fifths></key>")), WHOLE),
    # Texts.
    "kind of chord in escapes": (lambda: first(CHORD.replace("major", ESCAPES)), READ),
    "kind of chord of 1 MB": (lambda: first(CHORD.replace("major", "k" * 10**6)), READ),
    "name of a part in escapes": (lambda: file().replace(b"Melody", ESCAPES.encode()), READ),
    # Nothing in it.
    "no part": (lambda: b"<score-partwise/>", "no <part> in it"),
    "no measure": (lambda: b"<score-partwise><part/></score-partwise>", NO_NOTE),
    "only rests": (lambda: b"<score-partwise><part><measure/></part></score-partwise>", NO_NOTE),
    # Archives.
    "archive without a file": (lambda: b"PK\5\6" + bytes(18), "no META-INF/container.xml"),
    "container without a path": (lambda: mxl(container="<x/>"), "its container names ''"),
    "container of laughs": (lambda: mxl(container=f"<!DOCTYPE x {laughs()}>{CONTAINER}"), DECLARES),
    "container that names itself": (lambda: mxl(path="META-INF/container.xml"), OTHER_ROOT),
    "container that names another": (lambda: mxl(path="/etc/passwd"), "which is not in the archive"),
    "container with a name in escapes": (lambda: mxl(path=ESCAPES), "which is not in the archive"),
    "path that leads out": (lambda: mxl({"../../score.xml": file()}, path="../../score.xml"), READ),
    "folder for a score": (lambda: mxl({"score.xml/": b""}, path="score.xml/"), ILL_FORMED),
    "archive in archive": (nested_mxl, ILL_FORMED),
    "archive cut short": (lambda: mxl()[:-30], ILL_FORMED),
    "damaged archive": (lambda: mxl().replace(b"score.xml", b"\xff\0ore.xml", 1), DAMAGED),
    "encrypted archive": (lambda: patched(8, 1), DAMAGED),
    "archive by bzip2": (lambda: mxl(method=zipfile.ZIP_BZIP2), PACKED),
    "archive by LZMA": (lambda: mxl(method=zipfile.ZIP_LZMA), PACKED),
    "archive by method 99": (lambda: patched(10, 99), PACKED),
    "archive not packed as it says": (lambda: patched(10, zipfile.ZIP_STORED), DAMAGED),
    "bomb of 70 MB": (lambda: mxl({"score.xml": b" " * 70_000_000}), TOO_LARGE),
    "bomb of 15 million elements": (lambda: mxl({"score.xml": b"<a>" + b"<a/>" * 15_000_000}), TOO_MANY_TAGS),
    "bomb that says it is small": (lambda: lying(10), DAMAGED),
    "bomb that says it is 4 GB": (lambda: lying(2**32 - 2), TOO_LARGE),
    "100,000 files in an archive": (lambda: mxl() + b"PK\1\2" * 100_000 + mxl(), "over 10,000 files in the archive"),
    "archive behind a comment": (lambda: b"#!/bin/sh\n" + mxl(), READ),
}  # fmt: skip


@cache
def made(name: str) -> bytes:
    return HOSTILE[name][0]()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_score_is_music_or_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out, told = tmp_path / f"{name}.mxl", tmp_path / "corpus", HOSTILE[name][1]
    path.write_bytes(made(name))
    code = main(["musicxml", str(path), "--out", str(out), "--jobs", "1"])
    said = capsys.readouterr()
    assert all(line.isprintable() for line in (said.out + said.err).split("\n"))
    assert (code, said.err.count("\n"), out.exists()) in ((0, 0, True), (2, 1, False))
    assert told in said.err if told else said.err == READ


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
def test_among_hostile_scores_the_good_ones_are_read(tmp_path: Path) -> None:
    folder, out = tmp_path / "music", tmp_path / "corpus"
    folder.mkdir()
    for name, data in {**{name: made(name) for name in HOSTILE}, "good 1": file(), "good 2": mxl()}.items():
        (folder / f"{name}.mxl").write_bytes(data)
    command = (sys.executable, "-c", LIMITED, "musicxml", folder, "--out", out)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.isprintable() for line in done.stdout.split("\n"))
    assert int(done.stdout.split()[-1]) < MOST_KIB
    about = load(out).about
    said = {item["path"]: item["reason"] for item in about["skipped"]}
    assert all(reason.isprintable() for reason in (*said.values(), *about["counts"]["remarks"]))
    said |= {song["id"]: READ for song in about["songs"]}
    assert said.keys() == {path.name for path in folder.iterdir()}
    assert said["good 1.mxl"] == said["good 2.mxl"] == READ
    for name, (_, told) in HOSTILE.items():
        assert told in said[f"{name}.mxl"] if told else said[f"{name}.mxl"] == READ, name
