"""How often work may be repeated whose cost grows with what it looks at."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pace:
    """Lets a piece of work be repeated as often as it costs little.

    Args:
        seconds: that are to pass at least from one time to the next.
        share: of all time that the work may take.
    """

    def __init__(self, *, seconds: float, share: float) -> None:
        self._seconds = seconds
        self._share = share
        self._next = float("-inf")

    @property
    def due(self) -> bool:
        """Whether it may be done now."""
        return time.monotonic() >= self._next

    @contextmanager
    def working(self) -> Iterator[None]:
        """Around the work, due or not."""
        start = time.monotonic()
        try:
            yield
        finally:
            end = time.monotonic()
            self._next = end + max(self._seconds, (end - start) * (1 / self._share - 1))
