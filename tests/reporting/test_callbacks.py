"""A callback that raises would end the search: ours does not, whatever happens to the disk."""

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from reporting.callbacks import RunReporter
from reporting.terminal import Terminal
from reporting.trial_folder import read_scores
from search_spaces.run.waiting import Waiting
from search_spaces.search.ledger import ATTEMPTS, Ledger
from search_spaces.search.schedulers import SCHEDULERS
from search_spaces.search.searcher import LedgerSearcher
from search_spaces.search.study import Records, open_study
from search_spaces.space import load_space

SPACE = load_space("smoke")


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(output: io.StringIO) -> Console:
    return Console(file=output, width=200)


@pytest.fixture
def waiting(console: Console) -> Waiting:
    """The user gives up at once."""
    return Waiting(tell=console.print, given_up=lambda: True)


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    return open_study(tmp_path)


@pytest.fixture
def searcher(tmp_path: Path, study: optuna.Study, waiting: Waiting) -> LedgerSearcher:
    ledger = Ledger(study, SPACE, trials=1, seed=0, rule=SCHEDULERS["none"].rule(SPACE))
    return LedgerSearcher(ledger, tmp_path / "trials", concurrency=1, waiting=waiting)


@pytest.fixture
def reporter(tmp_path: Path, study: optuna.Study, waiting: Waiting, console: Console) -> RunReporter:
    return RunReporter(
        tmp_path,
        records=Records([study]),
        waiting=waiting,
        anchors={"real music": {"objective": 0.0}},
        terminal=Terminal(console, trials=1, evaluations=4),
        console=console,
        rung=2,
    )


def begun(searcher: LedgerSearcher, trial_id: str = "a") -> Any:
    """What Ray makes of the searcher's next trial."""
    config = searcher.suggest(trial_id)
    assert isinstance(config, dict)
    return SimpleNamespace(config=config, trial_id=trial_id, error_file="nowhere")


def result(**more: Any) -> dict[str, Any]:
    return {
        "training_iteration": 1,
        "bars": 10,
        "objective": 0.5,
        "objective_now": 0.5,
        "done": False,
        "diverged": False,
        "_media": {"melody": [], "real": [], "chord": []},
        "_state": b"state",
    } | more


def test_music_and_state_do_not_stay_in_ray_s_records(reporter: RunReporter, searcher: LedgerSearcher) -> None:
    trial = begun(searcher)
    reporter.on_trial_start(0, [], trial)
    told = result()
    reporter.on_trial_result(0, [], trial, told)
    assert not {"_media", "_state"} & set(told)


def test_a_member_of_a_population_is_written_down_as_it_trains_now(
    reporter: RunReporter, searcher: LedgerSearcher, tmp_path: Path
) -> None:
    trial = begun(searcher)
    reporter.on_trial_start(0, [], trial)
    trial.config = trial.config | {"settings": {"spectral_norm": "gd"}}  # it went on from another one's state
    reporter.on_trial_start(0, [], trial)
    config = json.loads((tmp_path / "trials" / trial.config["trial"] / "config.json").read_text())
    assert config["settings"] == {"spectral_norm": "gd"}


# TensorBoard writes from a thread of its own, which has nobody to raise to.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_disk_that_fails_is_reported_and_the_search_goes_on(
    reporter: RunReporter, searcher: LedgerSearcher, output: io.StringIO, tmp_path: Path
) -> None:
    trial = begun(searcher)
    reporter.on_trial_start(0, [], trial)
    shutil.rmtree(tmp_path / "trials")
    (tmp_path / "trials").write_text("a file where a folder should be")
    told = result()
    reporter.on_trial_result(0, [], trial, told)
    reporter.on_trial_complete(0, [], trial)
    assert "_media" not in told
    assert output.getvalue().count("Could not write results") == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_disk_that_recovers_gets_the_rest(reporter: RunReporter, searcher: LedgerSearcher, tmp_path: Path) -> None:
    trial = begun(searcher)
    (tmp_path / "trials").write_text("a file where a folder should be")
    reporter.on_trial_start(0, [], trial)
    (tmp_path / "trials").unlink()
    reporter.on_trial_result(0, [], trial, result())
    assert len(read_scores(tmp_path / "trials" / "0000")) == 1


def test_a_retried_trial_is_written_down_once(reporter: RunReporter, searcher: LedgerSearcher, tmp_path: Path) -> None:
    trial = begun(searcher)
    for evaluation in (1, 2, 3, 2, 3, 4):  # lost after the third, and resumed from the first
        reporter.on_trial_start(0, [], trial)
        reporter.on_trial_result(0, [], trial, result(training_iteration=evaluation, bars=10 * evaluation))
    reporter.close()
    assert [row["training_iteration"] for row in read_scores(tmp_path / "trials" / "0000")] == [1, 2, 3, 4]
    board = EventAccumulator(str(tmp_path / "trials" / "0000"))
    board.Reload()
    assert [event.step for event in board.Scalars("objective")] == [10, 20, 30, 40]


def test_music_of_a_trial_cut_short_can_be_heard(
    reporter: RunReporter, searcher: LedgerSearcher, tmp_path: Path
) -> None:
    trial = begun(searcher)
    phrase = np.full((1, 8, 16), 60, np.int8)
    media = {"melody": phrase, "real": phrase, "chord": np.zeros((1, 8), np.int8)}
    reporter.on_trial_result(0, [], trial, result(_media=media))
    diverged = result(training_iteration=2, bars=20, diverged=True)
    del diverged["_media"]
    reporter.on_trial_result(0, [], trial, diverged)
    reporter.close()
    board = EventAccumulator(str(tmp_path / "trials" / "0000"))
    board.Reload()
    assert [event.step for event in board.Audio("audio/1")] == [10]


def test_the_end_of_a_trial_is_told_with_its_outcome(
    reporter: RunReporter, searcher: LedgerSearcher, output: io.StringIO, tmp_path: Path
) -> None:
    for attempt in range(1, ATTEMPTS + 1):  # it crashes before it begins: no `on_trial_start`
        trial = begun(searcher)
        (tmp_path / "error.txt").write_text(f"Traceback\nValueError: crash {attempt}\n")
        trial.error_file = str(tmp_path / "error.txt")
        searcher.will_crash("a", "ValueError")  # Ray tells scheduler and searcher first
        searcher.on_trial_complete("a", error=True)
        assert "trial 0000  failed" not in output.getvalue()
        reporter.on_trial_error(0, [], trial)
    assert "trial 0000  failed" in output.getvalue()
    assert reporter.close()[-1].outcome == "failed"
    assert (tmp_path / "trials" / "0000" / "config.json").exists()
    told = (tmp_path / "trials" / "0000" / "error.txt").read_text()
    assert told.count("ValueError: crash") == ATTEMPTS


def test_the_leaderboard_is_not_written_at_every_evaluation(
    reporter: RunReporter, searcher: LedgerSearcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, written = begun(searcher), []
    monkeypatch.setattr("reporting.leaderboard.write", lambda run, lines: written.append(len(lines)))
    for evaluation in range(1, 5):
        reporter.on_trial_start(0, [], trial)
        reporter.on_trial_result(0, [], trial, result(training_iteration=evaluation, bars=10 * evaluation))
    assert len(written) < 4
    reporter.close()
    assert written[-1] == 2
