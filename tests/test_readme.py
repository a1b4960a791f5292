"""The README's commands, run as they stand there, so that it cannot promise what is not so."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pretty_midi
import pytest

import tune
from data_prep.files import write_json
from search_spaces.run.options import new_plan, parser
from search_spaces.run.plan import PLAN_FILE
from search_spaces.run.resume import resumed_plan

ROOT = Path(tune.__file__).parent
BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
PREPARE = "python -m data_prep builtin --rests keep --out my_corpus"
LOOK = "python -m data_prep info my_corpus --plot my_corpus.png"
SCORE = "python -m scores my_songs/song.mid"
COMPARE = "python -m scores compare my_songs builtin"
WITHOUT_SEARCH = [command for command in COMMANDS if command.startswith("python -m trainables ")]
SEARCHES = [command for command in COMMANDS if command.startswith("python tune.py --space")]


def write_song(path: Path) -> None:
    """Sixteen bars of a scale over C major."""
    song = pretty_midi.PrettyMIDI(initial_tempo=120)
    melody, chords = (pretty_midi.Instrument(0, name=name) for name in ("melody", "chords"))
    melody.notes = [pretty_midi.Note(80, 60 + beat % 7, beat / 2, beat / 2 + 0.5) for beat in range(64)]
    chords.notes = [pretty_midi.Note(80, pitch, 0, 32) for pitch in (48, 52, 55)]
    song.instruments = [melody, chords]
    path.parent.mkdir()
    song.write(str(path))


def run_command(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    assert words[0] == "python"
    words[0] = sys.executable
    if words[1] == "tune.py":
        words[1] = str(ROOT / "tune.py")
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_readme_shows_the_two_commands_that_do_all_the_set_up() -> None:
    assert COMMANDS[:2] == ["make search", "make test"]  # test_packaging has their targets, and CI runs the second


@pytest.mark.parametrize("command", SEARCHES)
def test_every_search_of_the_readme_has_a_plan(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if "my_corpus" in command:
        made = run_command(PREPARE, tmp_path)
        assert made.returncode == 0, made.stderr
    if "my_songs" in command:
        write_song(tmp_path / "my_songs" / "song.mid")
    arguments = parser().parse_args(shlex.split(command)[2:])
    if arguments.resume is not None:  # there must be a run to go on with
        before, space = new_plan(parser().parse_args(["--space", arguments.space]))
        before.make_folder()
        write_json(before.run / PLAN_FILE, before.as_json(space))
    # The searches themselves take a quarter of an hour and more; `smoke` is run for real in test_tune.py.
    plan, space = new_plan(arguments) if arguments.resume is None else resumed_plan(arguments)
    assert "tried first" in plan.as_text(space)


def test_a_dry_run_tells_plan_and_cost(tmp_path: Path) -> None:
    (command,) = [each for each in SEARCHES if each == "python tune.py --space gan_balance --dry-run"]
    done = run_command(f"{command} --price 2", tmp_path)
    assert done.returncode == 0, done.stderr
    told = [line.split(maxsplit=1)[0] for line in done.stdout.splitlines()]
    assert {"space", "objective", "trials", "measured", "disk", "money"} <= set(told)
    assert not list(tmp_path.iterdir())


def test_help_and_data_prep_work_as_shown(tmp_path: Path) -> None:
    assert run_command("python tune.py --help", tmp_path).returncode == 0
    done = run_command(PREPARE, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "my_corpus").iterdir()) == ["corpus.json", "corpus.npz"]
    looked = run_command(LOOK, tmp_path)
    assert looked.returncode == 0, looked.stderr
    assert "bars from builtin" in looked.stdout
    assert (tmp_path / "my_corpus.png").is_file()


def test_music_is_scored_as_shown(tmp_path: Path) -> None:
    write_song(tmp_path / "my_songs" / "song.mid")
    scored, compared = (run_command(command, tmp_path) for command in (SCORE, COMPARE))
    assert scored.returncode == compared.returncode == 0, scored.stderr + compared.stderr
    assert re.search(r"^pitch_class_entropy +bits +2\.8", scored.stdout, re.MULTILINE)
    assert "2 phrases of my_songs beside 1,024 phrases of builtin" in compared.stdout
    assert re.search(r"^objective 0\.[5-8]", compared.stdout, re.MULTILINE)


def test_a_system_is_trained_without_a_search_as_shown(tmp_path: Path) -> None:
    assert [command.split()[3] for command in WITHOUT_SEARCH] == ["list", "show", "train", "generate"]
    for command in WITHOUT_SEARCH:
        # Two epochs take minutes.
        short = " --epochs 0.005 --evaluations 1 --rollouts 8" if " train " in command else ""
        done = run_command(command + short, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "results/mine/trials/0000/generated").glob("*.mid"))) == 3


def test_every_command_of_the_readme_is_tried_somewhere() -> None:
    tried = {"make search", "make test", "python tune.py --help", "tensorboard --logdir results"}
    tried |= {PREPARE, LOOK, SCORE, COMPARE, *SEARCHES, *WITHOUT_SEARCH}
    assert set(COMMANDS) <= tried


def test_tensorboard_serves_every_trial_of_the_results_folder(run: Path) -> None:
    tensorboard = shutil.which("tensorboard", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert tensorboard is not None
    words = shlex.split("tensorboard --logdir results --port 0")
    words[0], words[2] = tensorboard, run.parent.name
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the test's process
    server = subprocess.Popen(words, cwd=run.parent.parent, stderr=log, stdout=log, text=True)
    try:
        address = wait_for_address(log)
        wanted = {f"{run.name}/trials/{trial.name}" for trial in (run / "trials").iterdir() if trial.is_dir()}
        deadline = time.monotonic() + 60
        served: set[str] = set()
        while not wanted <= served and time.monotonic() < deadline:  # it reads the folder little by little
            with urllib.request.urlopen(f"{address}data/runs", timeout=30) as answer:
                served = set(json.loads(answer.read()))
            time.sleep(0.5)
        assert wanted <= served
    finally:
        server.terminate()
        server.wait(30)


def wait_for_address(log: "tempfile._TemporaryFileWrapper[str]") -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        log.seek(0)
        found = re.search(r"http://localhost:\d+/", log.read())
        if found:
            return found.group()
        time.sleep(0.5)
    raise TimeoutError("TensorBoard did not say where it serves")
