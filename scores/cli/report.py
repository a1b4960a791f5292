"""A comparison of two sets of music, as text."""

import textwrap
from typing import Final

from scores.cli.compare import Comparison
from scores.cli.remarks import counted
from scores.cli.table import aligned, number
from scores.features import FAMILIES
from scores.registry import SCORES

_NARROWEST: Final = 40
_GUARDS: Final = (
    ("dup_rate", "phrases whose ending another phrase has"),
    ("near_copy_rate", "four bars that stand, nearly so, in the training songs"),
    ("recall_ratio", "how much of the reference is reached; 1 is all"),
    ("coverage_ratio", "how much of the reference has a neighbour; 1 is all"),
    ("intra_set_distance", "variety beside the reference's; 1 is the same"),
    ("pctm", "other moves from pitch class to pitch class; 0 is none, 1 is all"),
    ("nltm", "other moves from note length to note length; 0 is none, 1 is all"),
)


def comparison_text(found: Comparison, width: int) -> str:
    """A comparison: the verdict, the families, the guards, what is wrong in words, and every score.

    Sentences are wrapped at `width` characters, or 40 if that is more; the table of the scores is as wide as it is.
    """
    parts = [_verdict(found), _families(found), _guards(found), _faults(found), _equal(found)]
    wrapped = ["\n".join(_wrapped(line, max(width, _NARROWEST)) for line in part) for part in parts if part]
    return "\n\n".join([*wrapped, _scores(found)])


def _wrapped(line: str, width: int) -> str:
    """The line, what does not fit under it and two deeper; names of files stay whole."""
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _verdict(found: Comparison) -> list[str]:
    sets = (
        f"{_set(found.generated.name, len(found.generated))} beside {_set(found.reference.name, len(found.reference))}"
    )
    return [
        sets,
        found.verdict,
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


def _scores(found: Comparison) -> str:
    """A table of the scores that differ."""
    rows = [row for row in found.differences if row.generated != row.reference]
    columns = [
        ["score", *(row.score for row in rows)],
        ["unit", *(SCORES[row.score].unit for row in rows)],
        ["generated", *(number(row.generated) for row in rows)],
        ["reference", *(number(row.reference) for row in rows)],
        ["difference", *(row.told(2) for row in rows)],
    ]
    return aligned(columns, left=2)


def _equal(found: Comparison) -> list[str]:
    """The scores that do not differ at all."""
    names = [row.score for row in found.differences if row.generated == row.reference]
    return [f"the same in both: {', '.join(names)}"] if names else []
