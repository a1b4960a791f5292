"""docs/search.md shows a space that works, and all fields that there are."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from optuna.trial import FixedTrial

import tune
from search_spaces.restrict import pinned
from search_spaces.search.samplers import SAMPLERS
from search_spaces.search.schedulers import SCHEDULERS
from search_spaces.search.study import Outcome
from search_spaces.space import Space, load_space, space_names
from trainables.config import TrainConfig

TEXT = (Path(tune.__file__).parent / "docs" / "search.md").read_text(encoding="utf-8")


@pytest.fixture
def space(tmp_path: Path) -> Space:
    (code,) = re.findall(r"^```python\n(from search_spaces.space import.*?)^```", TEXT, re.M | re.S)
    (tmp_path / "my_space.py").write_text(code)
    return load_space(str(tmp_path / "my_space.py"))


def test_the_space_that_is_shown_can_be_searched(space: Space) -> None:
    assert set(space.parameters()) == {"loss", "learning_rate", "real_label"}
    (known,) = space.distinct_known()
    config = space.described(space.suggest(FixedTrial(dict(known.parameters)), "baseline")).config
    assert config == TrainConfig()  # the paper's
    assert space.trials == 24


def test_the_commands_that_are_shown_fit_it(space: Space) -> None:
    (pair,) = re.findall(r"--space my_space.py --system (\w+) --set (\w+)=(\w+)", TEXT)
    system, name, value = pair
    hinge = pinned(space, {name: value})
    assert {settings["loss"] for _, settings in hinge.looks()} == {"hinge"}
    assert hinge.parameters() == ["learning_rate"]
    assert system == "mlp"


def test_every_field_of_a_space_is_told_with_its_default() -> None:
    own = TEXT[TEXT.index("## A space of your own") :]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) ?\| [^|]+ \|$", own, re.M))
    rows = {name: default.strip("`") for name, default in rows.items()}
    declared = {each.name: each for each in fields(Space) if each.name != "fixed"}  # which is for `pinned` to fill
    assert list(rows) == list(declared)
    for name in ("trials", "minutes", "first_rung", "grid"):
        assert rows[name] == str(declared[name].default)
    for name in ("title", "system", "suggest"):
        assert (rows[name], declared[name].default) == ("", MISSING)
    budget = Space(title="", system="baseline", suggest=lambda trial, system: {}).budget
    assert rows["budget"] == f"{budget.bars:,} bars, judged {budget.evaluations} times"


def test_every_space_sampler_scheduler_and_outcome_is_told() -> None:
    def first_column(heading: str) -> list[str]:
        table = TEXT[TEXT.index(f"| {heading}") :].partition("\n\n")[0]
        return [row.split("|")[1].strip(" `") for row in table.splitlines()[2:]]

    assert sorted(first_column("space |")) == space_names()
    assert first_column("`--sampler`") == list(SAMPLERS)
    assert first_column("`--scheduler`") == list(SCHEDULERS)
    assert set(first_column("in the leaderboard")) == {outcome.value for outcome in Outcome}
