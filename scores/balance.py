"""Scores of two sets of numbers: which is the larger, and how well a discriminator tells real from fake."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def auc(low: NDArray[Any], high: NDArray[Any]) -> float:
    """Probability that a value of `low` is below a value of `high`: the area under the ROC curve.

    Formula: (pairs with low < high + half of the pairs with low = high) / (pairs), over (n,) and (m,) values.
    Unit and range: probability, 0 to 1; 1/2 for values of one distribution.
    Edge case: NaN if either set is empty or holds a NaN; infinities are ordered as any number.
    Source: Mann & Whitney 1947 (U / nm).
    """
    low, high = np.asarray(low, np.float64).ravel(), np.sort(np.asarray(high, np.float64), axis=None)
    if not (low.size and high.size) or np.isnan(low).any() or np.isnan(high).any():
        return float("nan")
    not_above, below = np.searchsorted(high, low, "right"), np.searchsorted(high, low, "left")
    # high.size - (not_above + below) / 2 of `high` lie above a value, those that equal it counted half.
    return 1 - float((not_above + below).sum()) / (2 * low.size * high.size)


def d_balance(real: NDArray[Any], fake: NDArray[Any]) -> float:
    """How far the discriminator is from equilibrium, in which it cannot tell real bars from generated ones.

    Formula: |2 AUC - 1|, AUC the probability that its output for a fresh fake is below that for held-out real.
    Unit and range: none, 0 (cannot tell) to 1 (tells every pair apart, rightly or wrongly).
    Edge case: NaN if either set of outputs is empty or holds a NaN; 0 if all outputs are equal.
    Source: ours, after the equilibrium of Goodfellow et al. 2014.

    Args:
        real: float (n,), logits or probabilities, any increasing scale.
        fake: float (m,), on the same scale.
    """
    return abs(2 * auc(fake, real) - 1)
