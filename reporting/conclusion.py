"""The last lines of a run: how good its music is, where to listen, and the next command."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from data_prep.corpus import Corpus
from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.windows import WindowCorpus
from reporting import seeds
from reporting.anchors import RANDOM_BARS, RANDOM_NOTES, REAL
from reporting.disk_use import disk_use
from reporting.final import FinalJudge, Tested
from reporting.leaderboard import Row, winner
from reporting.seeds import Configuration
from search_spaces.protocol import CANDIDATE
from search_spaces.run.disk import shown_bytes
from search_spaces.run.plan import INTERRUPTED, OUT_OF_TIME, Plan
from search_spaces.space import Space
from trainables.editions import Editions

_INDENT: Final = 13
_NEXT_LINE: Final = "\n" + " " * (2 + _INDENT)


def conclude_search(
    plan: Plan,
    space: Space,
    corpus: Corpus | WindowCorpus,
    music: Editions,
    ending: str,
    lines: Sequence[Row],
    console: Console,
) -> None:
    """Name the winner of a search, asking the test songs this once.

    Args:
        plan: what the search was told.
        space: what it tried.
        corpus: what it was judged by.
        music: what its trials learnt from.
        ending: why it ended early; empty where it did not.
        lines: the final leaderboard.
        console: where it is told.

    Raises:
        UserError: no trial was judged, and the user did not break the search off.
    """
    best = winner(lines)
    if best is None or best.objective is None:
        if ending == INTERRUPTED:
            console.print("No trial had been judged.")
            return
        raise UserError(_nothing_judged(plan, ending, [line.outcome for line in lines]))
    scale = {line.name: line.objective for line in lines if line.outcome == "anchor" and line.objective is not None}
    finalists = seeds.finalists(lines)
    console.print(f"{_title(best, finalists)} ({_points(scale)})")
    if best.objective > scale[RANDOM_BARS]:
        console.print("  It is still farther from real music than random training bars are: it needs longer training.")
    front = ", ".join(line.name for line in lines if line.front)
    _tell(
        console,
        {
            "front": f"trials {front}, by {', '.join(best.objectives)}" if front else "",
            "verdict": best.verdict,
            "noise": _noise(lines) if finalists else "",
            "test songs": _tested(plan, space, corpus, music, best, finalists) if best.finished else "",
            "settings": _settings(best, lines),
            "listen": str(plan.run / "trials" / best.name / "samples"),
            "leaderboard": str(plan.run / "leaderboard.md"),
            "disk": shown_bytes(disk_use(plan.run)),
            "look": _tensorboard(plan.results),
        },
    )


def conclude_training(
    run: Path,
    trial: str,
    last: Mapping[str, Any],
    scale: Mapping[str, Mapping[str, float]],
    minutes: float,
    console: Console,
) -> None:
    """Say how good one configuration is.

    Args:
        run: folder of the training.
        trial: name of its one trial.
        last: `objective`, `verdict` and `verdict_reason` of its last evaluation.
        scale: scores of the anchors (`reporting.anchors`).
        minutes: that it took.
        console: where it is told.
    """
    points = _points({name: scores["objective"] for name, scores in scale.items()})
    console.print(f"Done after {minutes:.1f} minutes: objective {last['objective']:.3f} ({points})")
    _tell(
        console,
        {
            "verdict": f"{last['verdict']}: {last['verdict_reason']}",
            "listen": relative(run / "trials" / trial / "samples"),
            "leaderboard": relative(run / "leaderboard.md"),
            "look": _tensorboard(run.parent),
            "more": f"python -m trainables generate {quoted(run)}",
        },
    )


def relative(path: Path) -> str:
    """The path as it is shown: relative where that is shorter."""
    return shown(str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path))


def quoted(path: Path) -> str:
    """The same as a word of a command."""
    return shlex.quote(relative(path))


def _tell(console: Console, told: Mapping[str, str]) -> None:
    for name, text in told.items():
        if text:
            console.print(f"  {name:<{_INDENT}}{text}")


def _points(scale: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {scale[name]:.3f}" for name in (REAL, RANDOM_BARS, RANDOM_NOTES))


def _tensorboard(results: Path) -> str:
    return f"tensorboard --logdir {quoted(results)}"


def _title(best: Row, finalists: Sequence[Configuration]) -> str:
    if finalists:
        first = finalists[0]
        told = seeds.told(first.mean, first.sd, len(first.trials))
        return f"Winner: {first.name}, objective {told}; trial {best.name} is that of the middle seed"
    title = "Winner" if best.finished else "Best so far, of trials that did not finish"
    return f"{title}: trial {best.name}, objective {best.measure:.3f}"


def _settings(best: Row, lines: Sequence[Row]) -> str:
    """What the winner set: of a trial that was repeated, what the first one of it did."""
    first = (line for line in lines if line.name == best.parameters.get(CANDIDATE))
    return next(first, best).settings


def _noise(lines: Sequence[Row]) -> str:
    """Which finalists the seeds do not tell from the winner."""
    found = seeds.over_seeds(lines)
    if found is None:
        return "unknown, as no configuration was trained to its end with two seeds"
    if len(found.configurations) == 1:
        return f"{found.difference:.3f}, but there is no other finalist to compare it with"
    level = ", ".join(each.name for each in found.level)
    return f"{found.difference:.3f}: " + (f"{level} may be as good" if level else "no other may be as good")


def _tested(
    plan: Plan,
    space: Space,
    corpus: Corpus | WindowCorpus,
    music: Editions,
    best: Row,
    finalists: Sequence[Configuration],
) -> str:
    """What the test songs say of the winner, or of every finalist."""
    judge = FinalJudge(plan.run, space.system, corpus, music, budget=space.budget)
    if not finalists:
        (tested,) = judge.conclude(best, [Configuration(name=best.name, trials=(best,), diverged=0)])
        return _of_one(tested, best)
    return _NEXT_LINE.join(_of_many(tested) for tested in judge.conclude(best, finalists))


def _of_one(tested: Tested, best: Row) -> str:
    if tested.objective is None:
        return f"not judged: {tested.fault}"
    last = best.scores.get("objective")
    beside = "" if last is None else f"; {last:.3f} on the validation songs, in its last evaluation"
    return f"objective {tested.objective:.3f}{beside}"


def _of_many(tested: Tested) -> str:
    found = "" if tested.objective is None else f" {seeds.told(tested.objective, tested.sd, tested.count)}"
    missing = f" (not all judged: {tested.fault})" if tested.fault else ""
    return f"{tested.name}{found}{missing}"


def _nothing_judged(plan: Plan, ending: str, outcomes: list[str]) -> str:
    if ending not in ("", OUT_OF_TIME):
        return f"No trial ended before the search was {ending}."
    if "diverged" in outcomes:
        return "Every trial diverged: see losses in TensorBoard, and try a space with lower learning rates."
    if list(plan.run.glob("trials/*/error.txt")):
        return f"Every trial crashed: see error.txt in the folders of {plan.run / 'trials'}."
    return "No trial came to an evaluation: give it more time (--time-budget)."
