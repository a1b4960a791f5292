"""Files that appear whole or not at all, and files that are not what they seemed when they were looked at."""

import contextlib
import io
import json
import os
import signal
import socket
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray

from data_prep import files
from data_prep.errors import UserError
from data_prep.files import pack_npz, read_limited, unpack_npz, write_atomic, write_json
from data_prep.folder import read_inside

DTYPES = {"a": "int8", "b": "int32"}


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Fails what takes seconds: to read from a pipe to which no one writes would take for ever."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise AssertionError("it blocks")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def refusal(path: Path, most: int = 100) -> str:
    """Why the file is refused, without its name; read by itself, or as one of a folder, for the same reason."""
    with at_once(), pytest.raises(UserError) as caught:
        read_limited(path, most)
    reason = str(caught.value).removeprefix(f"{path}: ")
    assert f"{path}: {reason}" == str(caught.value)
    with at_once(), pytest.raises(UserError) as caught:
        read_inside(path.parent.resolve(), path.name, most)
    assert str(caught.value) == reason
    return reason


def test_files_are_read_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for size in (0, 1, 99, 100):
        path.write_bytes(os.urandom(size))
        assert read_limited(path, 100) == path.read_bytes()
    path.write_bytes(bytes(101))
    assert refusal(path) == "101 bytes; at most 100 are read"
    assert read_limited(path) == bytes(101)


def test_large_files_are_read_whole_and_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(5 * 2**20 + 3))
    tracemalloc.start()
    data = read_limited(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert data == path.read_bytes()
    assert most < 1.5 * len(data)


def test_what_is_no_regular_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name in ("pipe", "folder", "socket"):
            assert refusal(tmp_path / name) == "not a regular file"
    with at_once(), pytest.raises(UserError, match=r"^/dev/zero: not a regular file$"):
        read_limited(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none", "No such file or directory"), ("file/below", "Not a directory"), ("x" * 300, "File name too long")],
)
def test_what_is_not_there_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught:
        read_limited(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: cannot be read ({reason})"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0)
    assert refusal(tmp_path / "file") == "cannot be read (Permission denied)"


def test_a_pipe_that_takes_the_place_of_a_file_blocks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    seen = (tmp_path / "file").stat()
    (tmp_path / "file").unlink()
    os.mkfifo(tmp_path / "file")
    monkeypatch.setattr(Path, "stat", lambda *_, **__: seen)
    with at_once(), pytest.raises(UserError, match="not a regular file"):
        read_limited(tmp_path / "file", 100)
    with at_once(), pytest.raises(UserError, match="not a regular file"):
        read_inside(tmp_path, "file", 100)


def test_a_file_that_grows_is_not_read_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(2**35)
    small = SimpleNamespace(st_mode=stat.S_IFREG | 0o600, st_size=1)
    monkeypatch.setattr(Path, "stat", lambda *_, **__: small)
    monkeypatch.setattr(os, "fstat", lambda _: small)
    tracemalloc.start()
    for most in (0, 1, 100, 2**16, 2**20):
        with at_once(), pytest.raises(UserError, match=f"at most {most} are read"):
            read_limited(tmp_path / "file", most)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_a_file_that_shrinks_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    large = SimpleNamespace(st_mode=stat.S_IFREG | 0o600, st_size=90)
    monkeypatch.setattr(Path, "stat", lambda *_, **__: large)
    monkeypatch.setattr(os, "fstat", lambda _: large)
    assert read_limited(tmp_path / "file", 100) == b"abc"


@pytest.mark.skipif(not Path("/proc/version").is_file(), reason="no /proc here")
def test_a_file_that_says_it_is_empty_is_read_all_the_same() -> None:
    path = Path("/proc/version")
    assert path.stat().st_size == 0
    assert read_limited(path) == path.read_bytes() != b""
    assert "at most 7 are read" in refusal(path, 7)


def test_no_file_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(200))
    free = os.open("/dev/null", os.O_RDONLY)
    os.close(free)
    read_limited(tmp_path / "file", 200)
    with pytest.raises(UserError):
        read_limited(tmp_path / "file", 100)
    with pytest.raises(UserError):
        read_limited(tmp_path, 100)
    after = os.open("/dev/null", os.O_RDONLY)
    os.close(after)
    assert after == free


def test_writing_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"one", b"", bytes(100_000)):
        write_atomic(path, data)
        assert path.read_bytes() == data
        assert list(tmp_path.iterdir()) == [path]
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_what_was_there_stays_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_atomic(path, b"after")
    assert path.read_bytes() == b"before"
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomic(tmp_path / "folder", b"x")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "folder"]


def test_the_data_are_on_the_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        happened.append(f"{os.fstat(descriptor).st_size} bytes synced")
        sync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        happened.append("named")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write_atomic(tmp_path / "file", bytes(70_000))
    assert happened == ["70000 bytes synced", "named"]


any_array = st.sampled_from(["int8", "uint8", "int32", "uint16", "float64", "bool"]).flatmap(
    lambda dtype: st_numpy.arrays(np.dtype(dtype), st_numpy.array_shapes(max_dims=3, min_side=0))
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), any_array))
def test_arrays_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "arrays.npz"
    path.write_bytes(pack_npz(arrays))
    back = unpack_npz(path, {name: str(array.dtype) for name, array in arrays.items()})
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        assert not back[name].flags.writeable


def test_numpy_reads_what_is_packed(tmp_path: Path) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "a": np.arange(6, dtype=np.int8).reshape(2, 3)[:, ::2],
        "b": np.array([7], np.int32),
    }
    (tmp_path / "x.npz").write_bytes(pack_npz(arrays))
    with np.load(tmp_path / "x.npz") as read:
        assert read["a"].tolist() == [[0, 2], [3, 5]]
        assert read["b"].tolist() == [7]


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, twice: tuple[str, ...] = ()) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as file:
        for name in (*members, *twice):
            file.writestr(name, members[name])
    return packed.getvalue()


