from pathlib import Path

import pytest

from data_prep.assemble import Options
from data_prep.corpus import Corpus, load, save
from data_prep.prepare import prepare_builtin


@pytest.fixture(scope="session")
def builtin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in corpus, prepared by two processes."""
    folder = tmp_path_factory.mktemp("builtin")
    save(prepare_builtin(Options(), jobs=2), folder)
    return folder


@pytest.fixture(scope="session")
def builtin_corpus(builtin_folder: Path) -> Corpus:
    return load(builtin_folder)
