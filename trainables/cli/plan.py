"""The plan of a training without a search."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from data_prep.errors import UserError
from trainables.checks import require
from trainables.config import Budget
from trainables.systems import described


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """Everything that a training was told; `plan.json` in its folder."""

    system: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the system's own numbers (`trainables.systems.described`)."""

    data: str
    seed: int
    device: str
    threads: int
    """Of PyTorch on the CPU. Sums that are split over threads round differently."""

    budget: Budget

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        described(self.system, self.settings)
        require(isinstance(self.seed, int) and 0 <= self.seed < 2**32, "--seed", self.seed, f"from 0 to {2**32 - 1}")
        rule = "from 1 to 256"
        require(isinstance(self.threads, int) and 1 <= self.threads <= 256, "--threads", self.threads, rule)

    def extended(self, bars: int) -> "TrainPlan":
        """The plan with a budget of so many bars. UserError if it has more."""
        had = self.budget.bars
        if bars < had:
            raise UserError(f"This run is planned for {had:,} bars: --resume can make it longer, not end at {bars:,}.")
        return replace(self, budget=self.budget.extended(bars))

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes the plan again."""
        return asdict(self) | {"settings": dict(self.settings)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainPlan":
        """The plan of `as_json`. TypeError, LookupError or ValueError for anything else."""
        return cls(**{**values, "budget": Budget(**values["budget"])})
