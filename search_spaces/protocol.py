"""Stages of a long search, each a space made of the one before: wide, narrow around the best, repeat by seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import BaseTrial

from data_prep.errors import UserError
from search_spaces.asking import Range
from search_spaces.restrict import narrowed
from search_spaces.space import SEED, Known, Space

CANDIDATE: Final = "candidate"
"""Parameter of the last stage: the name of the trial that is repeated."""

_MARGIN: Final = 0.25
"""Share of the span of the best values that a narrowed range goes beyond it, on either side."""

_LEAST_MARGIN: Final = 0.05
"""The same in shares of the range before: the best few may agree by chance."""


def narrow(space: Space, best: Sequence[Mapping[str, Any]]) -> Space:
    """The space around the parameters of its best trials, the best of them first.

    A range becomes the span of their values and a little on either side, on a logarithmic scale where it has one, never
    beyond the range before. A choice on which all agree is no longer searched. Nothing is tried first: the best of them
    are known already.

    Raises:
        UserError: the space is a grid, of which every point is tried anyway.
    """
    if space.grid:
        raise UserError("This space is a grid, of which every point is tried: leave narrow out of --protocol.")
    limits: dict[str, Any] = {}
    for name, distribution in space.dimensions().items():
        values = [parameters[name] for parameters in best if name in parameters]
        if not isinstance(distribution, CategoricalDistribution):
            limits |= {name: _around(values, distribution)} if values else {}
        elif len(values) == len(best) and len(set(values)) == 1:
            limits[name] = values[0]
    return narrowed(replace(space, known=()), limits)


def repeat(
    space: Space,
    candidates: Mapping[str, Mapping[str, Any]],
    seeds: Sequence[int],
    *,
    finalists: int | None = None,
) -> Space:
    """A grid of the first so many of these settings, by the names of their trials, over seeds of the training.

    All finalists are trained with one seed before any is with the next, each to its end, so that those that are done
    when the time is up can be compared. Of candidates with the same settings there is the first. Those that are no
    finalists yet can become some later: Optuna lets no choice have others than before.
    """
    distinct: dict[str, dict[str, Any]] = {}
    for name, settings in candidates.items():
        if settings not in distinct.values():
            distinct[name] = dict(settings)
    known = tuple(
        Known(source=f"{name}, seed {seed}", parameters={CANDIDATE: name, SEED: seed})
        for seed in seeds
        for name in list(distinct)[:finalists]
    )
    return replace(
        space,
        suggest=Repeated(distinct),
        known=known,
        trials=len(known),
        minutes=None,
        first_rung=space.budget.evaluations,
        grid=True,
    )


@dataclass(frozen=True, slots=True)
class Repeated:
    """`Space.suggest` of the last stage."""

    candidates: Mapping[str, Mapping[str, Any]]

    def __call__(self, trial: BaseTrial, system: str) -> dict[str, Any]:
        """The settings of one candidate, with one seed."""
        candidate = trial.suggest_categorical(CANDIDATE, tuple(self.candidates))
        return {**self.candidates[candidate], SEED: trial.suggest_int(SEED, 0, 2**32 - 1)}


def _around(values: Sequence[float], distribution: BaseDistribution) -> Range:
    """The span of the values and a margin, inside the range of the distribution and on its steps."""
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    there, back = (math.log, math.exp) if distribution.log else (float, float)
    lowest, low, high, highest = map(there, (distribution.low, min(values), max(values), distribution.high))
    margin = max(_MARGIN * (high - low), _LEAST_MARGIN * (highest - lowest))
    ends = back(low - margin), back(high + margin)
    if distribution.step is not None:
        ends = _on_steps(*ends, distribution)
    return max(distribution.low, ends[0]), min(distribution.high, ends[1])


def _on_steps(low: float, high: float, distribution: FloatDistribution | IntDistribution) -> Range:
    """The smallest range of whole steps around this one."""
    start, step = distribution.low, distribution.step or 1
    return start + math.floor((low - start) / step) * step, start + math.ceil((high - start) / step) * step
