"""MAESTRO (Hawthorne et al. 2019): piano performances, and a table (CSV) that says which split each of them is in."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from data_prep.assemble_windows import assemble_windows
from data_prep.corpus import Split
from data_prep.errors import UserError
from data_prep.folder import LEADS_OUT, read_inside, root_of, shown
from data_prep.formats.midi import SUFFIXES, versions
from data_prep.song import SkippedFile
from data_prep.source import Found, Item, Source
from data_prep.sources.piano import HEARS, read
from data_prep.windows import KIND

COLUMNS: Final = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)
"""What the table has, in any order and among others."""
SPLITS: Final = {"train": Split.TRAIN, "validation": Split.VALIDATION, "test": Split.TEST}

MAX_BYTES: Final = 64 * 2**20
MAX_ROWS: Final = 100_000
"""Longest table read; MAESTRO 3 has 1,276 rows."""
MAX_LINE: Final = 2**16
"""Longest line read, in characters; longer fields than twice this the csv module refuses by itself."""
MAX_LINES: Final = 100
"""Most lines that one row may fill, by line breaks inside quotes."""

TWO_SPLITS: Final = "in two splits"
NAMED_TWICE: Final = "named twice"
NO_FILE: Final = "no such file"


class _Row(NamedTuple):
    """A row of the table: its number (the header's is 1), the MIDI file, its split, and why it is no sound row."""

    number: int
    path: str
    split: str
    fault: str = ""


def find(path: Path | None) -> Found:
    """The performances that the table names; what else lies in the folder is none of them.

    UserError for a table that is not MAESTRO's; a row that cannot be used is skipped.
    """
    root, table = _table_of(path or Path())
    named: dict[Path, list[_Row]] = defaultdict(list)
    skipped: list[SkippedFile] = []
    for row in _table(root, table):
        fault = row.fault or _fault(root, row)
        if fault:
            skipped.append(_skipped(row, fault))
        else:
            named[(root / row.path).resolve()].append(row)
    items = []
    for rows in named.values():
        first, *others = rows
        if len({row.split for row in rows}) > 1:
            skipped += [_skipped(row, TWO_SPLITS) for row in rows]
            continue
        items.append(Item(paths=(str(PurePosixPath(first.path)),), split=SPLITS[first.split]))
        skipped += [_skipped(row, NAMED_TWICE) for row in others]
    return Found(root=root, items=tuple(sorted(items, key=lambda item: item.paths)), skipped=tuple(skipped))


def _skipped(row: _Row, reason: str) -> SkippedFile:
    # The number goes with the path, so that rows skipped for one reason are counted as such.
    return SkippedFile(path=f"{shown(row.path[:300])} (row {row.number})".lstrip(), reason=reason)


def _table_of(path: Path) -> tuple[Path, str]:
    """The folder and the name of its table, which may be named itself."""
    root, path = root_of(path), path.expanduser()
    if path.is_file():
        if path.suffix.lower() != ".csv":
            raise UserError(f"{shown(path.name)}: no .csv file; name the table of MAESTRO, or its folder.")
        return root, path.resolve().name
    try:
        tables = sorted(file.name for file in root.iterdir() if _may_be_table(file))
    except OSError as error:
        raise UserError(f"{shown(str(root))}: cannot be read ({error.strerror}).") from error
    if len(tables) != 1:
        told = f"{len(tables)} .csv files in it ({shown(', '.join(tables))[:200]})" if tables else "no .csv file in it"
        raise UserError(f"{shown(str(root))}: {told}; name the table of MAESTRO, maestro-v3.0.0.csv, or its folder.")
    return root, tables[0]


def _may_be_table(file: Path) -> bool:
    return file.suffix.lower() == ".csv" and not file.name.startswith(".") and not file.is_dir()


def _table(root: Path, name: str) -> list[_Row]:
    try:
        return list(_rows(_text(read_inside(root, name, MAX_BYTES))))
    except UserError as error:
        raise UserError(f"{shown(name)}: {error}") from error


def _text(data: bytes) -> str:
    if b"\0" in data:
        raise UserError("null bytes in it, so it is no UTF-8 text; save it as UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"byte {error.start} is no UTF-8; save it as UTF-8.") from error


def _rows(text: str) -> Iterator[_Row]:
    """The rows below the header, empty ones left out."""
    records = _records(text)
    _, header = next(records, (1, []))
    for told, count in (("no column", 0), ("two columns", 2)):
        names = ", ".join(column for column in COLUMNS if min(header.count(column), 2) == count)
        if names:
            raise UserError(f"{told} {names}; it is not the table of MAESTRO.")
    path, split = header.index("midi_filename"), header.index("split")
    for number, record in records:
        if number > MAX_ROWS + 1:
            raise UserError(f"over {MAX_ROWS:,} rows.")
        if len(record) == len(header):
            yield _Row(number, record[path], record[split])
        else:
            yield _Row(number, "", "", f"{len(record)} fields where the header has {len(header)}")


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of every row that has any."""
    lines, number = _lines(text), 0
    while True:
        number += 1
        try:
            # A reader for each row: a quote that is never closed ends it, not the rest of the file.
            record = next(csv.reader(islice(lines, MAX_LINES), strict=True), None)
        except csv.Error as error:
            raise UserError(f"row {number}: {error}.") from error
        if record is None:
            return
        if record:
            yield number, record


def _lines(text: str) -> Iterator[str]:
    for line in io.StringIO(text, newline=""):
        if len(line) > MAX_LINE:
            raise UserError(f"a line of {len(line):,} characters; at most {MAX_LINE:,} are read.")
        yield line


def _fault(root: Path, row: _Row) -> str:
    """Why the file that the row names cannot be used, empty if it can."""
    path = PurePosixPath(row.path)
    if row.split not in SPLITS:
        return f"unknown split {shown(row.split[:20])!r}; it is {', '.join(SPLITS)}"
    if not row.path:
        return "no midi_filename"
    if path.is_absolute() or ".." in path.parts:
        return "a path that leads out of the folder"
    if not row.path.lower().endswith(SUFFIXES):
        return f"a name that does not end in {' or '.join(SUFFIXES)}"
    try:
        found = (root / path).is_file()
    except OSError:  # such as a name too long
        found = False
    if not found:
        return NO_FILE
    return "" if (root / path).resolve().is_relative_to(root) else LEADS_OUT


SOURCE: Final = Source(
    name="maestro",
    help="MAESTRO's piano performances, in windows of 128 steps of time, split as its table says",
    find=find,
    read=read,
    assemble=assemble_windows,
    kind=KIND,
    hears=HEARS,
    versions=versions,
)
