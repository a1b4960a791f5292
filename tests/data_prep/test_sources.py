import shutil
from pathlib import Path

import pytest

from data_prep import cache
from data_prep.assemble import Options
from data_prep.corpus import ARRAYS_FILE, Corpus, load
from data_prep.errors import UserError
from data_prep.sources import resolve


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, builtin_corpus: Corpus) -> list[Options]:
    """A cache folder of its own, and a quick preparation that notes its calls."""
    calls: list[Options] = []

    def prepare(options: Options, **_: object) -> Corpus:
        calls.append(options)
        return builtin_corpus

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(cache, "prepare_builtin", prepare)
    return calls


def test_builtin_is_prepared_once(prepared: list[Options], builtin_corpus: Corpus) -> None:
    folder = resolve("builtin")
    assert folder.parent.parts[-2:] == ("well-tempered-gan", "corpora")
    assert resolve("builtin") == folder
    assert len(prepared) == 1
    assert load(folder).digest == builtin_corpus.digest


def test_a_damaged_cache_is_prepared_again(prepared: list[Options]) -> None:
    folder = resolve("builtin")
    (folder / ARRAYS_FILE).write_bytes(b"half")
    assert load(resolve("builtin")).num_bars
    assert len(prepared) == 2


def test_the_cache_is_keyed_by_options_and_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = {cache.builtin_folder(options) for options in (Options(), Options(seed=1), Options(rests="keep"))}
    monkeypatch.setattr(cache, "music21_version", lambda: "99.0")
    folders.add(cache.builtin_folder(Options()))
    assert len(folders) == 4
    assert all(folder.name.startswith("builtin-") for folder in folders)


def test_a_folder_with_a_corpus_is_itself(builtin_folder: Path) -> None:
    assert resolve(str(builtin_folder)) == builtin_folder


def test_a_misspelling_is_met_with_the_nearest_choice(tmp_path: Path, builtin_folder: Path) -> None:
    shutil.copytree(builtin_folder, tmp_path / "chorales")
    for data, nearest in (("biultin", "'builtin'"), (str(tmp_path / "chorals"), str(tmp_path / "chorales"))):
        with pytest.raises(UserError) as caught:
            resolve(data)
        assert data in str(caught.value)
        assert nearest in str(caught.value)


@pytest.mark.parametrize("data", ["", "\0", "x" * 5000, "/dev/null", "no/such/place"])
def test_anything_else_is_one_line(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        resolve(data)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_corpus_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="python -m data_prep builtin"):
        resolve(str(tmp_path))
