"""The one error a user can cause: a value, the rule it breaks and the remedy, in one line."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """Shown as one line without a traceback at the command line."""


def unknown(kind: str, value: str, known: Iterable[str]) -> str:
    """One line that names the wrong value, the right ones and the nearest of them."""
    names = sorted(known)
    near = get_close_matches(value, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(names)}."
    return f"There is no {kind} {value!r}: {hint}"
