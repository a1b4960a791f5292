"""Which trials are stopped, or taught by others, while they train: rules by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

from optuna.distributions import FloatDistribution

from data_prep.errors import UserError
from search_spaces.search.evolution import Evolution
from search_spaces.search.population import Population
from search_spaces.search.stopping import Halving, Median, Never, Pausing, Rule
from search_spaces.space import Space

EVOLVED: Final = ("learning_rate", "learning_rate_ratio")
"""Settings that may change while a trial trains, as they are numbers of the optimisers alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """A rule, what the plan says of it, and whether its trials learn from each other."""

    rule: Callable[[Space], Rule]
    told: Callable[[Space], str]
    explore: Literal["pbt", "pb2"] | None = None
    stops: bool = False
    """Whether some trials end before their full budget."""

    @property
    def is_population(self) -> bool:
        """Whether its trials go on from each other's states."""
        return self.explore is not None

    def evolution(self, space: Space, trials: Path, seed: int) -> Evolution | None:
        """How the population evolves, its states in the folder of all `trials`; None where there is none.

        Raises:
            UserError: the space varies nothing that may change while a trial trains.
        """
        if self.explore is None:
            return None
        ranges = {
            name: (distribution.low, distribution.high)
            for name, distribution in space.dimensions().items()
            if name in EVOLVED and isinstance(distribution, FloatDistribution)
        }
        if not ranges:
            raise UserError(
                f"--scheduler {self.explore} changes {' and '.join(EVOLVED)} while it trains, but this space varies "
                "neither: choose asha, median or none."
            )
        return Evolution(Population(ranges, explore=self.explore, seed=seed), trials)


def _halving(space: Space) -> Halving:
    return Halving(space.first_rung, space.budget.evaluations)


def _told_halving(space: Space) -> str:
    rungs = _halving(space).rungs
    if not rungs:
        return "none is stopped early"
    return f"the worse half is stopped after evaluation {' and '.join(map(str, rungs))} of {space.budget.evaluations}"


def _population(explore: str) -> Scheduler:
    return Scheduler(
        rule=lambda space: Pausing(space.first_rung, space.budget.evaluations),
        told=lambda space: f"from evaluation {space.first_rung} on the worst quarter goes on from the best ({explore})",
        explore=cast(Literal["pbt", "pb2"], explore),
    )


SCHEDULERS: Final[Mapping[str, Scheduler]] = MappingProxyType(
    {
        "asha": Scheduler(rule=_halving, told=_told_halving, stops=True),
        "median": Scheduler(
            rule=lambda space: Median(space.first_rung, space.budget.evaluations),
            told=lambda space: f"stopped from evaluation {space.first_rung} on if worse than the median of the others",
            stops=True,
        ),
        "pbt": _population("pbt"),
        "pb2": _population("pb2"),
        "none": Scheduler(rule=lambda space: Never(), told=lambda space: "none is stopped early"),
    }
)
"""Scheduler by its name."""
