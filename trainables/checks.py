"""Checks of options: what a user may set wrongly is refused in one line, before anything is trained."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from data_prep.errors import UserError, unknown


def require(holds: bool, name: str, value: Any, rule: str) -> None:
    """Refuse the value unless the rule holds.

    Raises:
        UserError: name, value and rule in one line.
    """
    if not holds:
        raise UserError(f"{name} is {value!r}, but must be {rule}.")


def check_fields(options: Any) -> None:
    """Refuse fields of a dataclass that are not of their type: finite numbers, whole ones, yes or no, or a choice.

    Raises:
        UserError: the first such field, its value and what it must be, or the nearest choice.
    """
    hints = get_type_hints(type(options))
    for field in fields(options):
        _check(field.name, getattr(options, field.name), hints[field.name])


def check_ranges(options: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Refuse numbers outside their range, whose ends belong to it.

    Raises:
        UserError: the first such field, its value and its range.
    """
    for name, (low, high) in ranges.items():
        rule = f"at least {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
        value = getattr(options, name)
        require(low <= value <= high, name, value, rule)


def _check(name: str, value: Any, hint: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is bool:
        require(isinstance(value, bool), name, value, "True or False")
    elif hint is int:
        require(isinstance(value, int) and number, name, value, "a whole number")
    elif hint is float:
        require(number and math.isfinite(value), name, value, "a finite number")
    elif not any(type(value) is type(choice) and value == choice for choice in get_args(hint)):  # True is not 1
        raise UserError(unknown(name, str(value), [str(choice) for choice in get_args(hint)]))
