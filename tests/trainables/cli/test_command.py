"""The command line: help, errors in one line, and what `list`, `show` and --set take from the declarations."""

import math
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from data_prep.errors import UserError
from tests.trainables.cli.conftest import ROOT, Run
from trainables.cli.about import rows
from trainables.cli.command import COMMANDS, EXAMPLES, GENERATE_EXAMPLES, TRAIN_EXAMPLES, parse
from trainables.cli.settings import settings_of
from trainables.settings import read_settings
from trainables.systems import SYSTEMS, described


@pytest.mark.parametrize("words", [("--help",), *((name, "--help") for name in COMMANDS)])
def test_help_has_lines_that_fit(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(words)
    assert end.value.code == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 120


def test_every_example_of_the_help_can_be_parsed() -> None:
    import shlex

    lines = [line.strip() for text in (EXAMPLES, TRAIN_EXAMPLES, GENERATE_EXAMPLES) for line in text.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("python -m trainables ")]
    assert len(commands) >= 12
    for words in commands:
        options = parse(words[3:])
        if options.command == "train" and options.system:
            read_settings(options.system, options.set)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("trein",), "There is no command 'trein': did you mean 'train'?"),
        ((), "required: COMMAND"),
        (("train",), "Which SYSTEM?"),
        (("train", "baselin"), "did you mean 'baseline'?"),
        (("train", "baseline", "--epoch", "1"), "did you mean --epochs?"),
        (("train", "baseline", "--epochs", "1", "--bars", "9"), "not allowed with"),
        (("train", "baseline", "--epochs", "nan", "--data", "builtin"), "--epochs is nan"),
        (("train", "baseline", "--bars", "3"), "bars is 3, but must be at least one per evaluation"),
        (("train", "baseline", "--rollouts", "1"), "rollouts is 1, but must be at least 2"),
        (("train", "baseline", "--seed", "-1"), "--seed is -1"),
        (("train", "baseline", "--threads", "0"), "--threads is 0"),
        (("train", "baseline", "--device", "cdua"), "did you mean 'cuda'"),
        (("train", "baseline", "--data", "builtim"), "did you mean 'builtin'"),
        (("train", "baseline", "--name", "a/b"), "--name is 'a/b'"),
        (("train", "baseline", "--name", ".."), "--name is '..'"),
        (("train", "baseline", "--results", "/dev/null"), "no folder that can be written to"),
        (("train", "baseline", "--set", "bacth_size=3"), "did you mean 'batch_size'?"),
        (("train", "baseline", "--set", "batch_size"), "must be NAME=VALUE"),
        (("train", "baseline", "--set", "batch_size=x"), "batch_size is 'x', but must be a whole number."),
        (("train", "baseline", "--set", "batch_size=2.5"), "batch_size is '2.5', but must be a whole number."),
        (("train", "baseline", "--set", "r1=nan"), "r1 is nan, but must be a finite number."),
        (("train", "baseline", "--set", "d_sees_previous=yes"), "d_sees_previous is 'yes', but must be True or False."),
        (("train", "baseline", "--set", "spectral_norm=d_al"), "did you mean 'd_all'?"),
        (("train", "baseline", "--set", "system=mlp"), "There is no setting of baseline 'system'"),
        (("train", "lstm", "--set", "chord=code"), "There is no setting of lstm 'chord'"),
        (("train", "baseline", "--resume", "results/x"), "leave out baseline."),
        (("train", "--resume", "results/x", "--seed", "1"), "leave out --seed."),
        (("train", "--resume", "no-such-run"), "there is no run"),
        (("show", "baselin"), "did you mean 'baseline'?"),
    ],
)
def test_mistakes_are_named_in_one_line(words: tuple[str, ...], error: str, tmp_path: Path, run: Run) -> None:
    results = ("--results", tmp_path) if words[:2] == ("train", "baseline") and "--results" not in words else ()
    code, _, errors = run(*words, *(() if "--resume" in words else results))
    assert code == 2
    assert error in errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_there_is_not_written_over(trained: Path, run: Run) -> None:
    code, _, errors = run("train", "baseline", "--results", trained.parent, "--name", trained.name)
    assert code == 2
    assert "is there already: choose another --name." in errors


def test_a_melody_system_is_refused_piano_music_before_anything_is_made(piano: Path, tmp_path: Path, run: Run) -> None:
    code, _, errors = run("train", "baseline", "--data", piano, "--results", tmp_path)
    assert code == 2
    assert "it holds windows of piano music, but this needs bars with chords" in errors
    assert list(tmp_path.iterdir()) == []


def test_values_are_of_their_fields_types() -> None:
    pairs = ("batch_size=36", "learning_rate=1e-3", "r1=2", "d_sees_previous=TRUE", "chords_per_bar=4", "loss=hinge")
    settings = read_settings("baseline", pairs)
    assert settings == {
        "batch_size": 36,
        "learning_rate": 1e-3,
        "r1": 2.0,
        "d_sees_previous": True,
        "chords_per_bar": 4,
        "loss": "hinge",
    }
    assert [type(value) for value in settings.values()] == [int, float, float, bool, int, str]


def test_every_system_is_listed_with_its_weights(run: Run) -> None:
    code, output, _ = run("list")
    assert code == 0
    listed = {line.split()[0]: line for line in output.splitlines() if not line.startswith(" ")}
    assert listed.keys() - {"system"} == SYSTEMS.keys()
    assert listed["baseline"].endswith("G 530,625, D 263,290")
    assert {name: weights for name, _, _, weights in rows()}["lstm"] == "4,336,256"


def test_the_weights_told_are_those_that_are_trained(corpus: Any) -> None:
    from trainables.factory import build

    system: Any = build("combined", {}, corpus, seed=0, horizon=100)
    counts = [
        sum(weight.numel() for weight in player.parameters())
        for player in (system.players.generator, system.players.discriminator)
    ]
    told = next(weights for name, _, _, weights in rows() if name == "combined")
    assert told == f"G {counts[0]:,}, D {counts[1]:,}"


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_setting_is_shown_with_a_default_that_is_one(system: str, run: Run) -> None:
    code, output, _ = run("show", system)
    assert code == 0
    parts = described(system, {})
    names = [field.name for part in (parts.network, parts.config) for field in fields(part)]
    assert [name for name in names if not any(line.startswith(f"{name} ") for line in output.splitlines())] == []
    shown = [setting for of_part in settings_of(system).values() for setting in of_part]
    assert [setting.name for setting in shown] == names
    for setting in shown:
        read = read_settings(system, [f"{setting.name}={setting.default}"])[setting.name]
        assert read == setting.default
        assert type(read) is type(setting.default)


def test_rules_and_descriptions_are_taken_from_the_declarations() -> None:
    found = {setting.name: setting for of_part in settings_of("baseline").values() for setting in of_part}
    assert found["loss"].rule == "bce, hinge, wgan_gp"
    assert found["learning_rate_ratio"].rule == "a number, above 0"
    assert found["beta1"].rule == "a number, in [0, 1)"
    assert found["batch_size"].rule == "a whole number, from 2 to 65536"
    assert found["bars"].rule == "a whole number, from 1 to 8"
    assert found["d_sees_previous"].rule == "true or false"
    assert found["learning_rate"].about == "Geometric mean of the two learning rates."
    for setting in found.values():
        if "number" in setting.rule:
            with pytest.raises(UserError):
                described("baseline", {setting.name: -math.inf})


def test_what_needs_no_training_loads_no_torch_until_it_must() -> None:
    code = (
        "import sys; from trainables.__main__ import main; main(['show', 'baseline']); "
        "sys.exit('torch' in sys.modules or 'ray' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
