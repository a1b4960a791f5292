"""The leaderboard: every trial by its objective, between the real music and chance."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from data_prep.files import write_atomic
from reporting import seeds
from reporting.leaderboard_text import markdown
from reporting.row import ANCHOR, Row, objective_names
from reporting.trial_folder import read_scores
from search_spaces.search.study import Outcome, TrialRecord

__all__ = ["Leaderboard", "Row", "pareto_front", "rows", "rows_of", "winner", "write"]

LEADERBOARD_FILE: Final = "leaderboard.json"
_ENDLESS: Final = (Outcome.RUNNING, Outcome.INTERRUPTED)
"""Outcomes after which a trial may be judged again under the same outcome."""


class _Judged(NamedTuple):
    """What a trial's folder says of it."""

    last: Mapping[str, Any]
    """Its last evaluation."""
    evaluations: int


class Leaderboard:
    """The rows of a run, over and over while it searches.

    What a trial that has ended left in its folder is read once: to look again takes time by the trials that run, and
    a few microseconds for each of the others.
    """

    def __init__(self, run: Path, anchors: Mapping[str, Mapping[str, float]]) -> None:
        self._run = run
        self._anchors = anchors
        self._ended: dict[tuple[str, Outcome, int], _Judged] = {}

    def rows(self, trials: Sequence[TrialRecord]) -> list[Row]:
        """Trials of the full budget first, then the others, each from the best; anchors stand where they belong."""
        objectives = objective_names(trials)
        finished = [trial for trial in trials if trial.outcome is Outcome.FINISHED and trial.objectives]
        front = pareto_front({trial.name: tuple(trial.objectives[name] for name in objectives) for trial in finished})
        lines = [self.row(trial, front=trial.name in front) for trial in trials]
        lines += [_anchor_row(name, scores, objectives) for name, scores in self._anchors.items()]
        return sorted(lines, key=lambda line: line.rank)

    def row(self, trial: TrialRecord, *, front: bool = False) -> Row:
        """The row of one trial."""
        last, evaluations = self._judged(trial)
        return Row(
            name=trial.name,
            outcome=trial.outcome.value,
            objective=trial.objective,
            scores=last.get("scores", {}),
            parameters=trial.parameters,
            note="; ".join(filter(None, (trial.known, trial.reason))),
            verdict=last.get("verdict", ""),
            bars=last.get("bars", 0),
            evaluations=evaluations,
            objectives=trial.objectives,
            front=front,
            known=trial.known,
            stage=trial.stage,
            seed=trial.seed,
        )

    def _judged(self, trial: TrialRecord) -> _Judged:
        key = (trial.name, trial.outcome, trial.attempts)
        if key in self._ended:
            return self._ended[key]
        evaluations = read_scores(self._run / "trials" / trial.name)
        judged = _Judged(evaluations[-1] if evaluations else {}, len(evaluations))
        if trial.outcome not in _ENDLESS:
            self._ended[key] = judged
        return judged


def rows(run: Path, trials: Sequence[TrialRecord], anchors: Mapping[str, Mapping[str, float]]) -> list[Row]:
    """The rows of a run that are asked for once."""
    return Leaderboard(run, anchors).rows(trials)


def pareto_front(points: Mapping[str, tuple[float, ...]]) -> set[str]:
    """Names of the points that no other dominates, being nowhere higher and somewhere lower.

    Equal points stand on the front together.
    """
    front: dict[str, tuple[float, ...]] = {}
    for name in sorted(points, key=points.__getitem__):  # what dominates a point is sorted before it
        if not any(_dominates(other, points[name]) for other in front.values()):
            front[name] = points[name]
    return set(front)


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def winner(lines: Iterable[Row]) -> Row | None:
    """The trial to listen to.

    Where finalists were repeated over seeds, the one of the middle seed of the configuration with the best mean: the
    luckiest seed of it would promise more than another training keeps. Else the best trial of the full budget; if
    there is none, the best of those that came farthest before they were stopped or cut off. Where the search has
    several objectives, the best on their front.
    """
    lines = list(lines)
    finalists = seeds.finalists(lines)
    if finalists:
        return finalists[0].middle
    trials = [line for line in lines if line.objective is not None]
    finished = [line for line in trials if line.finished]
    front = [line for line in finished if line.front]
    stopped = [line for line in trials if line.outcome in (Outcome.STOPPED.value, Outcome.INTERRUPTED.value)]
    farthest = max((line.bars for line in stopped), default=0)
    best = front or finished or [line for line in stopped if line.bars == farthest]
    return min(best, key=lambda line: line.measure, default=None)


def write(run: Path, lines: Sequence[Row]) -> None:
    """Write `leaderboard.json`, a row to a line, and `leaderboard.md`."""
    several, repeated = bool(objective_names(lines)), seeds.over_seeds(lines)
    content = [line.as_json(several=several) for line in lines] + (seeds.as_json(repeated) if repeated else [])
    # Without an indent, which Python's json writes several times slower.
    text = ",\n".join(json.dumps(line, default=float) for line in content)
    write_atomic(run / LEADERBOARD_FILE, f"[\n{text}\n]\n".encode())
    write_atomic(run / "leaderboard.md", markdown(run.name, lines, repeated).encode())


def rows_of(content: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows that `leaderboard.json` holds; LookupError or TypeError where it is something else."""
    return [Row.from_json(line) for line in content if line["outcome"] not in (seeds.OVER_SEEDS, seeds.NOISE_LINE)]


def _anchor_row(name: str, scores: Mapping[str, float], objectives: Iterable[str]) -> Row:
    return Row(
        name=name,
        outcome=ANCHOR,
        objective=scores["objective"],
        scores=scores,
        parameters={},
        note="",
        objectives={key: scores[key] for key in objectives if key in scores},
    )
