"""What is seen of a training that takes its time."""

import io
import time

import pytest
from rich.console import Console

from trainables.cli import display


def test_where_there_is_no_terminal_slow_training_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "HEARTBEAT", 0.01)
    output, seen = io.StringIO(), 0
    with display.progress_of(Console(file=output), 2_000, lambda: seen):
        while "0 of 2,000 bars\n" not in output.getvalue():
            time.sleep(0.001)  # the test's own time limit ends it
        seen = 500
        while "  500 of 2,000 bars, about 0.0 minutes left\n" not in output.getvalue():
            time.sleep(0.001)
        seen = 2_100  # and is being judged
        while "  2,000 of 2,000 bars\n" not in output.getvalue():
            time.sleep(0.001)
    told = output.getvalue()
    time.sleep(0.05)
    assert output.getvalue() == told


def test_quick_training_tells_nothing() -> None:
    output = io.StringIO()
    with display.progress_of(Console(file=output), 2_000, lambda: 0) as beside:
        beside("loss 1")
    assert output.getvalue() == ""
