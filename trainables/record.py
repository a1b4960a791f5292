"""What is reported of a trial at each of its evaluations, with Ray or without."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scores.objective import OBJECTIVES, WORST
from trainables.config import AVERAGED_EVALUATIONS, Budget
from trainables.factory import System
from trainables.judge import NOISE_SEED, Generative, Judge
from trainables.verdict import Evaluation, Verdict, verdict


class Record:
    """Judges a system each time it has trained a little, and remembers what was found.

    Args:
        judge: scores the system.
        budget: says how often, and which evaluations may be cheaper.
        by_beat: whether the system hears four chords a bar, and is to be heard over them.
    """

    def __init__(self, judge: Judge, budget: Budget, *, by_beat: bool = False) -> None:
        self._judge, self._budget, self._by_beat = judge, budget, by_beat
        self._history: list[Evaluation] = []

    def add(
        self, system: System, losses: Mapping[str, float], evaluation: int, *, heard: Generative | None = None
    ) -> dict[str, Any]:
        """Judge `system` after it has trained for the share of the budget that ends with this evaluation, from 1.

        Where the judge is to hear it in another form than its own, that is `heard`.

        Returns:
            * `objective`: the mean over the last three evaluations, as single ones wobble; `objective_now`: this one
            * `objectives`: the means of all that a search may minimise (`scores.OBJECTIVES`), `objective` among them
            * `scores`, `losses`, `diagnostics` (`trainables.diagnostics`): what it is made of, finite numbers alone
            * `verdict`, `verdict_reason`: how the trial fares (`trainables.verdict`)
            * `diverged`: losses, weights or diagnostics are no longer finite: the worst objectives, and no scores
            * `done`: this evaluation is the last
            * `bars`: bars shown to the optimisers
            * `cancelled_spectral_norms`: layers whose spectral normalisation has no effect
            * `_media`: phrases to listen to (`Judge.samples`); none once training has diverged
        """
        now = Evaluation(losses=losses)
        if all(map(math.isfinite, losses.values())):
            now = Evaluation(losses=losses, diagnostics=system.diagnose(seed=NOISE_SEED))
        self._history.append(now)
        state = verdict(self._history)
        common = {"losses": _finite(losses), "diagnostics": _finite(now.diagnostics), "bars": system.bars_seen}
        common |= {"cancelled_spectral_norms": ",".join(system.cancelled_spectral_norms)}
        if state.state == "diverged":
            return common | _told(state) | {"diverged": True, "done": True} | _objectives([WORST])
        heard = heard or system
        scores = self._judge.evaluate(heard, early=self._budget.early(evaluation))
        if "balance" in now.diagnostics:
            scores = scores | {"balance": now.diagnostics["balance"]}
        now = Evaluation(losses=losses, diagnostics=now.diagnostics, scores=scores, real=self._judge.usual)
        self._history[-1] = now
        return (
            common
            | _told(verdict(self._history))
            | {"diverged": False, "done": evaluation >= self._budget.evaluations, "scores": scores}
            | {"_media": self._judge.samples(heard, by_beat=self._by_beat)}
            | _objectives([past.scores for past in self._history[-AVERAGED_EVALUATIONS:]])
        )

    def state_dict(self) -> dict[str, Any]:
        """What was found so far, as plain values."""
        names = ("losses", "diagnostics", "scores")
        return {"history": [{name: dict(getattr(past, name)) for name in names} for past in self._history]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`."""
        self._history = [Evaluation(**past, real=self._judge.usual) for past in state["history"]]


def _told(state: Verdict) -> dict[str, str]:
    return {"verdict": state.state, "verdict_reason": state.reason}


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if math.isfinite(value)}


def _objectives(recent: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """What is reported of the last evaluations: their means, and the last one alone."""
    known = [name for name in OBJECTIVES if name in recent[-1]]  # of one player alone there is no balance
    means = {name: sum(scores[name] for scores in recent) / len(recent) for name in known}
    return {"objective": means["objective"], "objective_now": recent[-1]["objective"], "objectives": means}
