import time

import pytest

from reporting.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.mark.parametrize(("cost", "rest"), [(0.01, 3.0), (1.0, 49.0)])
def test_quick_work_waits_its_seconds_and_long_work_for_its_share(clock: Clock, cost: float, rest: float) -> None:
    pace = Pace(seconds=3.0, share=0.02)
    assert pace.due
    with pace.working():
        clock.now += cost
    assert not pace.due
    clock.now += rest - 0.1
    assert not pace.due
    clock.now += 0.2
    assert pace.due


def test_work_that_fails_is_not_tried_again_at_once(clock: Clock) -> None:
    pace = Pace(seconds=3.0, share=0.02)
    with pytest.raises(OSError, match="full"), pace.working():
        raise OSError("full")
    assert not pace.due
