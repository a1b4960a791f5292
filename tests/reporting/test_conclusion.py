"""What the last lines of a search say of finalists that were repeated."""

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console

from data_prep.corpus import Corpus, load
from data_prep.locate import resolve
from reporting.anchors import RANDOM_BARS, RANDOM_NOTES, REAL
from reporting.conclusion import conclude_search
from reporting.row import Row
from search_spaces.run.plan import Plan
from search_spaces.space import load_space
from trainables.editions import Editions


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load(resolve("builtin"))


ANCHORS = [
    Row(name=name, outcome="anchor", objective=objective, scores={}, parameters={}, note="")
    for name, objective in ((REAL, 0.01), (RANDOM_BARS, 0.36), (RANDOM_NOTES, 0.8))
]
FIRST = Row(name="0003", outcome="finished", objective=0.1, scores={}, parameters={"rate": 0.5}, note="", known="SAGAN")
REPEATED = [
    Row(
        name=f"repeat-{number:04d}",
        outcome="finished",
        objective=objective,
        scores={},
        parameters={"candidate": candidate, "seed": seed},
        note="",
        stage="repeat",
    )
    for number, (candidate, seed, objective) in enumerate(
        [("0003", 1, 0.2), ("0005", 1, 0.3), ("0003", 2, 0.22), ("0005", 2, 0.31), ("0003", 3, 0.24)]
    )
]


def told(run: Path, lines: list[Row], corpus: Corpus) -> str:
    plan = SimpleNamespace(run=run, results=run.parent)
    output = io.StringIO()
    console = Console(file=output, soft_wrap=True, markup=False, emoji=False, highlight=False, width=200)
    conclude_search(cast(Plan, plan), load_space("smoke"), corpus, Editions((({}, corpus),), {}), "", lines, console)
    return output.getvalue()


def test_finalists_are_told_with_their_spread_the_noise_and_the_test_songs(tmp_path: Path, corpus: Corpus) -> None:
    budget = load_space("smoke").budget
    judged = {row.name: {"objective": 0.4 + number / 10} for number, row in enumerate(REPEATED)}
    kept = {"corpus": corpus.digest, "rollouts": budget.rollouts, "trials": judged}
    (tmp_path / "test.json").write_text(json.dumps(kept))
    lines = told(tmp_path, [*ANCHORS, FIRST, *REPEATED], corpus).splitlines()
    start = "Winner: 0003 (SAGAN), objective 0.220 ± 0.020 over 3 seeds; trial repeat-0002 is that of the middle seed"
    assert lines[0].startswith(start)
    found = {line[:15].strip(): line[15:] for line in lines[1:]}
    assert found["noise"].endswith(": no other may be as good")
    assert found["settings"] == "rate 0.5"
    assert found["test songs"] == "0003 (SAGAN) 0.600 ± 0.200 over 3 seeds"
    assert "               0005 0.600 ± 0.141 over 2 seeds" in lines
    assert found["disk"].endswith(" bytes")
    assert found["listen"].endswith("trials/repeat-0002/samples")


def test_where_the_seeds_do_not_tell_finalists_apart_it_says_so(tmp_path: Path, corpus: Corpus) -> None:
    close = replace(REPEATED[3], objective=0.15)
    said = told(tmp_path, [*ANCHORS, FIRST, *REPEATED[:3], close], corpus)
    assert "0005 may be as good" in said
    assert "(not all judged: " in said


def test_a_single_finalist_is_not_said_to_be_the_best_of_several(tmp_path: Path, corpus: Corpus) -> None:
    said = told(
        tmp_path, [*ANCHORS, FIRST, *(row for row in REPEATED if row.parameters["candidate"] == "0003")], corpus
    )
    assert "there is no other finalist to compare it with" in said
    assert "as good" not in said
