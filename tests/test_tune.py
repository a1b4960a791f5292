"""The whole way once: a real search on real music, and everything that it leaves behind."""

import json
import socket
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pretty_midi
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

import tune
from data_prep.errors import UserError
from search_spaces.run.options import new_plan, parser, time_budget
from search_spaces.run.plan import Plan
from search_spaces.search.study import Outcome, open_study, records
from search_spaces.space import load_space
from tests.toy_space import write_space

ROOT = Path(tune.__file__).parent
SPACE = load_space("smoke")
FULL = SPACE.budget.bars


def trials(run: Path) -> list[Path]:
    return sorted(path for path in (run / "trials").iterdir() if path.is_dir())


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder), size_guidance={"audio": 0, "images": 0})
    accumulator.Reload()
    return accumulator


def test_the_output_names_the_winner_where_to_listen_and_the_next_command(run: Path) -> None:
    output = (run.parent / "output.txt").read_text()
    assert "Winner: trial" in output
    assert "listen" in output
    assert "tensorboard --logdir" in output
    assert "front" not in output  # it is for several objectives
    assert "Traceback" not in output
    assert len(output.splitlines()) < 60  # Ray keeps quiet


def test_nothing_listens_beyond_this_machine(run: Path) -> None:
    addresses = json.loads((run.parent / "listening.json").read_text())
    if not addresses:
        pytest.skip("no /proc on this system to look into")
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    assert set(addresses) <= loopback


def test_the_study_knows_the_truth_about_every_trial(run: Path) -> None:
    found = records(open_study(run))
    assert len(found) == SPACE.trials
    assert {record.outcome for record in found} <= {Outcome.FINISHED, Outcome.STOPPED}
    assert found[0].known == SPACE.known[0].source
    for record in found:
        rows = [json.loads(line) for line in (run / "trials" / record.name / "scores.jsonl").read_text().splitlines()]
        assert record.objective == rows[-1]["objective"]
        assert (rows[-1]["bars"] >= FULL) == (record.outcome is Outcome.FINISHED)


def test_every_trial_leaves_its_config_scores_samples_and_one_checkpoint(run: Path) -> None:
    assert [trial.name for trial in trials(run)] == [f"{number:04d}" for number in range(SPACE.trials)]
    for trial in trials(run):
        config = json.loads((trial / "config.json").read_text())
        assert config["trial"] == trial.name
        first = json.loads((trial / "scores.jsonl").read_text().splitlines()[0])
        normal = config["settings"].get("d_norm") != "none"  # else nothing undoes a norm of the discriminator's
        undone = {"none": 0, "d_conv": int(normal), "d_all": 0, "g_all": 5, "gd": 5}[
            config["settings"]["spectral_norm"]
        ]
        assert len(first["cancelled_spectral_norms"].split(",")) - (not first["cancelled_spectral_norms"]) == undone
        checkpoint = torch.load(trial / "checkpoint" / "state.pt", weights_only=True)
        assert checkpoint["system"]["bars_seen"] > 0
        assert not list(trial.glob("checkpoint_*"))
        for number in (1, 2, 3):
            sample = trial / "samples" / f"sample-{number}"
            midi = pretty_midi.PrettyMIDI(str(sample.with_suffix(".mid")))
            melody, chords = midi.instruments
            assert (melody.name, chords.name) == ("melody", "chords")
            assert melody.notes
            assert midi.get_end_time() == pytest.approx(16.0)  # eight bars at 120 beats a minute
            assert Image.open(sample.with_suffix(".png")).size[0] > 300
            assert sample.with_suffix(".wav").stat().st_size > 16 * 22_050 * 2


def test_the_plan_and_the_provenance_tell_what_was_run(run: Path) -> None:
    plan = json.loads((run / "plan.json").read_text())
    assert (plan["space"], plan["system"], plan["data"], plan["seed"]) == ("smoke", "baseline", "builtin", 0)
    provenance = json.loads((run / "provenance.json").read_text())
    assert set(provenance) == {
        "command",
        "git",
        "versions",
        "machine",
        "trial_resources",
        "corpus",
        "seeds",
        "fingerprints",
    }
    assert provenance["versions"]["torch"].startswith(torch.__version__.split("+")[0])
    assert len(provenance["corpus"]["sha256"]) == 64


def test_the_leaderboard_ranks_trials_between_real_music_and_chance(run: Path) -> None:
    lines: list[dict[str, Any]] = json.loads((run / "leaderboard.json").read_text())
    anchors = {line["name"]: line["objective"] for line in lines if line["outcome"] == "anchor"}
    assert anchors["real music"] < anchors["random bars"] < anchors["random notes"]
    finished = [line["objective"] for line in lines if line["outcome"] == "finished"]
    assert finished == sorted(finished)
    table = (run / "leaderboard.md").read_text()
    assert all(f"| {trial.name} |" in table for trial in trials(run))


