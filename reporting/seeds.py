"""Configurations that were trained with several seeds: means, spreads, and the difference that means anything."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, harmonic_mean, stdev
from typing import Any, Final, NamedTuple

from reporting.row import ANCHOR, Row, number
from search_spaces.protocol import CANDIDATE
from search_spaces.run.plan import REPEAT
from search_spaces.search.study import Outcome
from search_spaces.space import SEED

EXPLAINED: Final = (
    "Trainings of the full budget that differ in their seed alone: mean and standard deviation of the objective. Means "
    "above the noise line differ from the best by less than two standard errors of a difference: that means nothing. A "
    "seed that diverged has no objective: configurations with one stand behind, those with a single seed last."
)

OVER_SEEDS: Final = "over seeds"
NOISE_LINE: Final = "noise line"
"""Outcomes of the entries that this module adds to `leaderboard.json`."""

_DIVERGED: Final = Outcome.DIVERGED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The trials of one configuration that spent their full budget, from the best."""

    name: str
    """What the known balance is called, or the trial that was repeated, or the first trial."""
    trials: tuple[Row, ...]
    diverged: int
    """Seeds with which it diverged."""

    @property
    def values(self) -> list[float]:
        """The objective of each."""
        return [trial.measure for trial in self.trials]

    @property
    def mean(self) -> float:
        """Of the objective."""
        return fmean(self.values)

    @property
    def sd(self) -> float | None:
        """Of the objective (n - 1); None of a single seed."""
        return stdev(self.values) if len(self.trials) > 1 else None

    @property
    def middle(self) -> Row:
        """The trial of the median seed; of the two in the middle, the worse."""
        return self.trials[len(self.trials) // 2]

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """Sorts from the best: one of many single trainings is always lucky, and what diverges cannot be relied on."""
        return len(self.trials) < 2, self.diverged > 0, self.mean


class OverSeeds(NamedTuple):
    """All configurations of a run, from the best, and what tells them apart."""

    configurations: list[Configuration]
    difference: float
    """The smallest difference of two means that means anything."""

    @property
    def line(self) -> float:
        """Means up to here do not differ from the best."""
        return self.configurations[0].mean + self.difference

    @property
    def level(self) -> list[Configuration]:
        """Those behind the best that do not differ from it."""
        others = self.configurations[1:]
        return [each for each in others if each.sd is not None and not each.diverged and each.mean <= self.line]


def over_seeds(lines: Iterable[Row]) -> OverSeeds | None:
    """The configurations of a run; None where none was trained to its end with two seeds.

    Where a stage repeated the finalists, its trials alone: those that the finalists were chosen by are the luckiest of
    many, and would flatter them.
    """
    configurations = _configurations(list(lines))
    repeated = [each for each in configurations if len(each.trials) > 1]
    return OverSeeds(configurations, least_difference([each.values for each in repeated])) if repeated else None


def finalists(lines: Iterable[Row]) -> list[Configuration]:
    """The configurations that a stage repeated, from the best; none without such a stage."""
    lines = list(lines)
    return _configurations(lines) if any(line.stage == REPEAT for line in lines) else []


def least_difference(samples: Iterable[Sequence[float]]) -> float:
    r"""The noise line: the smallest difference between the means of two samples that means anything.

    Seeds scatter the objective of every configuration by about the same standard deviation, s. The mean of n seeds
    then has the standard error s / sqrt(n), the difference of two such means s · sqrt(2 / n), and in 19 of 20 pairs of
    equal configurations it stays within two of these: 2 · s · sqrt(2 / n). s is pooled, s² = Σ (n_i - 1) s_i² /
    Σ (n_i - 1), as no configuration has enough seeds to tell its own; n is the harmonic mean of the sample sizes.

    It is Fisher's least significant difference (R. A. Fisher, *The Design of Experiments*, 1935) with 2 for the
    quantile of Student's t, which is larger (2.8 at four degrees of freedom, 2.2 at twelve). Nor does it allow for the
    best being the best of many. So it is a floor: below it nothing can be said, above it little may be.

    Args:
        samples: objectives of each configuration, of two seeds or more.
    """
    samples = list(samples)
    freedom = sum(len(sample) - 1 for sample in samples)
    variance = sum((len(sample) - 1) * stdev(sample) ** 2 for sample in samples) / freedom
    return 2 * math.sqrt(variance * 2 / harmonic_mean([len(sample) for sample in samples]))


def cells(found: OverSeeds) -> list[list[str]]:
    """The table: its header, a row for each configuration, and the noise line where it belongs."""
    rows = [_cells(each) for each in found.configurations]
    below = 1 + len(found.level)
    line = [f"*{NOISE_LINE}*", number(found.line), "", "", "", "", "", f"best + {number(found.difference)}"]
    header = ["configuration", "mean", "sd", "seeds", "best", "worst", "trials", "note"]
    return [header, *rows[:below], line, *rows[below:]]


def as_json(found: OverSeeds) -> list[dict[str, Any]]:
    """The table's rows as entries of `leaderboard.json`."""
    entries: list[dict[str, Any]] = [
        {
            "name": each.name,
            "outcome": OVER_SEEDS,
            "objective": each.mean,
            "sd": each.sd,
            "count": len(each.trials),
            "diverged": each.diverged,
            "best": each.values[0],
            "worst": each.values[-1],
            "trials": [trial.name for trial in each.trials],
        }
        for each in found.configurations
    ]
    line = {"name": NOISE_LINE, "outcome": NOISE_LINE, "objective": found.line, "difference": found.difference}
    return [*entries, line]


def told(mean: float, sd: float | None, count: int) -> str:
    """Mean, spread and number of the seeds of a configuration."""
    spread = "" if sd is None else f" ± {sd:.3f}"
    return f"{mean:.3f}{spread} over {count} seed{'s' * (count > 1)}"


def _configurations(lines: Sequence[Row]) -> list[Configuration]:
    known = {line.name: line.known for line in lines if line.known}
    repeated = [line for line in lines if line.stage == REPEAT]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for line in repeated or lines:
        if line.outcome != ANCHOR:
            groups.setdefault(_key(line.parameters), []).append(line)
    found = [_configuration(group, known) for group in groups.values() if any(line.finished for line in group)]
    return sorted(found, key=lambda each: each.rank)


def _key(parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    """What trials of one configuration share: a repeated trial's candidate stands for its parameters."""
    rest = {name: value for name, value in parameters.items() if name not in (SEED, CANDIDATE)}
    return tuple(sorted(rest.items())) or (parameters.get(CANDIDATE),)


def _configuration(group: Sequence[Row], known: Mapping[str, str]) -> Configuration:
    # One trial a seed: another of the same seed is the same training again, and says nothing of the spread.
    finished = {line.parameters.get(SEED, line.seed): line for line in group if line.finished}
    diverged = {line.parameters.get(SEED, line.seed) for line in group if line.outcome == _DIVERGED}
    trials = tuple(sorted(finished.values(), key=lambda line: line.measure))
    return Configuration(name=_name(group, known), trials=trials, diverged=len(diverged))


def _name(group: Sequence[Row], known: Mapping[str, str]) -> str:
    first = min(group, key=lambda line: line.name)
    candidate = first.parameters.get(CANDIDATE)
    if candidate is None:
        return first.known or first.name
    source = known.get(str(candidate))
    return f"{candidate} ({source})" if source else str(candidate)


def _cells(each: Configuration) -> list[str]:
    names = [trial.name for trial in each.trials]
    note = f"{each.diverged} more diverged" if each.diverged else ""
    values = (each.mean, each.sd, len(names), each.values[0], each.values[-1])
    return [each.name, *map(number, values), ", ".join(names), note]
