"""Settings of a system as they are written on a command line: text in, values of their fields' types out."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, get_args, get_type_hints

from data_prep.errors import UserError, unknown
from trainables.systems import described

_TRUTH: Final[Mapping[str, bool]] = {"true": True, "false": False}


def read_settings(system: str, pairs: Sequence[str]) -> dict[str, Any]:
    """What `NAME=VALUE` pairs set of the system, each value of its field's type.

    Raises:
        UserError: a pair that is none, a name that the system does not have, or a value that it cannot take.
    """
    hints, settings = types_of(system), {}
    for name, text in split_pairs(pairs).items():
        if name not in hints:
            raise UserError(unknown(f"setting of {system}", name, hints))
        settings[name] = read_value(text, hints[name])
    described(system, settings)
    return settings


def split_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` pairs as names and texts; of two with one name, the last.

    Raises:
        UserError: one that is none.
    """
    found = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise UserError(f"--set is {pair!r}, but must be NAME=VALUE, such as learning_rate=1e-4.")
        found[name] = text
    return found


def types_of(system: str) -> dict[str, Any]:
    """The type of every setting of the system.

    Raises:
        UserError: there is no such system, with the nearest.
    """
    parts = described(system, {})
    types: dict[str, Any] = {}
    for part in (parts.network, parts.config):
        hints = get_type_hints(type(part))
        types |= {field.name: hints[field.name] for field in fields(part)}
    return types


def read_value(text: str, hint: Any) -> Any:
    """The value of the type that is written so; the text itself where it is none, which its field refuses."""
    if hint is bool:
        return _TRUTH.get(text.lower(), text)
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            return text
    return next((choice for choice in get_args(hint) if str(choice) == text), text)
