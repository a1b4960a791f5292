"""The plan of a run: what will be searched, on which music, how, and what it may cost."""

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from data_prep.errors import UserError, unknown
from search_spaces.run.cost import Batch, shown_seconds
from search_spaces.run.run_folder import check_name
from search_spaces.run.run_lock import LOCK_FILE
from search_spaces.search.journal import STUDY_FILE
from search_spaces.search.population import LEAST_MEMBERS
from search_spaces.search.samplers import GRID, SAMPLERS
from search_spaces.search.schedulers import SCHEDULERS
from search_spaces.space import GUARDED, Space
from trainables.config import AVERAGED_EVALUATIONS, Budget
from trainables.systems import SYSTEM

PLAN_FILE: Final = "plan.json"
PROVENANCE_FILE: Final = "provenance.json"

OUT_OF_TIME: Final = "out of time"
INTERRUPTED: Final = "interrupted"
"""Why a search ended before all its trials."""

WIDE: Final = "wide"
NARROW: Final = "narrow"
REPEAT: Final = "repeat"
_LEAST_TO_NARROW: Final = 3

PROTOCOLS: Final = ((WIDE,), (WIDE, NARROW), (WIDE, REPEAT), (WIDE, NARROW, REPEAT))
"""Stages that a search may have, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run was told; `plan.json` in its folder."""

    space: str
    """Name of a space, or the path of its file."""
    system: str | None = None
    """Another system than the space's own."""
    pins: Mapping[str, str]
    """What `--set` holds at one value."""
    objectives: tuple[str, ...] | None = None
    """Other objectives than the space's own."""
    data: str
    name: str
    results: Path
    sampler: str
    scheduler: str
    protocol: tuple[str, ...]
    finalists: int
    repeats: int
    """Seeds on which each finalist is trained again."""
    trials: int
    """In all stages but the last one that repeats."""
    time_budget: float | None
    """Seconds, or None for no limit."""
    concurrency: int | None
    """Trials at a time, or None for as many as the machines can hold."""
    gpus_per_trial: float | None = None
    cpus_per_trial: float | None = None
    seed: int
    address: str

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        for name in ("trials", "concurrency", "finalists", "repeats"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"--{name} is {value}, but must be at least 1.")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"--seed is {self.seed}, but must be from 0 to {2**32 - 1}.")
        for kind, known in (("sampler", SAMPLERS), ("scheduler", SCHEDULERS)):
            if getattr(self, kind) not in known:
                raise UserError(unknown(kind, getattr(self, kind), known))
        if self.protocol not in PROTOCOLS:
            told = ", ".join(",".join(protocol) for protocol in PROTOCOLS)
            raise UserError(f"--protocol is {','.join(self.protocol)!r}, but must be one of: {told}.")
        if len(self.protocol) > 1 and SCHEDULERS[self.scheduler].is_population:
            raise UserError(
                f"--scheduler {self.scheduler} changes settings while it trains, which no later stage could repeat: "
                "leave out --protocol."
            )
        if NARROW in self.protocol and self.sampler == GRID:
            raise UserError("--sampler grid tries all there is: leave narrow out of --protocol.")
        if NARROW in self.protocol and self.trials < _LEAST_TO_NARROW:
            raise UserError(
                f"--trials is {self.trials}, but narrow needs {_LEAST_TO_NARROW}: two to search widely first."
            )
        if SCHEDULERS[self.scheduler].is_population and self.trials < LEAST_MEMBERS:
            raise UserError(
                f"--trials is {self.trials}, but --scheduler {self.scheduler} needs a population of {LEAST_MEMBERS}."
            )
        check_name(self.name)

    def make_folder(self) -> None:
        """Make the folder of the run.

        Raises:
            UserError: it is there already, or cannot be made.
        """
        try:
            self.run.mkdir(parents=True)
        except FileExistsError as error:
            raise UserError(f"{self.run} is there already: choose another --name, or --resume it.") from error
        except OSError as error:
            raise UserError(
                f"{self.run} cannot be made ({error.strerror}): choose other --results or --name."
            ) from error

    def drop_folder(self) -> None:
        """Remove the folder of a search that was refused before it began, so that its name is free again."""
        if (self.run / STUDY_FILE).exists():
            return
        with contextlib.suppress(OSError):  # something is in it: it stays
            for name in (PLAN_FILE, PROVENANCE_FILE, LOCK_FILE):
                (self.run / name).unlink(missing_ok=True)
            self.run.rmdir()

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.results / self.name

    def stage_trials(self, word: str) -> int:
        """How many trials the stage of that word has: of three in a protocol that narrows, two search widely."""
        if word == REPEAT:
            return self.finalists * self.repeats
        if NARROW not in self.protocol:
            return self.trials
        narrow = self.trials // 3
        return narrow if word == NARROW else self.trials - narrow

    @property
    def all_trials(self) -> int:
        """Trials of all stages together."""
        return sum(self.stage_trials(word) for word in self.protocol)

    def batch(self, word: str, space: Space) -> Batch:
        """The trials of a stage, as they are counted beforehand."""
        stops = word != REPEAT and SCHEDULERS[self.scheduler].stops
        return Batch(self.stage_trials(word), space.budget, space.first_rung if stops else None)

    def as_json(self, space: Space) -> dict[str, Any]:
        """The plan with what the space adds to it, for `plan.json`."""
        return asdict(self) | {
            "results": str(self.results),
            "protocol": list(self.protocol),
            "objectives": list(space.objectives),
            "system": space.system,
            "budget": asdict(space.budget),
            "first_rung": space.first_rung,
            "known": [
                {"source": known.source, "parameters": dict(known.parameters)} for known in space.distinct_known()
            ],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any], run: Path) -> "Plan":
        """The plan that `as_json` told of, in the folder where the run is now.

        Raises:
            LookupError, TypeError, ValueError: it is no such plan.
        """
        values = {each.name: told[each.name] for each in fields(cls)}
        return cls(
            **values
            | {
                "name": run.name,
                "results": run.parent,
                "protocol": tuple(told["protocol"]),
                "objectives": tuple(told["objectives"]),
            }
        )

    def as_text(self, space: Space) -> str:
        """The plan for someone who asks what would be done."""
        budget = space.budget
        limit = "no limit" if self.time_budget is None else f"at most {shown_seconds(self.time_budget)}, then it stops"
        room = f"{self.concurrency} at a time" if self.concurrency else "as many at a time as there is room for"
        front = f"{', '.join(space.objectives)}; the winner is the lowest objective on their Pareto front"
        lines = {
            "space": f"{self.space}: {space.title}",
            "system": "tried by the space" if SYSTEM in space.parameters() else space.system,
            "held": ", ".join(f"{name} {value}" for name, value in space.fixed.items()),
            "objective": _judged(budget),
            "objectives": "" if space.objectives == GUARDED else front,
            "music": self.data,
            "trials": f"{self._counted()}, {room}; seed {self.seed}",
            "a trial": f"{budget.bars:,} bars; {SCHEDULERS[self.scheduler].told(space)}",
            "sampler": self.sampler,
            "tried first": "; ".join(known.source for known in space.distinct_known()) or "nothing",
            "time": limit,
            "results": str(self.run),
        }
        return "\n".join(f"{name:<13}{value}" for name, value in lines.items() if value)

    def _counted(self) -> str:
        if len(self.protocol) == 1:
            return f"{self.trials:,}"
        stages = [f"{self.stage_trials(word):,} {word}" for word in self.protocol if word != REPEAT]
        if REPEAT in self.protocol:
            stages.append(f"the best {self.finalists} over {self.repeats} seeds")
        return ", then ".join(stages)


def _judged(budget: Budget) -> str:
    """The policy by which a trial has its one number."""
    early = sum(budget.early(evaluation) for evaluation in range(1, budget.evaluations + 1))
    last = min(AVERAGED_EVALUATIONS, budget.evaluations)
    first = f", the first {early} on {budget.early_rollouts}" if early else ""
    return (
        f"mean of the last {last} of {budget.evaluations} evaluations, at the full budget, of the generator's moving "
        f"average, on {budget.rollouts} phrases{first}"
    )
