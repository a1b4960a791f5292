"""Corpora of either kind, bars or windows, where it does not matter which."""

from pathlib import Path
from typing import Final

from data_prep import corpus as bars
from data_prep import windows
from data_prep.corpus import Corpus
from data_prep.store import read_about
from data_prep.windows import WindowCorpus

KINDS: Final = (bars.KIND, windows.KIND)


def save(corpus: Corpus | WindowCorpus, folder: Path) -> None:
    """Write the corpus into `folder`; UserError where that cannot be."""
    if isinstance(corpus, Corpus):
        bars.save(corpus, folder)
    else:
        windows.save(corpus, folder)


def load(folder: Path) -> Corpus | WindowCorpus:
    """The corpus in `folder`; UserError for anything but a sound one."""
    if read_about(folder).get("kind") == windows.KIND:
        return windows.load(folder)
    return bars.load(folder)
