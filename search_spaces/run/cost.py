"""What a search costs, from what its trials cost: time, disk and money."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from optuna.trial import FixedTrial

from data_prep.errors import UserError
from search_spaces.run.disk import shown_bytes
from search_spaces.space import Space, split_seed
from trainables.config import Budget
from trainables.cost import Probe

_LOOKS: Final = 3
"""Suggestions by chance that stand for a space which knows no balance."""

_BUSY: Final = 0.2
"""Share of the time of the probes that others may take without a word."""

_START_SECONDS: Final = 10.0
"""Until Ray has started and the first trial begins."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Trials of one stage."""

    trials: int
    budget: Budget
    first_rung: int | None
    """Evaluation after which half of them are stopped; None where none is."""

    def shares(self, probe: Probe) -> tuple[float, float]:
        """Seconds of a trial if half of them are stopped at the first rung, and of one that is not stopped."""
        full = probe.seconds_per_trial(self.budget)
        if self.first_rung is None or self.first_rung >= self.budget.evaluations:
            return full, full
        return (full + probe.seconds_per_trial(self.budget, self.first_rung)) / 2, full


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What is expected of a search."""

    probes: tuple[Probe, ...]
    trial_seconds: tuple[float, ...]
    """Of a trial that is not stopped, for each of the probes."""

    concurrency: int
    seconds: float
    """Of the search, if half of the trials are stopped at the first rung."""

    most_seconds: float
    """The same if none is stopped."""

    time_budget: float | None
    bytes_per_trial: float
    bytes: float
    price: float | None
    """Of one hour of all machines together."""

    @property
    def money(self) -> float | None:
        """What the expected time comes to, at most that of the time budget."""
        if self.price is None:
            return None
        return self.price * min(self.seconds, self.time_budget or self.seconds) / 3600

    def as_text(self) -> str:
        """The cost for someone who asks, line by line as `search_spaces.run.plan.Plan.as_text` has it."""
        lines = {
            "measured": self._measured(),
            "an epoch": _span([probe.seconds_per_epoch for probe in self.probes], _rounded)
            + f" for {_span([probe.epoch_bars for probe in self.probes], '{:,.0f}'.format)} bars",
            "a full trial": _span(self.trial_seconds, _rounded),
            "the search": self._search(),
            "disk": f"{shown_bytes(self.bytes_per_trial)} a trial, {shown_bytes(self.bytes)} in all",
            "money": "" if self.money is None else f"{self.money:,.2f}, at {self.price:g} an hour for all machines",
        }
        return "\n".join(f"{name:<13}{value}" for name, value in lines.items() if value)

    def _measured(self) -> str:
        number, lost = len(self.probes), _mean([probe.lost for probe in self.probes])
        busy = f"; other programs took {lost:.0%} of that time, without them it goes faster" if lost > _BUSY else ""
        return f"{number} {'setting' if number == 1 else 'settings'}, a few steps of each, one at a time here{busy}"

    def _search(self) -> str:
        told = f"about {_rounded(self.seconds)}, {self.concurrency} at a time"
        if self.seconds < self.most_seconds:
            told += f", if half of the trials are stopped as soon as they may be; {_rounded(self.most_seconds)} if none"
        if self.time_budget is not None and self.time_budget < self.seconds:
            told += f"; its time ends it after {_rounded(self.time_budget)}"
        return told


def cost(
    probes: Sequence[Probe],
    batches: Sequence[Batch],
    *,
    concurrency: int,
    time_budget: float | None = None,
    price: float | None = None,
) -> Cost:
    """The cost of a search.

    The first trials of a search are the settings that were probed, in their order; all others are taken to cost what
    these do on average. Trials are taken to fill their places, and to run as fast beside each other as alone.

    Args:
        probes: of the settings that `probed` names.
        batches: trials of each stage.
        concurrency: trials at a time.
        time_budget: seconds after which the search ends anyway.
        price: of one hour of all machines together.

    Raises:
        UserError: a price below 0.
    """
    if price is not None and not 0 <= price < float("inf"):
        raise UserError(f"--price is {price:g}, but must be a number that is not below 0: of one hour of all machines.")
    times = [_stage(probes, batch, concurrency, first=not number) for number, batch in enumerate(batches)]
    trials = sum(batch.trials for batch in batches)
    bytes_per_trial = _mean([probe.bytes_per_trial for probe in probes])
    return Cost(
        probes=tuple(probes),
        trial_seconds=tuple(probe.seconds_per_trial(batches[0].budget) for probe in probes),
        concurrency=concurrency,
        seconds=_START_SECONDS + sum(seconds for seconds, _ in times),
        most_seconds=_START_SECONDS + sum(most for _, most in times),
        time_budget=time_budget,
        bytes_per_trial=bytes_per_trial,
        bytes=trials * bytes_per_trial,
        price=price,
    )


def probed(space: Space, trials: int) -> list[dict[str, Any]]:
    """The settings that stand for a space: those it tries first, as far as `trials` go, or some by chance.

    Without the seed and the options of the corpus, which are not the system's.
    """
    known = [space.suggest(FixedTrial(dict(each.parameters)), space.system) for each in space.distinct_known()]
    settings = known[:trials] or [settings for _, settings in space.looks(_LOOKS)]
    bare = [_of_system(each, space) for each in settings]
    return [each for number, each in enumerate(bare) if each not in bare[:number]]


def _of_system(settings: Mapping[str, Any], space: Space) -> dict[str, Any]:
    of_system, _ = split_seed(settings)
    return {name: value for name, value in of_system.items() if name not in space.data_options}


def _stage(probes: Sequence[Probe], batch: Batch, concurrency: int, *, first: bool) -> tuple[float, float]:
    """Seconds of a stage as expected, and if no trial is stopped; of the first stage the first trials are known."""
    shares = [batch.shares(probe) for probe in probes]
    known = shares[: batch.trials] if first else []
    others = batch.trials - len(known)
    expected, most = (
        sum(each[side] for each in known) + others * _mean([each[side] for each in shares]) for side in (0, 1)
    )
    longest = max((full for _, full in known), default=_mean([full for _, full in shares]))
    return max(expected / concurrency, longest), max(most / concurrency, longest)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _span(values: Sequence[float], told: Callable[[float], str]) -> str:
    lowest, highest = told(min(values)), told(max(values))
    return lowest if lowest == highest else f"{lowest} to {highest}"


def _rounded(seconds: float) -> str:
    return shown_seconds(float(f"{seconds:.3g}"))


def shown_seconds(seconds: float) -> str:
    """Seconds in the largest unit of which there are two."""
    for unit, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.3g} {name}"
    return f"{seconds:g} seconds"
