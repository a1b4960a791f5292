"""Corpora that were damaged by accident or on purpose."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.lib import format as npy

from data_prep.__main__ import main
from data_prep.corpus import DTYPES, Corpus, load, save
from data_prep.errors import UserError
from data_prep.locate import resolve

NOTES: Final = ("melody", "onset", "chord", "first_chord", "prev", "song", "bar", "split")


def arrays() -> dict[str, Any]:
    """Four bars of a song in C: a note and a chord on each beat."""
    return {
        "melody": np.full((4, 16), 60, np.int8),
        "onset": np.full(4, 0x1111, np.uint16),
        "chord": np.zeros((4, 4), np.int8),
        "first_chord": np.zeros(4, np.int8),
        "prev": np.array([-1, 0, 1, 2], np.int32),
        "song": np.zeros(4, np.int32),
        "bar": np.arange(4, dtype=np.int32),
        "split": np.zeros(1, np.int8),
    }


def about() -> dict[str, Any]:
    """What a corpus.json says of them, as prepared from a folder with one other file."""
    place = {"path": "a/verse_symbol_nokey.json", "first_row": 0, "num_bars": 4}
    splits = {name: {"songs": 0, "bars": 0, "phrases": 0} for name in ("validation", "test", "prompts")}
    shares = {"validation": 0.12, "test": 0.12, "prompts": 0.04}
    return {
        "source": "lead-sheet",
        "versions": {},
        "options": {"seed": 0, "shares": shares, "rests": "fill", "octave": "keep", "chords": "required"},
        "songs": [{"id": "a", "split": 0, "cluster": "+0", "sections": [place]}],
        "skipped": [{"path": "b/verse_symbol_nokey.json", "reason": "no melody"}],
        "doubts": {"a": "it is made up"},
        "inputs": {place["path"]: "0" * 64},
        "counts": {
            "songs": 1,
            "bars": 4,
            "dropped_bars": {"off the 16-step grid": 1},
            "splits": {"train": {"songs": 1, "bars": 4, "phrases": 0}, **splits},
            "remarks": {"chord of unknown quality 'x'": 1},
        },
    }


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    save(Corpus(**arrays(), about=about()), folder)
    return folder


def header(text: str, version: tuple[int, int] = (1, 0)) -> bytes:
    """The head of an array, in whatever words."""
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return npy.magic(*version) + size + text.encode("latin-1")


def described(shape: str, descr: str = "'|i1'", order: str = "False") -> bytes:
    return header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")


def npz(changed: dict[str, bytes | None] | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The arrays with other bytes for some members, or without them."""
    packed, members = io.BytesIO(), {}
    for name, array in arrays().items():
        member = io.BytesIO()
        npy.write_array(member, array)
        members[f"{name}.npy"] = member.getvalue()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in {**members, **(changed or {})}.items():
            if data is not None:
                archive.writestr(name, data)
    return packed.getvalue()


