"""A real search that is killed again and again: nothing is lost, repeated or told wrong, to the last digit.

`WTG_CHAOS=50` asks for so many kills; a handful is enough to see that it all holds together.
"""

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tune
from data_prep import kinds
from data_prep.locate import resolve
from reporting.trial_folder import read_scores
from search_spaces.search.study import Outcome, TrialRecord, open_study, records, stages_of
from search_spaces.space import load_space
from tests.conftest import descendants
from tests.toy_space import EVALUATIONS, kill, rows, start, write_space
from trainables.judge import Judge
from trainables.training import Training

ROOT = Path(tune.__file__).parent
KILLS = int(os.environ.get("WTG_CHAOS", 4))
TRIALS = max(4, KILLS // 2)
TRAINING = (b"ray::ResourceTrainable", b"ray::BaselineTrial")
"""How a worker names itself while it trains, and while it waits for more to do."""

pytestmark = pytest.mark.timeout(600 + 180 * KILLS)


@dataclass
class Monkey:
    """Starts the search, and breaks what it can reach."""

    results: Path
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)
    orphans: list[int] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None

    @property
    def run(self) -> Path:
        return self.results / "run"

    def start(self) -> None:
        if self.run.exists():
            which = ["--space", write_space(self.run.parent), "--resume", str(self.run)]
        else:
            which = ["--space", str(self.results / "toy.py"), "--name", "run", "--trials", str(TRIALS)]
        with (self.results / "output.txt").open("ab") as output:
            self.process = start(*which, "--results", str(self.results), output=output.fileno())

    def alive(self) -> bool:
        assert self.process is not None
        return self.process.poll() is None

    def wait(self) -> None:
        """Until a random moment after the next row, or while it still starts."""
        before, start = rows(self.run), time.monotonic()
        early = self.chance.random() < 0.1
        until = self.chance.uniform(1, 8) if early else 240
        while self.alive() and time.monotonic() - start < until and (early or rows(self.run) == before):
            time.sleep(0.05)
        time.sleep(self.chance.expovariate(2.5))

    def strike(self) -> None:
        """Kill the search, or one of its workers; perhaps damage the state that it would go on from."""
        if not self.alive():
            return
        if self.chance.random() < 0.35 and (workers := self.workers()):
            self.done["worker"] += 1
            kill(self.chance.choice(workers))
            return
        assert self.process is not None
        below = descendants(self.process.pid)
        self.done["driver"] += 1
        self.process.kill()
        self.process.wait()
        self.orphans += below
        if self.chance.random() < 0.4:
            self.damage()

    def workers(self) -> list[int]:
        assert self.process is not None
        return [pid for pid in descendants(self.process.pid) if command_of(pid).startswith(TRAINING)]

    def damage(self) -> None:
        states = sorted(self.run.glob("trials/*/checkpoint/state.pt"))
        if not states:
            return
        state = self.chance.choice(states)
        if self.chance.random() < 0.5:
            self.done["deleted state"] += 1
            state.unlink()
        else:
            self.done["truncated state"] += 1
            os.truncate(state, self.chance.randrange(state.stat().st_size))

    def clear(self) -> None:
        """End what a killed driver left: each would end by itself, and until then takes the time of the others."""
        for pid in self.orphans:
            if command_of(pid).startswith((b"ray::", b"/")) or b"ray" in command_of(pid):
                kill(pid)
        self.orphans.clear()


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="module")
def monkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monkey]:
    """A search that came to its end in spite of all."""
    if not Path("/proc/self/task").exists():
        pytest.skip("no /proc on this system to find processes in")
    results = tmp_path_factory.mktemp("chaos")
    write_space(results)
    monkey = Monkey(results, random.Random(os.environ.get("WTG_CHAOS_SEED", "0")))
    before = os.environ.get("RAY_TMPDIR")
    # Ray's sockets live in its folder, and a socket's path may not be longer than 107 characters.
    with tempfile.TemporaryDirectory(prefix="wtg", dir="/tmp", ignore_cleanup_errors=True) as folder:
        os.environ["RAY_TMPDIR"] = folder
        try:
            let_loose(monkey)
            yield monkey
        finally:
            if monkey.process and monkey.alive():
                monkey.orphans += [monkey.process.pid, *descendants(monkey.process.pid)]
            monkey.clear()
            os.environ.pop("RAY_TMPDIR")
            if before is not None:
                os.environ["RAY_TMPDIR"] = before


