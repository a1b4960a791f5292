"""What `python -m scores` prints: scores of files side by side, and a comparison of two sets, as text."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import PurePath
from statistics import fmean
from typing import Final

from data_prep.chords import NO_CHORD, PITCH_CLASS_NAMES
from scores.cli.compare import Comparison
from scores.cli.faults import verdict
from scores.features import FAMILIES
from scores.registry import SCORES

_WIDEST: Final = 20
_GUARDS: Final = (
    ("dup_rate", "phrases whose ending another phrase has"),
    ("near_copy_rate", "four bars that stand, nearly so, in the training songs"),
    ("recall_ratio", "how much of the reference is reached; 1 is all"),
    ("coverage_ratio", "how much of the reference has a neighbour; 1 is all"),
    ("intra_set_distance", "variety beside the reference's; 1 is the same"),
    ("pctm", "other moves from pitch class to pitch class; 0 is none, 1 is all"),
    ("nltm", "other moves from note length to note length; 0 is none, 1 is all"),
)


def key_name(key: int) -> str | None:
    """Name of a key by the class of its tonic triad: `C major`, `F# minor`; None for 24, none."""
    return None if key == NO_CHORD else f"{PITCH_CLASS_NAMES[key % 12]} {'minor' if key >= 12 else 'major'}"


def score_table(
    titles: Sequence[str], columns: Sequence[Mapping[str, float]], units: Mapping[str, str], width: int
) -> str:
    """Scores, a row each, by files, a column each, in blocks that fit a terminal `width` characters wide.

    With more than one file, the last column is the mean over the files that define the score. Scores that no file
    defines have no row.
    """
    names = [name for name in units if any(name in column for column in columns)]
    head = [["score", *names], ["unit", *(units[name] for name in names)]]
    shown = [
        [title, *(_number(column.get(name)) for name in names)] for title, column in zip(titles, columns, strict=True)
    ]
    if len(columns) > 1:
        means = (fmean(column[name] for column in columns if name in column) for name in names)
        shown.append(["mean", *map(_number, means)])
    return "\n\n".join(_aligned([*head, *block], left=len(head)) for block in _blocks(head, shown, width))


def counted(number: int, what: str) -> str:
    """`1 note`, `1,024 notes`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def column_titles(files: Sequence[str]) -> list[str]:
    """Titles of the columns of files: their names, or their paths where names are not enough to tell them apart."""
    names = [PurePath(file).name for file in files]
    told = names if len(set(names)) == len(names) else files
    return [title if len(title) <= _WIDEST else f"...{title[3 - _WIDEST :]}" for title in told]


def comparison_text(found: Comparison) -> str:
    """A comparison: the verdict, the families, the guards, what is wrong in words, and every score."""
    return "\n\n".join(
        "\n".join(part) for part in (_verdict(found), _families(found), _guards(found), _faults(found), _scores(found))
    )


def _verdict(found: Comparison) -> list[str]:
    sets = (
        f"{_set(found.generated.name, len(found.generated))} beside {_set(found.reference.name, len(found.reference))}"
    )
    return [
        sets,
        f"objective {found.report['objective']:.3f}: {verdict(found.report)}",
        *(f"note: {remark}" for remark in found.remarks),
    ]


def _set(name: str, count: int) -> str:
    return f"{counted(count, 'phrase')} of {name}"


def _families(found: Comparison) -> list[str]:
    known = [(family, found.report.get(f"med_{family}")) for family in FAMILIES]
    distances = [f"{family} {'-' if value is None else f'{value:.3f}'}" for family, value in known]
    return ["distance by family (0 the same, 1 the most): " + ", ".join(distances)]


def _guards(found: Comparison) -> list[str]:
    rows = [(name, found.report[name], told) for name, told in _GUARDS if name in found.report]
    base = {"dup_rate": found.base.dup_rate, "near_copy_rate": found.base.near_copy_rate}
    return ["the set as a whole"] + [
        f"  {name:<18} {value:6.3f}  {told}" + (f"; the reference has {base[name]:.3f}" if name in base else "")
        for name, value, told in rows
    ]


def _faults(found: Comparison) -> list[str]:
    if not found.faults:
        return ["what stands out: nothing"]
    return ["what stands out, the worst first"] + [f"  {fault.words} ({fault.told})" for fault in found.faults]


def _scores(found: Comparison) -> list[str]:
    rows = found.differences
    columns = [
        ["score", *(row.score for row in rows)],
        ["unit", *(SCORES[row.score].unit for row in rows)],
        ["generated", *(_number(row.generated) for row in rows)],
        ["reference", *(_number(row.reference) for row in rows)],
        ["difference", *("-" if row.difference is None else f"{row.difference:+.2f} sd" for row in rows)],
    ]
    return [_aligned(columns, left=2)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _blocks(head: list[list[str]], columns: list[list[str]], width: int) -> list[list[list[str]]]:
    """The columns in blocks that fit beside the head, at least one in each."""
    room = width - sum(_width(column) + 2 for column in head)
    blocks: list[list[list[str]]] = [[]]
    left = room
    for column in columns:
        if blocks[-1] and _width(column) > left:
            blocks.append([])
            left = room
        blocks[-1].append(column)
        left -= _width(column) + 2
    return blocks


def _width(column: list[str]) -> int:
    return max(map(len, column))


def _aligned(columns: list[list[str]], left: int) -> str:
    """Columns side by side, the first `left` of them flush left."""
    widths = [_width(column) for column in columns]
    lines = []
    for cells in zip_longest(*columns, fillvalue=""):
        padded = [
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
