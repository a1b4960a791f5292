from pathlib import Path
from typing import Any

import pytest

from data_prep import __main__ as command
from data_prep.assemble import Options
from data_prep.corpus import Corpus, load
from data_prep.errors import UserError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, builtin_corpus: Corpus) -> list[Any]:
    """The options and jobs of each preparation, which is not done again."""
    calls: list[Any] = []

    def prepare(options: Options, *, jobs: int, progress: Any) -> Corpus:
        calls.append((options, jobs))
        return builtin_corpus

    monkeypatch.setattr(command, "prepare_builtin", prepare)
    return calls


def test_it_writes_a_corpus_and_says_what_is_in_it(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], builtin_corpus: Corpus
) -> None:
    arguments = ["builtin", "--out", str(tmp_path / "c"), "--seed", "3", "--rests", "keep", "--jobs", "1"]
    assert command.main(arguments) == 0
    assert asked == [(Options(seed=3, rests="keep"), 1)]
    assert load(tmp_path / "c").digest == builtin_corpus.digest
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"413 songs, {builtin_corpus.num_bars} bars -> {tmp_path / 'c'}"
    assert [line.split()[0] for line in lines[1:5]] == ["train", "validation", "test", "prompts"]
    assert any("not in 4/4" in line for line in lines)


def test_a_mistake_is_one_line_and_code_2(asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert command.main(["builtin", "--out", str(tmp_path / "file")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(("raised", "code"), [(UserError("no music21"), 2), (KeyboardInterrupt(), 130)])
def test_what_stops_it_is_told_without_a_traceback(
    raised: BaseException, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(*_: Any, **__: Any) -> Corpus:
        raise raised

    monkeypatch.setattr(command, "prepare_builtin", prepare)
    assert command.main(["builtin", "--out", str(tmp_path / "c")]) == code
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["biultin"], ["builtin"], ["builtin", "--out", "x", "--jobs", "0"], ["builtin", "--rests", "x"]]
)
def test_wrong_options_end_with_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2


def test_the_help_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["builtin", "--help"]):
        with pytest.raises(SystemExit) as ended:
            command.main(arguments)
        assert ended.value.code == 0
        assert "python -m data_prep builtin --out" in capsys.readouterr().out
