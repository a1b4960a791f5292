import io
import re

from rich.console import Console

from reporting.leaderboard import Row
from reporting.terminal import Terminal

LINES = [
    Row(
        name=f"{number:04d}",
        outcome=outcome,
        objective=objective,
        scores={},
        parameters={"learning_rate": 2e-4, "spectral_norm": "d_all"},
        note="",
        evaluations=3,
    )
    for number, (outcome, objective) in enumerate([("finished", 0.3), ("stopped", 0.5), ("running", None)])
]


def show(*, terminal: bool, lines: list[Row]) -> str:
    output = io.StringIO()
    screen = Terminal(Console(file=output, force_terminal=terminal, width=120), trials=20, evaluations=8)
    screen.start()
    screen.show(lines)
    screen.evaluated("0002", {"training_iteration": 1, "objective": 0.6, "bars": 54_000})
    screen.ended("0001", "stopped", "among the worse half at its rung")
    screen.stop()
    return output.getvalue()


def test_a_terminal_shows_a_table_with_the_running_trials_on_top() -> None:
    shown = show(terminal=True, lines=LINES)
    assert "2 of 20 trials" in shown
    rows = re.findall(r"│ (\d{4}) +│", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown))
    assert rows[-3:] == ["0002", "0000", "0001"]
    assert "learning_rate 0.0002, spectral_norm d_all" in shown
    assert "3/8" in shown


def test_a_log_gets_a_line_per_event_and_no_table() -> None:
    shown = show(terminal=False, lines=LINES).splitlines()
    assert [line.split("  ", 1)[1] for line in shown] == [
        "trial 0002  1/8  objective 0.600  54,000 bars",
        "trial 0001  stopped: among the worse half at its rung",
    ]


def test_a_long_search_does_not_outgrow_the_screen() -> None:
    many = [LINES[0]] * 500
    assert len(show(terminal=True, lines=many).splitlines()) < 60
