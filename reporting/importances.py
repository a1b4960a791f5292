"""Importances of the parameters of a search, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from textwrap import fill
from typing import Any, Final

from reporting.row import number
from search_spaces.search.importances import FEWEST, StageImportances

_BAR: Final = 40
_EXPLAINED: Final = (
    "By PED-ANOVA: how differently the best trials and all of them are spread over a parameter's values, of 1 in all. "
    "Trials that were stopped or diverged do not count."
)
_FEW: Final = 20
_NOISY: Final = f"Fewer than {_FEW} trials: the order may be chance."


def as_text(stages: Sequence[StageImportances]) -> str:
    """A table for each stage, and what the numbers are."""
    few = any(stage.parameters and stage.trials < _FEW for stage in stages)
    return "\n\n".join([*map(_stage, stages), fill(_EXPLAINED + (f" {_NOISY}" if few else ""), 100)])


def as_json(stages: Sequence[StageImportances]) -> dict[str, Any]:
    """Plain values, for `importances.json`."""
    return {"method": "PED-ANOVA", "stages": [asdict(stage) for stage in stages]}


def _stage(stage: StageImportances) -> str:
    title = f"{stage.stage}: {stage.trials:,} complete trial{'s' * (stage.trials != 1)}"
    if not stage.parameters:
        return f"{title}, fewer than the {FEWEST} that it takes"
    title += f", the best {stage.best:,} of them by {stage.objective}"
    width = max(len(parameter.name) for parameter in stage.parameters)
    lines = [
        f"  {each.name:<{width}}  {_told(each.importance)}{_condition(each.trials, stage)}" for each in stage.parameters
    ]
    held = ", ".join(f"{name} {number(value)}" for name, value in stage.fixed.items())
    return "\n".join([title, *(line.rstrip() for line in lines), *([f"  held at one value: {held}"] if held else [])])


def _told(importance: float | None) -> str:
    if importance is None:
        return "  -  "
    return f"{importance:5.3f}  {'█' * round(importance * _BAR):<{_BAR}}"


def _condition(trials: int, stage: StageImportances) -> str:
    return "" if trials == stage.trials else f"  in {trials:,} trials"
