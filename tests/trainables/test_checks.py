"""Checks of options: values that only look right are refused too."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from data_prep.errors import UserError
from trainables.checks import check_fields, check_ranges, require


@dataclass(frozen=True, kw_only=True)
class Options:
    number: float = 0.5
    count: int = 2
    flag: bool = False
    steps: Literal[1, 4] = 1
    loss: Literal["bce", "hinge"] = "bce"


@pytest.mark.parametrize(
    "right", [{"number": 1}, {"number": -2.5}, {"count": 0}, {"flag": True}, {"steps": 4}, {"loss": "hinge"}]
)
def test_values_of_the_field_s_type_pass(right: dict[str, Any]) -> None:
    check_fields(Options(**right))


@pytest.mark.parametrize(
    ("name", "values", "rule"),
    [
        ("number", (True, "1", None, math.nan, math.inf), "but must be a finite number"),
        ("count", (True, 2.0, "2", None), "but must be a whole number"),
        ("flag", (1, 0, "true", None), "but must be True or False"),
        ("steps", (True, 1.0, 4.0, "1", 2, None, [1]), "There is no steps"),
        ("loss", ("", "binge", True, None), "There is no loss"),
    ],
)
def test_any_other_is_refused(name: str, values: tuple[Any, ...], rule: str) -> None:
    for value in values:
        with pytest.raises(UserError, match=rule):
            check_fields(Options(**{name: value}))


def test_the_nearest_choice_is_named() -> None:
    with pytest.raises(UserError, match="did you mean 'hinge'"):
        check_fields(Options(loss="hing"))  # type: ignore[arg-type]


def test_the_ends_of_a_range_belong_to_it() -> None:
    for number in (0.0, 1.0):
        check_ranges(Options(number=number), {"number": (0, 1)})
    with pytest.raises(UserError, match=r"number is 1\.5, but must be from 0 to 1\."):
        check_ranges(Options(number=1.5), {"number": (0, 1)})
    with pytest.raises(UserError, match=r"count is -1, but must be at least 0\."):
        check_ranges(Options(count=-1), {"count": (0, math.inf)})


def test_a_rule_that_holds_refuses_nothing() -> None:
    require(True, "x", 1, "1")
    with pytest.raises(UserError, match=r"^x is 'a', but must be 1\.$"):
        require(False, "x", "a", "1")
