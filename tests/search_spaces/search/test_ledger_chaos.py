"""A search that is killed at its writes, many times: every trial ends once, truthfully, with its whole curve."""

import json
import os
import random
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from search_spaces.run.waiting import Waiting
from search_spaces.search.evolution import Evolution
from search_spaces.search.journal import STUDY_FILE, SoundJournal
from search_spaces.search.ledger import ATTEMPTS, Ledger
from search_spaces.search.population import Change
from search_spaces.search.samplers import sampler_of
from search_spaces.search.stopping import Decision, Halving, Median, Never, Pausing, Rule
from search_spaces.search.study import Outcome, TrialRecord, open_study, records, stages_of
from search_spaces.space import Space
from tests.search_spaces.stubs import SPACE, ledger_of, objective_of, result, with_objectives

FULL = SPACE.budget.evaluations


class Kill(BaseException):
    """The process is no more: whatever was in its memory is lost."""


@dataclass
class Machine:
    """Writes that fail by chance: killed before, after or in the middle of one, or refused by a full disk."""

    chance: random.Random
    kills: float = 0.0
    refusals: float = 0.0
    counted: Counter[str] = field(default_factory=Counter)

    def append(self, append: Any, journal: SoundJournal, logs: list[dict[str, Any]]) -> None:
        if self.chance.random() < self.refusals:
            self.counted["refused"] += 1
            raise OSError(28, "No space left on device")
        if self.chance.random() >= self.kills:
            append(journal, logs)
            return
        how = self.chance.choice(("before", "after", "half"))
        self.counted[how] += 1
        if how == "after":
            append(journal, logs)
        if how == "half":
            line = json.dumps(logs[0]).encode()
            with Path(journal._file_path).open("ab") as file:
                file.write(line[: self.chance.randrange(1, len(line) + 1)])
        raise Kill


class Clones:
    """A population in which the worst goes on from the best, whatever there is."""

    def evolve(self, members: Any) -> list[Change]:
        ranked = sorted(members, key=lambda member: (member.curve[max(member.curve)], member.name))
        settings = dict(ranked[0].periods[-1].settings) | {"feature_weight": ranked[0].curve[max(ranked[0].curve)]}
        return [Change(name=ranked[-1].name, donor=ranked[0].name, settings=settings)] if len(ranked) > 1 else []


class Search:
    """What stands between a ledger and its trials: hands them out, trains them by a formula, keeps their states."""

    def __init__(self, run: Path, space: Space, rule: Rule, machine: Machine, trials: int, *, population: bool) -> None:
        self.run, self.space, self.rule, self.machine, self.trials = run, space, rule, machine, trials
        self.population = population
        self.states: dict[str, int] = {}
        self.reported: dict[str, dict[int, float]] = {}
        self.ended: Counter[str] = Counter()
        self.diverging = {f"{n:04d}": machine.chance.randint(1, FULL) for n in range(trials) if n % 7 == 3}
        self.hopeless = {f"{n:04d}" for n in range(trials) if n % 11 == 5}

    def live(self) -> None:
        """One process of the search, to its end, or to its death."""
        chance, running = self.machine.chance, dict[str, int]()
        evolution = Evolution(Clones(), self.run / "trials") if self.population else None  # type: ignore[arg-type]
        begun = len(found(self.run))
        sampler = sampler_of("random", self.space, seed=1, trials=self.trials, begun=begun)
        ledger = self.written(
            lambda: ledger_of(
                self.run, self.space, trials=self.trials, rule=self.rule, evolution=evolution, sampler=sampler
            )
        )
        while not ledger.over:
            if len(running) < 4 and (assignment := self.written(ledger.next)):
                assert assignment.name not in running
                running[assignment.name] = self.states.get(assignment.name, 0) if assignment.goes_on else 0
            elif not running:
                pytest.fail("a search with trials left hands out none")
            if not running:
                continue
            name = chance.choice(sorted(running))
            if name in self.hopeless or chance.random() < 0.02:
                del running[name]
                self.written(ledger.crash, name, "MemoryError")
            elif chance.random() < 0.01:
                break
            elif not self.step(ledger, name, running):
                del running[name]
        for name, step in list(running.items()):  # Ray ends all, with what they reported last
            if step:
                self.written(ledger.end, name, result(step, objective_of(name, step)))
        self.written(ledger.interrupt, "out of time")

    def step(self, ledger: Ledger, name: str, running: dict[str, int]) -> bool:
        """One evaluation of a trial; whether it goes on."""
        running[name] += 1
        step = running[name]
        told = result(
            step, objective_of(name, step), **{"objectives/realism": 1 / step, "objectives/balance": step / 9}
        )
        if step == self.diverging.get(name):
            self.written(ledger.end, name, told | {"objective": 3.0, "diverged": True})
            return False
        if step == FULL:
            self.note(name, step)
            self.written(ledger.end, name, told)
            self.states[name] = step
            return False
        self.note(name, step)
        decision = self.written(ledger.report, name, told)
        if self.machine.chance.random() < 0.9:  # else the state is written too late for a kill
            self.states[name] = step
        if decision is not Decision.GO_ON:
            self.written(ledger.end, name, told)
        return decision is Decision.GO_ON

    def note(self, name: str, step: int) -> None:
        self.reported.setdefault(name, {})[step] = objective_of(name, step)

    def written(self, step: Any, *arguments: Any) -> Any:
        waiting = Waiting(tell=lambda text: None, given_up=lambda: False, pause=0)
        return waiting.until_written(lambda: step(*arguments))


