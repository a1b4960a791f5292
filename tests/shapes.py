"""Holds calls in the systems to the shapes of tensors that they are annotated with."""

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

_CHECK = beartype(conf=BeartypeConf(is_pep484_tower=True))  # a whole number is a number


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, checked at every call if a shape is among its annotations; options check themselves."""
    shaped = any("jaxtyping" in repr(annotation) for annotation in getattr(function, "__annotations__", {}).values())
    return _CHECK(function) if shaped else function
