"""Piano music without bars: the notes of every piece, and the windows of 128 steps that are learnt from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

KIND: Final = "windows"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCorpus:
    """W windows of M pieces."""


def save(corpus: WindowCorpus, folder: Path) -> None:
    """Write."""


def load(folder: Path) -> WindowCorpus:
    """Read."""
    raise NotImplementedError
