"""The plan of a run: what will be searched, on which music, and what it may cost."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from data_prep.errors import UserError
from search_spaces.run_folder import check_name
from search_spaces.space import GUARDED, Space
from trainables.config import Budget
from trainables.systems import SYSTEM

OUT_OF_TIME: Final = "out of time"
INTERRUPTED: Final = "interrupted"
"""Why a search ended before all its trials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run was told; `plan.json` in its folder."""

    space: str
    data: str
    name: str
    results: Path
    trials: int
    time_budget: float | None
    """Seconds, or None for no limit."""
    concurrency: int | None
    """Trials at a time, or None for as many as the machines can hold."""
    seed: int
    address: str

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if self.trials < 1:
            raise UserError(f"--trials is {self.trials}, but must be at least 1.")
        if self.concurrency is not None and self.concurrency < 1:
            raise UserError(f"--concurrency is {self.concurrency}, but must be at least 1.")
        if not 0 <= self.seed < 2**32:
            raise UserError(f"--seed is {self.seed}, but must be from 0 to {2**32 - 1}.")
        check_name(self.name)

    def make_folder(self) -> None:
        """Make the folder of the run.

        Raises:
            UserError: it is there already, or cannot be made.
        """
        try:
            self.run.mkdir(parents=True)
        except FileExistsError as error:
            raise UserError(f"{self.run} is there already: choose another --name.") from error
        except OSError as error:
            raise UserError(
                f"{self.run} cannot be made ({error.strerror}): choose other --results or --name."
            ) from error

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.results / self.name

    def as_json(self, space: Space) -> dict[str, Any]:
        """The plan with what the space adds to it, for `plan.json`."""
        more = {} if space.objectives == GUARDED else {"objectives": list(space.objectives)}
        return asdict(self) | {
            "results": str(self.results),
            "system": space.system,
            "budget": asdict(space.budget),
            "first_rung": space.first_rung,
            "known": [
                {"source": known.source, "parameters": dict(known.parameters)} for known in space.distinct_known()
            ],
            **more,
        }

    def as_text(self, space: Space) -> str:
        """The plan for someone who asks what would be done."""
        budget = space.budget
        limit = "no limit" if self.time_budget is None else f"at most {_shown(self.time_budget)}, then it stops"
        room = self.concurrency or "as many as there is room for"
        front = f"{', '.join(space.objectives)}; the winner is the lowest objective on their Pareto front"
        early = space.first_rung < budget.evaluations
        stopped = f"the worse half is stopped after evaluation {space.first_rung}" if early else "none is stopped early"
        lines = {
            "space": f"{self.space}: {space.title}",
            "system": "tried by the space" if SYSTEM in space.parameters() else space.system,
            "objectives": "" if space.objectives == GUARDED else front,
            "music": self.data,
            "trials": f"{self.trials:,}, {room} at a time; seed {self.seed}",
            "a trial": f"{budget.bars:,} bars, judged {_judged(budget)}; {stopped}",
            "tried first": "; ".join(known.source for known in space.distinct_known()) or "nothing",
            "time": limit,
            "results": str(self.run),
        }
        return "\n".join(f"{name:<13}{value}" for name, value in lines.items() if value)


def _judged(budget: Budget) -> str:
    early = sum(budget.early(evaluation) for evaluation in range(1, budget.evaluations + 1))
    times = f"{budget.evaluations} times on {budget.rollouts} phrases"
    return f"{times} (the first {early} on {budget.early_rollouts})" if early else times


def _shown(seconds: float) -> str:
    """Seconds in the largest unit of which there are two."""
    for unit, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.3g} {name}"
    return f"{seconds:g} seconds"
