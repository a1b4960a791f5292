"""The command line, on music that the tests write themselves."""

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from data_prep import __main__ as main_module
from data_prep.corpus import Corpus, load, save
from data_prep.errors import UserError
from data_prep.options import HELP, Options
from data_prep.sources import SOURCES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sheets(tmp_path: Path) -> Path:
    """Six songs of four bars, and one in three."""
    for number in range(7):
        notes = [{"pitch": (number * beat) % 12, "event_on": beat, "event_off": beat + 1} for beat in range(16)]
        chord = {"root": number, "quality": "m", "chord_type": 7, "sus": None, "event_on": 0, "event_off": 16}
        tracks = {"melody": notes, "chord": [chord]}
        folder = tmp_path / "music" / f"song {number}"
        folder.mkdir(parents=True)
        content = {"metadata": {"beats_in_measure": "3" if number == 6 else "4"}, "tracks": tracks}
        (folder / "verse_symbol_nokey.json").write_text(json.dumps(content))
    return tmp_path / "music"


def run(*arguments: Any) -> int:
    return main_module.main([str(argument) for argument in arguments])


def test_it_writes_a_corpus_and_says_what_is_in_it(
    sheets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run(
            "lead-sheet",
            sheets,
            "--out",
            tmp_path / "c",
            "--seed",
            3,
            "--chord-quality",
            "strict",
            "--chords",
            "optional",
        )
        == 0
    )
    corpus = load(tmp_path / "c")
    assert corpus.num_bars == 24
    assert set(corpus.chord.ravel().tolist()) == {24}
    assert corpus.about["options"] == {
        "seed": 3,
        "shares": {"validation": 0.12, "test": 0.12, "prompts": 0.04},
        "rests": "fill",
        "octave": "keep",
        "chords": "optional",
        "chord_quality": "strict",
    }
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"6 songs, 24 bars -> {tmp_path / 'c'}"
    assert [line.split()[0] for line in lines[1:5]] == ["train", "validation", "test", "prompts"]
    assert lines[5].split() == (
        [
            "skipped",
            "1",
            "files:",
            "not",
            "in",
            "4/4:",
            "3",
            "beats",
            "in",
            "a",
            "measure;",
            "such",
            "as",
            "song",
            "6/verse_symbol_nokey.json",
        ]
    )


def test_every_choice_reaches_the_corpus(sheets: Path, tmp_path: Path) -> None:
    shares = ("--shares", 0.3, 0.3, 0.1)
    assert (
        run("lead-sheet", sheets, "--out", tmp_path, *shares, "--rests", "keep", "--octave", "fold", "--jobs", 2) == 0
    )
    options = load(tmp_path).about["options"]
    assert options["shares"] == {"validation": 0.3, "test": 0.3, "prompts": 0.1}
    assert (options["rests"], options["octave"]) == ("keep", "fold")


