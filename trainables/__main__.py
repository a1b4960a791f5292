"""`python -m trainables`: the systems without a search, from the command line."""

import sys
from argparse import Namespace

from data_prep.console import run
from trainables.cli import command


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 1 training diverged, 2 a mistake named in one line, 130 interrupted."""
    return run(lambda: _work(sys.argv[1:] if arguments is None else arguments))


def _work(arguments: list[str]) -> int:
    options = command.parse(arguments)
    if options.command == "train":
        from trainables.cli.train import train  # torch takes its time

        return train(options)
    if options.command == "generate":
        from trainables.cli.generate import generate

        return generate(options)
    return _tell(options)


def _tell(options: Namespace) -> int:
    from trainables.cli import tables

    print(tables.systems() if options.command == "list" else tables.settings(options.system), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
