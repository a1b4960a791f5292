"""A callback that raises would end the search: ours does not, whatever happens to the disk."""

import io
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from reporting.callbacks import RunReporter
from reporting.terminal import Terminal
from reporting.trial_folder import read_scores
from search_spaces.searcher import StudySearcher
from search_spaces.space import load_space
from search_spaces.study import records

SPACE = load_space("smoke")


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def searcher(tmp_path: Path) -> StudySearcher:
    return StudySearcher(tmp_path, SPACE, seed=0, concurrency=1)


@pytest.fixture
def reporter(tmp_path: Path, searcher: StudySearcher, output: io.StringIO) -> RunReporter:
    console = Console(file=output, width=200)
    return RunReporter(
        tmp_path,
        records=lambda: records(searcher.study),
        anchors={"real music": {"objective": 0.0}},
        terminal=Terminal(console, trials=1, evaluations=4),
        console=console,
        rung=2,
    )


def result(**more: Any) -> dict[str, Any]:
    return {
        "training_iteration": 1,
        "bars": 10,
        "objective": 0.5,
        "objective_now": 0.5,
        "done": False,
        "diverged": False,
        "_media": {"melody": [], "real": [], "chord": []},
    } | more


def test_the_music_does_not_stay_in_ray_s_records(reporter: RunReporter, searcher: StudySearcher) -> None:
    trial = SimpleNamespace(config=searcher.suggest("a"))
    reporter.on_trial_start(0, [], trial)
    told = result()
    reporter.on_trial_result(0, [], trial, told)
    assert "_media" not in told


# TensorBoard writes from a thread of its own, which has nobody to raise to.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_disk_that_fails_is_reported_and_the_search_goes_on(
    reporter: RunReporter, searcher: StudySearcher, output: io.StringIO, tmp_path: Path
) -> None:
    trial = SimpleNamespace(config=searcher.suggest("a"))
    reporter.on_trial_start(0, [], trial)
    shutil.rmtree(tmp_path / "trials")
    (tmp_path / "trials").write_text("a file where a folder should be")
    told = result()
    reporter.on_trial_result(0, [], trial, told)
    reporter.on_trial_complete(0, [], trial)
    assert "_media" not in told
    assert output.getvalue().count("Could not write results") == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_disk_that_recovers_gets_the_rest(reporter: RunReporter, searcher: StudySearcher, tmp_path: Path) -> None:
    trial = SimpleNamespace(config=searcher.suggest("a"))
    (tmp_path / "trials").write_text("a file where a folder should be")
    reporter.on_trial_start(0, [], trial)
    (tmp_path / "trials").unlink()
    reporter.on_trial_result(0, [], trial, result())
    assert len(read_scores(tmp_path / "trials" / "0000")) == 1


def test_a_retried_trial_is_written_down_once(reporter: RunReporter, searcher: StudySearcher, tmp_path: Path) -> None:
    trial = SimpleNamespace(config=searcher.suggest("a"))
    for evaluation in (1, 2, 3, 2, 3, 4):  # lost after the third, and resumed from the first
        reporter.on_trial_start(0, [], trial)
        reporter.on_trial_result(0, [], trial, result(training_iteration=evaluation, bars=10 * evaluation))
    reporter.close()
    assert [row["training_iteration"] for row in read_scores(tmp_path / "trials" / "0000")] == [1, 2, 3, 4]
    board = EventAccumulator(str(tmp_path / "trials" / "0000"))
    board.Reload()
    assert [event.step for event in board.Scalars("objective")] == [10, 20, 30, 40]


def test_music_of_a_trial_cut_short_can_be_heard(
    reporter: RunReporter, searcher: StudySearcher, tmp_path: Path
) -> None:
    trial = SimpleNamespace(config=searcher.suggest("a"))
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
    reporter: RunReporter, searcher: StudySearcher, output: io.StringIO, tmp_path: Path
) -> None:
    trial = SimpleNamespace(config=searcher.suggest("a"))  # it crashed before it began: no `on_trial_start`
    searcher.on_trial_complete("a", error=True)  # Ray tells the searcher first
    reporter.on_trial_error(0, [], trial)
    assert "trial 0000  failed" in output.getvalue()
    assert reporter.close()[-1].outcome == "failed"
    assert (tmp_path / "trials" / "0000" / "config.json").exists()
