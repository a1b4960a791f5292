"""A population in training: what its members have learnt by, and the copying of their states."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_prep.files import write_atomic
from search_spaces.search.population import Member, Period, Population
from trainables.handover import STATE_FILE


class Evolution:
    """Lets the worst members of a population go on from the states of the best, under new settings.

    Args:
        population: decides who goes on from whom.
        states: folder with the states of all trials, `NAME/checkpoint/state.pt`.
    """

    def __init__(self, population: Population, states: Path) -> None:
        self._population = population
        self._states = states
        self._periods: dict[str, list[Period]] = {}

    def settings(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that a member trains by now; `settings` are those it began with."""
        periods = self._periods.setdefault(name, [Period(evaluation=0, donor=name, settings=settings)])
        return dict(periods[-1].settings)

    def take_up(self, name: str, told: list[Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
        """Remember what was `told` of a member before the search was interrupted."""
        if told:
            self._periods[name] = [Period(**period) for period in told]
        self.settings(name, settings)

    def copied(self, name: str) -> bool:
        """Whether the member went on from another's state, so that it could not begin again by itself."""
        return any(period.donor != name for period in self._periods.get(name, ()))

    def told(self, name: str) -> list[dict[str, Any]]:
        """The member's periods as plain values."""
        return [asdict(period) for period in self._periods[name]]

    def evolve(self, curves: Mapping[str, Mapping[int, float]]) -> None:
        """Decide, and copy states: all members stand at the same evaluation and none is running.

        May be called again at the same evaluation, where a full disk or a kill broke it off.
        """
        evaluation = max(max(curve) for curve in curves.values())
        for name in curves:
            self._periods[name] = [period for period in self._periods[name] if period.evaluation < evaluation]
        members = [Member(name=name, curve=curve, periods=tuple(self._periods[name])) for name, curve in curves.items()]
        for change in self._population.evolve(members):
            try:
                state = self._state(change.donor).read_bytes()
            except OSError:  # somebody deleted it: the member goes on as it is
                continue
            self._keep_best(change.name)
            write_atomic(self._state(change.name), state)
            period = Period(evaluation=evaluation, donor=change.donor, settings=change.settings)
            self._periods[change.name].append(period)

    def _keep_best(self, name: str) -> None:
        """Where there is no `best/`, the newest state of a trial is its best: it must outlive the donor's."""
        newest, best = self._state(name), self._states / name / "best" / STATE_FILE
        if newest.exists() and not best.exists():
            best.parent.mkdir(exist_ok=True)
            write_atomic(best, newest.read_bytes())

    def _state(self, name: str) -> Path:
        return self._states / name / "checkpoint" / STATE_FILE
