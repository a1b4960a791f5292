"""`python -m reporting`: questions to a search that is running or over, without a dashboard."""

import json
import sys
from argparse import Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Final

from data_prep.console import Parser, run
from data_prep.errors import UserError
from data_prep.files import write_json
from data_prep.folder import shown
from reporting.importances import as_json, as_text
from search_spaces.search.importances import importances

_EXAMPLES: Final = """\
examples:
  python -m reporting importances results/overnight
  python -m reporting importances results/overnight --objective balance
  python -m reporting importances results/overnight --json

The search may still be running. The table is printed, and written to importances.json in its folder; with --json that
is printed instead, and nothing is written. A parameter matters as far as the best trials and all of them are spread
differently over its values; docs/search.md says how that is measured, and how many trials it takes.
"""


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 2 a mistake named in one line, 130 interrupted."""
    return run(lambda: _importances(_parser().parse_args(arguments)))


def _parser() -> Parser:
    whole = Parser(prog="python -m reporting", description="Ask a search what it found.", allow_abbrev=False)
    commands = whole.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    command = commands.add_parser(
        "importances",
        help="which parameters mattered",
        description="Which parameters of a search mattered.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument("run", type=Path, metavar="RUN", help="folder of a search, such as results/overnight")
    command.add_argument(
        "--objective",
        metavar="NAME",
        help="ask of one objective alone (default: what the search minimises; of several, their Pareto front)",
    )
    command.add_argument("--json", action="store_true", help="print JSON, and write nothing")
    return whole


def _importances(options: Namespace) -> int:
    folder = options.run.expanduser()
    found = importances(folder, options.objective)
    if options.json:
        print(json.dumps(as_json(found), indent=2))
        return 0
    print(as_text(found))
    path = folder / "importances.json"
    try:
        write_json(path, as_json(found))
    except OSError as error:
        raise UserError(f"{shown(str(path))} cannot be written ({error.strerror}): use --json.") from error
    return 0


if __name__ == "__main__":
    sys.exit(main())