def let_loose(monkey: Monkey) -> None:
    while True:
        monkey.start()
        while monkey.alive() and sum(monkey.done.values()) < KILLS:
            monkey.wait()
            monkey.strike()
        assert monkey.process is not None
        status = monkey.process.wait(timeout=600)
        monkey.clear()
        output = (monkey.results / "output.txt").read_text()
        assert status in (0, -signal.SIGKILL), output[-4000:]
        assert "Traceback" not in output, output[-4000:]
        if status == 0:
            return


def found(monkey: Monkey) -> list[TrialRecord]:
    return records(open_study(monkey.run)) if stages_of(monkey.run) else []


def test_every_trial_is_there_once_and_has_ended(monkey: Monkey) -> None:
    ended = found(monkey)
    print(dict(monkey.done), Counter(record.outcome.value for record in ended))
    assert monkey.done["driver"] > 0
    assert [record.name for record in ended] == [f"{number:04d}" for number in range(TRIALS)]
    assert sorted(path.name for path in (monkey.run / "trials").iterdir()) == [record.name for record in ended]
    assert {record.outcome for record in ended} <= {Outcome.FINISHED, Outcome.STOPPED, Outcome.FAILED}
    known = [record.known for record in ended if record.known]
    assert known == [known.source for known in load_space("smoke").distinct_known()]
    for record in ended:
        if record.outcome is Outcome.FAILED:
            assert record.attempts == 4
            assert record.reason.startswith("crashed 4 times: ")
    states = Counter(trial.state.name for trial in open_study(monkey.run).trials)
    assert not {"RUNNING", "WAITING"} & set(states)


def test_every_evaluation_is_written_once_and_told_to_the_study(monkey: Monkey) -> None:
    for record in found(monkey):
        written = read_scores(monkey.run / "trials" / record.name)
        assert [row["training_iteration"] for row in written] == list(range(1, len(written) + 1)), record.name
        if record.outcome is Outcome.FINISHED:
            assert len(written) == EVALUATIONS
        if record.outcome is not Outcome.FAILED:
            assert record.objective == written[-1]["objective"], record.name
        (last,) = [trial for trial in open_study(monkey.run).trials if trial.user_attrs["name"] == record.name][-1:]
        assert last.intermediate_values == {row["training_iteration"]: row["objective"] for row in written}, record.name


def test_tensorboard_has_every_step_once(monkey: Monkey) -> None:
    for record in found(monkey):
        folder = monkey.run / "trials" / record.name
        board = EventAccumulator(str(folder))
        board.Reload()
        steps = [(event.step, event.value) for event in board.Scalars("objective")]
        assert steps == [(row["bars"], pytest.approx(row["objective"])) for row in read_scores(folder)], record.name


def test_the_leaderboard_tells_what_the_study_does(monkey: Monkey) -> None:
    lines: list[dict[str, Any]] = json.loads((monkey.run / "leaderboard.json").read_text())
    told = {line["name"]: (line["outcome"], line["objective"]) for line in lines if line["outcome"] != "anchor"}
    assert told == {record.name: (record.outcome.value, record.objective) for record in found(monkey)}


def test_every_trial_is_to_the_digit_what_it_is_undisturbed(monkey: Monkey) -> None:
    corpus = kinds.load(resolve("builtin"))
    budget = load_space(str(monkey.results / "toy.py")).budget
    judge = Judge(corpus, rollouts=budget.rollouts, early_rollouts=budget.early_rollouts)
    torch.set_num_threads(1)
    for record in found(monkey):
        folder = monkey.run / "trials" / record.name
        config = json.loads((folder / "config.json").read_text())
        training = Training("baseline", config["settings"], corpus.bare(), judge, budget, seed=config["seed"])
        for row in read_scores(folder):
            undisturbed = training.step(row["training_iteration"])
            for name in row.keys() - {"seconds"}:
                assert row[name] == json.loads(json.dumps(undisturbed[name], default=float)), (record.name, name)