def header(text: str, version: tuple[int, int] = (1, 0)) -> bytes:
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + size + text.encode("latin-1")


def described(descr: str = "'|i1'", order: str = "False", shape: str = "(1,)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}"


SOUND = {"a.npy": header(described()) + b"x", "b.npy": header(described("'<i4'")) + b"wxyz"}


def unpacked(tmp_path: Path, data: bytes) -> dict[str, NDArray[Any]]:
    (tmp_path / "x.npz").write_bytes(data)
    return unpack_npz(tmp_path / "x.npz", DTYPES)


def damage(tmp_path: Path, data: bytes) -> str:
    with at_once(), pytest.raises(UserError) as caught:
        unpacked(tmp_path, data)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{tmp_path / 'x.npz'}: no sound corpus (")
    return text


def test_a_sound_archive_made_by_hand_is_read(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert unpacked(tmp_path, archive(SOUND, method))["a"].tolist() == [ord("x")]


@pytest.mark.filterwarnings("ignore:Reading `.npy`")
@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[", "'''", "9" * 5000, "-" * 4000 + "1", "(" * 300 + ")" * 300, "\0", "  x\n y\n", "a" * 20_000),
        *("{1: 2, 'a': 3}", "{[]: 1}", "{}", "[]", "None", "{'descr': '|i1'}"),
        described(descr="()"),
        described(descr="('|i1')[0]"),
        described(descr="[[]]"),
        described(descr="[('x',)]"),
        described(descr="'no type'"),
        described(descr="'|O'"),
        described(descr="('|i1', -1)"),
        described(descr="('|i1', (2,))"),
        described(descr="{}"),
        described(descr="5"),
        described(descr="'>i4'"),
        described(order="0"),
        described(order="True"),
        described(shape="1"),
        described(shape="(-1,)"),
        described(shape="(-1, -1)"),
        described(shape="(1.0,)"),
        described(shape="(2,)"),
        described(shape="(99999999999999999999999,)"),
        described(shape="(99999999999999999999999, 0)"),
        described(shape="(" + "1," * 100 + ")"),
        described()[:-1],
    ],
)
def test_array_headers_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    damage(tmp_path, archive(SOUND | {"a.npy": header(text) + b"x"}))


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\x93NUMPY", b"NUMPY", b"PK\3\4", header(described())[:20], header(described())),
        *(header(described()) + b"xy", header(described(), (2, 0)) + b"x", header(described(), (3, 0)) + b"x"),
        b"\x93NUMPY\1\0\xff\xff{",
    ],
)
def test_members_that_are_no_array_of_that_size_are_refused(tmp_path: Path, body: bytes) -> None:
    damage(tmp_path, archive(SOUND | {"a.npy": body}))


@pytest.mark.parametrize(("method", "reads"), [(zipfile.ZIP_BZIP2, "_bz2"), (zipfile.ZIP_LZMA, "_lzma")])
def test_archives_packed_otherwise_than_ours_are_not_unpacked(tmp_path: Path, method: int, reads: str) -> None:
    pytest.importorskip(reads)
    assert "packed in another way" in damage(tmp_path, archive(SOUND, method))


def test_archives_that_promise_too_much_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive(SOUND | {"a.npy": header(described(shape="(1000000,)")) + bytes(1_000_000)})
    assert unpacked(tmp_path, data)["a"].shape == (1_000_000,)
    monkeypatch.setattr(files, "MAX_BYTES", 900_000)
    assert "over 900000 bytes when unzipped" in damage(tmp_path, data)


def test_a_member_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    data = bytearray(archive(SOUND | {"a.npy": header(described(shape="(1000000,)")) + bytes(1_000_000)}))
    place = data.index(b"PK\1\2") + 24
    data[place : place + 4] = struct.pack("<I", 200)
    damage(tmp_path, bytes(data))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_not_those_of_the_arrays_are_refused(tmp_path: Path) -> None:
    for members in ({}, {"a.npy": SOUND["a.npy"]}, SOUND | {"c.npy": b""}, {f"x/{name}": b"" for name in SOUND}):
        assert "it holds" in damage(tmp_path, archive(members))
    assert "it holds" in damage(tmp_path, archive(SOUND, twice=("a.npy",)))
    assert "it holds" in damage(tmp_path, archive({f"{name}\n\x1b[2J" * 50: b"" for name in SOUND}))


def test_an_archive_that_wants_a_password_is_refused(tmp_path: Path) -> None:
    data = bytearray(archive(SOUND))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + flags] |= 1
    damage(tmp_path, bytes(data))


def test_any_damage_is_refused_or_harmless(tmp_path: Path) -> None:
    arrays: dict[str, NDArray[Any]] = {"a": np.arange(40, dtype=np.int8), "b": np.arange(9, dtype=np.int32)}
    sound = pack_npz(arrays)
    generator = np.random.default_rng(1)
    directory = sound.index(b"PK\1\2")
    for attempt in range(600):
        bad = bytearray(sound)
        for place in generator.integers(directory if attempt % 2 else 0, len(bad), 2):
            bad[place] = generator.choice([0, 1, 8, 12, 14, 99, 127, 128, 255, int(generator.integers(256))])
        with contextlib.suppress(UserError):
            back = unpacked(tmp_path, bytes(bad))
            assert {name: array.tolist() for name, array in back.items()} == {
                name: array.tolist() for name, array in arrays.items()
            }


def test_numpy_numbers_become_json(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": np.float32(0.5), "n": np.int64(3)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 0.5, "n": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
