from pathlib import Path

import pytest

from data_prep.corpus import Corpus, load, save
from data_prep.prepare import prepare
from data_prep.sources import SOURCES
from tests.once import made_once


@pytest.fixture(scope="session")
def builtin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in corpus, prepared by two processes."""

    def make(folder: Path) -> None:
        corpus = prepare(SOURCES["builtin"], jobs=2)
        assert isinstance(corpus, Corpus)
        save(corpus, folder)

    return made_once(tmp_path_factory, "builtin", make)


@pytest.fixture(scope="session")
def builtin_corpus(builtin_folder: Path) -> Corpus:
    return load(builtin_folder)
