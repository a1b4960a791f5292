import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_prep.corpus import Corpus, Split, load
from data_prep.errors import UserError
from data_prep.locate import resolve
from reporting import final
from reporting.final import on_test_songs
from scores.phrases import Music
from search_spaces.space import load_space
from tests.piano import piano_corpus
from trainables.config import Budget

BUDGET = Budget(bars=2_000, evaluations=4, rollouts=4, early_rollouts=4)


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
    budget = load_space("smoke").budget
    again = on_test_songs(run, found["trial"], "baseline", corpus, budget=budget)
    assert again == pytest.approx(found["scores"], abs=1e-6)
    other = replace(corpus, split=corpus.split.copy())
    other.split[corpus.split == Split.TEST], other.split[corpus.split == Split.VALIDATION] = (
        Split.VALIDATION,
        Split.TEST,
    )
    assert on_test_songs(run, found["trial"], "baseline", other, budget=budget)["objective"] != again["objective"]
    (run / "test.json").write_text(json.dumps(found))


def test_a_checkpoint_that_is_missing_or_damaged_is_named(tmp_path: Path, corpus: Corpus) -> None:
    folder = tmp_path / "trials" / "0000"
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "config.json").write_text('{"settings": {}}')
    for content in (None, b"", b"no archive", b"PK\x03\x04 cut off"):
        if content is not None:
            (folder / "checkpoint" / "state.pt").write_bytes(content)
        with pytest.raises(UserError, match=r"checkpoint in .*checkpoint cannot be read"):
            on_test_songs(tmp_path, "0000", "baseline", corpus, budget=BUDGET)
    for content in ("{", "[]", "{}", '{"settings": null}', '{"settings": 5}', '{"settings": {"spectral_norm": 7}}'):
        (folder / "config.json").write_text(content)
        with pytest.raises(UserError, match=r"config\.json cannot be read|spectral_norm"):
            on_test_songs(tmp_path, "0000", "baseline", corpus, budget=BUDGET)
    assert not (tmp_path / "test.json").exists()


def test_the_winner_on_piano_music_goes_on_from_test_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = piano_corpus()
    folder = tmp_path / "trials" / "0000"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"settings": {"hidden": 8}}')
    asked: list[Music] = []

    class Echo:
        def generate(self, first_bar: Music, chord: Music, *, seed: int) -> Music:
            asked.append(first_bar)
            return np.repeat(first_bar[:, None], chord.shape[1], axis=1)

    def restored(*told: object, horizon: int) -> Echo:
        assert told == (folder / "checkpoint", "lstm", {"hidden": 8}, corpus)
        assert horizon == BUDGET.bars
        return Echo()

    monkeypatch.setattr(final, "restored", restored)
    scores = on_test_songs(tmp_path, "0000", "lstm", corpus, budget=BUDGET)
    assert json.loads((tmp_path / "test.json").read_text()) == {"trial": "0000", "scores": scores}
    test_windows = {window[:16].tobytes() for window in corpus.rasterise(corpus.rows(Split.TEST))}
    assert len(asked[0]) == BUDGET.rollouts
    assert all(bar.tobytes() in test_windows for bar in asked[0])
