"""When a trial is stopped early: rules over the curves of all trials, without memory of their own.

As a rule sees nothing but what the study holds, a search that was killed and resumed decides as one that never stopped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

import numpy as np

Curve = Mapping[int, float]
"""Objective by evaluation, from 1; lower is better."""


class Decision(Enum):
    """What is to become of a trial after an evaluation."""

    GO_ON = auto()
    STOP = auto()
    PAUSE = auto()
    """It waits for the rest of its population."""


class Rule(Protocol):
    """Decides after each evaluation."""

    def decide(self, evaluation: int, curve: Curve, others: Iterable[Curve]) -> Decision:
        """What is to become of the trial with this curve, beside the curves of all others, running or not."""
        ...


@dataclass(frozen=True, slots=True)
class Never:
    """Every trial has its full budget."""

    def decide(self, evaluation: int, curve: Curve, others: Iterable[Curve]) -> Decision:
        """Go on."""
        return Decision.GO_ON


@dataclass(frozen=True, slots=True)
class Halving:
    """Asynchronous successive halving (Li et al. 2020, arXiv 1810.05934), in its form that stops and never pauses.

    At `first_rung` and each power of `factor` times it, a trial goes on if it is among the best share of one in
    `factor` of all that came there before it.
    """

    first_rung: int
    evaluations: int
    factor: int = 2

    @property
    def rungs(self) -> list[int]:
        """Evaluations after which trials are stopped; the last evaluation is none."""
        rungs, rung = [], self.first_rung
        while rung < self.evaluations:
            rungs.append(rung)
            rung *= self.factor
        return rungs

    def decide(self, evaluation: int, curve: Curve, others: Iterable[Curve]) -> Decision:
        """Stop a trial that is not among the best share at its rung."""
        if evaluation not in self.rungs:
            return Decision.GO_ON
        there = [other[evaluation] for other in others if evaluation in other]
        if not there or curve[evaluation] <= np.percentile(there, 100 / self.factor):
            return Decision.GO_ON
        return Decision.STOP


@dataclass(frozen=True, slots=True)
class Median:
    """The median rule (Golovin et al. 2017, Google Vizier): stop what is worse than half of the others were.

    From `first` on, after each evaluation but the last: its best objective so far against the median of the others'
    running means up to the same evaluation; the first `least` trials to come there are not judged.
    """

    first: int
    evaluations: int
    least: int = 4

    def decide(self, evaluation: int, curve: Curve, others: Iterable[Curve]) -> Decision:
        """Stop a trial whose best is worse than the median of the others."""
        if not self.first <= evaluation < self.evaluations:
            return Decision.GO_ON
        means = [
            np.mean([value for step, value in other.items() if step <= evaluation])
            for other in others
            if evaluation in other
        ]
        if len(means) < self.least or min(curve.values()) <= np.median(means):
            return Decision.GO_ON
        return Decision.STOP


@dataclass(frozen=True, slots=True)
class Pausing:
    """For a population: from `first` on every trial waits, after each evaluation but the last, until all are there."""

    first: int
    evaluations: int

    def decide(self, evaluation: int, curve: Curve, others: Iterable[Curve]) -> Decision:
        """Pause."""
        return Decision.PAUSE if self.first <= evaluation < self.evaluations else Decision.GO_ON
