"""Arithmetic in which an undefined value (NaN) is left out, and nothing warns."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> FloatArray:
    """Quotient, NaN where the denominator is 0."""
    result = np.full(np.shape(denominator), np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def where(condition: NDArray[np.bool_], values: NDArray[Any]) -> FloatArray:
    """The values where the condition holds, NaN elsewhere."""
    return np.where(condition, values, np.nan)


def defined_mean(values: FloatArray, axis: int) -> FloatArray:
    """Mean over `axis` of the values that are not NaN; NaN where there is none."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis), defined.sum(axis))


def defined_std(values: FloatArray, axis: int) -> FloatArray:
    """Population standard deviation (ddof 0) of the values that are not NaN; NaN where there is none."""
    centred = values - np.expand_dims(defined_mean(values, axis), axis)
    return np.sqrt(defined_mean(centred**2, axis))