class Call:
    """A pickle that would leave a file behind if it were read."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("was here",)


def flagged() -> bytes:
    """An archive that says it is encrypted."""
    packed = bytearray(npz())
    for sign, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = packed.find(sign)
        while at >= 0:
            packed[at + place] |= 1
            at = packed.find(sign, at + 4)
    return bytes(packed)


def member(data: bytes) -> Callable[[Path], object]:
    """What puts an archive in place whose melody is this."""
    return whole(lambda: npz({"melody.npy": data}))


def whole(make: Callable[[], bytes]) -> Callable[[Path], object]:
    """What puts these bytes in the place of the arrays."""
    return lambda path: path.unlink() or path.write_bytes(make())


def link(target: str) -> Callable[[Path], object]:
    return lambda path: path.unlink() or path.symlink_to(target)


ARRAYS: Final[dict[str, Callable[[Path], object]]] = {
    "empty": whole(lambda: b""),
    "text": whole(lambda: b"corpus"),
    "a page": whole(lambda: b"<html></html>"),
    "a pickle": whole(lambda: pickle.dumps(Call())),
    "half": whole(lambda: npz()[: len(npz()) // 2]),
    "without its end": whole(lambda: npz()[:-30]),
    "one array alone": whole(lambda: npy.magic(1, 0) + bytes(100)),
    "without the melody": whole(lambda: npz({"melody.npy": None})),
    "one array more": whole(lambda: npz({"more.npy": b""})),
    "a path that leads out": whole(lambda: npz({"melody.npy": None, "../melody.npy": b""})),
    "names in escapes": whole(lambda: npz({"\x1b[2J\n\u202e.npy": b""})),
    "encrypted": whole(flagged),
    "by bzip2": whole(lambda: npz(method=zipfile.ZIP_BZIP2)),
    "by LZMA": whole(lambda: npz(method=zipfile.ZIP_LZMA)),
    "a bomb of 100 MB": member(described("(100_000_000,)") + bytes(100_000_000)),
    "objects": member(described("(4,)", "'|O'") + pickle.dumps([Call()] * 4)),
    "a shape of 10^18": member(described("(1000000000, 1000000000)") + bytes(64)),
    "a shape below 0": member(described("(-4, -16)") + bytes(64)),
    "a shape of words": member(described("('four', 16)") + bytes(64)),
    "a shape of 5,000 digits": member(described(f"({'1' * 5000},)") + bytes(64)),
    "a shape of True": member(described("(True, 64)") + bytes(64)),
    "columns first": member(described("(4, 16)", order="True") + bytes(64)),
    "floats": member(described("(4, 16)", "'<f8'") + bytes(512)),
    "big-endian": whole(lambda: npz({"prev.npy": described("(4,)", "'>i4'") + bytes(16)})),
    "a field of fields": member(described("(4,)", "[('x', '|i1', (16,))]") + bytes(64)),
    "a head that is code": member(header("__import__('os').mkdir('was here')\n")),
    "a head of 60,000 brackets": member(header("(" * 60_000)),
    "a head of version 3": member(header("{}", (3, 0))),
    "a head that is cut": member(described("(4, 16)")[:40]),
    "no head": member(b""),
    "a byte too few": member(described("(4, 16)") + bytes(63)),
    "a byte too many": member(described("(4, 16)") + bytes(65)),
    "other values": member(described("(4, 16)") + bytes(64)),
    "out of range": member(described("(4, 16)") + b"\x80" * 64),
    "/dev/zero": link("/dev/zero"),
    "a link to nowhere": link("nowhere"),
    "a link to itself": link("corpus.npz"),
    "a pipe": lambda path: path.unlink() or os.mkfifo(path),
    "a folder": lambda path: path.unlink() or path.mkdir(),
    "nothing": Path.unlink,
}
"""What may lie in the place of the arrays."""

TABLES: Final[dict[str, Callable[[Path], object]]] = {
    "empty": whole(lambda: b""),
    "text": whole(lambda: b"corpus"),
    "a null byte": whole(lambda: b"\0"),
    "UTF-16": whole(lambda: json.dumps(about()).encode("utf-16")),
    "no UTF-8": whole(lambda: b'{"\xff": 0}'),
    "half": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "100,000 brackets": whole(lambda: b"[" * 100_000),
    "100,000 objects": whole(lambda: b'{"":' * 100_000),
    "5,000 digits": whole(lambda: b"1" * 5_000),
    "2 million spaces": whole(lambda: b" " * 2_000_000),
    "of another format": lambda path: path.write_bytes(path.read_bytes().replace(b'"format"', b'"former"')),
    "/dev/zero": link("/dev/zero"),
    "a link to itself": link("corpus.json"),
    "a pipe": lambda path: path.unlink() or os.mkfifo(path),
    "a folder": lambda path: path.unlink() or path.mkdir(),
    "nothing": Path.unlink,
}
"""What may lie in the place of the table."""


def refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that `info` says; a search, which asks for the same, hears of it in the same way."""
    with pytest.raises(UserError):
        load(resolve(str(folder)))
    assert main(["info", str(folder)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.rstrip("\n").isprintable()
    return said.err


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ARRAYS)
def test_damaged_arrays_are_one_line(
    name: str, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(corpus.parent)
    ARRAYS[name](corpus / "corpus.npz")
    assert "corpus" in refused(corpus, capsys)
    assert not Path("was here").exists()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", TABLES)
def test_a_damaged_table_is_one_line(name: str, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TABLES[name](corpus / "corpus.json")
    assert "corpus.json" in refused(corpus, capsys)


VALUES: Final = (
    *("null", "true", "[]", '{"x": []}', "[null]", "-1", "1e400", "NaN", "9" * 400),
    *('"x"', r'"\ud800"', r'"\u001b[2J\n\u202e"', r'[{"path": "\u001b[2J", "reason": "\n"}]'),
)


def places(value: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Of every value in it, where it stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(deeper for key, item in inner for deeper in places(item, (*place, key)))]


PLACES: Final = places({**about(), "format": 0, "kind": "bars", "digest": ""})


@pytest.mark.parametrize("place", PLACES, ids=lambda place: " ".join(map(str, place)) or "all of it")
def test_any_value_of_the_table_is_told_or_refused_in_one_line(
    place: tuple[str | int, ...], corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = corpus / "corpus.json"
    sound = path.read_text()
    for value in VALUES:
        content: Any = {"": json.loads(sound)}
        *holders, last = ("", *place)
        holder = content
        for key in holders:
            holder = holder[key]
        holder[last] = "@"
        path.write_text(json.dumps(content[""]).replace('"@"', value))
        code = main(["info", str(corpus)])
        said = capsys.readouterr()
        assert all(line.isprintable() for line in (said.out + said.err).split("\n")), value
        assert (code, said.err.count("\n")) in ((0, 0), (2, 1)), value
    path.write_text(sound)
    assert load(corpus).num_bars == 4


def test_the_names_of_the_arrays_are_those_of_a_corpus() -> None:
    assert set(DTYPES) == set(NOTES) == set(arrays())