def test_tensorboard_has_scalars_pictures_and_audio_of_every_trial(run: Path) -> None:
    for trial in trials(run):
        board = events(trial)
        tags = board.Tags()
        assert {"objective", "scores/pitch_class_entropy", "losses/loss_d", "losses/loss_g"} <= set(tags["scalars"])
        assert {f"piano_roll/{number}" for number in (1, 2, 3)} <= set(tags["images"])
        assert {f"audio/{number}" for number in (1, 2, 3)} <= set(tags["audio"])
        clip = board.Audio("audio/1")[0]
        assert clip.content_type == "audio/wav"
        assert clip.encoded_audio_string.startswith(b"RIFF")
        rows = (trial / "scores.jsonl").read_text().splitlines()
        assert [event.value for event in board.Scalars("objective")] == pytest.approx(
            [json.loads(row)["objective"] for row in rows]
        )


def test_tensorboard_s_hparams_table_has_every_parameter_and_trial(run: Path) -> None:
    data = hparams(run, "_hparams_/experiment")
    assert {info.name for info in data.experiment.hparam_infos} == set(SPACE.parameters())
    assert [info.name.tag for info in data.experiment.metric_infos] == ["objective"]
    for trial in trials(run):
        session = hparams(trial, "_hparams_/session_start_info").session_start_info
        assert set(session.hparams) == set(SPACE.parameters())
        assert session.group_name == f"run/{trial.name}"  # else TensorBoard averages it with other runs' trials
        assert hparams(trial, "_hparams_/session_end_info").session_end_info.status


