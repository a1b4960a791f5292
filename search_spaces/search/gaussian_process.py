"""A Gaussian process whose past fades, for a function that drifts (Bogunovic et al. 2016)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

LENGTHS: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
FORGETTING: Final = (0.0, 0.03, 0.1, 0.3, 0.6)
NOISES: Final = (0.03, 0.1, 0.3, 0.6, 0.9)
"""The grid out of which `fitted` takes a kernel: lengths in shares of a range, forgetting per evaluation, noise as a
share of the variance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """(1 - noise) exp(-|x - x'|² / (2 length²)) (1 - forgetting)^(|t - t'| / 2): variance 1 with the noise."""

    length: float
    forgetting: float
    noise: float

    def __call__(self, first: Array, second: Array) -> Array:
        """Covariances (n, m) of the function at inputs (n, 1 + d) and (m, 1 + d): the time t, then x."""
        squares = np.square(first[:, None, 1:] - second[None, :, 1:]).sum(-1)
        apart = np.abs(first[:, None, 0] - second[None, :, 0])
        near = np.exp(-squares / (2 * self.length**2))
        return np.asarray((1 - self.noise) * near * (1 - self.forgetting) ** (apart / 2))


class GaussianProcess:
    """The function behind noisy values, of mean 0 before any was seen (Rasmussen & Williams 2006, algorithm 2.1).

    Args:
        inputs: (n, 1 + d), each row a time and a point.
        values: (n,) of variance about 1.
        kernel: the covariances.
    """

    def __init__(self, inputs: Array, values: Array, kernel: Kernel) -> None:
        self._inputs, self._values, self._kernel = inputs, values, kernel
        noisy = kernel(inputs, inputs) + kernel.noise * np.eye(len(inputs))
        self._root = np.linalg.cholesky(noisy)
        self._whitened = np.linalg.solve(self._root, values)

    @property
    def log_likelihood(self) -> float:
        """Logarithm of the density of the values, the function integrated out."""
        n = len(self._values)
        determinant = np.log(np.diag(self._root)).sum()
        return float(-0.5 * self._whitened @ self._whitened - determinant - 0.5 * n * np.log(2 * np.pi))

    def posterior(self, inputs: Array) -> tuple[Array, Array]:
        """Mean (m,) and variance (m,) of the function, without the noise, at inputs (m, 1 + d)."""
        across = np.linalg.solve(self._root, self._kernel(self._inputs, inputs))
        variance = 1 - self._kernel.noise - np.square(across).sum(0)
        return across.T @ self._whitened, np.maximum(variance, 0)

    def hallucinating(self, inputs: Array) -> "GaussianProcess":
        """The process with its own means as values at inputs (m, 1 + d), not known yet: only variances change.

        Source: GP-BUCB (Desautels et al. 2014).
        """
        mean, _ = self.posterior(inputs)
        return GaussianProcess(
            np.concatenate([self._inputs, inputs]), np.concatenate([self._values, mean]), self._kernel
        )


def fitted(inputs: Array, values: Array) -> GaussianProcess:
    """The process under the kernel of the grid that makes these values likeliest."""
    return max((GaussianProcess(inputs, values, kernel) for kernel in _grid()), key=lambda each: each.log_likelihood)


def _grid() -> Iterator[Kernel]:
    for length, forgetting, noise in product(LENGTHS, FORGETTING, NOISES):
        yield Kernel(length=length, forgetting=forgetting, noise=noise)
