import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data_prep.corpus import Corpus, Split, load
from data_prep.errors import UserError
from data_prep.locate import resolve
from reporting.final import on_test_songs


@pytest.fixture(autouse=True)
def numbers_next_to_zero() -> Iterator[None]:
    """A system rounds them to zero, in the whole process; tests that come later may want them."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load(resolve("builtin"))


def winner(run: Path) -> str:
    lines = json.loads((run / "leaderboard.json").read_text())
    return next(str(line["name"]) for line in lines if line["outcome"] == "finished")


def test_the_winner_of_a_search_was_judged_on_the_test_songs(run: Path, corpus: Corpus) -> None:
    found = json.loads((run / "test.json").read_text())
    assert found["trial"] == winner(run)
    assert 0 < found["scores"]["objective"] < 3
    assert f"objective {found['scores']['objective']:.3f}; " in (run.parent / "output.txt").read_text()
    # The same from the checkpoint on disk, and from other songs than those that it was chosen by.
    again = on_test_songs(run, found["trial"], "baseline", corpus, rollouts=64)
    assert again == pytest.approx(found["scores"], abs=1e-6)
    other = replace(corpus, split=corpus.split.copy())
    other.split[corpus.split == Split.TEST], other.split[corpus.split == Split.VALIDATION] = (
        Split.VALIDATION,
        Split.TEST,
    )
    assert on_test_songs(run, found["trial"], "baseline", other, rollouts=64)["objective"] != again["objective"]
    (run / "test.json").write_text(json.dumps(found))


def test_a_checkpoint_that_is_missing_or_damaged_is_named(tmp_path: Path, corpus: Corpus) -> None:
    folder = tmp_path / "trials" / "0000"
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "config.json").write_text('{"settings": {}}')
    for content in (None, b"", b"no archive", b"PK\x03\x04 cut off"):
        if content is not None:
            (folder / "checkpoint" / "state.pt").write_bytes(content)
        with pytest.raises(UserError, match=r"checkpoint in .*checkpoint cannot be read"):
            on_test_songs(tmp_path, "0000", "baseline", corpus, rollouts=4)
    for content in ("{", "[]", "{}", '{"settings": null}', '{"settings": 5}', '{"settings": {"spectral_norm": 7}}'):
        (folder / "config.json").write_text(content)
        with pytest.raises(UserError, match=r"config\.json cannot be read|spectral_norm"):
            on_test_songs(tmp_path, "0000", "baseline", corpus, rollouts=4)
    assert not (tmp_path / "test.json").exists()
