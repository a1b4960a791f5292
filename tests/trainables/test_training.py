"""One configuration in training: the state machine that trials and the command line share."""

from pathlib import Path
from typing import Any

import pytest

from data_prep.corpus import Corpus
from data_prep.errors import UserError
from trainables.checkpoint import read_state, write_state
from trainables.config import Budget
from trainables.judge import Judge
from trainables.training import Training

BUDGET = Budget(bars=1_536, evaluations=3, rollouts=4)
SMALL = {"hidden": 8, "embedding": 8, "layers": 1}


def training(corpus: Corpus, settings: dict[str, Any] = SMALL, seed: int = 0) -> Training:
    return Training("lstm", settings, corpus, Judge(corpus, rollouts=4), BUDGET, seed=seed)


def test_settings_that_cannot_be_are_refused_in_the_first_step(corpus: Corpus) -> None:
    wrong = training(corpus, {"hiddenn": 8})
    with pytest.raises(UserError, match="did you mean 'hidden'"):
        wrong.step(1)


def test_it_is_over_when_its_budget_is_spent(corpus: Corpus) -> None:
    whole = training(corpus)
    assert (whole.evaluation, whole.last, whole.over) == (0, {}, False)
    for evaluation in (1, 2, 3):
        assert not whole.over
        result = whole.step(evaluation)
        assert result["training_iteration"] == whole.evaluation == evaluation
        assert result["bars"] >= BUDGET.bars * evaluation // 3
        assert {name: result[name] for name in whole.last} == whole.last
        assert result["seconds"] == whole.seconds > 0
    assert whole.over


def test_it_goes_on_from_its_state_as_if_it_had_never_stopped(corpus: Corpus, tmp_path: Path) -> None:
    whole, resumed = training(corpus), training(corpus, seed=5)
    whole.step(1)
    write_state(tmp_path, whole.state_dict())
    resumed.load_state_dict(read_state(tmp_path))
    assert (resumed.evaluation, resumed.last) == (1, whole.last)
    (after, again) = (each.step(2) for each in (whole, resumed))
    assert after["objective"] == again["objective"]
    assert after["losses"] == again["losses"]
