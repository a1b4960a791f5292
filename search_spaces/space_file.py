"""A space in a file of the user's own: its module, and where in it something went wrong."""

import hashlib
import os
import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from data_prep.errors import UserError
from data_prep.folder import shown


def is_file_name(name: str) -> bool:
    """Whether a space is named by its file, FILE.py, rather than by its name."""
    return name.endswith(".py") or "/" in name or os.sep in name


def import_file(path: Path) -> ModuleType:
    """The module of that file, read anew at each call, under a name that no other file's has.

    Raises:
        UserError: there is no such file, or it raises, with the exception and the line.
    """
    try:
        file = path.expanduser().resolve(strict=True)
        found = file.is_file()
    except (OSError, ValueError, RuntimeError):
        found = False
    if not found:
        raise UserError(f"--space is {shown(str(path))!r}, but there is no such file (docs/search.md shows one).")
    name = f"space_in_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    declared = spec_from_file_location(name, file)
    if declared is None or declared.loader is None:
        raise UserError(f"--space is {shown(str(path))!r}, but must be a Python file, whose name ends in .py.")
    module = module_from_spec(declared)
    sys.modules[name] = module  # dataclasses and pickle look a module up by its name
    try:
        declared.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever it does, it is the user's to mend
        del sys.modules[name]
        raise UserError(f"{shown(str(path))}: {what_went_wrong(error, file)}") from error
    return module


def what_went_wrong(error: BaseException, file: Path) -> str:
    """The exception in one line, with the last line of the file that it came through."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == file]
    line = error.lineno if isinstance(error, SyntaxError) else next(reversed(lines), None)
    text = str(error.msg if isinstance(error, SyntaxError) else error).strip().partition("\n")[0]
    told = text if isinstance(error, UserError) else f"{type(error).__name__}: {text}".rstrip(": ")
    return shown(f"line {line}: {told}" if line else told)
