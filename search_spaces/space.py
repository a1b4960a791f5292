"""What a search space is, and how one is found by its name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.trial import BaseTrial, FixedTrial

from data_prep.errors import UserError, unknown
from scores.objective import OBJECTIVES
from trainables.config import Budget
from trainables.systems import described

GUARDED: Final = ("objective",)
"""What a search minimises unless its space says otherwise: the guarded number alone."""

_LOOKS = 64
_DECLARATION = re.compile(r"^SPACE\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A balance known from elsewhere, tried before anything is searched."""

    source: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A search: which system, what is varied, what is tried first and what it may cost.

    A file `search_spaces/NAME.py` that declares `SPACE` is all it takes to add one.
    """

    title: str
    """One line for `--help`."""

    system: str
    """Which system is searched unless the user names another: a key of `SYSTEMS`."""

    suggest: Callable[[BaseTrial, str], dict[str, Any]]
    """Asks Optuna for parameters of the system of that name and turns them into settings, fields of its network and
    its numbers (`trainables.systems.described`). It must stand at the top level of its module."""

    known: tuple[Known, ...] = ()
    budget: Budget = field(default_factory=Budget)
    trials: int = 16
    minutes: float | None = 13
    """Default time of a search, None for no limit: on two CPU cores it then ends, with its start, within a quarter of
    an hour."""

    first_rung: int = 4
    """Evaluation after which the worse half of the trials, by `objective`, is stopped."""

    objectives: tuple[str, ...] = GUARDED
    """Names out of `OBJECTIVES`, all minimised at once: with several, the search looks for their Pareto front."""

    def __post_init__(self) -> None:
        """Refuse a rung at which nothing could be stopped, and objectives that no trial reports."""
        _check_objectives(self.objectives)
        if not 1 <= self.first_rung <= self.budget.evaluations:
            raise ValueError(f"first_rung is {self.first_rung}, but must be from 1 to {self.budget.evaluations}.")

    def distinct_known(self) -> list[Known]:
        """The known balances; of those that come to the same settings of this system, the first."""
        found: list[tuple[Known, dict[str, Any]]] = []
        for known in self.known:
            settings = self.suggest(FixedTrial(dict(known.parameters)), self.system)
            if all(settings != other for _, other in found):
                found.append((known, settings))
        return [known for known, _ in found]

    def settled(self, looks: int) -> list[tuple[Any, Any]]:
        """Networks and numbers of so many suggestions by chance, which are the same at every call.

        Raises:
            UserError: a suggestion that the system cannot follow.
        """
        study = _random_study()
        found = (described(self.system, self.suggest(study.ask(), self.system)) for _ in range(looks))
        return [(system.network, system.config) for system in found]

    def parameters(self) -> list[str]:
        """Names of everything that may be varied, those that only some trials have included.

        Raises:
            UserError: a suggestion that the system cannot follow.
        """
        study = _random_study()
        names: dict[str, None] = {}
        for _ in range(_LOOKS):
            trial = study.ask()
            described(self.system, self.suggest(trial, self.system))
            names |= dict.fromkeys(trial.params)
        return list(names)


def _random_study() -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))


def _check_objectives(names: tuple[str, ...]) -> None:
    if not isinstance(names, tuple) or not names or len(set(names)) < len(names):
        raise UserError(f"objectives is {names!r}, but must be a tuple of one or more names, each once.")
    for name in names:
        if name not in OBJECTIVES:
            raise UserError(unknown("objective", name, OBJECTIVES))


def space_names() -> list[str]:
    """Names of all spaces of this package."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(path.stem for path in files if _DECLARATION.search(path.read_text(encoding="utf-8")))


def load_space(name: str) -> Space:
    """The space of that name.

    Raises:
        UserError: there is none, with the nearest name.
    """
    if name not in space_names():
        raise UserError(unknown("space", name, space_names()))
    space = import_module(f"search_spaces.{name}").SPACE
    assert isinstance(space, Space)
    return space
