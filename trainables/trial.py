"""The systems as Ray Tune trainables: thin shells over code that runs without Ray."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

import torch
from ray import tune

from data_prep.corpus import Corpus
from scores.objective import OBJECTIVES, WORST
from trainables.checkpoint import read_state, write_state
from trainables.config import AVERAGED_EVALUATIONS, Budget, split_settings
from trainables.judge import Judge
from trainables.midinet import MidiNet, diverged


class MidiNetTrial(tune.Trainable):
    """One trial: each step trains for a share of the budget, then judges the averaged generator.

    The configuration holds `settings` (fields of `Variant` and `TrainConfig`, flat) and `seed`. A step reports

    * `objective`: the mean over the last three evaluations, as single ones wobble; `objective_now`: this one alone
    * `objectives`: the means of all that a search may minimise (`scores.OBJECTIVES`), `objective` among them
    * `bars`: bars shown to the optimisers; `seconds`: time spent in training
    * `scores`, `losses`: what it is made of
    * `diverged`: losses are no longer finite; the trial ends, with the worst objectives
    * `_media`: phrases to listen to (`Judge.samples`), for the driver to render
    """

    system: ClassVar[str]

    def setup(self, config: dict[str, Any], corpus: Corpus, judge: Judge, budget: Budget) -> None:
        """Build the system that `config` describes, on the GPU that Ray gave this trial or on one CPU thread."""
        torch.set_num_threads(1)  # two trials of two threads each on two cores run four times slower than two of one
        self.corpus, self.budget = corpus, budget
        self.judge = judge
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Start another trial in this process, with its data and judge."""
        self._config = new_config
        self._midinet: MidiNet | None = None
        self.recent: list[dict[str, float]] = []
        self.seconds = 0.0
        return True

    @property
    def midinet(self) -> MidiNet:
        """The system, built when it is first needed: Tune tries again what fails then, but not what fails before."""
        if self._midinet is None:
            variant, train_config = split_settings(self.system, self._config["settings"])
            device = "cuda" if torch.cuda.is_available() else "cpu"
            self._midinet = MidiNet(variant, train_config, self.corpus, seed=self._config["seed"], device=device)
        return self._midinet

    def step(self) -> dict[str, Any]:
        """Train for one share of the budget and judge."""
        evaluation = self.iteration + 1
        start = time.monotonic()
        losses = self.midinet.train(until=self.budget.bars * evaluation // self.budget.evaluations)
        self.seconds += time.monotonic() - start
        result = {"losses": losses, "bars": self.midinet.bars_seen, "seconds": self.seconds}
        if diverged(losses):
            finite = {name: value for name, value in losses.items() if math.isfinite(value)}
            return result | {"losses": finite, "diverged": True, "done": True} | _objectives([WORST])
        scores = self._scores(early=self.budget.early(evaluation))
        self.recent = [*self.recent, {name: scores[name] for name in OBJECTIVES}][-AVERAGED_EVALUATIONS:]
        return (
            result
            | {"scores": scores, "diverged": False, "done": evaluation >= self.budget.evaluations}
            | {"cancelled_spectral_norms": ",".join(self.midinet.cancelled_spectral_norms)}
            | {"_media": self.judge.samples(self.midinet)}
            | _objectives(self.recent)
        )

    def _scores(self, *, early: bool) -> dict[str, float]:
        """All scores of the system, `balance` (of the players) among them."""
        balance = self.judge.balance(self.midinet)
        return self.judge.evaluate(self.midinet, early=early) | {"balance": balance}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """All that is needed to go on as if nothing had happened."""
        state = {"midinet": self.midinet.state_dict(), "recent": self.recent, "seconds": self.seconds}
        write_state(Path(checkpoint_dir), state)

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Go on from a saved state."""
        state = read_state(Path(checkpoint))
        self.midinet.load_state_dict(state["midinet"])
        self.recent, self.seconds = state["recent"], state["seconds"]


def _objectives(recent: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """What a step reports of the last evaluations: their means, and the last one alone."""
    means = {name: sum(scores[name] for scores in recent) / len(recent) for name in OBJECTIVES}
    return {"objective": means["objective"], "objective_now": recent[-1]["objective"], "objectives": means}


class Baseline(MidiNetTrial):
    """MidiNet as it was (§5.1)."""

    system = "baseline"


class Combined(MidiNetTrial):
    """Embeddings, previous bar to the discriminator and spectral normalisation (§5.6)."""

    system = "combined"


TRAINABLES: Final[Mapping[str, type[MidiNetTrial]]] = MappingProxyType(
    {trainable.system: trainable for trainable in (Baseline, Combined)}
)
