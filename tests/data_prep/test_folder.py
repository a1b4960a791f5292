"""Folders on a real file system, with everything in them that a file system can hold."""

import os
import random
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep import folder
from data_prep.errors import UserError
from data_prep.folder import LEADS_OUT, find_files, read_inside, root_of, shown
from data_prep.song import SkippedFile

MOST = 1000
as_other_than_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def is_midi(name: str) -> bool:
    return name.lower().endswith(".mid")


def found(path: Path, wanted: Callable[[str], bool] = is_midi) -> tuple[list[str], dict[str, str]]:
    """What is found, and what was skipped for what reason."""
    _, paths, skipped = find_files(path, wanted)
    assert all(isinstance(item, SkippedFile) for item in skipped)
    reasons = {item.path: item.reason for item in skipped}
    assert list(reasons) == sorted(item.path for item in skipped)
    return paths, reasons


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def refusal(root: Path, relative: str, most: int = MOST) -> str:
    with pytest.raises(UserError) as caught:
        read_inside(root, relative, most)
    return str(caught.value)


@pytest.fixture
def locked() -> Iterator[Callable[[Path], None]]:
    """Takes all permissions away, and gives them back in the end."""
    paths: list[Path] = []

    def lock(path: Path) -> None:
        paths.append(path)
        path.chmod(0)

    yield lock
    for path in reversed(paths):
        path.chmod(0o700)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder beside which there is another."""
    put(tmp_path, "music/a.mid", "music/sub/b.mid", "music/sub/notes.txt", "outside/c.mid")
    return tmp_path / "music"


def test_the_files_below_come_sorted_and_relative(music: Path) -> None:
    root, paths, skipped = find_files(music, is_midi)
    assert (root, paths, skipped) == (music.resolve(), ["a.mid", "sub/b.mid"], [])


def test_a_suffix_counts_in_any_case_and_the_whole_name_is_asked_for(music: Path) -> None:
    put(music, "D.MID", "e.Mid", "f.mid.txt", "g.mid/h.mid")
    assert found(music)[0] == ["D.MID", "a.mid", "e.Mid", "g.mid/h.mid", "sub/b.mid"]
    asked: list[str] = []

    def none(name: str) -> bool:
        asked.append(name)
        return False

    find_files(music, none)
    assert sorted(asked) == ["D.MID", "a.mid", "b.mid", "e.Mid", "f.mid.txt", "h.mid", "notes.txt"]


def test_dot_files_and_what_is_in_dot_folders_is_left_alone(music: Path) -> None:
    put(music, ".a.mid", ".git/b.mid", "sub/._b.mid")
    assert found(music) == (["a.mid", "sub/b.mid"], {})


def test_empty_folders_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    assert found(tmp_path) == ([], {})


def test_the_order_of_the_folder_does_not_matter(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(music, *(f"{place}/{number}.mid" for place in ("x", "x/y", "sub") for number in range(5)))
    (music / "w").symlink_to(music / "x")
    (music / "z").symlink_to(music / "x" / "y")
    (music / "out").symlink_to(music.parent / "outside")
    (music / "x" / "again").symlink_to(music / "sub")
    expected, real = find_files(music, is_midi), os.scandir
    for seed in range(6):

        @contextmanager
        def shuffled(path: Path, seed: int = seed) -> Iterator[list[os.DirEntry[str]]]:
            with real(path) as entries:
                yield random.Random(seed).sample(listed := list(entries), len(listed))

        monkeypatch.setattr(os, "scandir", shuffled)
        assert find_files(music, is_midi) == expected


def test_a_file_may_be_named_by_itself_if_it_is_of_the_kind(music: Path) -> None:
    assert find_files(music / "sub" / "notes.txt", is_midi) == ((music / "sub").resolve(), [], [])
    (music / "link.mid").symlink_to(music.parent / "outside" / "c.mid")
    root, paths, _ = find_files(music / "link.mid", is_midi)
    assert read_inside(root, paths[0], MOST) == b"outside/c.mid"
    put(music, ".hidden.mid")
    assert find_files(music / ".hidden.mid", is_midi)[1] == [".hidden.mid"]


def test_a_folder_that_is_named_by_a_link_is_the_folder(music: Path) -> None:
    (music.parent / "link").symlink_to(music)
    assert find_files(music.parent / "link", is_midi)[:2] == (music.resolve(), ["a.mid", "sub/b.mid"])


def test_relative_paths_are_seen_from_where_the_process_is(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(music / "sub")
    for path in ("..", "../../music", "../sub/.."):
        assert find_files(Path(path), is_midi)[:2] == (music.resolve(), ["a.mid", "sub/b.mid"])
    assert find_files(Path(), is_midi)[:2] == ((music / "sub").resolve(), ["b.mid"])
    assert find_files(Path("b.mid"), is_midi)[:2] == ((music / "sub").resolve(), ["b.mid"])


def test_a_tilde_is_the_home_folder(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(music))
    assert find_files(Path("~"), is_midi)[:2] == (music.resolve(), ["a.mid", "sub/b.mid"])
    assert find_files(Path("~/sub/b.mid"), is_midi)[:2] == ((music / "sub").resolve(), ["b.mid"])


@pytest.mark.parametrize(
    "path",
    [
        "none",
        "a.mid/below",
        "none/\x1b[31m\n",
        "nul\0byte",
        "~nobody-has-this-name/x",
        "x" * 300,
        "y/" * 3000,
        "\udcff",
    ],
)
def test_a_path_to_nothing_is_one_printable_line(music: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(music)
    for look in (lambda: root_of(Path(path)), lambda: find_files(Path(path), is_midi)):
        with pytest.raises(UserError, match=r"cannot be read .*; name a folder of music or a file") as caught:
            look()
        assert str(caught.value).isprintable()
        assert str(caught.value).startswith(shown(str(Path(path))))


def test_a_link_loop_is_a_path_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UserError, match="cannot be read"):
        root_of(tmp_path / "loop")


def test_what_is_neither_folder_nor_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(UserError, match="neither a folder nor a regular file"):
            root_of(path)


def test_pipes_sockets_and_devices_are_told_of_and_never_opened(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(music / "pipe.mid")
    os.mkfifo(music / "pipe.txt")
    monkeypatch.chdir(music)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.mid")
        paths, reasons = found(music)
        assert refusal(music, "socket.mid") == "not a regular file"
    assert paths == ["a.mid", "sub/b.mid"]
    assert reasons == dict.fromkeys(("pipe.mid", "socket.mid"), "not a regular file")
    assert refusal(music, "pipe.mid") == "not a regular file"


def test_a_link_to_a_device_leads_out(music: Path) -> None:
    (music / "zero.mid").symlink_to("/dev/zero")
    (music / "tty.mid").symlink_to("/dev/tty")
    assert found(music)[1]["zero.mid"] == LEADS_OUT
    assert refusal(music, "zero.mid") == LEADS_OUT
    assert "tty.mid" in found(music)[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a device")
def test_a_device_inside_is_no_file(music: Path) -> None:
    try:
        os.mknod(music / "zero.mid", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except OSError as error:
        pytest.skip(f"no device can be made here: {error}")
    assert found(music)[1] == {"zero.mid": "not a regular file"}
    assert refusal(music, "zero.mid") == "not a regular file"


def test_links_out_of_the_folder_are_told_of_and_not_followed(music: Path) -> None:
    outside = music.parent / "outside"
    (music / "file.mid").symlink_to(outside / "c.mid")
    (music / "relative.mid").symlink_to("../outside/c.mid")
    (music / "folder").symlink_to(outside)
    (music / "sub" / "again").symlink_to(outside)
    (music / "up").symlink_to("..")
    (music / "sub" / "whole").symlink_to("/")
    (music / "other.txt").symlink_to(outside / "c.mid")
    paths, reasons = found(music)
    assert paths == ["a.mid", "sub/b.mid"]
    names = ("file.mid", "relative.mid", "folder", "sub/again", "up", "sub/whole")
    assert reasons == dict.fromkeys(names, LEADS_OUT)
    for relative in ("file.mid", "relative.mid", "folder/c.mid", "up/outside/c.mid", "sub/whole/etc/passwd"):
        assert refusal(music, relative) == LEADS_OUT


def test_a_folder_whose_name_begins_alike_is_outside(music: Path) -> None:
    put(music.parent, "music2/d.mid")
    (music / "d.mid").symlink_to(music.parent / "music2" / "d.mid")
    assert found(music)[1] == {"d.mid": LEADS_OUT}


def test_links_inside_are_followed_and_each_folder_is_entered_once(music: Path) -> None:
    (music / "file.mid").symlink_to("sub/b.mid")
    (music / "twice").symlink_to("sub")
    (music / "sub" / "thrice").symlink_to(music / "sub")
    (music / "sub" / "self").symlink_to(".")
    (music / "sub" / "root").symlink_to(music)
    assert found(music) == (["a.mid", "file.mid", "sub/b.mid"], {})
    assert read_inside(music, "file.mid", MOST) == read_inside(music, "twice/b.mid", MOST) == b"music/sub/b.mid"


def test_folders_that_hold_links_to_each_other_end(music: Path) -> None:
    for place in ("x", "y"):
        put(music, f"{place}/{place}.mid")
    (music / "x" / "y").symlink_to("../y")
    (music / "y" / "x").symlink_to("../x")
    assert found(music) == (["a.mid", "sub/b.mid", "x/x.mid", "y/y.mid"], {})


def test_links_to_nowhere_are_told_of_if_they_are_wanted(music: Path) -> None:
    for name in ("gone.mid", "gone.txt"):
        (music / name).symlink_to("none")
    (music / "loop.mid").symlink_to("loop.mid")
    (music / "one.mid").symlink_to("other.mid")
    (music / "other.mid").symlink_to("one.mid")
    paths, reasons = found(music)
    assert paths == ["a.mid", "sub/b.mid"]
    assert sorted(reasons) == ["gone.mid", "loop.mid", "one.mid", "other.mid"]
    assert reasons["gone.mid"] == "cannot be read (No such file or directory)"
    assert "symbolic links" in reasons["loop.mid"]
    assert "symbolic links" in refusal(music, "loop.mid")


NAMES = ["new\nline.mid", "bell\a\x1b[2J.mid", "\u202egnp.mid", "accént ♯.mid", "back\\slash.mid", " .mid", "-rf.mid"]


def test_names_of_any_characters_are_found_and_shown_as_one_line(tmp_path: Path) -> None:
    put(tmp_path, *NAMES)
    (tmp_path / "odd\n").mkdir()
    os.mkfifo(tmp_path / "odd\n" / "p\x07.mid")
    paths, reasons = found(tmp_path)
    assert paths == sorted(NAMES)
    assert reasons == {r"odd\n/p\x07.mid": "not a regular file"}
    for name in NAMES:
        assert read_inside(tmp_path, name, MOST) == name.encode()


def test_names_of_any_bytes_are_found_and_read(tmp_path: Path) -> None:
    name = b"caf\xe9\xff.mid"
    try:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error}")
    os.mkfifo(os.fsencode(tmp_path) + b"/pipe\xfe.mid")
    paths, reasons = found(tmp_path)
    assert [os.fsencode(path) for path in paths] == [name]
    assert shown(paths[0]) == r"caf\udce9\udcff.mid"
    assert reasons == {r"pipe\udcfe.mid": "not a regular file"}
    assert read_inside(tmp_path, paths[0], MOST) == b"x"


def test_paths_too_long_to_be_named_are_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for depth in range(25):  # 25 names of 200 characters: no path from the root on can name the lowest
        Path("x" * 200).mkdir()
        os.chdir("x" * 200)
        Path(f"{depth}.mid").write_text("")
    monkeypatch.chdir(tmp_path)
    paths, reasons = found(tmp_path)
    assert 10 <= len(paths) < 25
    assert sorted(map(len, paths)) == [201 * depth + 5 + (depth > 10) for depth in range(1, len(paths) + 1)]
    assert reasons == {"/".join(["x" * 200] * (len(paths) + 1)): "a folder that cannot be read (File name too long)"}
    assert "too long" in refusal(tmp_path, "/".join(["x" * 200] * 25 + ["24.mid"])).lower()


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MAX_FILES", 3)
    put(tmp_path, "1.mid", "2.mid", "3.mid", "4.txt")
    assert len(found(tmp_path)[0]) == 3
    put(tmp_path, "4.mid")
    with pytest.raises(UserError, match="over 3 files; name a smaller folder"):
        found(tmp_path)


@as_other_than_root
def test_a_folder_that_may_not_be_listed_is_told_of(music: Path, locked: Callable[[Path], None]) -> None:
    put(music, "secret/d.mid")
    locked(music / "secret")
    assert found(music) == (["a.mid", "sub/b.mid"], {"secret": "a folder that cannot be read (Permission denied)"})
    assert refusal(music, "secret/d.mid") == "cannot be read (Permission denied)"
    locked(music)
    assert found(music) == ([], {".": "a folder that cannot be read (Permission denied)"})


@as_other_than_root
def test_a_file_that_may_not_be_read_is_refused_when_it_is_read(music: Path, locked: Callable[[Path], None]) -> None:
    locked(music / "a.mid")
    assert found(music)[0] == ["a.mid", "sub/b.mid"]
    assert refusal(music, "a.mid") == "cannot be read (Permission denied)"


@as_other_than_root
def test_what_is_in_a_folder_that_may_not_be_entered_is_told_of(music: Path) -> None:
    put(music, "sub/deeper/d.mid")
    (music / "sub").chmod(0o400)
    try:
        reason = "cannot be read (Permission denied)"
        assert found(music) == (["a.mid", "sub/b.mid"], {"sub/deeper": f"a folder that {reason}"})
        assert refusal(music, "sub/b.mid") == reason
    finally:
        (music / "sub").chmod(0o700)


@pytest.mark.parametrize(
    "relative", ["..", "../outside/c.mid", "sub/../../outside/c.mid", "../none", "/etc/passwd", "/dev/zero", "/none"]
)
def test_no_path_leads_out(music: Path, relative: str) -> None:
    assert refusal(music, relative) == LEADS_OUT


@pytest.mark.parametrize("relative", ["none.mid", "a.mid/x", "nul\0", "\ud800", "z" * 300])
def test_what_is_not_there_is_refused(music: Path, relative: str) -> None:
    assert refusal(music, relative).startswith("cannot be read (")


def test_folders_are_no_files(music: Path) -> None:
    for relative in ("", ".", "sub", "sub/.."):
        assert refusal(music, relative) == "not a regular file"


def test_a_file_is_read_up_to_the_limit_and_refused_beyond(music: Path) -> None:
    for size in (0, 1, MOST):
        (music / "a.mid").write_bytes(bytes(size))
        assert read_inside(music, "a.mid", MOST) == bytes(size)
    (music / "a.mid").write_bytes(bytes(MOST + 1))
    assert refusal(music, "a.mid") == "1001 bytes; at most 1000 are read"


def test_a_huge_file_of_nothing_is_refused_at_once(music: Path) -> None:
    with (music / "a.mid").open("wb") as file:
        file.truncate(2**40)
    assert "at most 1000 are read" in refusal(music, "a.mid")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Für Elise – Ré♯ (日本) 'a\\b'", "Für Elise – Ré♯ (日本) 'a\\b'"),
        ("a\tb\nc\rd\x00e\x7f", r"a\tb\nc\rd\x00e\x7f"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x85\x9b2J\xa0\xad", r"\x85\x9b2J\xa0\xad"),
        ("\u202egnp\u2066.\u2069\u200f", r"\u202egnp\u2066.\u2069\u200f"),
        ("\u2028\u2029\ufeff\u200b", r"\u2028\u2029\ufeff\u200b"),
        ("\udcff\ud800\udfff", r"\udcff\ud800\udfff"),
        ("\ue000\U000e0001\U0010ffff", r"\ue000\U000e0001\U0010ffff"),
        ("", ""),
    ],
)
def test_what_is_shown_is_printable(text: str, line: str) -> None:
    assert shown(text) == line


@given(st.text(st.characters(exclude_categories=())))
def test_anything_is_shown_as_one_printable_line_that_can_be_written(text: str) -> None:
    line = shown(text)
    assert line.isprintable()
    assert line.encode().decode() == line
    assert shown(line) == line
    if text.isprintable():
        assert line == text
