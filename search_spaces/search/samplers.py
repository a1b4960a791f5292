"""How settings are suggested: Optuna's samplers by name, and which spaces each of them can search."""

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler

from data_prep.errors import UserError, unknown
from search_spaces.space import Space

GRID: Final = "grid"
_STARTUP_TRIALS: Final = 10
_GENERATIONS: Final = 4
_NEEDED: Final = {"gp": ("scipy",), "cmaes": ("cmaes",)}
_INSTALL: Final = "pip install 'well-tempered-gan[samplers]'"


def _tpe(space: Space, seed: int, trials: int) -> BaseSampler:
    return TPESampler(multivariate=True, group=True, n_startup_trials=_STARTUP_TRIALS, seed=seed)


def _gp(space: Space, seed: int, trials: int) -> BaseSampler:
    return GPSampler(n_startup_trials=_STARTUP_TRIALS, seed=seed)


def _cmaes(space: Space, seed: int, trials: int) -> BaseSampler:
    if len(space.objectives) > 1:
        raise UserError("--sampler cmaes minimises one objective, but this space has several: choose nsga2 or tpe.")
    looks = [distributions for distributions, _ in space.looks()]
    for name, distribution in space.dimensions().items():
        sometimes = any(name not in distributions for distributions in looks)
        if sometimes or isinstance(distribution, CategoricalDistribution):
            why = "is asked for in some trials only" if sometimes else "is a choice"
            raise UserError(
                f"--sampler cmaes moves numbers alone, but {name} {why}: pin it (--set {name}=...) or choose tpe."
            )
    return CmaEsSampler(n_startup_trials=2, seed=seed)


def _nsga2(space: Space, seed: int, trials: int) -> BaseSampler:
    # Optuna's 50 would leave a search of an evening without a second generation.
    return NSGAIISampler(population_size=max(4, min(50, trials // _GENERATIONS)), seed=seed)


def _random(space: Space, seed: int, trials: int) -> BaseSampler:
    return RandomSampler(seed=seed)


SAMPLERS: Final[Mapping[str, Callable[[Space, int, int], BaseSampler]]] = MappingProxyType(
    {
        "tpe": _tpe,
        "gp": _gp,
        "cmaes": _cmaes,
        "nsga2": _nsga2,
        "random": _random,
        GRID: _random,  # never asked: all points of a grid are known beforehand (`search_spaces.restrict.grid`)
    }
)
"""Sampler of a space by its name, for a seed and so many trials."""


def sampler_of(name: str, space: Space, *, seed: int, trials: int, begun: int) -> BaseSampler:
    """The sampler of that name.

    Args:
        name: a key of `SAMPLERS`.
        space: what is searched.
        seed: of the search.
        trials: how many there are to be.
        begun: how many there are already: a search that goes on must not draw the same numbers again.

    Raises:
        UserError: there is none of that name, it needs a package that is not there, or cannot search this space.
    """
    if name not in SAMPLERS:
        raise UserError(unknown("sampler", name, SAMPLERS))
    for package in _NEEDED.get(name, ()):
        _check_installed(name, package)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return SAMPLERS[name](space, (seed + 1_000_003 * begun) % 2**32, trials)


def _check_installed(name: str, package: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise UserError(f"--sampler {name} needs the package {package}, which is not installed: {_INSTALL}")
