"""`train`: the files of a trial without a search, the same numbers, and ways to end."""

import json
import math
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from data_prep import kinds
from data_prep.corpus import Corpus
from reporting.trial_folder import read_scores
from tests.trainables.cli.conftest import PAIR, ROOT, TINY, Run, command, on_disk
from trainables.checkpoint import read_state
from trainables.cli.plan import TrainPlan
from trainables.config import Budget
from trainables.epochs import epoch_bars
from trainables.judge import Judge
from trainables.systems import described
from trainables.training import Training
from trainables.trial import TRAINABLES

SETTINGS = {"hidden": 16, "embedding": 16, "layers": 1}


def without_time(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def same(one: Any, other: Any) -> bool:
    """Whether two states are equal to the bit, but for the seconds they took."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one if k != "seconds")
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def assert_same_runs(one: Path, other: Path) -> None:
    trials = [run / "trials" / "0000" for run in (one, other)]
    rows = [without_time(read_scores(trial)) for trial in trials]
    assert rows[0] == rows[1]
    assert same(*(read_state(trial / "checkpoint") for trial in trials))
    music = [sorted((trial / "samples").glob("*.mid")) for trial in trials]
    assert [path.read_bytes() for path in music[0]] == [path.read_bytes() for path in music[1]]


def test_a_training_leaves_what_a_trial_of_a_search_leaves(trained: Path) -> None:
    trial = trained / "trials" / "0000"
    assert {path.name for path in trained.iterdir()} == {
        *("plan.json", "provenance.json", "leaderboard.json", "leaderboard.md", "trials")
    }
    names = {path.name for path in trial.iterdir()}
    assert {name for name in names if not name.startswith("events")} == {
        *("config.json", "scores.jsonl", "samples", "checkpoint")
    }
    assert {path.suffix for path in (trial / "samples").iterdir()} == {".mid", ".png", ".wav"}
    events = EventAccumulator(str(trial), size_guidance={"audio": 0, "images": 0}).Reload()
    assert len(events.Scalars("objective")) == 3
    assert events.Tags()["audio"]
    assert json.loads((trial / "config.json").read_text()) == {"trial": "0000", "settings": SETTINGS, "seed": 0}
    standing = {line["name"]: line for line in json.loads((trained / "leaderboard.json").read_text())}
    assert standing["0000"]["outcome"] == "finished"
    assert standing["0000"]["objective"] == read_scores(trial)[-1]["objective"]
    assert {"real music", "random notes"} <= standing.keys()


def test_its_output_says_how_it_goes_and_what_to_do_next(trained: Path) -> None:
    output, errors = json.loads((trained.parent / "output.json").read_text())
    lines = output.splitlines()
    assert errors == ""
    assert len([line for line in lines if "/3  objective " in line and "  loss 0." in line and "bars/s" in line]) == 3
    assert "1,536 bars shown" in output
    for start in (
        "Done after",
        "  verdict",
        "  listen",
        "  look         tensorboard --logdir",
        "  more         python -m",
    ):
        assert any(line.startswith(start) for line in lines), start


def test_ray_is_not_loaded(trained: Path) -> None:
    output, _ = json.loads((trained.parent / "output.json").read_text())
    loaded = output.splitlines()[-1].split()
    assert {"torch", "optuna"} <= set(loaded)
    assert not [name for name in loaded if name.partition(".")[0] == "ray"]


def test_its_numbers_are_those_of_a_trial_of_a_search(trained_pair: Path, bars: Path) -> None:
    corpus = kinds.load(bars)

    class Here(TRAINABLES["baseline"]):  # type: ignore[misc]
        def setup(self, config: dict[str, Any]) -> None:  # type: ignore[override]
            budget = Budget(bars=864, evaluations=2, rollouts=8)
            super().setup(config, corpus=corpus, judge=Judge(corpus, rollouts=8), budget=budget)

    trial = Here({"trial": "0000", "seed": 0, "settings": {}})
    rows = read_scores(trained_pair / "trials" / "0000")
    assert len(rows) == 2
    for row in rows:
        result = trial.train()
        assert {name: result[name] for name in ("objective", "losses", "scores")}.items() <= row.items()


def test_going_on_after_a_kill_equals_never_having_stopped(trained: Path, bars: Path, tmp_path: Path, run: Run) -> None:
    words = ("train", *TINY, "--data", bars, "--results", tmp_path, "--name", "killed", "--device", "cpu")
    process = subprocess.Popen(command(*words), cwd=ROOT, stdout=subprocess.DEVNULL)
    trial = tmp_path / "killed" / "trials" / "0000"
    deadline = time.monotonic() + 100
    while not (trial / "checkpoint" / "state.pt").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert not (tmp_path / "killed" / "leaderboard.json").exists(), "it was too fast to be killed"
    code, output, _ = run("train", "--resume", tmp_path / "killed")
    assert code == 0
    assert "Going on with killed after evaluation" in output
    assert_same_runs(trained, tmp_path / "killed")


@pytest.mark.parametrize(("method", "at"), [("step", 1), ("step", 2), ("state_dict", 3)])
def test_an_interruption_ends_in_order_and_says_how_to_go_on(
    method: str, at: int, trained: Path, bars: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        interrupt(patched, Training, method, at=at)
        words = ("train", *TINY, "--data", bars, "--results", tmp_path, "--name", "half")
        code, output, errors = run(*words, "--device", "cpu")
    assert (code, errors) == (130, "")
    assert f"python -m trainables train --resume {tmp_path / 'half'}" in output
    standing = json.loads((tmp_path / "half" / "leaderboard.json").read_text())
    assert next(line["outcome"] for line in standing if line["name"] == "0000") == "interrupted"
    code, output, _ = run("train", "--resume", tmp_path / "half")
    assert code == 0
    assert f"after evaluation {at - 1} of 3" in output
    assert_same_runs(trained, tmp_path / "half")


def test_two_players_go_on_as_one_network_does(
    trained_pair: Path, bars: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        interrupt(patched, Training, "step", at=2)
        words = ("train", *PAIR, "--data", bars, "--results", tmp_path, "--name", "half", "--device", "cpu")
        assert run(*words)[0] == 130
    assert run("train", "--resume", tmp_path / "half")[0] == 0
    assert_same_runs(trained_pair, tmp_path / "half")


def interrupt(patched: pytest.MonkeyPatch, owner: type, name: str, *, at: int) -> None:
    """Ctrl-C at the call of that number."""
    method: Callable[..., Any] = getattr(owner, name)
    calls = iter(range(1, 100))

    def interrupted(self: Any, *arguments: Any) -> Any:
        if next(calls) == at:
            raise KeyboardInterrupt
        return method(self, *arguments)

    patched.setattr(owner, name, interrupted)


def test_going_on_with_a_finished_run_tells_its_end_again(trained: Path, tmp_path: Path, run: Run) -> None:
    shutil.copytree(trained, tmp_path / "whole")
    code, output, _ = run("train", "--resume", tmp_path / "whole")
    assert code == 0
    assert "after evaluation 3 of 3" in output
    assert "Done after" in output
    assert_same_runs(trained, tmp_path / "whole")


def test_a_finished_run_goes_on_as_if_it_had_been_planned_longer(
    trained_pair: Path, bars: Path, tmp_path: Path, run: Run
) -> None:
    shutil.copytree(trained_pair, tmp_path / "short")
    longer = ("--bars", "1728")  # twice as many
    code, output, errors = run("train", "--resume", tmp_path / "short", *longer)
    assert (code, errors) == (0, "")
    assert "after evaluation 2 of 4" in output
    words = ("train", *PAIR, "--data", bars, "--results", tmp_path, "--name", "long", "--device", "cpu")
    replaced = [{"864": "1728", "2": "4"}.get(word, word) for word in map(str, words)]
    assert run(*replaced)[0] == 0
    plans, rows, states = zip(
        *(
            (
                json.loads((tmp_path / name / "plan.json").read_text()),
                read_scores(tmp_path / name / "trials" / "0000"),
                read_state(tmp_path / name / "trials" / "0000" / "checkpoint"),
            )
            for name in ("short", "long")
        ),
        strict=True,
    )
    assert plans[0] == plans[1]
    assert [(row["losses"], row["scores"]) for row in rows[0]] == [(row["losses"], row["scores"]) for row in rows[1]]
    assert same(*(state["system"] for state in states))
    standing = {line["name"]: line for line in json.loads((tmp_path / "short" / "leaderboard.json").read_text())}
    assert standing["0000"]["outcome"] == "finished"
    assert standing["0000"]["objective"] == rows[0][-1]["objective"]


def test_a_run_is_made_longer_in_epochs_but_not_shorter(trained: Path, tmp_path: Path, run: Run) -> None:
    shutil.copytree(trained, tmp_path / "whole")
    plan = (tmp_path / "whole" / "plan.json").read_bytes()
    code, _, errors = run("train", "--resume", tmp_path / "whole", "--epochs", "0.001")
    assert code == 2
    assert "planned for 1,536 bars: --resume can make it longer, not end at" in errors
    assert (tmp_path / "whole" / "plan.json").read_bytes() == plan
    assert run("train", "--resume", tmp_path / "whole", "--bars", "1537")[0] == 0
    rows = read_scores(tmp_path / "whole" / "trials" / "0000")
    assert [row["training_iteration"] for row in rows] == [1, 2, 3, 4]
    assert rows[3]["bars"] > rows[2]["bars"] == 1536


def test_few_validation_songs_are_told_of(piano: Path, tmp_path: Path, run: Run) -> None:
    small = ("--set", "hidden=16", "--set", "embedding=16", "--set", "batch_size=4")
    words = ("--bars", "8", "--evaluations", "1", "--rollouts", "4", "--results", tmp_path, "--name", "piano")
    assert "Remark: what is trained is judged by " in run("train", "lstm", "--data", piano, *small, *words)[1]


def test_divergence_is_told_in_one_line_and_leaves_the_last_good_music(
    bars: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Training.step

    def spoilt(self: Training, evaluation: int) -> dict[str, Any]:
        if evaluation == 2:
            with torch.no_grad():
                for weight in self.system.players.generator.parameters():
                    weight.fill_(math.nan)
        return step(self, evaluation)

    monkeypatch.setattr(Training, "step", spoilt)
    code, output, errors = run("train", *PAIR, "--data", bars, "--results", tmp_path, "--name", "spoilt")
    assert (code, errors) == (1, "")
    last = output.splitlines()[-1]
    assert last.startswith("Diverged: ")
    assert "nan" in last
    assert "the last good music is in" in last
    trial = tmp_path / "spoilt" / "trials" / "0000"
    assert len(list((trial / "samples").glob("*.mid"))) == 3
    assert [row["diverged"] for row in read_scores(trial)] == [False, True]
    assert read_state(trial / "checkpoint")["evaluation"] == 1


@pytest.mark.parametrize("system", ["lstm", "vae"])
def test_piano_music_is_trained_on_too(system: str, piano: Path, tmp_path: Path, run: Run) -> None:
    small = {"lstm": ("hidden=16", "embedding=16"), "vae": ("width=6",)}[system]
    words = [word for pair in (*small, "batch_size=4") for word in ("--set", pair)]
    shape = ("--bars", "32", "--evaluations", "1", "--rollouts", "4", "--results", tmp_path, "--name", "piano")
    code, output, errors = run("train", system, "--data", piano, *words, *shape)
    assert (code, errors) == (0, "")
    assert "windows of 7 songs" in output
    code, _, errors = run("generate", tmp_path / "piano", "--count", "1", "--bars", "2")
    assert (code, errors) == (0, "")


def test_an_epoch_deals_all_training_music_once(corpus: Corpus, piano: Path) -> None:
    from trainables.factory import build

    for system, settings in [
        ("baseline", {}),
        ("baseline", {"bars": 2, "d_updates": 2}),
        ("lstm", {}),
        ("vae", {}),
        ("gan", {"width": 128}),
    ]:
        for music in [corpus] if system == "baseline" else [corpus, kinds.load(piano)]:
            built: Any = build(system, settings, music, seed=0, horizon=100)
            dealer = getattr(built, "dealer", None) or built.windows
            parts = described(system, settings)
            updates = {"d_updates": 1, "g_updates": 0} if system in ("lstm", "vae") else None
            d, g = (updates or {n: getattr(parts.config, n) for n in ("d_updates", "g_updates")}).values()
            assert epoch_bars(parts, music) == dealer.items * dealer.bars_per_item * (d + g) / d


def test_epochs_become_bars(bars: Path, corpus: Corpus, tmp_path: Path, run: Run) -> None:
    words = ("--evaluations", "1", "--rollouts", "4", "--results", tmp_path, "--name", "part", "--epochs", "0.02")
    assert run("train", "lstm", "--set", "hidden=16", "--set", "embedding=16", "--data", bars, *words)[0] == 0
    plan = json.loads((tmp_path / "part" / "plan.json").read_text())
    assert plan["budget"]["bars"] == round(0.02 * epoch_bars(described("lstm", {}), corpus))


def test_a_plan_survives_json() -> None:
    plan = TrainPlan(
        system="mlp", settings={"r1": 0.1}, data="builtin", seed=3, device="cpu", threads=2, budget=Budget(bars=99)
    )
    assert TrainPlan.from_json(json.loads(json.dumps(plan.as_json()))) == plan


def broken(run: Path, file: str, change: Callable[[str], str | bytes | None]) -> None:
    path = run / file
    if path.is_dir():
        shutil.rmtree(path)
        return
    new = change(path.read_text(errors="replace"))
    path.write_bytes(new if isinstance(new, bytes) else (new or "").encode())


@pytest.mark.parametrize(
    ("file", "change", "error"),
    [
        ("plan.json", lambda text: "{", "plan.json cannot be read"),
        ("plan.json", lambda text: "[]", "plan.json cannot be read"),
        ("plan.json", lambda text: text.replace('"lstm"', '"lstn"'), "did you mean 'lstm'"),
        ("plan.json", lambda text: text.replace("1536", '"x"'), "plan.json cannot be read"),
        ("plan.json", lambda text: text.replace("{", '{"space": "smoke",', 1), "is a search"),
        ("provenance.json", lambda text: "{}", "provenance.json cannot be read"),
        ("trials/0000/checkpoint/state.pt", lambda text: b"PK\x03\x04", "checkpoint cannot be read"),
        ("trials/0000/scores.jsonl", lambda text: '{"bars": 3}\n', "scores.jsonl cannot be read"),
    ],
)
def test_going_on_with_a_damaged_run_is_refused_in_one_line(
    file: str, change: Callable[[str], str], error: str, trained: Path, tmp_path: Path, run: Run
) -> None:
    shutil.copytree(trained, tmp_path / "whole")
    broken(tmp_path / "whole", file, change)
    code, _, errors = run("train", "--resume", tmp_path / "whole")
    assert code == 2
    assert error in errors
    assert errors.count("\n") == 1


def test_other_music_than_before_is_refused(corpus: Corpus, tmp_path: Path, run: Run) -> None:
    data = on_disk(corpus, tmp_path / "data")
    assert run("train", *TINY, "--data", data, "--results", tmp_path, "--name", "run")[0] == 0
    corpus.melody.flat[0] += 1
    try:
        on_disk(corpus, data)
    finally:
        corpus.melody.flat[0] -= 1
    for words in (("train", "--resume", tmp_path / "run"), ("generate", tmp_path / "run")):
        code, _, errors = run(*words)
        assert code == 2
        assert "is not what run was trained on" in errors


def test_a_full_disk_is_told_in_one_line(bars: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, state: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainables.cli.training.write_state", full)
    code, _, errors = run("train", *TINY, "--data", bars, "--results", tmp_path, "--name", "full")
    assert code == 2
    assert "cannot be written to (No space left on device)" in errors