def test_info_says_what_is_in_a_corpus_and_draws_it(
    builtin_corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(builtin_corpus, tmp_path / "c")
    assert run("info", tmp_path / "c", "--plot", tmp_path / "plots" / "c.png") == 0
    told = capsys.readouterr().out
    for fact in (
        "413 songs, 8,075 bars from builtin", "rests fill", "A3 to Bb5 (57-82)", "1,092 bars: not in 4/4",
        "242 that differ in their opening notes", "25 of 25 classes", "300 songs", "no soprano or canto",
    ):  # fmt: skip
        assert fact in told
    assert (tmp_path / "plots" / "c.png").read_bytes().startswith(b"\x89PNG")


def test_info_counts_right(sheets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("lead-sheet", sheets, "--out", tmp_path / "c")
    capsys.readouterr()
    assert run("info", tmp_path / "c") == 0
    told = capsys.readouterr().out
    assert "notes a bar  4.0 on average; median 4" in told
    assert "silence      0% of the steps" in told
    assert "Cm 17%, C#m 17%" in told
    assert "0% of the bars have more than one chord" in told
    assert "100% of the bars lie within C4-B5" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["lead-sheet", "none", "--out", "c"], "none: cannot be read"),
        (["lead-sheet", "empty", "--out", "c"], "No music of this kind there"),
        (["lead-sheet", "/dev/null", "--out", "c"], "neither a folder nor a regular file"),
        (["lead-sheet", "empty", "--out", "file"], "file: cannot be written"),
        (["lead-sheet", "empty", "--out", "file/c"], "file/c: cannot be written"),
        (["lead-sheet", "music", "--out", "file"], "file: cannot be written"),
        (["lead-sheet", "music", "--out", "c", "--shares", "0.5", "0.5", "0.5"], "Shares of 0.5, 0.5, 0.5"),
        (["lead-sheet", "music", "--out", "c", "--shares", "nan", "0", "0"], "Shares of nan, 0, 0"),
        (["lead-sheet", "music", "--out", "c", "--seed", "-1"], "seed is -1"),
        (["lead-sheet", "music", "--out", "c", "--seed", "one"], "invalid int value: 'one'"),
        (["lead-sheet", "music", "--out", "c", "--jobs", "0"], "--jobs is 0"),
        (["lead-sheet", "music", "--out", "c", "--pedal", "hold"], "There is no option --pedal: did you mean --seed?"),
        (["lead-sheet", "music", "--out", "c", "--rests", "x"], "invalid choice: 'x'"),
        (["lead-sheet", "music"], "required: --out"),
        (["lead-sheet", "--out", "c"], "required: PATH"),
        (["biultin"], "There is no source 'biultin': did you mean 'builtin'?"),
        ([], "required: SOURCE"),
        (["info", "music"], "has no corpus.npz; is it music?"),
        (["info", "file"], "nor a folder with a corpus"),
        (["lead-sheet", "a\nb\x1b[31m", "--out", "c"], r"a\nb\x1b[31m: cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_code_2(
    arguments: list[str], told: str, sheets: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(sheets.parent)
    Path("file").write_text("")
    Path("empty").mkdir()
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error
    assert error.count("\n") == 1
    assert error.isprintable() or error.rstrip("\n").isprintable()
    assert not Path("c").exists()


def test_a_picture_that_cannot_be_written_is_one_line(
    sheets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("lead-sheet", sheets, "--out", tmp_path / "c")
    for file in ("c.jpg", "c/corpus.npz/c.png"):
        assert run("info", tmp_path / "c", "--plot", tmp_path / file) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("raised", "code"), [(UserError("no music21"), 2), (KeyboardInterrupt(), 130)])
def test_what_stops_it_is_told_without_a_traceback(
    raised: BaseException, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(*_: Any, **__: Any) -> Corpus:
        raise raised

    monkeypatch.setattr(main_module, "prepare", prepare)
    assert run("builtin", "--out", tmp_path / "c") == code
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("source", SOURCES)
def test_the_help_of_every_source_names_its_options_and_an_example(
    source: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        run(source, "--help")
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert f"python -m data_prep {source} " in told
    for name in SOURCES[source].hears:
        assert "--" + name.replace("_", "-") in told
        assert HELP[name] in told


def test_every_option_is_heard_by_some_source() -> None:
    assert {name for source in SOURCES.values() for name in source.hears} == {option.name for option in fields(Options)}


def test_a_pipe_that_is_closed_early_is_no_fault(sheets: Path, tmp_path: Path) -> None:
    run("lead-sheet", sheets, "--out", tmp_path / "c")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = told_to(writer, "info", tmp_path / "c")
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_is_full_is_one_line(sheets: Path, tmp_path: Path) -> None:
    run("lead-sheet", sheets, "--out", tmp_path / "c")
    with Path("/dev/full").open("w") as full:
        done = told_to(full.fileno(), "info", tmp_path / "c")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "No space left" in done.stderr


def told_to(output: int, *arguments: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "data_prep", *map(str, arguments)]
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}  # as a user has it
    return subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=plain, check=False)
