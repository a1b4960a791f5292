import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_prep.corpus import Corpus, Split, load
from data_prep.errors import UserError
from data_prep.locate import resolve
from reporting import final
from reporting.final import FinalJudge
from reporting.row import Row
from reporting.seeds import Configuration
from scores.phrases import Music
from search_spaces.space import load_space
from tests.piano import piano_corpus
from trainables.config import Budget

BUDGET = Budget(bars=2_000, evaluations=4, rollouts=4, early_rollouts=4)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load(resolve("builtin"))


def judge(run: Path, corpus: Corpus, budget: Budget = BUDGET) -> FinalJudge:
    return FinalJudge(run, "baseline", corpus, budget=budget)


def finished(name: str, objective: float = 0.5) -> Row:
    return Row(name=name, outcome="finished", objective=objective, scores={}, parameters={}, note="")


def alone(name: str) -> list[Configuration]:
    return [Configuration(name=name, trials=(finished(name),), diverged=0)]


def test_the_winner_of_a_search_was_judged_on_the_test_songs(run: Path, tmp_path: Path, corpus: Corpus) -> None:
    found = json.loads((run / "test.json").read_text())
    lines = json.loads((run / "leaderboard.json").read_text())
    name = next(str(line["name"]) for line in lines if line["outcome"] == "finished")
    assert found["winner"] == name
    scores = found["trials"][name]
    assert 0 < scores["objective"] < 3
    assert f"objective {scores['objective']:.3f}; " in (run.parent / "output.txt").read_text()
    told = {"name": name, "objective": scores["objective"], "sd": None, "count": 1, "trials": [name], "fault": ""}
    assert found["configurations"] == [told]
    # The same from the checkpoint on disk, and from other songs than those that it was chosen by.
    budget = load_space("smoke").budget
    (tmp_path / "trials").symlink_to(run / "trials")
    assert judge(tmp_path, corpus, budget).scores(name) == pytest.approx(scores, abs=1e-6)
    other = replace(corpus, split=corpus.split.copy())
    other.split[corpus.split == Split.TEST], other.split[corpus.split == Split.VALIDATION] = (
        Split.VALIDATION,
        Split.TEST,
    )
    (tmp_path / "test.json").unlink()
    assert judge(tmp_path, other, budget).scores(name)["objective"] != scores["objective"]


def test_what_the_file_holds_is_not_asked_again(tmp_path: Path, corpus: Corpus) -> None:
    kept = {"objective": 0.25, "note_count": 3.0}
    told = {"corpus": corpus.digest, "rollouts": BUDGET.rollouts, "trials": {"0000": kept}}
    (tmp_path / "test.json").write_text(json.dumps(told))
    assert judge(tmp_path, corpus).scores("0000") == kept  # there is no trial in this folder that it could ask
    with pytest.raises(UserError, match="cannot be read"):
        judge(tmp_path, corpus, replace(BUDGET, rollouts=5, early_rollouts=5)).scores("0000")
    (tmp_path / "test.json").write_text(json.dumps(told | {"corpus": "other music"}))
    with pytest.raises(UserError, match="cannot be read"):
        judge(tmp_path, corpus).scores("0000")
    for damaged in ("{", "[]", '{"corpus": 1}', '{"trials": {"0000": 5}}'):
        (tmp_path / "test.json").write_text(damaged)
        with pytest.raises(UserError, match="cannot be read"):
            judge(tmp_path, corpus).scores("0000")


def test_finalists_are_told_by_their_means_though_one_cannot_be_judged(tmp_path: Path, corpus: Corpus) -> None:
    trials = {"a1": 0.2, "a2": 0.4, "b1": 0.7}
    told = {
        "corpus": corpus.digest,
        "rollouts": BUDGET.rollouts,
        "trials": {name: {"objective": value} for name, value in trials.items()},
    }
    (tmp_path / "test.json").write_text(json.dumps(told))
    configurations = [
        Configuration(name=name[0], trials=tuple(map(finished, names)), diverged=0)
        for name, names in (("a", ("a1", "a2")), ("b", ("b1", "lost")), ("c", ("lost",)))
    ]
    first, second, third = judge(tmp_path, corpus).conclude(finished("a2"), configurations)
    assert (first.objective, first.sd) == (pytest.approx(0.3), pytest.approx(0.1414214))  # by hand: 0.2 / sqrt(2)
    assert (first.count, first.fault) == (2, "")
    assert (second.objective, second.sd, second.trials) == (0.7, None, ["b1"])
    assert "config.json cannot be read" in second.fault
    assert (third.objective, third.count) == (None, 0)
    content = json.loads((tmp_path / "test.json").read_text())
    assert content["winner"] == "a2"
    assert [line["count"] for line in content["configurations"]] == [2, 1, 0]
    assert set(content["trials"]) == set(trials)


def test_ctrl_c_keeps_what_was_found(tmp_path: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    final_judge = judge(tmp_path, corpus)
    asked: list[str] = []

    def scores(trial: str) -> None:
        asked.append(trial)
        raise KeyboardInterrupt

    monkeypatch.setattr(final_judge, "scores", scores)
    told = final_judge.conclude(finished("0000"), [*alone("0000"), *alone("0001")])
    assert [each.fault for each in told] == ["interrupted", "interrupted"]
    assert asked == ["0000"]


def test_a_checkpoint_that_is_missing_or_damaged_is_named(tmp_path: Path, corpus: Corpus) -> None:
    folder = tmp_path / "trials" / "0000"
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "config.json").write_text('{"settings": {}}')
    for content in (None, b"", b"no archive", b"PK\x03\x04 cut off"):
        if content is not None:
            (folder / "checkpoint" / "state.pt").write_bytes(content)
        with pytest.raises(UserError, match=r"checkpoint in .*checkpoint cannot be read"):
            judge(tmp_path, corpus).scores("0000")
    for content in ("{", "[]", "{}", '{"settings": null}', '{"settings": 5}', '{"settings": {"spectral_norm": 7}}'):
        (folder / "config.json").write_text(content)
        with pytest.raises(UserError, match=r"config\.json cannot be read|spectral_norm"):
            judge(tmp_path, corpus).scores("0000")
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
    scores = FinalJudge(tmp_path, "lstm", corpus, budget=BUDGET).scores("0000")
    assert json.loads((tmp_path / "test.json").read_text())["trials"] == {"0000": scores}
    test_windows = {window[:16].tobytes() for window in corpus.rasterise(corpus.rows(Split.TEST))}
    assert len(asked[0]) == BUDGET.rollouts
    assert all(bar.tobytes() in test_windows for bar in asked[0])
