"""Differences as they are told."""

import pytest

from scores.cli.difference import MOST, Difference


@pytest.mark.parametrize(
    ("difference", "told"),
    [
        (MOST, "over 6 sd above"),
        (-MOST, "over 6 sd below"),
        (5.994, "+5.99 sd"),
        (-0.5, "-0.50 sd"),
        (0.0, "+0.00 sd"),
        (None, "-"),
    ],
)
def test_a_difference_at_the_limit_is_told_as_one(difference: float | None, told: str) -> None:
    assert Difference("mctd", 1.0, 2.0, difference).told(2) == told
