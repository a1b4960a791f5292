"""The shell around the ledger: as many trials as there is room for, the state they go on from, and why one crashed."""

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune import Callback
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from data_prep.errors import UserError
from search_spaces.run.waiting import Waiting
from search_spaces.search import tuning
from search_spaces.search.ledger import Ledger
from search_spaces.search.searcher import LedgerScheduler, LedgerSearcher, last_line
from search_spaces.search.study import Outcome, open_study, records
from tests.search_spaces.stubs import SPACE, ledger_of, result

FULL = SPACE.budget.evaluations


def shell(ledger: Ledger, run: Path, concurrency: int = 2) -> LedgerSearcher:
    waiting = Waiting(tell=lambda text: None, given_up=lambda: True)
    return LedgerSearcher(ledger, run / "trials", concurrency=concurrency, waiting=waiting)


@pytest.fixture
def searcher(tmp_path: Path) -> LedgerSearcher:
    return shell(ledger_of(tmp_path, trials=3), tmp_path)


def asked(searcher: LedgerSearcher, trial_id: str) -> dict[str, Any]:
    config = searcher.suggest(trial_id)
    assert isinstance(config, dict)
    return config


def test_no_more_trials_than_may_run_at_a_time_and_in_the_end_no_more_at_all(searcher: LedgerSearcher) -> None:
    assert asked(searcher, "a")["trial"] == "0000"
    assert asked(searcher, "b")["trial"] == "0001"
    assert searcher.suggest("c") is None
    searcher.on_trial_complete("a", result(FULL, 0.5))
    assert asked(searcher, "c")["trial"] == "0002"
    searcher.on_trial_complete("b", result(FULL, 0.5))
    assert searcher.suggest("d") is None  # one may yet crash
    searcher.on_trial_complete("c", result(FULL, 0.5))
    assert searcher.suggest("d") == Searcher.FINISHED


def test_a_trial_that_crashed_comes_again_with_its_state_and_ray_s_reason(
    searcher: LedgerSearcher, tmp_path: Path
) -> None:
    config = asked(searcher, "a")
    assert config["resume"] is None
    searcher.report("a", result(1, 0.5))
    state = tmp_path / "trials" / "0000" / "checkpoint" / "state.pt"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"state")
    errors = tmp_path / "error.txt"
    errors.write_text("Traceback\n  ...\nMemoryError: no room\n\n")
    trial = SimpleNamespace(trial_id="a", error_file=str(errors))
    LedgerScheduler(searcher).on_trial_error(None, trial)
    searcher.on_trial_complete("a", error=True)
    again = asked(searcher, "b")
    assert {name: again[name] for name in ("trial", "seed", "settings")} == {
        name: config[name] for name in ("trial", "seed", "settings")
    }
    assert pickle.loads(pickle.dumps(again["resume"])).data == b"state"
    assert open_study(tmp_path).trials[0].user_attrs["crash"] == "MemoryError: no room"


def test_the_scheduler_stops_what_the_ledger_stops_and_what_it_lets_wait(searcher: LedgerSearcher) -> None:
    scheduler = LedgerScheduler(searcher)
    for trial_id in ("a", "b"):
        asked(searcher, trial_id)
    told = [
        scheduler.on_trial_result(None, SimpleNamespace(trial_id=trial_id), result(2, value))
        for trial_id, value in (("a", 0.2), ("b", 0.9), ("unknown", 0.1))
    ]
    assert told == [TrialScheduler.CONTINUE, TrialScheduler.STOP, TrialScheduler.CONTINUE]


def test_a_trial_that_ends_without_a_result_is_interrupted_with_the_search(
    searcher: LedgerSearcher, tmp_path: Path
) -> None:
    asked(searcher, "a")
    searcher.on_trial_complete("a", {"trial_id": "a"})
    searcher.on_trial_complete("a", result(FULL, 0.5))  # Ray has nothing more to say of it
    searcher.ledger.interrupt("out of time")
    assert [record.outcome for record in records(open_study(tmp_path))] == [Outcome.INTERRUPTED]


@pytest.mark.parametrize("file", [None, "/no/such/file"])
def test_an_error_that_left_no_file_has_no_words(file: str | None) -> None:
    assert last_line(SimpleNamespace(error_file=file)) == ""


def test_what_ray_pickles_of_them_is_nothing(searcher: LedgerSearcher, tmp_path: Path) -> None:
    pickle.dumps(searcher)
    pickle.dumps(LedgerScheduler(searcher))
    searcher.save(str(tmp_path / "searcher.pkl"))


def test_what_a_space_raises_in_the_middle_breaks_the_stage_off_in_a_line(
    searcher: LedgerSearcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "suggest of the space raised ZeroDivisionError: division by zero"

    def tuner(*parts: Any, **more: Any) -> SimpleNamespace:
        def run() -> None:
            raise UserError(told)  # as it comes through Ray, which asks the searcher in its own loop

        return SimpleNamespace(fit=run)

    monkeypatch.setattr(tuning.tune, "Tuner", tuner)
    ending = tuning.fit(
        "baseline",
        searcher,
        Callback(),
        given={},
        resources={"cpu": 1.0},
        seconds=None,
        interruption=tuning.Interruption(),
        tell=print,
    )
    assert ending == f"broken off ({told})"
