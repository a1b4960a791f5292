"""One search at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from data_prep.errors import UserError

LOCK_FILE: Final = ".lock"


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run's folder; the system lets go of it when this process ends, however it ends.

    Raises:
        UserError: another process searches there.
    """
    with (run / LOCK_FILE).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            other = file.read().strip() or "unknown"
            raise UserError(f"{run} is being searched by another process ({other}): wait for it, or end it.") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
