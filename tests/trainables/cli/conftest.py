"""Small corpora on disk, and one training by the command line in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_prep import kinds
from data_prep.corpus import Corpus
from tests.once import made_once
from tests.piano import piano_corpus
from trainables.__main__ import main

ROOT = Path(__file__).parents[3]
TINY = (
    *("lstm", "--set", "hidden=16", "--set", "embedding=16", "--set", "layers=1"),
    *("--bars", "1536", "--evaluations", "3", "--rollouts", "8"),
)
"""Twenty-four steps of a small network, judged three times."""
PAIR = ("baseline", "--bars", "864", "--evaluations", "2", "--rollouts", "8")
"""Four steps of two players, judged twice."""

Run = Callable[..., tuple[int, str, str]]


def on_disk(corpus: Corpus, folder: Path) -> Path:
    """The corpus in a folder, with the table of songs that it needs there."""
    sizes = np.bincount(corpus.song).tolist()
    first_rows = (np.cumsum([0, *sizes])[:-1]).tolist()
    songs = [
        {"id": str(s), "split": int(split), "sections": [{"path": str(s), "first_row": row, "num_bars": size}]}
        for s, (split, row, size) in enumerate(zip(corpus.split, first_rows, sizes, strict=True))
    ]
    kinds.save(replace(corpus, about={**corpus.about, "songs": songs}), folder)
    return folder


@pytest.fixture(scope="session")
def bars(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return on_disk(corpus, tmp_path_factory.mktemp("bars"))


@pytest.fixture(scope="session")
def piano(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("piano")
    kinds.save(piano_corpus(), folder)
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `python -m trainables` in this process: exit code, output, errors."""

    def of(*words: Any) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return (code, *capsys.readouterr())

    return of


def command(*words: Any) -> list[str]:
    """The command line that tells in its last line which libraries it has loaded."""
    code = (
        "import sys; from trainables.__main__ import main; code = main(sys.argv[1:]); print(*sys.modules); exit(code)"
    )
    return [sys.executable, "-c", code, *map(str, words)]


@pytest.fixture(scope="session")
def trained(bars: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished training of one network."""

    def make(results: Path) -> None:
        words = ("train", *TINY, "--data", bars, "--results", results, "--name", "whole", "--device", "cpu")
        done = subprocess.run(command(*words), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (results / "output.json").write_text(json.dumps([done.stdout, done.stderr]))

    return made_once(tmp_path_factory, "trained", make) / "whole"


@pytest.fixture(scope="session")
def trained_pair(bars: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished training of two players."""

    def make(results: Path) -> None:
        words = ("train", *PAIR, "--data", bars, "--results", results, "--name", "whole", "--device", "cpu")
        assert main([str(word) for word in words]) == 0

    return made_once(tmp_path_factory, "trained_pair", make) / "whole"
