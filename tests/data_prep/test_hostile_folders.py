"""Folders and paths that nobody would make by accident: each alone, then all in one folder with good music."""

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from data_prep.__main__ import main
from data_prep.errors import UserError
from data_prep.kinds import load
from data_prep.locate import check
from tests.data_prep.limited import LIMITED, MOST_KIB, READ, ROOT

IS_ROOT: Final = os.geteuid() == 0
FIRST: Final = 30
"""Pitch of the first note of the music that is good."""


def midi(lowest: int = FIRST) -> bytes:
    """Sixteen seconds of quarters at 120 beats per minute."""
    notes = (bytes((0, 0x90, lowest + n * 5 % 13, 80, 0x83, 0x60, lowest + n * 5 % 13, 0)) for n in range(32))
    body = b"".join(notes) + b"\0\xff\x2f\0"
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 480, b"MTrk", len(body)) + body


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(here)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def links_in_a_row(path: Path) -> None:
    """Sixty links, each to the next, the last to a file."""
    for number in range(60):
        path.with_name(f"{path.stem} {number}.link").symlink_to(f"{path.stem} {number + 1}.link")
    path.with_name(f"{path.stem} 60.link").write_bytes(midi())
    path.symlink_to(f"{path.stem} 0.link")


def deep(path: Path) -> None:
    """A file at the end of a path of 5,000 characters."""
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)
    for name in ["deep", *["x" * 200] * 25]:
        os.mkdir(name)  # noqa: PTH102 -- such a path cannot be named as a whole
        os.chdir(name)
    Path(path.name).write_bytes(midi())
    os.chdir(here)
    os.close(here)


NO_FILE: Final = "not a regular file"
NO_MIDI: Final = "no MIDI file"
OUT: Final = "a link that leads out of the folder"
UNREADABLE: Final = "cannot be read"

ENTRIES: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "pipe.mid": (os.mkfifo, NO_FILE),
    "socket.mid": (a_socket, NO_FILE),
    "zero.mid": (lambda path: path.symlink_to("/dev/zero"), OUT),
    "memory.mid": (lambda path: path.symlink_to("/proc/self/mem"), OUT),
    "outside.mid": (lambda path: path.symlink_to("../outside/a.mid"), OUT),
    "folder outside": (lambda path: path.symlink_to("../outside"), OUT),
    "root of all": (lambda path: path.symlink_to("/"), OUT),
    "nowhere.mid": (lambda path: path.symlink_to("nowhere"), UNREADABLE),
    "itself.mid": (lambda path: path.symlink_to("itself.mid"), UNREADABLE),
    "links in a row.mid": (links_in_a_row, UNREADABLE),
    "1 TB.mid": (sparse, "at most 16777216 are read"),
    "deep.mid": (deep, UNREADABLE),
    "empty.mid": (Path.touch, NO_MIDI),
    "corpus.npz.mid": (lambda path: path.write_bytes(b"PK\3\4" + bytes(100)), NO_MIDI),
    "a\nb.mid": (Path.touch, NO_MIDI),
    "\x1b[2J\x1b]0;x\x07.mid": (Path.touch, NO_MIDI),
    "\u202edim.mid": (Path.touch, NO_MIDI),
    "\udcff\udcfe.mid": (Path.touch, NO_MIDI),
    "$(touch x); rm -rf '*'.mid": (Path.touch, NO_MIDI),
    "-o.mid": (Path.touch, NO_MIDI),
    "x" * 251 + ".mid": (Path.touch, NO_MIDI),
}
"""What lies in a folder, and what is said of it."""


