"""The import rules: import-linter's contracts hold and bite, and four libraries stay in the files that may use them."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("data_prep", "reporting", "scores", "search_spaces", "trainables")

ALLOWED = {
    "ray": (
        *("tune.py", "reporting/callbacks.py", "trainables/trial.py"),
        *("search_spaces/run/ray_start.py", "search_spaces/search/searcher.py", "search_spaces/search/tuning.py"),
    ),
    "optuna": ("reporting/plots.py", "search_spaces/*"),
    "torch": ("tune.py", "reporting/*", "trainables/*"),
    "music21": (),
}
"""Library: the files that may import it, at the top or inside a function."""

VIOLATIONS = {
    "The way of the data": ("scores/probe_a.py", "import trainables"),
    "Nothing imports tune.py": ("reporting/probe_b.py", "import tune"),
    "Data and scores are plain NumPy": ("data_prep/probe_c.py", "def f():\n    import torch"),
    "A space is declared without torch": ("search_spaces/probe_d.py", "import trainables.probe_torch"),
    "Nothing under search_spaces imports torch itself": ("search_spaces/search/searcher.py", "import torch"),
    "Ray only in": ("trainables/networks/probe_e.py", "from ray import tune"),
    "Optuna only in": ("trainables/probe_f.py", "import optuna.trial"),
    "music21 is data": ("data_prep/probe_g.py", "from music21 import corpus"),
}
"""Start of a contract's name: a file and the line in it that breaks this contract."""


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("importlinter", reason="needs the dev extra")
    command = "from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def _imported(source: str) -> Iterator[str]:
    """Top names of every absolute import, wherever it stands, and of import_module("...") with a literal name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value).partition(".")[0]


def _code() -> list[Path]:
    return [ROOT / "tune.py", *(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))]


def test_contracts_hold() -> None:
    result = _lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_bites(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "trainables" / "probe_torch.py").write_text("import torch\n")
    for name, line in VIOLATIONS.values():
        with (tmp_path / name).open("a") as file:
            file.write(f"\n{line}\n")
    output = _lint_imports(tmp_path).stdout
    broken = re.findall(r"^(.+) BROKEN", output, flags=re.MULTILINE)
    assert len(broken) == len(VIOLATIONS), output
    assert all(any(name.startswith(start) for name in broken) for start in VIOLATIONS), output


@pytest.mark.parametrize("library", ALLOWED)
def test_library_stays_in_its_files(library: str) -> None:
    users = [path.relative_to(ROOT).as_posix() for path in _code() if library in _imported(path.read_text("utf-8"))]
    assert [user for user in users if not any(fnmatch(user, allowed) for allowed in ALLOWED[library])] == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import torch.nn as nn, os", {"torch", "os"}),
        ("def f():\n    from ray import tune", {"ray"}),
        ("if TYPE_CHECKING:\n    from optuna.trial import Trial", {"optuna"}),
        ("importlib.import_module('music21.corpus'); __import__('ray')", {"music21", "ray"}),
        ("from . import torch\nfrom .ray import x\nfind_spec('music21')", set()),
    ],
)
def test_reading_of_imports(source: str, names: set[str]) -> None:
    assert set(_imported(source)) == names
