"""What a space's `suggest` asks in place of an Optuna trial, where not all answers are Optuna's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from optuna.distributions import FloatDistribution
from optuna.trial import BaseTrial

from data_prep.errors import UserError

Range = tuple[float, float]
"""Lowest and highest value."""


class RestrictedTrial:
    """An Optuna trial of which some parameters are not asked, as their value is given, and others in a smaller range.

    Everything else is the trial's own; `params` holds what is given as well.
    """

    def __init__(self, trial: BaseTrial, given: Mapping[str, Any], ranges: Mapping[str, Range]) -> None:
        self._trial, self._given, self._ranges = trial, given, ranges
        self.answered: dict[str, Any] = {}

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """The value given, or what the trial says of the smaller range."""
        if name in self._given:
            return float(self._answer(name))
        low, high = self._ranges.get(name, (low, high))
        return self._trial.suggest_float(name, low, high, step=step, log=log)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """The value given, or what the trial says of the smaller range."""
        if name in self._given:
            return int(self._answer(name))
        low, high = map(int, self._ranges.get(name, (low, high)))
        return self._trial.suggest_int(name, low, high, step=step, log=log)

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """The value given, or the trial's choice."""
        return self._answer(name) if name in self._given else self._trial.suggest_categorical(name, choices)

    @property
    def params(self) -> dict[str, Any]:
        """All values so far, those that were given included."""
        return {**self._trial.params, **self.answered}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trial, name)

    def _answer(self, name: str) -> Any:
        self.answered[name] = self._given[name]
        return self._given[name]


class _Asked(BaseException):
    """A parameter that is not answered yet; no `except Exception` of a space is to stop it."""

    def __init__(self, values: Sequence[Any]) -> None:
        super().__init__()
        self.values = values


class _ScriptedTrial:
    """A trial whose first answers are given, in the order of the questions."""

    def __init__(self, answers: Sequence[Any]) -> None:
        self._answers = answers
        self.params: dict[str, Any] = {}

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        if step is None and low < high:
            raise UserError(
                f"A grid tries all values, but {name} may be any from {low:g} to {high:g}: hold it by --set."
            )
        high = FloatDistribution(low, high, step=step).high  # the last step
        steps = round((high - low) / step) if step else 0
        return float(self._answer(name, [low + (step or 0) * number for number in range(steps + 1)]))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        return int(self._answer(name, range(low, high + 1, step)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._answer(name, choices)

    def _answer(self, name: str, values: Sequence[Any]) -> Any:
        if name not in self.params:
            if len(self.params) == len(self._answers):
                raise _Asked(values)
            self.params[name] = self._answers[len(self.params)]
        return self.params[name]


def all_points(suggest: Callable[[BaseTrial], Any], answers: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
    """All that a space may ask for, in the order of its choices, each point with the parameters that it asks for.

    Raises:
        UserError: a number that has no steps.
    """
    trial = _ScriptedTrial(answers)
    try:
        suggest(cast(BaseTrial, trial))
    except _Asked as asked:
        for value in asked.values:
            yield from all_points(suggest, (*answers, value))
    else:
        yield trial.params
