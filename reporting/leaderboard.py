"""The leaderboard: every trial by its objective, between the real music and chance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from data_prep.files import write_atomic, write_json
from reporting.trial_folder import read_scores
from search_spaces.study import Outcome, TrialRecord

SCORES: Final = (
    "pitch_class_entropy",
    "note_count",
    "scale_consistency",
    "chord_tone_rate",
    "empty_bar_rate",
    "copy_prev_rate",
    "dup_rate",
)
_LAST: Final = 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: a trial, or an anchor such as the real music."""

    name: str
    outcome: str
    objective: float | None
    scores: Mapping[str, float]
    parameters: Mapping[str, Any]
    note: str
    verdict: str = ""
    """How the trial fared at its last evaluation (`trainables.verdict`)."""
    bars: int = 0
    evaluations: int = 0
    objectives: Mapping[str, float] = field(default_factory=dict)
    """Values of all that the search minimises; empty where that is `objective` alone."""
    front: bool = False
    """Whether it is a trial of the full budget on the Pareto front of the objectives."""

    @property
    def settings(self) -> str:
        """The parameters in one line."""
        return ", ".join(f"{name} {_number(value)}" for name, value in self.parameters.items())


def rows(run: Path, trials: Sequence[TrialRecord], anchors: Mapping[str, Mapping[str, float]]) -> list[Row]:
    """Trials of the full budget first, then the others, each from the best; anchors stand where they belong."""
    objectives = _objective_names(trials)
    finished = [trial for trial in trials if trial.outcome is Outcome.FINISHED and trial.objectives]
    front = pareto_front({trial.name: tuple(trial.objectives[name] for name in objectives) for trial in finished})
    lines = [_trial_row(run, trial, front=trial.name in front) for trial in trials]
    lines += [_anchor_row(name, scores, objectives) for name, scores in anchors.items()]
    return sorted(lines, key=_rank)


def pareto_front(points: Mapping[str, tuple[float, ...]]) -> set[str]:
    """Names of the points that no other dominates, being nowhere higher and somewhere lower.

    Equal points stand on the front together.
    """
    front: set[str] = set()
    for name in sorted(points, key=points.__getitem__):  # what dominates a point is sorted before it
        if not any(_dominates(points[other], points[name]) for other in front):
            front.add(name)
    return front


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def winner(lines: Iterable[Row]) -> Row | None:
    """The best trial of the full budget; if there is none, the best of those that came farthest before a stop.

    Where the search has several objectives, the best on their front.
    """
    trials = [line for line in lines if line.objective is not None]
    finished = [line for line in trials if line.outcome == Outcome.FINISHED.value]
    front = [line for line in finished if line.front]
    stopped = [line for line in trials if line.outcome == Outcome.STOPPED.value]
    farthest = max((line.bars for line in stopped), default=0)
    best = front or finished or [line for line in stopped if line.bars == farthest]
    return min(best, key=_objective, default=None)


def write(run: Path, lines: Sequence[Row]) -> None:
    """Write `leaderboard.json` and `leaderboard.md`."""
    several = bool(_objective_names(lines))
    write_json(run / "leaderboard.json", [_json(line, several=several) for line in lines])
    write_atomic(run / "leaderboard.md", _markdown(run, lines).encode())


def _json(line: Row, *, several: bool) -> dict[str, Any]:
    return {
        "name": line.name,
        "outcome": line.outcome,
        "objective": line.objective,
        **({"objectives": dict(line.objectives), "front": line.front} if several else {}),
        **({"verdict": line.verdict} if line.verdict else {}),
        "bars": line.bars,
        "note": line.note,
        "parameters": dict(line.parameters),
        "scores": dict(line.scores),
    }


def _objective_names(lines: Iterable[TrialRecord | Row]) -> tuple[str, ...]:
    """All objectives of the search: a line may lack some, an anchor those that need a discriminator."""
    return max((tuple(line.objectives) for line in lines), key=len, default=())


def _trial_row(run: Path, trial: TrialRecord, *, front: bool) -> Row:
    evaluations = read_scores(run / "trials" / trial.name)
    last = evaluations[-1] if evaluations else {}
    return Row(
        name=trial.name,
        outcome=trial.outcome.value,
        objective=trial.objective,
        scores=last.get("scores", {}),
        parameters=trial.parameters,
        note="; ".join(filter(None, (trial.known, trial.reason))),
        verdict=last.get("verdict", ""),
        bars=last.get("bars", 0),
        evaluations=len(evaluations),
        objectives=trial.objectives,
        front=front,
    )


def _anchor_row(name: str, scores: Mapping[str, float], objectives: Iterable[str]) -> Row:
    return Row(
        name=name,
        outcome="anchor",
        objective=scores["objective"],
        scores=scores,
        parameters={},
        note="",
        objectives={key: scores[key] for key in objectives if key in scores},
    )


def _rank(line: Row) -> tuple[bool, float]:
    full = line.outcome in ("anchor", Outcome.FINISHED.value)
    return not full, _objective(line)


def _objective(line: Row) -> float:
    return _LAST if line.objective is None else line.objective


def _markdown(run: Path, lines: Sequence[Row]) -> str:
    parameters = sorted({name for line in lines for name in line.parameters})
    objectives = _objective_names(lines)
    others = [name for name in objectives if name != "objective"]  # which has its column anyway
    front = ["front"] if objectives else []
    header = ["trial", "outcome", "verdict", "objective", *front, *others, *parameters, *SCORES, "bars", "note"]
    table = [
        [
            f"*{line.name}*" if line.outcome == "anchor" else line.name,
            line.outcome,
            line.verdict,
            _number(line.objective),
            *("yes" if line.front else "" for _ in front),
            *(_number(line.objectives.get(name)) for name in others),
            *(_number(line.parameters.get(name)) for name in parameters),
            *(_number(line.scores.get(name)) for name in SCORES),
            f"{line.bars:,}" if line.bars else "",
            line.note,
        ]
        for line in lines
    ]
    body = "\n".join("| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *table])
    return (
        f"# {run.name}\n\nObjective: distance of the music to that of the validation songs; 0 is real music, lower is "
        "better. It is the mean over a trial's last three evaluations; the scores are those of the last one. Trials "
        f"that did not spend the full budget stand below those that did.\n\n{_front_told(objectives)}{body}\n"
    )


def _front_told(objectives: Sequence[str]) -> str:
    if not objectives:
        return ""
    return (
        f"On the front, by {', '.join(objectives)} (lower is better, each averaged likewise), stand the trials of the "
        "full budget that no other beats in one without being worse in another. The winner is the lowest objective on "
        "the front.\n\n"
    )


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
