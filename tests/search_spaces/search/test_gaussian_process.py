"""The process that PB2 asks, held against direct linear algebra."""

from itertools import product

import numpy as np
import pytest
from scipy.linalg import inv
from scipy.stats import multivariate_normal

from search_spaces.search.gaussian_process import FORGETTING, LENGTHS, NOISES, Array, GaussianProcess, Kernel, fitted

KERNELS = [
    Kernel(length=length, forgetting=forgetting, noise=noise)
    for length, forgetting, noise in product((0.2, 0.8), (0.0, 0.1, 0.6), (0.03, 0.6))
]


def some_data(seed: int, count: int = 12) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    return np.column_stack([random.integers(0, 5, count), random.random((count, 2))]), random.standard_normal(count)


def covariances(first: Array, second: Array, kernel: Kernel) -> Array:
    found = np.zeros((len(first), len(second)))
    for (i, a), (j, b) in product(enumerate(first), enumerate(second)):
        near = np.exp(-sum((x - y) ** 2 for x, y in zip(a[1:], b[1:], strict=True)) / 2 / kernel.length**2)
        found[i, j] = (1 - kernel.noise) * near * (1 - kernel.forgetting) ** (abs(a[0] - b[0]) / 2)
    return found


def noisy_covariance(inputs: Array, kernel: Kernel) -> Array:
    return covariances(inputs, inputs, kernel) + kernel.noise * np.eye(len(inputs))


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_mean_and_variance_are_those_of_conditioning(kernel: Kernel) -> None:
    (inputs, values), (asked, _) = some_data(0), some_data(1, 7)
    across = covariances(asked, inputs, kernel)
    precision = inv(noisy_covariance(inputs, kernel))
    mean, variance = GaussianProcess(inputs, values, kernel).posterior(asked)
    np.testing.assert_allclose(mean, across @ precision @ values, rtol=1e-9)
    expected = covariances(asked, asked, kernel) - across @ precision @ across.T
    np.testing.assert_allclose(variance, np.diag(expected), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_likelihood_is_the_density_of_the_values(kernel: Kernel) -> None:
    inputs, values = some_data(2)
    expected = multivariate_normal.logpdf(values, cov=noisy_covariance(inputs, kernel))
    assert GaussianProcess(inputs, values, kernel).log_likelihood == pytest.approx(expected, rel=1e-9)


def test_hallucinations_narrow_the_variance_and_leave_the_mean() -> None:
    kernel = KERNELS[0]
    (inputs, values), (asked, _), (tried, _) = some_data(0), some_data(1, 7), some_data(2, 3)
    process = GaussianProcess(inputs, values, kernel)
    (mean, variance), (again, narrower) = process.posterior(asked), process.hallucinating(tried).posterior(asked)
    np.testing.assert_allclose(again, mean, rtol=1e-9)
    assert (narrower < variance).all()
    both = np.concatenate([inputs, tried])
    across = covariances(asked, both, kernel)
    expected = 1 - kernel.noise - np.diag(across @ inv(noisy_covariance(both, kernel)) @ across.T)
    np.testing.assert_allclose(narrower, expected, rtol=1e-8)


def test_the_fitted_kernel_is_the_likeliest_of_the_grid() -> None:
    inputs, values = some_data(3)
    best = max(
        multivariate_normal.logpdf(
            values, cov=noisy_covariance(inputs, Kernel(length=length, forgetting=forgetting, noise=noise))
        )
        for length, forgetting, noise in product(LENGTHS, FORGETTING, NOISES)
    )
    assert fitted(inputs, values).log_likelihood == pytest.approx(best, rel=1e-9)


def test_what_drifted_away_is_forgotten() -> None:
    # The same points were good early and are bad now, four times over: only a kernel that forgets explains both.
    random = np.random.default_rng(0)
    points = random.random(40)
    times = np.repeat([1.0, 6.0], 20)
    values = np.sin(3 * points) * np.where(times == 1, 1, -1)
    values = (values - values.mean()) / values.std()
    process = fitted(np.column_stack([times, points]), values)
    early, late = (process.posterior(np.array([[time, 0.5]]))[0][0] for time in (1.0, 6.0))
    assert early > 0.5
    assert late < -0.5