def hparams(folder: Path, tag: str) -> Any:
    content = events(folder).SummaryMetadata(tag).plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert tune.main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--space", "gan_balanse"), "did you mean 'gan_balance'?"),
        (("--space", "smoke", "--trails", "4"), "There is no option --trails: did you mean --trials?"),
        (("--space", "smoke", "--trials", "0"), "--trials is 0, but must be at least 1."),
        (("--space", "smoke", "--trials", "many"), "invalid int value: 'many'"),
        (("--space", "smoke", "--concurrency", "-1"), "--concurrency is -1, but must be at least 1."),
        (("--space", "smoke", "--seed", "-1"), "--seed is -1, but must be from 0"),
        (("--space", "smoke", "--time-budget", "soon"), "'soon' is not a time above 0 with its unit, such as 90s"),
        (("--space", "smoke", "--time-budget=-5m"), "'-5m' is not a time above 0"),
        (("--space", "smoke", "--price", "2"), "--price is for --dry-run"),
        (("--space", "smoke", "--force"), "--force is for --resume"),
        (("--space", "smoke", "--set", "loss=bce", "--set", "loss=hinge"), "--set loss is given 2 times"),
        (("--space", "smoke", "--scheduler", "pbt", "--trials", "3"), "needs a population of 4"),
        (("--space", "smoke", "--protocol", "wide,narrow", "--trials", "2"), "narrow needs 3"),
        (("--space", "~nobody-here/x.py"), "is no file"),
        (("--resume", "x" * 300), "there is no run"),
        (("--space", "paper", "--trials", "0"), "--trials is 0, but must be at least 1."),
        (("--space", "smoke", "--cpus-per-trial", "0"), "must be above 0"),
        (("--space", "smoke", "--name", "../elsewhere"), "must be a plain folder name"),
        (("--space", "smoke", "--name", "x" * 300), "must be a plain folder name of at most 100 bytes"),
        (("--space", "smoke", "--name", ""), "must be a plain folder name"),
        (("--space", "smoke", "--results", "x" * 300), "but cannot be used: File name too long"),
        (("--space", "smoke", "--data", ""), "has no corpus.npz; is it music?"),
        (("--space", "smoke", "--data", "/etc/passwd", "--dry-run"), "nor a folder with a corpus; make one with"),
        (("--space", "smoke", "--data", "biultin"), "did you mean 'builtin'?"),
        (("--space", "smoke", "--data", "midi:/no/such/folder"), "/no/such/folder: cannot be read"),
        (("--space", "smoke", "--data", "maestro:/tmp"), "but this needs bars with chords"),
        ((), "--space is missing: name what to search, such as --space gan_balance"),
    ],
)
def test_a_mistake_gets_one_line(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert message in error_of(capsys, "--results", str(tmp_path), *arguments)  # its own --results come last, and win
    assert not list(tmp_path.iterdir())


def test_results_that_cannot_be_written_are_refused_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    message = error_of(capsys, "--space", "smoke", "--dry-run", "--results", str(tmp_path / "file" / "results"))
    assert f"{tmp_path / 'file'} is no folder that can be written to" in message


def test_a_run_is_never_written_over(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = error_of(capsys, "--space", "smoke", "--results", str(run.parent), "--name", run.name)
    assert "is there already: choose another --name" in message


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "is '127.0.0.1:1', but no Ray cluster answers there"),
        ("ray://127.0.0.1:10001", "must be local, auto or HOST:PORT; run tune.py on the cluster's own head node."),
        ("head", "is 'head', but must be local, auto or HOST:PORT"),
    ],
)
def test_a_cluster_that_does_not_answer_gets_one_line(
    address: str, message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert message in error_of(capsys, "--space", "smoke", "--address", address, "--results", str(tmp_path))


def test_something_that_is_not_ray_does_not_hang_the_search(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # accepts, and never says a word
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
        message = error_of(capsys, "--space", "smoke", "--address", address, "--results", str(tmp_path))
    assert "no Ray cluster answers there" in message


def test_a_results_folder_that_cannot_be_made_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    plan, _ = new_plan(parser().parse_args(["--space", "smoke", "--results", str(tmp_path), "--name", "run"]))
    plan = replace(plan, results=tmp_path / "file")
    with pytest.raises(UserError, match=r"cannot be made \(Not a directory\): choose other --results or --name"):
        plan.make_folder()


def test_dry_run_prints_the_plan_and_writes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert tune.main(["--space", "gan_balance", "--dry-run", "--results", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "gan_balance" in printed
    assert "432,000" in printed
    assert not list(tmp_path.iterdir())


SEVERAL = ("realism", "diversity_deficit", "worst_family")


def test_the_plan_names_the_objectives_where_they_are_not_the_usual_one(tmp_path: Path) -> None:
    given = ["--space", "smoke", "--results", str(tmp_path)]
    assert "objectives" not in Plan.as_text(*new_plan(parser().parse_args(given)))
    several = new_plan(parser().parse_args([*given, "--objectives", ",".join(SEVERAL)]))
    assert "objectives   realism, diversity_deficit, worst_family; the winner is" in Plan.as_text(*several)


def test_a_search_for_several_objectives_names_the_winner_on_their_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--space", write_space(tmp_path), "--results", str(tmp_path), "--name", "run", "--trials", "3"]
    # Ray's sockets live in its folder, and a socket's path may not be longer than 107 characters.
    with tempfile.TemporaryDirectory(prefix="wtg", dir="/tmp", ignore_cleanup_errors=True) as ray_folder:
        monkeypatch.setenv("RAY_TMPDIR", ray_folder)
        assert tune.main([*given, "--objectives", ",".join(SEVERAL)]) == 0
    run = tmp_path / "run"
    study = open_study(run)
    lines = {line["name"]: line for line in json.loads((run / "leaderboard.json").read_text())}
    front = {name for name, line in lines.items() if line["front"]}
    assert front == {f"{trial.number:04d}" for trial in study.best_trials} != set()
    for record in records(study):
        assert record.outcome in (Outcome.FINISHED, Outcome.STOPPED)
        assert tuple(record.objectives) == SEVERAL
        assert lines[record.name]["objectives"] == record.objectives
        row = json.loads((run / "trials" / record.name / "scores.jsonl").read_text().splitlines()[-1])
        assert record.objective == row["objective"]
        shown = events(run / "trials" / record.name).Scalars("objectives/realism")[-1].value
        assert shown == pytest.approx(record.objectives["realism"])
    winner = min(front, key=lambda name: lines[name]["objective"])
    output = capsys.readouterr().out
    assert f"Winner: trial {winner}, objective" in output
    (told,) = [line for line in output.splitlines() if line.startswith("  front ")]
    assert all(name in told for name in (*front, *SEVERAL))
    assert json.loads((run / "plan.json").read_text())["objectives"] == list(SEVERAL)


def test_the_time_budget_is_for_those_who_did_not_ask_for_a_number_of_trials() -> None:
    parse = parser().parse_args
    budgets = {
        (): 780.0,
        ("--trials", "50"): None,
        ("--time-budget", "90s"): 90.0,
        ("--time-budget", "2h", "--trials", "50"): 7200.0,
        ("--time-budget", "none"): None,
    }
    for arguments, seconds in budgets.items():
        assert time_budget(parse(["--space", "smoke", *arguments]), SPACE) == seconds


def test_help_is_the_committed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert parser().format_help() == (ROOT / "docs" / "help.txt").read_text()
