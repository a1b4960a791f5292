"""A space made smaller: parameters pinned, ranges narrowed, a grid. Pure functions from space to space."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, cast

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import BaseTrial, FixedTrial

from data_prep.errors import UserError, unknown
from search_spaces.asking import Range, RestrictedTrial, all_points
from search_spaces.space import LOOKS, SEED, Known, Space, random_study
from trainables.settings import read_value, types_of
from trainables.systems import SYSTEM

_TRUTH: Final[Mapping[str, bool]] = {"true": True, "false": False}
_MOST_POINTS: Final = 1000
"""Points of the largest grid."""


@dataclass(frozen=True, slots=True)
class Restricted:
    """A space's `suggest` with restrictions; it can be pickled where that can."""

    suggest: Any
    given: Mapping[str, Any] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings that replace those of the space, whatever it asks."""

    def __call__(self, trial: BaseTrial, system: str) -> dict[str, Any]:
        """Settings of the system, as `Space.suggest` has them."""
        restricted = cast(BaseTrial, RestrictedTrial(trial, self.given, self.ranges))
        return {**self.suggest(restricted, system), **self.settings}


def pinned(space: Space, values: Mapping[str, Any]) -> Space:
    """The space with these parameters or settings held at these values, which may be written as text.

    A parameter of the space is no longer searched; known balances that have it elsewhere are left out. Any other
    setting of the system is added to what the space suggests. Both are in `fixed`.

    Raises:
        UserError: a name that neither the space nor the system has, with the nearest; a value that is not of its range
            or choices; a setting that follows from what the space varies; a parameter that the others leave no use for.
    """
    if not values:
        return space
    dimensions = space.dimensions()
    given = {name: _value(name, values[name], dimensions[name]) for name in values if name in dimensions}
    settings = _settings(space, {name: value for name, value in values.items() if name not in given}, dimensions)
    _check_used(space, given)
    return _restricted(space, given, {}, settings)


def narrowed(space: Space, limits: Mapping[str, Any]) -> Space:
    """The space with these parameters in a smaller range `(low, high)`, or held at one value.

    Known balances outside are left out.

    Raises:
        UserError: a name that the space does not vary; a range or value that is not inside its own.
    """
    dimensions = space.dimensions()
    for name in limits:
        if name not in dimensions:
            raise UserError(unknown("parameter of this space", name, dimensions))
    ranges = {name: _range(name, limit, dimensions[name]) for name, limit in limits.items() if isinstance(limit, tuple)}
    given = {name: _value(name, limit, dimensions[name]) for name, limit in limits.items() if name not in ranges}
    _check_used(space, given)
    return _restricted(space, given, ranges, {})


def grid(space: Space) -> Space:
    """The space as a grid of all that its choices and whole numbers may be together, its known points first.

    A space that is a grid already stays as it is.

    Raises:
        UserError: it varies a number that has no steps, or there are too many points.
    """
    if space.grid:
        return space
    points = list(islice(all_points(lambda trial: space.suggest(trial, space.system)), _MOST_POINTS + 1))
    if len(points) > _MOST_POINTS:
        raise UserError(f"This space has more than {_MOST_POINTS:,} points: hold some of it by --set to try a grid.")
    named = [each for each in space.known if dict(each.parameters) in points]
    tried = [dict(each.parameters) for each in named]
    others = [Known(source="grid", parameters=point) for point in points if point not in tried]
    known = (*named, *others)
    return replace(space, known=known, trials=len(known), grid=True)


def _restricted(
    space: Space, given: Mapping[str, Any], ranges: Mapping[str, Range], settings: Mapping[str, Any]
) -> Space:
    known = tuple(
        Known(source=each.source, parameters={k: v for k, v in each.parameters.items() if k not in given})
        for each in space.known
        if all(each.parameters.get(name, value) == value for name, value in given.items())
        if all(low <= each.parameters.get(name, low) <= high for name, (low, high) in ranges.items())
    )
    if space.grid and not known:
        raise UserError("Nothing of this space's grid is left.")
    smaller = replace(
        space,
        suggest=Restricted(space.suggest, given, ranges, settings),
        known=known,
        trials=len(known) if space.grid else space.trials,
        fixed={**space.fixed, **given, **settings},
    )
    _check_followed(smaller)
    return smaller


def _check_followed(space: Space) -> None:
    """Refuse what the system cannot follow."""
    space.parameters()
    for known in space.known:
        space.described(space.suggest(FixedTrial(dict(known.parameters)), space.system))


def _value(name: str, value: Any, distribution: BaseDistribution) -> Any:
    """The value of the dimension that is given or written so."""
    if isinstance(distribution, CategoricalDistribution):
        return _choice(name, value, distribution.choices)
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    try:
        number = int(value) if isinstance(distribution, IntDistribution) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number) or not distribution._contains(number):
        raise UserError(f"{name} is {value!r}, but must be {_told(distribution)}, as the space varies it.")
    return number


def _choice(name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    if isinstance(value, str):
        value = next((each for each in choices if str(each) == value), _TRUTH.get(value.lower(), value))
    for choice in choices:
        if type(choice) is type(value) and choice == value:  # True is not 1
            return choice
    raise UserError(unknown(name, str(value), [str(choice) for choice in choices]))


def _range(name: str, limit: Range, distribution: BaseDistribution) -> Range:
    if isinstance(distribution, CategoricalDistribution):
        raise UserError(f"{name} is {limit!r}, but is chosen from {', '.join(map(str, distribution.choices))}.")
    low, high = (_value(name, end, distribution) for end in limit)
    if low > high:
        raise UserError(f"{name} is {limit!r}, but a range must begin with its lower end.")
    return low, high


def _told(distribution: FloatDistribution | IntDistribution) -> str:
    number = "a whole number" if isinstance(distribution, IntDistribution) else "a number"
    step = f" in steps of {distribution.step:g}" if distribution.step not in (None, 1) else ""
    return f"{number} from {distribution.low:g} to {distribution.high:g}{step}"


def _settings(space: Space, values: Mapping[str, Any], dimensions: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Settings that the space does not vary, each of its field's type."""
    if not values:
        return {}
    suggested = [settings for _, settings in space.looks()]
    systems = dict.fromkeys(str(settings.get(SYSTEM, space.system)) for settings in suggested)
    types = {system: types_of(system) for system in systems}
    for name in values:
        _check_setting(name, dimensions, types)
        if any(settings.get(name) != suggested[0].get(name) for settings in suggested):
            raise UserError(f"{name} follows from what this space varies: set one of {', '.join(dimensions)}.")
    hints = next(iter(types.values()))
    return {name: read_value(value, hints[name]) if isinstance(value, str) else value for name, value in values.items()}


def _check_setting(
    name: str, dimensions: Mapping[str, BaseDistribution], types: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse what some system of the space does not have."""
    if name in (SEED, SYSTEM):
        raise UserError(f"This space does not vary the {name}: give it by --{name}.")
    for system, settings in types.items():
        if name not in settings:
            raise UserError(unknown(f"setting of {system}", name, {*dimensions, *settings}))


def _check_used(space: Space, given: Mapping[str, Any]) -> None:
    """Refuse a parameter that is never asked for beside the others."""
    study, used = random_study(), dict[str, Any]()
    for _ in range(LOOKS if given else 0):
        trial = RestrictedTrial(study.ask(), given, {})
        space.suggest(cast(BaseTrial, trial), space.system)
        used |= trial.answered
    for name in given:
        if name not in used:
            others = ", ".join(f"{other} {value!r}" for other, value in given.items() if other != name)
            raise UserError(f"{name} has no effect with {others or 'this space'}: leave it out.")
