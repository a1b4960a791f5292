"""The tables in docs/scores.md, written from the registry and the features: `python -m scores.docs`."""

from collections.abc import Iterable, Sequence
from math import isinf
from pathlib import Path
from typing import Final

from scores.features import FAMILIES, FEATURES
from scores.registry import SCORES, Score

PAGE: Final = Path(__file__).parent.parent / "docs" / "scores.md"

_MARKERS: Final = "<!-- {0}: written by `python -m scores.docs` -->", "<!-- end of {0} -->"
_SCORE_HEAD: Final = ("score", "what it is", "of", "unit", "range", "target", "edge case", "source")
_FEATURE_HEAD: Final = ("family", "features", "columns")


def with_tables(page: str) -> str:
    """The text of a page with what stands between its markers replaced by the tables."""
    tables = {"scores": _scores(), "features": _features()}
    for name, table in tables.items():
        start, stop = (marker.format(name) for marker in _MARKERS)
        before, _, rest = page.partition(start)
        _, end, after = rest.partition(stop)
        if not end:
            raise ValueError(f"{PAGE} must contain the lines `{start}` and `{stop}`.")
        page = f"{before}{start}\n{table}\n{stop}{after}"
    return page


def _scores() -> str:
    return _table(_SCORE_HEAD, map(_score, SCORES.values()))


def _score(score: Score) -> tuple[str, ...]:
    meaning = (score.function.__doc__ or "").partition("\n")[0].rstrip(".")
    span = f"from {score.low:.4g}" if isinf(score.high) else f"{score.low:.4g} to {score.high:.4g}"
    return f"`{score.name}`", meaning, score.level, score.unit, span, score.target, score.edge_case, score.source


def _features() -> str:
    rows = []
    for family in FAMILIES:
        names = [name for name, feature in FEATURES.items() if feature.family == family]
        rows.append((f"*{family}*", str(len(names)), ", ".join(f"`{name}`" for name in names)))
    return _table(_FEATURE_HEAD, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["-" * len(title) for title in head], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
