"""A full disk is waited for, once told, until there is room or the user has had enough."""

import pytest

from search_spaces.run.waiting import Waiting


class Disk:
    """Refuses so many times."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    def write(self) -> str:
        if self.refusals:
            self.refusals -= 1
            raise OSError(28, "No space left on device")
        return "written"


def test_it_is_told_once_and_tried_again() -> None:
    told: list[str] = []
    waiting = Waiting(tell=told.append, given_up=lambda: False, pause=0)
    assert waiting.until_written(Disk(3).write) == "written"
    assert told == ["Cannot write (No space left on device): waiting until there is room; Ctrl-C ends."]
    assert waiting.until_written(Disk(0).write) == "written"
    assert len(told) == 1


def test_the_user_and_the_time_may_give_up() -> None:
    disk = Disk(1000)
    for waiting in (
        Waiting(tell=lambda text: None, given_up=lambda: disk.refusals < 990, pause=0),
        Waiting(tell=lambda text: None, given_up=lambda: False, pause=0, longest=0),
    ):
        with pytest.raises(OSError, match="No space"):
            waiting.until_written(disk.write)
    assert disk.refusals > 900


def test_other_errors_are_no_reason_to_wait() -> None:
    def fails() -> None:
        raise ValueError("no disk")

    with pytest.raises(ValueError, match="no disk"):
        Waiting(tell=lambda text: None, given_up=lambda: False).until_written(fails)