def found(run: Path) -> list[TrialRecord]:
    return records(open_study(run)) if stages_of(run) else []


def run_through(search: Search) -> int:
    """Live until nothing is left to do; how many lives it took."""
    for life in range(1, 500):
        try:
            search.live()
        except Kill:
            continue
        ended = found(search.run)
        if len(ended) == search.trials and all(record.outcome is not Outcome.INTERRUPTED for record in ended):
            return life
    pytest.fail("it never ends")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine, append = Machine(random.Random()), SoundJournal.append_logs
    monkeypatch.setattr(SoundJournal, "append_logs", lambda journal, logs: machine.append(append, journal, logs))
    monkeypatch.setattr("optuna.storages.journal._file.os.fsync", lambda number: None)  # no machine loses its power
    return machine


RULES = {
    "asha": Halving(2, FULL),
    "median": Median(2, FULL),
    "none": Never(),
    "population": Pausing(2, FULL),
}
SPACES = {
    "one": SPACE,
    "other": with_objectives(SPACE, "realism"),
    "several": with_objectives(SPACE, "realism", "balance"),
}


@pytest.mark.parametrize("seed", range(int(os.environ.get("WTG_CHAOS", 2)) // 2))
@pytest.mark.parametrize("objectives", SPACES)
@pytest.mark.parametrize("rule", RULES)
def test_no_kill_loses_repeats_or_falsifies_a_trial(
    rule: str, objectives: str, seed: int, tmp_path: Path, machine: Machine
) -> None:
    machine.chance = random.Random(f"{rule} {objectives} {seed}")
    population = rule == "population"
    machine.kills, machine.refusals = (0.02, 0.02) if population else (0.04, 0.02)
    search = Search(
        tmp_path, SPACES[objectives], RULES[rule], machine, trials=8 + 4 * (seed > 0), population=population
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Optuna warns of what is told twice
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        lives = run_through(search)
    machine.kills = machine.refusals = 0.0
    assert lives > 1
    check(search, found(tmp_path))


def check(search: Search, all_ended: list[TrialRecord]) -> None:
    assert [record.name for record in all_ended] == [f"{number:04d}" for number in range(search.trials)]
    assert [record.known for record in all_ended if record.known] == ["first", "second"]
    entries = plain(search.run)
    assert {entry.state for entry in entries} <= {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL}
    for record in all_ended:
        ended = [entry for entry in entries if entry.user_attrs["name"] == record.name]
        *before, last = ended
        assert all(entry.state is TrialState.FAIL and entry.user_attrs["interrupted"] for entry in before)
        assert all(entry.params.items() <= last.params.items() for entry in before)
        curve = {int(k): v for k, v in last.user_attrs.get("curve", last.intermediate_values).items() if v == v}
        assert curve == search.reported.get(record.name, {}), record
        assert record.attempts <= ATTEMPTS
        check_outcome(search, record, curve)


def check_outcome(search: Search, record: TrialRecord, curve: dict[int, float]) -> None:
    name = record.name
    if name in search.hopeless:
        assert (record.outcome, record.attempts) == (Outcome.FAILED, ATTEMPTS)
        assert "crashed 4 times: MemoryError" in record.reason
    elif record.outcome is Outcome.DIVERGED:
        assert search.diverging[name] == len(curve) + 1
    elif record.outcome is Outcome.FINISHED:
        assert len(curve) == FULL
        assert record.objective == curve[FULL]
        assert set(record.objectives.values()) <= {1 / FULL, FULL / 9}
    elif record.outcome is Outcome.STOPPED:
        assert record.reason == f"among the worse at evaluation {max(curve)}"
        assert isinstance(search.rule, Halving | Median)
    else:
        assert record.outcome is Outcome.FAILED
        assert record.attempts == ATTEMPTS


def plain(run: Path) -> list[optuna.trial.FrozenTrial]:
    """The entries as Optuna alone reads them, with its own backend."""
    storage = JournalStorage(JournalFileBackend(str(run / STUDY_FILE)))
    return optuna.load_study(study_name="search", storage=storage).trials
