"""One line of the leaderboard, as text and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from search_spaces.search.study import Outcome

ANCHOR: Final = "anchor"
"""Outcome of a line that is no trial: real music, chance, a generator without a network."""

_FINISHED: Final = Outcome.FINISHED.value
_LAST: Final = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: a trial, or an anchor such as the real music."""

    name: str
    outcome: str
    objective: float | None
    scores: Mapping[str, float]
    parameters: Mapping[str, Any]
    note: str
    verdict: str = ""
    """How the trial fared at its last evaluation (`trainables.verdict`)."""
    bars: int = 0
    evaluations: int = 0
    objectives: Mapping[str, float] = field(default_factory=dict)
    """Values of all that the search minimises; empty where that is `objective` alone."""
    front: bool = False
    """Whether it is a trial of the full budget on the Pareto front of the objectives."""
    known: str = ""
    """Source of a balance that was known before."""
    stage: str = "search"
    """Stage of the protocol that the trial belongs to."""
    seed: int = 0
    """Of the trial's training."""

    @property
    def finished(self) -> bool:
        """Whether it is a trial that spent its full budget."""
        return self.outcome == _FINISHED

    @property
    def rank(self) -> tuple[bool, float]:
        """Sorts the full budget before the rest, and each from the best."""
        return not (self.finished or self.outcome == ANCHOR), self.measure

    @property
    def measure(self) -> float:
        """The objective; beyond all others where there is none."""
        return _LAST if self.objective is None else self.objective

    @property
    def settings(self) -> str:
        """The parameters in one line."""
        return ", ".join(f"{name} {number(value)}" for name, value in self.parameters.items())

    def as_json(self, *, several: bool) -> dict[str, Any]:
        """Plain values; with `several` objectives, those and the front too."""
        return {
            "name": self.name,
            "outcome": self.outcome,
            "objective": self.objective,
            **({"objectives": dict(self.objectives), "front": self.front} if several else {}),
            **({"verdict": self.verdict} if self.verdict else {}),
            **({} if self.outcome == ANCHOR else {"stage": self.stage, "seed": self.seed, "known": self.known}),
            "bars": self.bars,
            "note": self.note,
            "parameters": dict(self.parameters),
            "scores": dict(self.scores),
        }

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> "Row":
        """What `as_json` told; LookupError or TypeError where it is something else."""
        names = ("name", "outcome", "objective", "bars", "note", "parameters", "scores")
        more = ("objectives", "front", "verdict", "stage", "seed", "known")
        return cls(**{name: line[name] for name in names}, **{name: line[name] for name in more if name in line})


def objective_names(lines: Iterable[Any]) -> tuple[str, ...]:
    """All objectives of a search, from its rows or records: one may lack some, an anchor those of a discriminator."""
    return max((tuple(line.objectives) for line in lines), key=len, default=())


def number(value: Any) -> str:
    """A value as it stands in a table."""
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
