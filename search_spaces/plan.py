"""The plan of a run: what will be searched, on which music, and what it may cost."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_prep.errors import UserError
from search_spaces.space import Space


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
        if self.name != Path(self.name).name or self.name.startswith("."):
            raise UserError(f"--name is {self.name!r}, but must be a plain folder name, such as my-first-run.")

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.results / self.name

    def as_json(self, space: Space) -> dict[str, Any]:
        """The plan with what the space adds to it, for `plan.json`."""
        return asdict(self) | {
            "results": str(self.results),
            "system": space.system,
            "budget": asdict(space.budget),
            "first_rung": space.first_rung,
            "known": [{"source": known.source, "parameters": dict(known.parameters)} for known in space.known],
        }

    def as_text(self, space: Space) -> str:
        """The plan for someone who asks what would be done."""
        budget = space.budget
        limit = "no limit" if self.time_budget is None else f"at most {self.time_budget / 60:g} minutes, then it stops"
        room = self.concurrency or "as many as there is room for"
        lines = {
            "space": f"{self.space}: {space.title}",
            "system": space.system,
            "music": self.data,
            "trials": f"{self.trials}, {room} at a time; seed {self.seed}",
            "a trial": f"{budget.bars:,} bars, judged {budget.evaluations} times on {budget.rollouts} phrases; "
            f"the worse half is stopped after evaluation {space.first_rung}",
            "tried first": "; ".join(known.source for known in space.known) or "nothing",
            "time": limit,
            "results": str(self.run),
        }
        return "\n".join(f"{name:<13}{value}" for name, value in lines.items())
