"""Population-based training, decided from curves alone: who goes on from whose state, under which settings.

PBT: Jaderberg et al. 2017. PB2: Parker-Holder et al. 2020.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from data_prep.errors import UserError
from search_spaces.search.gaussian_process import Array, GaussianProcess, fitted

LEAST_MEMBERS: Final = 4
"""Members below which none is replaced: out of three the worst is mostly unlucky, and its loss is a third of all."""

FACTORS: Final = (0.8, 1.25)
RESAMPLED: Final = 0.25
"""Share of numbers that PBT draws anew rather than multiplies."""

_CONFIDENCE: Final = 1.0
"""Deviations above the mean in the upper confidence bound."""

_CANDIDATES: Final = 500
_NEWEST: Final = 200
"""Changes that the process is fitted to, at most: it takes the cube of their number, and the oldest count least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a member trained by from an evaluation on."""

    evaluation: int
    """It holds from the end of this evaluation on; 0: from the start."""

    donor: str
    """Whose state it went on from: its own name, or that of the member that was copied."""

    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A trial of a population."""

    name: str

    curve: Mapping[int, float]
    """Objective by evaluation, lower is better; after a copy, evaluations go on from the donor's."""

    periods: tuple[Period, ...]
    """In their order; the last is in force."""

    def objective(self, evaluation: int) -> float:
        """Objective at an evaluation; infinity where it is missing or not finite."""
        value = self.curve.get(evaluation, math.inf)
        return value if math.isfinite(value) else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A member goes on from the donor's state, under these settings."""

    name: str
    donor: str
    settings: Mapping[str, Any]


class Population:
    """Lets the worst of a population go on from the best, near its settings (PBT) or where a model has hopes (PB2).

    Args:
        ranges: lowest and highest value of each setting that may change, on a logarithmic scale.
        explore: how it changes.
        seed: decides all chance, with the evaluation alone.
        quantile: share of the members that is replaced, and share that is copied; at least one member each.

    Raises:
        UserError: a range that no logarithmic scale has, or shares that overlap.
    """

    def __init__(
        self,
        ranges: Mapping[str, tuple[float, float]],
        *,
        explore: Literal["pbt", "pb2"],
        seed: int,
        quantile: float = 0.25,
    ) -> None:
        for name, (low, high) in ranges.items():
            if not 0 < low <= high < math.inf:
                raise UserError(f"{name} ranges from {low} to {high}, but must lie above 0 to change while it trains.")
        if not 0 < quantile <= 0.5:
            raise UserError(f"quantile is {quantile}, but must be above 0 and at most 0.5.")
        self._ranges = dict(sorted(ranges.items()))
        self._explore = explore
        self._seed = seed
        self._quantile = quantile

    def evolve(self, members: Sequence[Member]) -> list[Change]:
        """Who changes now that all members stand at the same evaluation: the last that any of them reached.

        Fewer than four members change nothing. Members without a finite objective are the worst, and never donors. The
        answer depends neither on the order of the members nor on changes at this evaluation that were made already.
        """
        evaluation = max((max(member.curve, default=0) for member in members), default=0)
        ranked = sorted(members, key=lambda member: (member.objective(evaluation), member.name))
        count = max(1, int(len(ranked) * self._quantile))
        donors = [member for member in ranked[:count] if member.objective(evaluation) < math.inf]
        if len(ranked) < LEAST_MEMBERS or not donors:
            return []
        random = np.random.default_rng((self._seed, evaluation))
        model = self._model(ranked, ranked[:-count], evaluation) if self._explore == "pb2" else None
        changes = []
        for member in ranked[-count:]:
            donor = donors[random.integers(len(donors))]
            settings = dict(donor.periods[-1].settings)
            if model is None or not self._complete(settings):
                settings |= self._perturbed(settings, random)
            else:
                point, model = _most_hopeful(model, len(self._ranges), evaluation + 1, random)
                settings |= self._numbers(point)
            changes.append(Change(name=member.name, donor=donor.name, settings=settings))
        return changes

    def _perturbed(self, settings: Mapping[str, Any], random: np.random.Generator) -> dict[str, float]:
        """PBT's exploration of those numbers that the settings have: in a conditional space, some may be missing."""
        found = {}
        for name, (low, high) in self._ranges.items():
            if name not in settings:
                continue
            value = settings[name] * random.choice(FACTORS)
            if random.random() < RESAMPLED:
                value = math.exp(random.uniform(math.log(low), math.log(high)))
            found[name] = min(max(float(value), low), high)
        return found

    def _model(self, members: Sequence[Member], staying: Sequence[Member], evaluation: int) -> GaussianProcess | None:
        """What the changes so far tell of the next, and what those that stay will add; None before any is known."""
        steps = sorted(step for step in _steps(members) if self._complete(step.settings))[-_NEWEST:]
        if not steps:
            return None
        gains = np.array([step.gain for step in steps])
        inputs = np.array([[step.evaluation, *self._point(step.settings)] for step in steps])
        model = fitted(inputs, (gains - gains.mean()) / (gains.std() or 1.0))
        known = [member.periods[-1].settings for member in staying]
        coming = [[evaluation + 1, *self._point(settings)] for settings in known if self._complete(settings)]
        return model.hallucinating(np.array(coming)) if coming else model

    def _complete(self, settings: Mapping[str, Any]) -> bool:
        return settings.keys() >= self._ranges.keys()

    def _point(self, settings: Mapping[str, Any]) -> list[float]:
        """The numbers as shares of their ranges, on a logarithmic scale."""
        return [
            math.log(settings[name] / low) / (math.log(high / low) or 1.0) for name, (low, high) in self._ranges.items()
        ]

    def _numbers(self, point: Array) -> dict[str, float]:
        """The numbers at a point of the unit cube."""
        return {
            name: min(max(low * (high / low) ** float(share), low), high)
            for share, (name, (low, high)) in zip(point, self._ranges.items(), strict=True)
        }


class _Step(NamedTuple):
    """What a member gained from one evaluation to the next."""

    evaluation: int
    """At its end."""
    name: str
    gain: float
    settings: Mapping[str, Any]


def _steps(members: Sequence[Member]) -> Iterator[_Step]:
    """All steps between finite objectives; the first after a copy begins where the donor stood."""
    by_name = {member.name: member for member in members}
    for member in members:
        for evaluation in member.curve:
            began = [period for period in member.periods if period.evaluation < evaluation]
            copied = began and began[-1].evaluation == evaluation - 1
            start = by_name.get(began[-1].donor) if copied else member
            if not began or start is None:
                continue
            gain = start.objective(evaluation - 1) - member.objective(evaluation)
            if math.isfinite(gain):
                yield _Step(evaluation, member.name, gain, began[-1].settings)


def _most_hopeful(
    model: GaussianProcess, dimensions: int, evaluation: int, random: np.random.Generator
) -> tuple[Array, GaussianProcess]:
    """The point (d,) with the highest upper confidence bound, and the model that takes it for tried."""
    points = random.random((_CANDIDATES, dimensions))
    inputs = np.column_stack([np.full(_CANDIDATES, float(evaluation)), points])
    mean, variance = model.posterior(inputs)
    best = int(np.argmax(mean + _CONFIDENCE * np.sqrt(variance)))
    return points[best], model.hallucinating(inputs[[best]])
