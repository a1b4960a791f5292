"""The leaderboard: every trial by its objective, between the real music and chance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from data_prep.files import write_atomic
from reporting.provenance import write_json
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
    bars: int = 0
    evaluations: int = 0

    @property
    def settings(self) -> str:
        """The parameters in one line."""
        return ", ".join(f"{name} {_number(value)}" for name, value in self.parameters.items())


def rows(run: Path, trials: Sequence[TrialRecord], anchors: Mapping[str, Mapping[str, float]]) -> list[Row]:
    """Trials of the full budget first, then the others, each from the best; anchors stand where they belong."""
    lines = [_trial_row(run, trial) for trial in trials]
    lines += [
        Row(
            name=name,
            outcome="anchor",
            objective=scores["objective"],
            scores=scores,
            parameters={},
            note="",
        )
        for name, scores in anchors.items()
    ]
    return sorted(lines, key=_rank)


def winner(lines: Iterable[Row]) -> Row | None:
    """The best trial of the full budget; if there is none, the best of those that came farthest before a stop."""
    trials = [line for line in lines if line.objective is not None]
    finished = [line for line in trials if line.outcome == Outcome.FINISHED.value]
    stopped = [line for line in trials if line.outcome == Outcome.STOPPED.value]
    farthest = max((line.bars for line in stopped), default=0)
    return min(finished or [line for line in stopped if line.bars == farthest], key=_objective, default=None)


def write(run: Path, lines: Sequence[Row]) -> None:
    """Write `leaderboard.json` and `leaderboard.md`."""
    content = [
        {
            "name": line.name,
            "outcome": line.outcome,
            "objective": line.objective,
            "bars": line.bars,
            "note": line.note,
            "parameters": dict(line.parameters),
            "scores": dict(line.scores),
        }
        for line in lines
    ]
    write_json(run / "leaderboard.json", content)
    write_atomic(run / "leaderboard.md", _markdown(run, lines).encode())


def _trial_row(run: Path, trial: TrialRecord) -> Row:
    evaluations = read_scores(run / "trials" / trial.name)
    last = evaluations[-1] if evaluations else {}
    return Row(
        name=trial.name,
        outcome=trial.outcome.value,
        objective=trial.objective,
        scores=last.get("scores", {}),
        parameters=trial.parameters,
        note="; ".join(filter(None, (trial.known, trial.reason))),
        bars=last.get("bars", 0),
        evaluations=len(evaluations),
    )


def _rank(line: Row) -> tuple[bool, float]:
    full = line.outcome in ("anchor", Outcome.FINISHED.value)
    return not full, _objective(line)


def _objective(line: Row) -> float:
    return _LAST if line.objective is None else line.objective


def _markdown(run: Path, lines: Sequence[Row]) -> str:
    parameters = sorted({name for line in lines for name in line.parameters})
    header = ["trial", "outcome", "objective", *parameters, *SCORES, "bars", "note"]
    table = [
        [
            f"*{line.name}*" if line.outcome == "anchor" else line.name,
            line.outcome,
            _number(line.objective),
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
        f"that did not spend the full budget stand below those that did.\n\n{body}\n"
    )


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
