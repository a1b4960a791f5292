"""A trial that is killed and goes on: every evaluation once, its best state and its newest, no point twice."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from reporting.tensorboard import TrialBoard
from reporting.trial_folder import TrialFolder, read_scores
from reporting.trial_report import TrialReport

PHRASE = np.full((1, 8, 16), 60, np.int8)
MEDIA = {"melody": PHRASE, "real": PHRASE, "chord": np.zeros((1, 8), np.int8)}


class Silent:
    """A board that writes nothing: event files are slow to open, and not what every test looks at."""

    def add_scalars(self, *_: Any) -> None: ...

    def close(self, **_: Any) -> None: ...


def result(evaluation: int, objective: float = 0.5, **more: Any) -> dict[str, Any]:
    numbers = {"training_iteration": evaluation, "bars": 10 * evaluation, "diverged": False}
    return numbers | {"objective": objective, "objective_now": objective} | more


def taken_up(folder: Path) -> TrialReport:
    """What a new process makes of the trial's folder."""
    return TrialReport(TrialFolder(folder), TrialBoard(folder, {}, session="run/0000"))


def points(folder: Path, tag: str = "objective") -> list[int]:
    board = EventAccumulator(str(folder))
    board.Reload()
    return [event.step for event in board.Scalars(tag)]


@pytest.mark.parametrize("closed", [True, False])
def test_a_trial_that_goes_on_repeats_no_evaluation_and_no_point(tmp_path: Path, closed: bool) -> None:
    report = taken_up(tmp_path)
    for evaluation in (1, 2, 3):
        report.add(result(evaluation), None, audio=False)
    if closed:
        report.close(failed=None)
    report = taken_up(tmp_path)
    for evaluation in (2, 3, 4):  # from the state of the first
        report.add(result(evaluation), None, audio=False)
    report.close(failed=False)
    assert [row["training_iteration"] for row in read_scores(tmp_path)] == [1, 2, 3, 4]
    assert points(tmp_path) == [10, 20, 30, 40]


def test_points_after_the_last_evaluation_in_the_scores_are_taken_back(tmp_path: Path) -> None:
    report = taken_up(tmp_path)
    for evaluation in (1, 2, 3):
        report.add(result(evaluation, objective=0.5), None, audio=False)
    report.close(failed=None)
    lines = (tmp_path / "scores.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "scores.jsonl").write_text(lines[0])  # as `train --resume` does, whose state is that of the first
    report = taken_up(tmp_path)
    for evaluation in (2, 3):
        report.add(result(evaluation, objective=0.4), None, audio=False)
    report.close(failed=False)
    board = EventAccumulator(str(tmp_path))
    board.Reload()
    assert [(event.step, round(event.value, 6)) for event in board.Scalars("objective")] == [
        (10, 0.5),
        (20, 0.4),
        (30, 0.4),
    ]


@pytest.mark.parametrize(("first", "ends"), [(None, 1), (True, 2)])
def test_a_session_that_may_go_on_has_no_end_in_tensorboard(tmp_path: Path, first: bool | None, ends: int) -> None:
    for failed in (first, False):
        taken_up(tmp_path).close(failed=failed)
    board = EventAccumulator(str(tmp_path))
    board.Reload()
    content = board.SummaryMetadata("_hparams_/session_end_info").plugin_data.content
    status = plugin_data_pb2.HParamsPluginData.FromString(content).session_end_info.status
    # TensorBoard believes the first end: 1 is a success, 2 a failure.
    assert status == ends


def test_music_can_be_heard_after_the_trial_has_gone_on(tmp_path: Path) -> None:
    report = taken_up(tmp_path)
    report.add(result(1), MEDIA, audio=True)
    report.close(failed=None)
    report = taken_up(tmp_path)
    report.add(result(1), MEDIA, audio=True)
    report.add(result(2), MEDIA, audio=False)
    report.close(failed=False)
    board = EventAccumulator(str(tmp_path))
    board.Reload()
    assert [event.step for event in board.Audio("audio/1")] == [10, 20]
    assert [event.step for event in board.Images("piano_roll/1")] == [10, 20]


# One evaluation: its objective, and where the process is killed at it: never, before its row, before its state.
EVALUATIONS = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3]), st.sampled_from(["", "row", "state"])), max_size=8)


@settings(max_examples=200, deadline=None)
@given(EVALUATIONS)
def test_the_best_and_the_newest_state_survive_kills_at_any_moment(evaluations: list[tuple[float, str]]) -> None:
    """Values repeat, so that the best is often met again: the first of equal ones stays."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (objective, killed) in enumerate(evaluations, 1):
            if killed:
                _evaluate(folder, number, objective, killed=killed)
            _evaluate(folder, number, objective, killed="")
        if not evaluations:
            return
        best = min(range(len(evaluations)), key=lambda index: evaluations[index][0]) + 1
        assert (folder / "checkpoint" / "state.pt").read_bytes() == b"%d" % len(evaluations)
        assert (folder / "best").is_dir() == (best < len(evaluations))
        if best < len(evaluations):
            assert (folder / "best" / "state.pt").read_bytes() == b"%d" % best


def _evaluate(folder: Path, number: int, objective: float, *, killed: str) -> None:
    """One evaluation by a process of its own, which may be killed before it writes the row, or the state."""
    report = TrialReport(TrialFolder(folder), Silent())  # type: ignore[arg-type]
    if killed == "row":
        return
    report.add(result(number, objective), None, audio=False)
    if killed != "state":
        report.keep(result(number, objective), b"%d" % number)


def test_a_diverged_evaluation_leaves_the_last_good_state(tmp_path: Path) -> None:
    report = taken_up(tmp_path)
    report.add(result(1, 0.4), None, audio=False)
    report.keep(result(1, 0.4), b"good")
    report.add(result(2, 3.0, diverged=True), None, audio=False)
    report.keep(result(2, 3.0, diverged=True), None)
    report.close(failed=False)
    assert (tmp_path / "checkpoint" / "state.pt").read_bytes() == b"good"
    assert not (tmp_path / "best").exists()


def test_a_state_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = taken_up(tmp_path)
    report.keep(result(1, 0.4), b"first")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("reporting.trial_folder.write_atomic", full)
        with pytest.raises(OSError, match="No space"):
            report.keep(result(2, 0.3), b"second")
    assert (tmp_path / "checkpoint" / "state.pt").read_bytes() == b"first"
    report.keep(result(2, 0.3), b"second")  # there is room again
    assert (tmp_path / "checkpoint" / "state.pt").read_bytes() == b"second"
    assert not (tmp_path / "best").exists()
