"""Going on with a run: the right one, by its own plan, and never as another search."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from data_prep.errors import UserError
from data_prep.files import write_json
from search_spaces.run import resume
from search_spaces.run.options import new_plan, parser
from search_spaces.run.plan import Plan
from search_spaces.run.resume import FINGERPRINTS, PLAN_FILE, PROVENANCE_FILE, check_same, fingerprints, resumed_plan
from search_spaces.search.study import open_study
from search_spaces.space import Space, load_space

SPACE = load_space("smoke")


def parse(*arguments: str) -> Any:
    return parser().parse_args(arguments)


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def begin(results: Path, name: str, *arguments: str, space: str = "smoke") -> Plan:
    plan, found = new_plan(parse("--space", space, "--results", str(results), "--name", name, *arguments))
    plan.make_folder()
    write_json(plan.run / PLAN_FILE, plan.as_json(found))
    return plan


def go_on(results: Path, *arguments: str) -> tuple[Plan, Space]:
    return resumed_plan(parse("--results", str(results), "--resume", *arguments))


def refusal(results: Path, *arguments: str) -> str:
    with pytest.raises(UserError) as refused:
        go_on(results, *arguments)
    assert "\n" not in str(refused.value)
    return str(refused.value)


ALL = (
    *("--seed", "7", "--sampler", "random", "--scheduler", "median", "--trials", "9", "--time-budget", "2h"),
    *("--protocol", "wide,repeat", "--finalists", "2", "--repeats", "4", "--concurrency", "1"),
    *("--set", "spectral_norm=d_all", "--system", "baseline", "--cpus-per-trial", "1"),
)


def test_a_run_goes_on_by_the_plan_it_was_begun_with(tmp_path: Path) -> None:
    plan = begin(tmp_path, "run", *ALL)
    resumed, space = go_on(tmp_path, str(tmp_path / "run"))
    assert resumed.as_json(space) == plan.as_json(space)
    assert space.fixed == {"spectral_norm": "d_all"}
    again, _ = go_on(tmp_path, "run", *ALL)  # the same options say nothing new
    assert again == resumed


def test_a_run_is_found_by_folder_name_or_as_the_newest_of_its_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = begin(tmp_path, "old"), begin(tmp_path, "new")
    begin(tmp_path, "other", space="gan_balance")
    for age, run in ((200, old), (100, new)):
        os.utime(run.run / PLAN_FILE, (1e9 - age, 1e9 - age))
    (tmp_path / "no-run").mkdir()
    write_json(tmp_path / "no-run" / PLAN_FILE, ["no plan"])
    assert go_on(tmp_path, "--space", "smoke")[0].name == "new"
    assert go_on(tmp_path, "--name", "old")[0].name == "old"
    assert go_on(tmp_path, "old")[0].run == old.run
    monkeypatch.chdir(tmp_path)
    assert resumed_plan(parse("--resume", "old"))[0].run == old.run
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    old.run.rename(moved)
    assert resumed_plan(parse("--resume", str(moved)))[0].run == moved


def test_a_run_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    begin(tmp_path, "long-run")
    assert "did you mean" in refusal(tmp_path, "lnog-run")
    assert "did you mean" in refusal(tmp_path, "--name", "long-rum")
    assert "name the folder of a search that was begun" in refusal(tmp_path, "/no/such/run")
    assert "needs a run: name its folder" in refusal(tmp_path)
    assert "no run of the space 'gan_balance'" in refusal(tmp_path, "--space", "gan_balance")
    assert "no run of the space 'smoke'" in refusal(tmp_path / "nowhere", "--space", "smoke")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--space", "gan_balance"), "--space cannot change when a run goes on (it was smoke)"),
        (("--system", "mlp"), "--system cannot change"),
        (("--data", "/elsewhere"), "--data cannot change when a run goes on (it was builtin)"),
        (("--seed", "8"), "--seed cannot change when a run goes on (it was 7)"),
        (("--sampler", "gp"), "--sampler cannot change when a run goes on (it was random)"),
        (("--scheduler", "asha"), "--scheduler cannot change when a run goes on (it was median)"),
        (("--objectives", "realism"), "--objectives cannot change when a run goes on (it was objective)"),
        (("--set", "spectral_norm=none"), "--set cannot change"),
        (("--name", "other"), "--name is 'other', but the run that goes on is 'run': leave it out."),
        (("--protocol", "wide,narrow"), "can only add stages to wide,repeat"),
        (("--trials", "0"), "--trials is 0, but must be at least 1."),
    ],
)
def test_options_that_would_make_it_another_search_are_refused(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    begin(tmp_path, "run", *ALL)
    assert message in refusal(tmp_path, str(tmp_path / "run"), *arguments)


def test_more_may_be_asked_of_it(tmp_path: Path) -> None:
    begin(tmp_path, "run", "--time-budget", "2h")
    plan, _ = go_on(tmp_path, "run", "--trials", "30", "--concurrency", "3", "--protocol", "wide,repeat")
    assert (plan.trials, plan.concurrency, plan.protocol, plan.time_budget) == (30, 3, ("wide", "repeat"), None)
    assert go_on(tmp_path, "run", "--time-budget", "3h")[0].time_budget == 10_800
    assert go_on(tmp_path, "run", "--time-budget", "none")[0].time_budget is None
    assert go_on(tmp_path, "run")[0].time_budget == 7_200


@pytest.mark.parametrize("content", ["", "{", "[]", '{"space": "smoke"}', "null"])
def test_a_plan_that_cannot_be_read_gets_one_line(content: str, tmp_path: Path) -> None:
    plan = begin(tmp_path, "run")
    (plan.run / PLAN_FILE).write_text(content)
    assert "is no plan that can be gone on with" in refusal(tmp_path, "run")


def test_a_plan_that_was_changed_by_hand_is_held_to_the_rules(tmp_path: Path) -> None:
    plan = begin(tmp_path, "run")
    told = json.loads((plan.run / PLAN_FILE).read_text())
    write_json(plan.run / PLAN_FILE, told | {"sampler": "tpee"})
    assert "did you mean 'tpe'?" in refusal(tmp_path, "run")


SPACE_FILE = (
    "from dataclasses import replace\nfrom search_spaces import smoke\nSPACE = replace(smoke.SPACE, trials={})\n"
)


def test_what_a_space_does_tells_it_from_another_not_how_it_is_written(tmp_path: Path) -> None:
    marks = fingerprints(SPACE, "corpus")
    path = tmp_path / "toy.py"
    path.write_text(SPACE_FILE.format(4))
    assert fingerprints(load_space(str(path)), "corpus") == marks
    path.write_text(SPACE_FILE.replace("trials={}", "first_rung=3"))
    assert fingerprints(load_space(str(path)), "corpus")["space"] != marks["space"]
    assert fingerprints(load_space("gan_balance"), "corpus")["space"] != marks["space"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("space",), "another space"),
        (("corpus",), "other music"),
        (("code",), "other code"),
        (("space", "code"), "another space and other code"),
    ],
)
def test_what_has_changed_is_refused_unless_forced(changed: tuple[str, ...], told: str, tmp_path: Path) -> None:
    marks = fingerprints(SPACE, "corpus")
    write_json(tmp_path / PROVENANCE_FILE, {FINGERPRINTS: marks})
    assert check_same(tmp_path, marks, force=False) == []
    now = marks | dict.fromkeys(changed, "other")
    with pytest.raises(UserError, match=f"was searched with {told}, so that .* go on all the same with --force"):
        check_same(tmp_path, now, force=False)
    assert check_same(tmp_path, now, force=True) == list(changed)


def test_a_run_killed_before_it_told_where_it_came_from_goes_on(tmp_path: Path) -> None:
    marks = fingerprints(SPACE, "corpus")
    assert check_same(tmp_path, marks, force=False) == []
    (tmp_path / PROVENANCE_FILE).write_text('{"fingerp')
    assert check_same(tmp_path, marks, force=False) == []


def test_all_code_that_decides_a_trial_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("data_prep", "scores", "trainables", "search_spaces"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "part.py").write_text("x = 1\n")
    monkeypatch.setattr(resume, "__file__", str(tmp_path / "search_spaces" / "run" / "resume.py"))
    before = fingerprints(SPACE, "")["code"]
    (tmp_path / "reporting").mkdir()
    (tmp_path / "reporting" / "part.py").write_text("y = 2\n")
    assert fingerprints(SPACE, "")["code"] == before
    for package in ("data_prep", "scores", "trainables", "search_spaces"):
        (tmp_path / package / "part.py").write_text("x = 2\n")
        changed = fingerprints(SPACE, "")["code"]
        assert changed != before
        before = changed


def test_a_space_that_is_a_file_is_named_by_who_resumes(tmp_path: Path) -> None:
    for name in ("mine.py", "moved.py"):
        (tmp_path / name).write_text("from search_spaces.smoke import SPACE  # noqa")
    begin(tmp_path, "run", space=str(tmp_path / "mine.py"))
    assert f"name it as well, --space {tmp_path / 'mine.py'}" in refusal(tmp_path, "run")
    assert go_on(tmp_path, "run", "--space", str(tmp_path / "moved.py"))[0].space == str(tmp_path / "moved.py")


def test_trials_of_a_closed_stage_stay_as_many_as_they_were(tmp_path: Path) -> None:
    plan = begin(tmp_path, "run", "--trials", "6", "--protocol", "wide,repeat")
    assert go_on(tmp_path, "run", "--trials", "9")[0].trials == 9
    open_study(plan.run, stage="repeat")
    assert "a later stage has begun" in refusal(tmp_path, "run", "--trials", "9")
    assert go_on(tmp_path, "run", "--trials", "6")[0].trials == 6
