"""The packaging: what lies at the top of the tree, the lock beside pyproject.toml, and the two commands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
TOP_LEVEL = {
    *(".ci", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "LICENSE", "Makefile", "README.md"),
    *("cluster.yaml", "data_prep", "docs", "pyproject.toml", "reporting", "requirements.lock", "results", "scores"),
    *("search_spaces", "tests", "trainables", "tune.py"),
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DIRECT = [
    Requirement(line)
    for line in (
        *PROJECT["dependencies"],
        *(line for extra in PROJECT["optional-dependencies"].values() for line in extra),
    )
]
LOCK_LINES = [line.partition("#")[0].strip() for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()]
LOCK = [Requirement(line) for line in LOCK_LINES if line]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def _pins(name: str, python: str) -> list[Version]:
    """The lock's versions of a package on Linux under this Python: one, if the lock is sound."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    return [
        Version(next(iter(pin.specifier)).version)
        for pin in LOCK
        if canonicalize_name(pin.name) == canonicalize_name(name)
        and (not pin.marker or pin.marker.evaluate(environment))
    ]


def _make(*arguments: str, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("make"):
        pytest.skip("no make here")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    for name in ("ARGS", "PYTHON"):
        environment.pop(name, None)
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment | variables, capture_output=True, text=True, check=False
    )


def test_top_level_does_not_grow() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {name.partition("/")[0] for name in listed.splitlines()} <= TOP_LEVEL


@pytest.mark.parametrize("python", PYTHONS)
def test_lock_has_one_fitting_pin_of_every_direct_dependency(python: str) -> None:
    for requirement in DIRECT:
        if requirement.marker and not requirement.marker.evaluate({"python_version": python}):
            continue
        pins = _pins(requirement.name, python)
        assert len(pins) == 1, f"{requirement.name} on Python {python}: {pins}"
        assert requirement.specifier.contains(pins[0]), f"{requirement}: the lock has {pins[0]}"


def test_lock_is_a_constraints_file() -> None:
    """Pip refuses extras in constraints; a hash, an address or a local version (+cpu) would bind to one machine."""
    for pin in LOCK:
        versions = list(pin.specifier)
        assert not pin.extras, pin
        assert pin.url is None, pin
        assert [version.operator for version in versions] == ["=="], pin
        assert Version(versions[0].version).local is None, pin


def test_wheel_has_every_package_and_the_command() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(wheel["only-include"]) == {*packages, "tune.py"}


@pytest.mark.parametrize(
    ("command", "runs"), [("search", "tune.py --space gan_balance --trials 3"), ("test", "-m pytest")]
)
def test_make_runs_the_two_commands(command: str, runs: str) -> None:
    result = _make("--dry-run", command, "ARGS=--trials 3")
    assert result.returncode == 0, result.stderr
    assert runs in result.stdout


def test_make_with_a_python_that_is_missing_or_old_says_one_line(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for python, message in (("no-such-python", "no 'no-such-python' here"), (str(old), "is older than Python 3.10")):
        result = _make("search", f"PYTHON={python}", folder=tmp_path)
        assert result.returncode != 0
        assert message in result.stdout
        assert result.stdout.count("\n") == 1
        assert not (tmp_path / ".venv").exists()


def test_ci_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text("utf-8")
