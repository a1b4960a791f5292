"""What a probe of a few steps says of a trial, held against a trial."""

from dataclasses import replace

import pytest
import torch

from data_prep.corpus import Corpus
from data_prep.errors import UserError
from trainables.checkpoint import packed
from trainables.config import Budget
from trainables.judge import Judge
from trainables.probe import probe
from trainables.training import Training

BUDGET = Budget(bars=1_500, evaluations=4, rollouts=8, early_rollouts=4)
SETTINGS = {"batch_size": 24, "d_updates": 2}


@pytest.fixture(scope="module")
def judge(corpus: Corpus) -> Judge:
    return Judge(corpus, rollouts=BUDGET.rollouts, early_rollouts=BUDGET.early_rollouts)


@pytest.mark.parametrize(("system", "settings"), [("baseline", SETTINGS), ("lstm", {"hidden": 16})])
def test_it_foretells_steps_and_bytes(system: str, settings: dict[str, int], corpus: Corpus, judge: Judge) -> None:
    measured, result = probe(system, settings, corpus, judge, BUDGET, seconds=0)
    assert result["bars"] == 4 * measured.bars_per_step  # one to warm up, and three
    assert min(measured.seconds_per_step, measured.seconds_per_evaluation, measured.start_seconds) > 0
    steps_alone = replace(
        measured, seconds_per_step=1, seconds_per_evaluation=0, seconds_per_early_evaluation=0, start_seconds=0
    )
    training = Training(system, settings, corpus, judge, BUDGET, seed=0)
    for evaluation in range(1, BUDGET.evaluations + 1):
        training.step(evaluation)
        taken = training.system.bars_seen / measured.bars_per_step
        assert taken == pytest.approx(steps_alone.seconds_per_trial(BUDGET, evaluation), abs=1)
    assert taken == steps_alone.seconds_per_trial(BUDGET)
    assert measured.checkpoint_bytes == pytest.approx(len(packed(training.state_dict())), rel=0.01)


def test_evaluations_count_by_their_kind(corpus: Corpus, judge: Judge) -> None:
    measured, _ = probe("baseline", SETTINGS, corpus, judge, BUDGET, seconds=0)
    judging = replace(
        measured, seconds_per_step=0, seconds_per_evaluation=10, seconds_per_early_evaluation=1, start_seconds=100
    )
    told = [judging.seconds_per_trial(BUDGET, evaluation) for evaluation in range(1, 5)]
    assert told == [101, 111, 121, 131]  # the last three make the objective


def test_it_computes_as_trials_do_and_leaves_the_process_as_it_was(
    corpus: Corpus, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile: list[int] = []
    samples = Judge.samples
    monkeypatch.setattr(
        Judge, "samples", lambda *a, **k: (meanwhile.append(torch.get_num_threads()), samples(*a, **k))[1]
    )
    torch.set_num_threads(2)
    try:
        probe("baseline", SETTINGS, corpus, judge, BUDGET, seconds=0)
        assert (set(meanwhile), torch.get_num_threads()) == ({1}, 2)
        with pytest.raises(UserError, match="There is no setting of baseline 'batchsize'"):
            probe("baseline", {"batchsize": 2}, corpus, judge, BUDGET)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
