"""Scores of files as tables: a column for each file, or what many files have in common."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import PurePath
from statistics import fmean, stdev
from typing import Final

from data_prep.chords import NO_CHORD, PITCH_CLASS_NAMES

_WIDEST: Final = 20


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
        [title, *(number(column.get(name)) for name in names)] for title, column in zip(titles, columns, strict=True)
    ]
    if len(columns) > 1:
        means = (fmean(column[name] for column in columns if name in column) for name in names)
        shown.append(["mean", *map(number, means)])
    return "\n\n".join(aligned([*head, *block], left=len(head)) for block in _blocks(head, shown, width))


def summary_table(columns: Sequence[Mapping[str, float]], units: Mapping[str, str]) -> str:
    """Scores, a row each, of files of which there are too many for a column each.

    Mean, standard deviation (of a sample), least and most over the files that define the score, and how many do.
    """
    rows = [["score", "unit", "mean", "sd", "least", "most", "files"]]
    for name, unit in units.items():
        values = [column[name] for column in columns if name in column]
        if values:
            spread = stdev(values) if len(values) > 1 else None
            told = map(number, (fmean(values), spread, min(values), max(values)))
            rows.append([name, unit, *told, f"{len(values):,}"])
    return aligned([list(column) for column in zip(*rows, strict=True)], left=2)


def column_titles(files: Sequence[str]) -> list[str]:
    """Titles of the columns of files: their names, or their paths where names are not enough to tell them apart."""
    names = [PurePath(file).name for file in files]
    told = names if len(set(names)) == len(names) else files
    return [title if len(title) <= _WIDEST else f"...{title[3 - _WIDEST :]}" for title in told]


def number(value: float | None) -> str:
    """A value of a score, `-` for none."""
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


def aligned(columns: list[list[str]], left: int) -> str:
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
