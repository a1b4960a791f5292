"""How a trial's state travels: a file on the driver, bytes wherever it is sent."""

from pathlib import Path
from typing import Any, Final

STATE_FILE: Final = "state.pt"
"""Name of the file with a system's state, in the folder of a checkpoint."""


class State(bytes):
    """A state on its way to the search, whose text is short.

    Ray writes out each result that it takes, twice and whether or not it logs it: of twelve megabytes, that is most of
    what the search would do.
    """

    def __repr__(self) -> str:
        return f"{len(self):,} bytes"


class SavedState:
    """The state that a trial goes on from.

    It is a path where the search runs, and is read when it is sent to a worker: so it takes no memory while it waits,
    and workers need not share a folder with the search.

    Attributes:
        required: whether another state than this would not do: it is another trial's, to go on from.
        data: the file's bytes; None where it could not be read, or has not been sent.
    """

    def __init__(self, path: Path | None, *, required: bool = False, data: bytes | None = None) -> None:
        self._path = path
        self.required = required
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as bytes. A file that has just been deleted must not end the search: the trial begins again."""
        data = self.data
        if self._path is not None:
            try:
                data = self._path.read_bytes()
            except OSError:
                data = None
        return _received, (self.required, data)

    def __deepcopy__(self, memo: dict[int, Any]) -> "SavedState":
        return self

    def __repr__(self) -> str:
        return "state of " + (str(self._path) if self._path else repr(State(self.data or b"")))


def _received(required: bool, data: bytes | None) -> SavedState:  # pickle gives places, not names
    return SavedState(None, required=required, data=data)
