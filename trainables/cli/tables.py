"""What `list` and `show` print."""

import shutil
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainables.cli import about
from trainables.cli.settings import settings_of
from trainables.systems import SYSTEMS


def systems() -> str:
    """Every system: name, section of the paper, what it is, weights."""
    return _drawn(_table(("system", "paper", "what it is", "weights"), about.rows()))


def settings(system: str) -> str:
    """Every setting of a system: default, what it may be, what it is.

    Raises:
        UserError: there is no such system, with the nearest.
    """
    parts = settings_of(system)
    system_is = SYSTEMS[system]
    tables = (
        _table(
            (name, "default", "may be", "what it is"),
            ((each.name, shown(each.default), each.rule, each.about) for each in of_part),
        )
        for name, of_part in parts.items()
    )
    return f"{system} (§{system_is.section}): {system_is.text}\n\n" + "\n".join(map(_drawn, tables))


def shown(value: Any) -> str:
    """A default as one would write it after --set."""
    return str(value).lower() if isinstance(value, bool) else f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="")
    for number, title in enumerate(header):
        table.add_column(title, no_wrap=number == 0, overflow="fold")
    for cells in rows:
        table.add_row(*map(Text, cells))
    return table


def _drawn(table: Table) -> str:
    file = StringIO()
    Console(file=file, width=max(80, shutil.get_terminal_size((120, 24)).columns)).print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"
