"""The command line, on files that the tests write themselves."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import symusic

from data_prep.errors import UserError
from reporting.midi import write_midi
from scores import __main__ as main_module
from scores.cli.command import parse_key
from scores.cli.song import UNITS
from scores.cli.table import column_titles, key_name, score_table, summary_table

ROOT = Path(__file__).parents[3]
Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def run(*arguments: Any) -> int:
    return main_module.main([str(argument) for argument in arguments])


def write(path: Path, *tracks: tuple[str, list[tuple[int, int, int]]], drums: bool = False) -> Path:
    """A MIDI file of tracks of notes (start, length, pitch), at a tempo at which 10,000 bars are not too long."""
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, 400))
    for name, notes in tracks:
        track = symusic.Track(name=name, is_drum=drums)
        for note in notes:
            track.notes.append(symusic.Note(*note, 90))
        score.tracks.append(track)
    score.dump_midi(path)
    return path


@pytest.fixture
def samples(songbook: Songbook, tmp_path: Path) -> Path:
    """A folder of 12 samples as trials write them."""
    folder = tmp_path / "samples"
    folder.mkdir()
    for number, (line, chord) in enumerate(zip(*songbook(12, 0), strict=True)):
        write_midi(folder / f"{number:02}.mid", line, chord)
    return folder


def test_a_file_is_scored_in_a_table(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(samples / "00.mid") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith(f"{samples / '00.mid'}: ")
    assert " in 8 bars, " in lines[0]
    assert lines[0].endswith("(estimated)")
    assert lines[1:3] == ["  scored  'melody'", "  chords  'chords'"]
    assert lines[4].split() == ["score", "unit", "00.mid"]
    assert {"note_count", "chord_tone_rate", "groove_similarity", "pitch_class_entropy_4"} <= {
        line.split()[0] for line in lines[5:]
    }
    assert err == ""


def test_json_tells_the_same_of_every_file(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = sorted(samples.iterdir())[:3]
    assert run(*paths, "--json", "--key", "F# minor") == 0
    found = json.loads(capsys.readouterr().out)
    assert [song["file"] for song in found] == [str(path) for path in paths]
    for song in found:
        assert (song["bars"], song["tracks"], song["chords_track"], song["remarks"]) == (8, ["melody"], "chords", [])
        assert (song["key"], song["key_estimated"]) == ("F# minor", False)
        assert song["notes"] == pytest.approx(8 * song["scores"]["note_count"])
        assert set(song["scores"]) <= set(UNITS)


def test_several_files_stand_side_by_side_with_their_mean() -> None:
    units = {"note_count": "notes per bar", "mctd": "none", "pcs": "none"}
    columns = [{"note_count": 1.0, "mctd": 2.0}, {"note_count": 2.0}, {"note_count": 6.0}]
    table = score_table(["a.mid", "b.mid", "c.mid"], columns, units, 80).splitlines()
    assert [line.split() for line in table[1:]] == [
        ["note_count", "notes", "per", "bar", "1.000", "2.000", "6.000", "3.000"],
        ["mctd", "none", "2.000", "-", "-", "2.000"],
    ]


@pytest.mark.parametrize("width", [1, 40, 50, 80, 200])
def test_blocks_are_no_wider_than_the_terminal_if_a_column_is_not(width: int) -> None:
    columns = [{"note_count": float(number)} for number in range(30)]
    titles = [f"{number}.mid" for number in range(30)]
    blocks = score_table(titles, columns, {"note_count": "notes per bar"}, width).split("\n\n")
    heads = [block.splitlines()[0].split()[2:] for block in blocks]
    assert [title for head in heads for title in head] == [*titles, "mean"]
    for block, head in zip(blocks, heads, strict=True):
        assert len(head) == 1 or max(map(len, block.splitlines())) <= width


def test_files_of_one_name_are_told_apart() -> None:
    assert column_titles(["a/x.mid", "b/y.mid"]) == ["x.mid", "y.mid"]
    assert column_titles(["a/x.mid", "b/x.mid"]) == ["a/x.mid", "b/x.mid"]
    assert column_titles(["a/" + 30 * "y" + ".mid"]) == ["..." + 13 * "y" + ".mid"]


def test_a_bad_file_among_others_is_named_and_the_others_are_scored(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (samples / "bad.mid").write_text("hello")
    assert run(samples / "bad.mid", samples / "00.mid", samples / "none.mid", samples / "01.mid", "--json") == 2
    out, err = capsys.readouterr()
    assert [Path(song["file"]).name for song in json.loads(out)] == ["00.mid", "01.mid"]
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        ["error", str(samples / "bad.mid")],
        ["error", str(samples / "none.mid")],
    ]


def test_names_from_outside_stay_in_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a\nb \"c\" 'd'\x1b[31m.mid", ("tra\nck", [(0, 480, 60)]))
    assert run(path) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[1] == "  scored  'tra\\nck'"
    assert "\x1b" not in out
    assert run(path, "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["tracks"] == ["tra\\nck"]


HOSTILE = {
    "one note": [(0, 1, 127)],
    "a chord of all pitches": [(0, 480, pitch) for pitch in range(128)],
    "a huge gap": [(0, 480, 60), (1920 * 9_990, 480, 61)],
    "ten thousand bars": [(1920 * bar, 1920, 60 + bar % 7) for bar in range(10_000)],
    "notes that outlast everything": [(step, 1920 * 2000 - step, step % 128) for step in range(2000)],
}


@pytest.mark.parametrize("notes", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.filterwarnings("error")
def test_whatever_is_music_is_scored_in_finite_numbers(
    notes: list[tuple[int, int, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.mid", ("", notes))
    assert run(path, "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert np.isfinite(list(found["scores"].values())).all()
    assert found["tracks"] == ["track 1"]
    assert run("compare", path, "builtin", "--json") in (0, 2)
    out, err = capsys.readouterr()
    assert err.count("\n") == (not out)
    if out:
        assert np.isfinite(list(json.loads(out)["report"].values())).all()


def test_what_is_no_music_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.mid"
    empty.write_bytes(b"")
    drums = write(tmp_path / "drums.mid", ("kit", [(0, 480, 36)]), drums=True)
    for path, told in (
        (empty, "no MIDI file"),
        (drums, "only drums"),
        (write(tmp_path / "none.mid", ("", [])), "no note"),
        (write(tmp_path / "long.mid", ("", [(0, 480, 60), (1920 * 10_000, 480, 61)])), "10,001 bars"),
        (tmp_path, "a folder; name its files"),
        (Path("a" * 300), "no such file"),
        (Path("nul\0l"), "no such file"),
        (Path("~nobody-of-that-name/a.mid"), "no such file"),
    ):
        assert run(path) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert told in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "required: FILE.mid"),
        (("--jsom", "a.mid"), "There is no option --jsom: did you mean --json?"),
        (("a.mid", "--key", "H"), "--key is 'H'"),
        (("compare",), "required: GENERATED, REFERENCE"),
        (("compare", "builtin"), "required: REFERENCE"),
        (("compare", "zzz", "builtin"), "error: zzz: there is no such file or folder"),
        (("compare", "builtin", "."), "no MIDI file in it, and no corpus"),
        (("nofile.mid",), "error: nofile.mid: there is no such file"),
        (("kompare", "a", "b"), "did you mean: python -m scores compare GENERATED REFERENCE"),
        (("--json", "compare", "a", "b"), "did you mean: python -m scores compare GENERATED REFERENCE"),
        (("compare", "builtin", "maestro:nowhere"), "'maestro:nowhere': it holds windows"),
        (("a.mid", "--key", "Hm"), "--key is 'Hm'; write it like"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert told in err


def test_two_sets_are_compared(
    samples: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert run("compare", samples, "builtin") == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == f"12 phrases of {samples} beside 1,024 phrases of builtin"
    assert lines[1].startswith("objective ")
    assert "about" in lines[1]
    for expected in ("pitch 0.", "near_copy_rate", "the reference has", "what stands out", " sd"):
        assert expected in out
    assert run("compare", samples, "builtin", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["generated"] == {"name": str(samples), "phrases": 12}
    assert found["verdict"] == lines[1]
    assert lines[1].startswith(f"objective {found['report']['objective']:.3f} = {found['report']['realism']:.3f} dist")
    assert [fault["words"] for fault in found["faults"]] == [
        line.strip().rpartition(" (")[0]
        for line in out.partition("the worst first\n")[2].partition("\n\n")[0].splitlines()
    ]


@pytest.mark.parametrize("width", [40, 72, 100])
def test_a_comparison_is_as_wide_as_the_terminal(
    width: int, samples: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples)
    told = []
    for columns in (width, 300):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run("compare", ".", "builtin") == 0
        told.append(capsys.readouterr().out)
    sentences, _, table = told[0].rpartition("\n\n")
    assert max(map(len, sentences.splitlines())) <= width
    whole, _, same_table = told[1].rpartition("\n\n")
    assert (sentences.split(), table) == (whole.split(), same_table)


def test_scores_that_are_the_same_have_no_row_but_stay_in_the_json(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("compare", samples, samples) == 0
    table = capsys.readouterr().out.rpartition("\n\n")[2]
    assert table.split() == ["score", "unit", "generated", "reference", "difference"]
    assert run("compare", samples, samples, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["differences"]) > 30


def test_of_many_files_the_table_says_what_they_have_in_common(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = sorted(samples.iterdir())
    off = write(samples / "off.mid", ("melody", [(60, 480, 60), (540, 480, 62), (1020, 480, 64)]))
    assert run(*paths[:5]) == 0
    assert "00.mid" in capsys.readouterr().out
    assert run(*paths[:6], off) == 0
    out = capsys.readouterr().out
    assert ".mid" not in out
    assert out.startswith("7 files: ")
    assert "--json" in out.splitlines()[0]
    assert "of 6 of the 7 files; without them harmony is not scored" in out
    assert "1 file in which over a fifth of the onsets lie off the sixteenths" in out
    assert run(*paths[:6], off, "--json") == 0
    found = [song["scores"] for song in json.loads(capsys.readouterr().out)]
    assert len(found) == 7
    rows = {line.split()[0]: line.split()[-5:] for line in out.partition("\n\n")[2].splitlines()}
    assert rows["score"] == ["mean", "sd", "least", "most", "files"]
    for name, count in (("note_count", 7), ("chord_tone_rate", 6)):
        values = [scores[name] for scores in found if name in scores]
        expected = (np.mean(values), np.std(values, ddof=1), min(values), max(values))
        assert rows[name] == [*(f"{value:.3f}" for value in expected), str(count)]


def test_a_score_of_one_file_has_no_deviation() -> None:
    table = summary_table([{"pcs": 1.0}, {"mctd": 2.0}, {"mctd": 4.0}], {"pcs": "none", "mctd": "none", "ctnctr": "x"})
    assert [line.split()[2:] for line in table.splitlines()[1:]] == [
        ["1.000", "-", "1.000", "1.000", "1"],
        ["3.000", "1.414", "2.000", "4.000", "2"],
    ]


def test_chords_can_be_left_out_of_a_comparison(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", samples, "builtin", "--chords-track", "none") == 0
    out = capsys.readouterr().out
    assert "harmony is not compared" in out
    assert "harmony -" in out


@pytest.mark.parametrize("key", range(24))
def test_keys_are_read_as_they_are_written(key: int) -> None:
    name = key_name(key)
    assert name is not None
    assert parse_key(name) == key
    assert parse_key(f"  {name.upper()} ") == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Gm", 19),
        ("gm", 19),
        ("GM", 7),
        ("F#m", 18),
        ("F\u266f minor", 18),
        ("Bb", 10),
        ("bb", 10),
        ("b", 11),
        ("bm", 23),
        ("B\u266dm", 22),
        ("A min", 21),
        ("Amaj", 9),
    ],
)
def test_keys_are_read_as_musicians_write_them(text: str, key: int) -> None:
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["", "H", "m", "C minor major", "C##", "Cmi", "C major 7", "\u212a"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--key is"):
        parse_key(text)


def test_no_key_is_none() -> None:
    assert parse_key(None) is None
    assert key_name(24) is None
    assert (parse_key("Cb major"), parse_key("b# minor")) == (11, 12)


@pytest.mark.parametrize("command", [(), ("compare",)])
def test_help_shows_examples(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(*command, "--help")
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    assert "--chords-track" in out
    assert "results/run/trials/0008/samples/*.mid" in out or "base_line" in out
    assert max(map(len, out.splitlines())) <= 120


def test_an_interruption_is_told_in_a_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main_module, "read_song", interrupted)
    assert run("a.mid") == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(("place", "code", "told"), [("pipe", 0, ""), ("/dev/full", 2, "cannot be printed")])
def test_output_that_cannot_be_printed_ends_in_order(place: str, code: int, told: str, samples: Path) -> None:
    if place == "pipe":
        reading, writing = os.pipe()
        os.close(reading)
    elif Path(place).exists():
        writing = os.open(place, os.O_WRONLY)
    else:
        pytest.skip(f"no {place} here")
    process = subprocess.run(
        [sys.executable, "-m", "scores", str(samples / "00.mid")],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert process.returncode == code
    assert "Traceback" not in process.stderr
    assert told in process.stderr
    assert process.stderr.count("\n") == bool(told)


def test_a_shell_may_close_what_is_printed_to(samples: Path) -> None:
    words = [sys.executable, "-m", "scores", str(samples / "00.mid")]
    done = subprocess.run(["/bin/sh", "-c", 'exec "$@" >&-', "sh", *words], cwd=ROOT, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
