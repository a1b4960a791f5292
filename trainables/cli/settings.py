"""The settings of a system, as its dataclasses declare them: names, defaults, what they may be, what they are."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from textwrap import dedent
from typing import Any, Final, get_args, get_type_hints

from data_prep.errors import UserError
from trainables.systems import described

_KINDS: Final = {bool: "true or false", int: "a whole number", float: "a number"}
_TOO_LOW: Final = -(10**9)
_RULE: Final = re.compile(r" must be (.*?)(?:, as .*)?\.$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A field of a network or of its numbers."""

    name: str
    default: Any
    rule: str
    """Its choices, or what a number must be."""

    about: str
    """Its docstring in one line; empty where it has none."""


def settings_of(system: str) -> dict[str, list[Setting]]:
    """The settings of the system of that name, those of its network first, by the name of their dataclass.

    Raises:
        UserError: there is no such system, with the nearest.
    """
    parts = described(system, {})
    return {type(part).__name__: list(_settings(part)) for part in (parts.network, parts.config)}


def _settings(part: Any) -> Iterator[Setting]:
    hints, texts = get_type_hints(type(part)), docstrings(type(part))
    for field in fields(part):
        rule = _rule(part, field.name, hints[field.name])
        yield Setting(name=field.name, default=getattr(part, field.name), rule=rule, about=texts.get(field.name, ""))


def _rule(part: Any, name: str, hint: Any) -> str:
    """The choices of a field, or what it says of a number that is far too low."""
    if hint not in _KINDS:
        return ", ".join(str(choice) for choice in get_args(hint))
    if hint is bool:
        return _KINDS[bool]
    try:
        replace(part, **{name: hint(_TOO_LOW)})
    except UserError as error:
        return f"{_KINDS[hint]}, {_RULE.findall(str(error))[0]}"
    return _KINDS[hint]


def docstrings(declared: type) -> dict[str, str]:
    """The strings that stand below the fields of a dataclass, each in one line."""
    (body,) = ast.parse(dedent(inspect.getsource(declared))).body
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
