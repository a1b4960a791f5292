"""The leaderboard as a page of Markdown."""

from collections.abc import Sequence
from typing import Final

from reporting import seeds
from reporting.row import ANCHOR, Row, number, objective_names

SCORES: Final = (
    "pitch_class_entropy",
    "note_count",
    "scale_consistency",
    "chord_tone_rate",
    "empty_bar_rate",
    "copy_prev_rate",
    "dup_rate",
)


def markdown(title: str, lines: Sequence[Row], repeated: seeds.OverSeeds | None) -> str:
    """The page: what the numbers are, configurations over their seeds where there are any, and every trial."""
    objectives = objective_names(lines)
    return (
        f"# {title}\n\nObjective: distance of the music to that of the validation songs; 0 is real music, lower is "
        "better. It is the mean over a trial's last three evaluations; the scores are those of the last one. Trials "
        f"that did not spend the full budget stand below those that did.\n\n{_front_told(objectives)}"
        f"{_over_seeds(repeated)}{_trials(lines, objectives)}"
    )


def _over_seeds(found: seeds.OverSeeds | None) -> str:
    return "" if found is None else f"## Over seeds\n\n{seeds.EXPLAINED}\n\n{table(seeds.cells(found))}\n## Trials\n\n"


def _trials(lines: Sequence[Row], objectives: Sequence[str]) -> str:
    parameters = sorted({name for line in lines for name in line.parameters})
    others = [name for name in objectives if name != "objective"]  # which has its column anyway
    front = ["front"] if objectives else []
    header = ["trial", "outcome", "verdict", "objective", *front, *others, *parameters, *SCORES, "bars", "note"]
    body = [
        [
            f"*{line.name}*" if line.outcome == ANCHOR else line.name,
            line.outcome,
            line.verdict,
            number(line.objective),
            *("yes" if line.front else "" for _ in front),
            *(number(line.objectives.get(name)) for name in others),
            *(number(line.parameters.get(name)) for name in parameters),
            *(number(line.scores.get(name)) for name in SCORES),
            f"{line.bars:,}" if line.bars else "",
            line.note,
        ]
        for line in lines
    ]
    return table([header, *body])


def table(cells: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first of them the header; a bar in a cell would begin another one."""
    header, *body = cells
    lines = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in line] for line in body)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _front_told(objectives: Sequence[str]) -> str:
    if not objectives:
        return ""
    return (
        f"On the front, by {', '.join(objectives)} (lower is better, each averaged likewise), stand the trials of the "
        "full budget that no other beats in one without being worse in another. The winner is the lowest objective on "
        "the front.\n\n"
    )
