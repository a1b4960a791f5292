"""What all command lines have in common: how they are read, how they end, and how they tell of long work."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from difflib import get_close_matches
from io import TextIOWrapper
from itertools import takewhile
from typing import Any, Final, NoReturn

from data_prep.errors import UserError
from data_prep.folder import shown

MISTAKE: Final = 2
INTERRUPTED: Final = 130

_NOW_AND_THEN: Final = 1000


class Parser(ArgumentParser):
    """Says what is wrong in one line, as a UserError; of an option that there is not, the nearest."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse unknown options before argparse asks for what is missing."""
        options = self._option_string_actions
        given = sys.argv[1:] if args is None else args
        names = [word.partition("=")[0] for word in takewhile("--".__ne__, given) if word.startswith("--")]
        for name in names if self._subparsers is None else ():  # each command reads its own
            if name not in options:
                near = get_close_matches(name, options, n=1)
                hint = f"did you mean {near[0]}?" if near else "see --help."
                raise UserError(f"There is no option {name}: {hint}")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """What argparse has found."""
        raise UserError(f"{message}; see --help.")


def run(work: Callable[[], int]) -> int:
    """Do what a command line asks for: the exit code, 0 done, 2 a mistake named in one line, 130 interrupted."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may have letters that a terminal has not
    try:
        code = work()
        if sys.stdout is not None:  # it is, where a shell has closed it
            sys.stdout.flush()  # here, where it is caught if nobody reads it
    except UserError as error:
        return mistake(error)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to print goes nowhere
        if not isinstance(error, BrokenPipeError):  # the reader of a pipe, such as head, has seen enough
            print(f"error: what there is to say cannot be printed ({error.strerror})", file=sys.stderr)
            return MISTAKE
        return 0
    return code


def mistake(error: UserError) -> int:
    """Name what the user did wrong, in one line; the exit code."""
    print(f"error: {shown(str(error))}", file=sys.stderr)
    return MISTAKE


def now_and_then(done: int, total: int) -> None:
    """A line for every thousand files read: progress where there is no terminal to draw on."""
    if done % _NOW_AND_THEN == 0:
        print(f"read {done:,} of {total:,}", file=sys.stderr, flush=True)