def alone(path: object, out: object, capsys: pytest.CaptureFixture[str], command: str = "piano") -> str:
    """What is said: nothing, or one line, and then no corpus is written."""
    code = main([command, str(path), *(["--out", str(out), "--jobs", "1"] if command != "info" else [])])
    said = capsys.readouterr()
    assert all(line.isprintable() for line in (said.out + said.err).split("\n"))
    assert (code, said.err.count("\n")) in ((0, 0), (2, 1))
    if code and command != "info":
        assert not os.path.lexists(os.path.join(str(out), "corpus.npz").replace("\0", ""))  # noqa: PTH118
    return said.err


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """An empty folder for music, with some beside it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.mid").write_bytes(midi())
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ENTRIES, ids=ascii)
def test_a_hostile_entry_is_one_line(name: str, music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, told = ENTRIES[name]
    make(music / name)
    assert told in alone(music, music.parent / "corpus", capsys)
    (music / "good.mid").write_bytes(midi())
    assert alone(music, music.parent / "corpus", capsys) == READ
    assert told in load(music.parent / "corpus").about["skipped"][0]["reason"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
def test_among_hostile_entries_the_good_ones_are_read(music: Path) -> None:
    for name, (make, _) in ENTRIES.items():
        make(music / name)
    for number in range(3000):
        (music / f"{number}.MID").touch()
    (music / "folder.mid").mkdir()
    (music / "folder.mid" / "good 1.midi").write_bytes(midi())
    (music / "folder.mid" / "up").symlink_to("..")
    (music / "good 2 \u266b.mid").write_bytes(midi(40))
    (music / ".hidden.mid").write_bytes(midi(50))
    command = (sys.executable, "-c", LIMITED, "piano", music, "--out", music.parent / "corpus")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert all(line.isprintable() for line in (done.stdout + done.stderr).split("\n"))
    assert all(line.startswith("read ") for line in done.stderr.splitlines())
    assert int(done.stdout.split()[-1]) < MOST_KIB
    about = load(music.parent / "corpus").about
    assert {song["id"] for song in about["songs"]} == {"folder.mid/good 1.midi", "good 2 \u266b.mid"}
    reasons = [item["reason"] for item in about["skipped"]]
    assert all(text.isprintable() for item in about["skipped"] for text in item.values())
    for told in {told for _, told in ENTRIES.values()}:
        wanted = sum(reason == told for _, reason in ENTRIES.values()) + 3000 * (told == NO_MIDI)
        assert sum(told in reason for reason in reasons) == wanted, told
    assert len(reasons) == len(ENTRIES) + 3000


PATHS: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "/dev/zero": (lambda _: "/dev/zero", "neither a folder nor a regular file"),
    "/dev/full": (lambda _: "/dev/full", "neither a folder nor a regular file"),
    "/proc/self/mem": (lambda _: "/proc/self/mem", ""),
    "a pipe": (lambda music: os.mkfifo(music / "p") or music / "p", "neither a folder nor a regular file"),
    "a socket": (lambda music: a_socket(music / "s") or music / "s", "neither a folder nor a regular file"),
    "nothing": (lambda music: music / "x", "No such file or directory"),
    "below a file": (lambda music: music.parent / "outside" / "a.mid" / "x", "Not a directory"),
    "a link to nowhere": (lambda music: (music / "l").symlink_to("x") or music / "l", "No such file or directory"),
    "a link to itself": (lambda music: (music / "l").symlink_to("l") or music / "l", UNREADABLE),
    "5,000 characters": (lambda music: music / "/".join(["x" * 99] * 50), UNREADABLE),
    "a name of 5,000 characters": (lambda music: music / ("x" * 5_000), "File name too long"),
    "a null byte": (lambda _: "a\0b", "null byte"),
    "escape codes": (lambda _: "\x1b[2J\r\n\u202e", "No such file or directory"),
    "no UTF-8": (lambda _: "\udcff\udcfe", "No such file or directory"),
    "nobody's home": (lambda _: "~nobody-of-that-name/music", UNREADABLE),
    "an empty folder": (lambda music: music, "No music of this kind there"),
    "a file of another kind": (lambda _: __file__, "No music of this kind there"),
    "a folder of another kind": (lambda _: Path(__file__).parent, "No music of this kind there"),
    "a corpus": (lambda music: (music / "corpus.npz").touch() or music, "No music of this kind there"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", PATHS)
def test_a_hostile_path_is_one_line(
    name: str, music: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(music.parent)
    make, told = PATHS[name]
    path, out = make(music), music.parent / "corpus"
    said = alone(path, out, capsys)
    assert said
    assert told in said
    assert not out.exists()
    with pytest.raises(UserError):
        check(f"piano:{path}", "windows")
    assert alone(path, "", capsys, "info")


def a_link(place: Path, target: str) -> Path:
    place.symlink_to(target)
    return place


def holding(place: Path, name: str) -> Path:
    """A folder in which a folder has the name of a file."""
    (place / name / "x").mkdir(parents=True)
    return place


OUTS: Final[dict[str, Callable[[Path], object]]] = {
    "a file": lambda music: music / "a.mid",
    "below a file": lambda music: music / "a.mid" / "x" / "y",
    "/dev/full": lambda _: "/dev/full",
    "below /dev/full": lambda _: "/dev/full/x",
    "in /proc": lambda _: "/proc/x/y",
    "a pipe": lambda music: os.mkfifo(music / "p") or music / "p",
    "a link to nowhere": lambda music: a_link(music / "out", "x/y"),
    "a link to itself": lambda music: a_link(music / "out", "out"),
    "a link to a file": lambda music: a_link(music / "out", "a.mid"),
    "a null byte": lambda music: f"{music}/a\0b",
    "a name of 5,000 characters": lambda music: music / ("x" * 5_000),
    "a folder for corpus.npz": lambda music: holding(music / "out", "corpus.npz"),
    "a folder for corpus.json": lambda music: holding(music / "out", "corpus.json"),
}


@pytest.mark.parametrize("name", OUTS)
def test_a_place_for_no_corpus_is_one_line(name: str, music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (music / "a.mid").write_bytes(midi())
    out = OUTS[name](music)
    before = sorted(music.rglob("*"))
    code = main(["piano", str(music), "--out", str(out), "--jobs", "1"])
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.rstrip("\n").isprintable()
    assert "cannot be written" in said.err
    assert [path for path in sorted(music.rglob("*")) if path.name != "corpus.npz"] == [
        path for path in before if path.name != "corpus.npz"
    ]


def test_a_corpus_among_its_music_is_not_taken_for_music(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (music / "a.mid").write_bytes(midi())
    for out in (music, music / "corpus", music / "\x1b[2J\n\u202e\udcff"):
        assert alone(music, out, capsys) == READ
        assert alone(music, out, capsys) == READ
        assert load(out).num_songs == 1
    assert (music / "a.mid").read_bytes() == midi()


@pytest.mark.skipif(IS_ROOT, reason="nothing is closed to root")
@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_what_may_not_be_read_is_one_line(mode: int, music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = music.parent / "outside"
    for closed, closed_to in ((folder / "a.mid", mode & 0o333), (folder, mode)):
        opened = closed.stat().st_mode
        closed.chmod(closed_to)
        said = alone(folder, music.parent / "corpus", capsys)
        closed.chmod(opened)
        assert said
    assert alone(folder, music.parent / "corpus", capsys) == READ


@pytest.mark.skipif(IS_ROOT, reason="nothing is closed to root")
def test_a_folder_that_may_not_be_written_is_one_line(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (music / "a.mid").write_bytes(midi())
    music.chmod(0o555)
    assert "cannot be written" in alone(music, music / "corpus", capsys)
    assert "cannot be written" in alone(music, music, capsys)


FULL: Final = """\
import resource, runpy
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
runpy.run_module("data_prep", run_name="__main__")
"""


def test_a_disk_that_is_full_is_one_line(music: Path) -> None:
    for number in range(100):
        (music / f"{number}.mid").write_bytes(midi(number))
    command = (sys.executable, "-B", "-c", FULL, "piano", music, "--out", music / "corpus", "--jobs", "1")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "cannot be written (File too large)" in done.stderr
    assert list((music / "corpus").iterdir()) == []


@pytest.mark.parametrize("cache", ["/dev/null", "/dev/full/x", "/proc/x"])
def test_a_place_for_no_cache_is_one_line(
    cache: str, music: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "a.mid").write_bytes(midi())
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    assert "The cache cannot be written" in alone(f"piano:{music}", "", capsys, "info")


def test_without_a_home_music_is_read(
    music: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (music / "a.mid").write_bytes(midi())
    monkeypatch.delenv("HOME", raising=False)
    assert alone(music, music.parent / "corpus", capsys) == READ
    assert alone(music.parent / "corpus", "", capsys, "info") == READ


def test_output_without_unicode_is_written_in_escapes(music: Path) -> None:
    (music / "\u266b.mid").touch()
    (music / "a.mid").write_bytes(midi())
    command = (sys.executable, "-m", "data_prep", "piano", music, "--out", music / "\u266b")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"such as \u266b.mid" in done.stdout
