"""What one trial costs, from what a probe of a few steps measured (`trainables.probe`). Nothing here needs torch."""

from dataclasses import dataclass

from trainables.config import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What was measured of one system with its settings, alone on one CPU thread or one GPU."""

    system: str
    seconds_per_step: float
    bars_per_step: int
    """In the unit of `Budget.bars`."""

    epoch_bars: int
    """In the same unit: all training music once."""

    seconds_per_evaluation: float
    """Of an evaluation that makes the objective: diagnostics, phrases, scores and samples."""

    seconds_per_early_evaluation: float
    start_seconds: float
    """Until the first step is done."""

    checkpoint_bytes: int
    sample_bytes: int = 0
    """All else that a trial leaves: music, pictures, TensorBoard."""

    lost: float = 0.0
    """Share of the time of its steps in which other programs had the core."""

    @property
    def seconds_per_epoch(self) -> float:
        """Training alone."""
        return self.seconds_per_step * self.epoch_bars / self.bars_per_step

    @property
    def bytes_per_trial(self) -> int:
        """On disk: the checkpoint of the last evaluation, that of the best if it is another, and all else."""
        return 2 * self.checkpoint_bytes + self.sample_bytes

    def seconds_per_trial(self, budget: Budget, evaluations: int | None = None) -> float:
        """Of a trial with this budget that ends after so many evaluations, by default after all."""
        last = budget.evaluations if evaluations is None else evaluations
        steps = -(-budget.bars * last // budget.evaluations // self.bars_per_step)
        early = sum(budget.early(evaluation) for evaluation in range(1, last + 1))
        judging = early * self.seconds_per_early_evaluation + (last - early) * self.seconds_per_evaluation
        return self.start_seconds + steps * self.seconds_per_step + judging
