"""What a search space is, and how one is found by its name or its file."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import BaseTrial, FixedTrial

from data_prep.errors import UserError, unknown
from data_prep.folder import shown
from data_prep.options import HELP
from scores.objective import OBJECTIVES
from search_spaces.space_file import import_file, is_file_name, what_went_wrong
from trainables.config import Budget
from trainables.systems import Description, described

GUARDED: Final = ("objective",)
"""What a search minimises unless its space says otherwise: the guarded number alone."""

SEED: Final = "seed"
"""The setting by which a space may vary the seed of the training, which no system has; see `split_seed`."""

LOOKS: Final = 64
"""Suggestions by chance that show all a space may ask for."""

_DECLARATION = re.compile(r"^SPACE\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A balance known from elsewhere, tried before anything is searched."""

    source: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A search: which system, what is varied, what is tried first and what it may cost.

    A file `search_spaces/NAME.py` that declares `SPACE` is all it takes to add one; outside the repository it is named
    by its path.
    """

    title: str
    """One line for `--help`."""

    system: str
    """Which system is searched unless the user names another: a key of `SYSTEMS`."""

    suggest: Callable[[BaseTrial, str], dict[str, Any]]
    """Asks Optuna for parameters of the system of that name and turns them into settings, fields of its network and
    its numbers (`trainables.systems.described`); beside them `SEED`, and the options named in `data_options`."""

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

    data_options: tuple[str, ...] = ()
    """Options of the corpus (`data_prep.options.Options`) that settings may hold, asked for as categorical parameters
    of the same names: each trial learns from the music as its own say."""

    grid: bool = False
    """Whether `known` is all there is to try, in its order."""

    fixed: Mapping[str, Any] = field(default_factory=dict)
    """What the user has pinned (`search_spaces.restrict.pinned`): parameters no longer searched, settings added."""

    def __post_init__(self) -> None:
        """Refuse a rung at which nothing could be stopped, and names of what does not exist."""
        _check_objectives(self.objectives)
        for name in self.data_options:
            if name not in HELP or name == SEED:
                raise UserError(unknown("option of a corpus", name, set(HELP) - {SEED}))
        for name, value in (("trials", self.trials), ("first_rung", self.first_rung)):
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}, but must be a whole number from 1 on.")
        if self.minutes is not None and not 0 < self.minutes < float("inf"):
            raise ValueError(f"minutes is {self.minutes!r}, but must be above 0, or None for no limit.")
        if not 1 <= self.first_rung <= self.budget.evaluations:
            raise ValueError(f"first_rung is {self.first_rung}, but must be from 1 to {self.budget.evaluations}.")
        if self.grid and not self.known:
            raise ValueError("A grid is all that `known` names, but it names nothing.")

    def distinct_known(self) -> list[Known]:
        """The known balances; of those that come to the same settings of this system, the first."""
        found: list[tuple[Known, dict[str, Any]]] = []
        for known in self.known:
            settings = self.suggest(FixedTrial(dict(known.parameters)), self.system)
            if all(settings != other for _, other in found):
                found.append((known, settings))
        return [known for known, _ in found]

    def described(self, settings: Mapping[str, Any]) -> Description:
        """The system as these settings of `suggest` have it, without the seed and the options of the corpus.

        Raises:
            UserError: settings that it cannot follow.
        """
        if not isinstance(settings, Mapping):
            raise UserError(f"suggest returned {settings!r}, but must return a dict of settings.")
        of_system, _ = split_seed(settings)
        return described(self.system, {name: of_system[name] for name in of_system if name not in self.data_options})

    def settled(self, looks: int) -> list[tuple[Any, Any]]:
        """Networks and numbers of so many suggestions by chance, which are the same at every call.

        Raises:
            UserError: a suggestion that the system cannot follow.
        """
        systems = (self.described(settings) for _, settings in self.looks(looks))
        return [(system.network, system.config) for system in systems]

    def dimensions(self) -> dict[str, BaseDistribution]:
        """Everything that may be varied, those that only some trials have included, with its range or choices.

        Raises:
            UserError: a suggestion that the system cannot follow.
        """
        found: dict[str, BaseDistribution] = {}
        for distributions, settings in self.looks():
            self.described(settings)
            found |= distributions
        for name, distribution in found.items():
            if isinstance(distribution, CategoricalDistribution) and not all(map(_plain, distribution.choices)):
                raise UserError(
                    f"{name} is chosen from {distribution.choices!r}, but choices must be words or numbers."
                )
        return found

    def parameters(self) -> list[str]:
        """Names of the dimensions."""
        return list(self.dimensions())

    def data_variants(self) -> list[dict[str, Any]]:
        """All that trials may choose of `data_options`, one corpus each; a single empty one where they choose none.

        Raises:
            UserError: an option that is varied, but not as a categorical parameter of its name.
        """
        looks = list(self.looks()) if self.data_options else []
        if self.grid:
            settings = (self.suggest(FixedTrial(dict(known.parameters)), self.system) for known in self.known)
            found = [{name: each[name] for name in self.data_options if name in each} for each in settings]
            return [each for number, each in enumerate(found) if each not in found[:number]]
        values = {name: _values(name, looks) for name in self.data_options}
        chosen = {name: each for name, each in values.items() if each}
        for name in chosen:
            if any(name not in settings for _, settings in looks):
                raise UserError(
                    f"{name} is an option of the corpus: suggest must return it in every trial, or in none."
                )
        return [dict(zip(chosen, each, strict=True)) for each in product(*chosen.values())]

    def looks(self, number: int = LOOKS) -> Iterator[tuple[dict[str, BaseDistribution], dict[str, Any]]]:
        """What so many suggestions by chance ask for and come to, unchecked; the same at every call."""
        study = random_study()
        for _ in range(number):
            trial = study.ask()
            settings = self.suggest(trial, self.system)
            yield trial.distributions, settings


def split_seed(settings: Mapping[str, Any]) -> tuple[dict[str, Any], int | None]:
    """Settings without `SEED`, and the seed that they ask for, or None.

    Raises:
        UserError: it is no seed.
    """
    seed = settings.get(SEED)
    if seed is not None and not (type(seed) is int and 0 <= seed < 2**32):
        raise UserError(f"seed is {seed!r}, but must be a whole number from 0 to {2**32 - 1}.")
    return {name: value for name, value in settings.items() if name != SEED}, seed


def _plain(choice: Any) -> bool:
    """Whether it comes back from a journal as it was."""
    return choice is None or isinstance(choice, bool | int | float | str)


def _values(name: str, looks: Sequence[tuple[dict[str, BaseDistribution], dict[str, Any]]]) -> tuple[Any, ...]:
    """All that an option may be: what it is chosen from, the one value that it always has, or nothing."""
    for distributions, _ in looks:
        if isinstance(asked := distributions.get(name), CategoricalDistribution):
            return tuple(asked.choices)
    seen = dict.fromkeys(settings[name] for _, settings in looks if name in settings)
    if len(seen) > 1:
        raise UserError(f"{name} is an option of the corpus: ask for it as a categorical parameter {name!r}.")
    return tuple(seen)


def random_study() -> optuna.Study:
    """A study in memory that suggests by chance, the same at every call."""
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
    """The space of that name, or of that file (FILE.py) outside this package.

    Raises:
        UserError: there is none, with the nearest name; a file that cannot be read or declares none that can be used.
    """
    if is_file_name(name):
        return _load_file(Path(name))
    if name not in space_names():
        raise UserError(unknown("space", name, space_names()))
    space = import_module(f"search_spaces.{name}").SPACE
    assert isinstance(space, Space)
    return space


def _load_file(path: Path) -> Space:
    """The space that the file declares, tried out: what would fail in every trial is told before the first."""
    space = getattr(import_file(path), "SPACE", None)
    told = shown(str(path))
    if not isinstance(space, Space):
        declared = "declares no SPACE" if space is None else f"declares a SPACE of type {type(space).__name__}"
        raise UserError(f"{told} {declared}: it must be a search_spaces.space.Space, as docs/search.md shows.")
    try:
        space.parameters()
        space.data_variants()
        for known in space.known:
            space.described(space.suggest(FixedTrial(dict(known.parameters)), space.system))
    except (Exception, SystemExit) as error:  # of the user's own function, which may do anything
        raise UserError(f"{told}: {what_went_wrong(error, path.expanduser().resolve())}") from error
    return space
