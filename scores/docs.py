"""The table of scores in docs/scores.md, written from the registry: `python -m scores.docs`."""

from pathlib import Path
from typing import Final

from scores.registry import SCORES, Score

PAGE: Final = Path(__file__).parent.parent / "docs" / "scores.md"
_START, _END = "<!-- scores: written by `python -m scores.docs` -->", "<!-- end of scores -->"
_HEAD: Final = ("score", "what it is", "level", "unit", "range", "target", "edge case", "source")


def table() -> str:
    """Markdown table with one row per registered score."""
    rows = [_HEAD, tuple("-" * len(title) for title in _HEAD), *(_row(score) for score in SCORES.values())]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def with_table(page: str) -> str:
    """The text of a page with what stands between its two markers replaced by the table."""
    before, _, rest = page.partition(_START)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"{PAGE} must contain the lines `{_START}` and `{_END}`.")
    return f"{before}{_START}\n{table()}\n{_END}{after}"


def _row(score: Score) -> tuple[str, ...]:
    meaning = (score.function.__doc__ or "").partition("\n")[0].rstrip(".")
    span = f"{score.low:.4g} to {score.high:.4g}"
    name = f"`{score.name}`"
    return name, meaning, score.level, score.unit, span, score.target, score.edge_case, score.source


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
