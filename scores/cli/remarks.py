"""What a user should know of a file, and the same of many files, counted."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class Remark(NamedTuple):
    """What a reader of the scores of a file should know.

    Attributes:
        told: of this file.
        of_files: of so many of them; `{files}` stands for how many.
    """

    told: str
    of_files: str


def of_many(remarks: Iterable[Remark]) -> list[str]:
    """The remarks of many files, each kind once with the number of files, the first kind that came first."""
    counts = Counter(remark.of_files for remark in remarks)
    return [kind.format(files=counted(count, "file")) for kind, count in counts.items()]


def counted(number: int, what: str) -> str:
    """`1 note`, `1,024 notes`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
