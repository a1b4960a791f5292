"""What a trial is said to leave on the disk, held against what one leaves."""

from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.corpus import load
from data_prep.locate import resolve
from reporting.forecast import disk
from reporting.tensorboard import TrialBoard
from reporting.trial_folder import TrialFolder
from reporting.trial_report import TrialReport
from search_spaces.space import load_space
from trainables.checkpoint import packed
from trainables.config import Budget
from trainables.judge import Judge
from trainables.training import Training


def test_disk_is_foretold(tmp_path: Path) -> None:
    budget = Budget(bars=4 * 216, evaluations=4, rollouts=8, early_rollouts=4)
    space = replace(load_space("smoke"), budget=budget, first_rung=2)
    corpus = load(resolve("builtin"))
    judge = Judge(corpus, rollouts=budget.rollouts, early_rollouts=budget.early_rollouts)
    training = Training("baseline", {}, corpus, judge, budget, seed=0)
    report = TrialReport(TrialFolder(tmp_path), TrialBoard(tmp_path, {}, session="trial"))
    for evaluation in range(1, budget.evaluations + 1):
        result = training.step(evaluation)
        report.keep(result | {"objective_now": evaluation}, packed(training.state_dict()))
        report.add(result, result.pop("_media"), audio=evaluation == space.first_rung)
    report.close(failed=False)
    found = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert disk(space, corpus, judge, trials=3) == pytest.approx(3 * found, rel=0.02)
