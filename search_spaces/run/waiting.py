"""A full disk: the search waits for room, as what was trained is worth more than the time."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Tries a step again until it can be written.

    Attributes:
        tell: says so, once for each step that has to wait.
        given_up: asked between two tries whether the user has had enough.
        pause: seconds between two tries.
        longest: seconds after which the error is raised.
    """

    tell: Callable[[str], None]
    given_up: Callable[[], bool]
    pause: float = 2.0
    longest: float = 1800.0

    def for_room(self, folder: Path, size: int) -> None:
        """Return once the disk of `folder` has room for so many bytes.

        Raises:
            OSError: it has not, and the user or the time has given up.
        """

        def look() -> None:
            if shutil.disk_usage(folder).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        self.until_written(look)

    def until_written(self, step: Callable[[], Result]) -> Result:
        """What `step` returns, which may be called several times.

        Raises:
            OSError: it cannot be written, and the user or the time has given up.
        """
        start, told = time.monotonic(), False
        while True:
            try:
                return step()
            except OSError as error:  # noqa: PERF203  # it is what the loop is for
                if error.errno not in _FULL or self.given_up() or time.monotonic() - start > self.longest:
                    raise
                if not told:
                    self.tell(f"Cannot write ({error.strerror or error}): waiting until there is room; Ctrl-C ends.")
                    told = True
                time.sleep(self.pause)
