"""Where a run comes from: code, versions, machine, music, seeds."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import torch

from data_prep.errors import UserError
from data_prep.files import write_json

_PACKAGES: Final = ("torch", "ray", "optuna", "numpy", "pretty_midi", "tensorboard", "music21")
_ROOT: Final = Path(__file__).parent.parent


def provenance(
    *,
    corpus_digest: str,
    corpus_folder: Path,
    seeds: Mapping[str, int],
    resources: Mapping[str, float],
    device: str,
) -> dict[str, Any]:
    """Everything needed to say what made a result; `provenance.json` in the run's folder.

    Args:
        corpus_digest: SHA-256 of the music.
        corpus_folder: where it is.
        seeds: of what there is: `training`, and `search` where there is one.
        resources: what each trial was given.
        device: PyTorch's name of what the networks are on. A GPU that this machine lacks, as the head of a cluster
            may, keeps that name; others are told by their own.
    """
    return {
        "command": _command(),
        "git": _git(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "device": _device(device)},
        "trial_resources": dict(resources),
        "corpus": {"sha256": corpus_digest, "folder": str(corpus_folder)},
        "seeds": dict(seeds),
    }


def went_on(path: Path, changed: Sequence[str], now: Mapping[str, Any]) -> None:
    """Note in `provenance.json` that the run goes on, what of it has changed since it last did, and what holds `now`.

    Raises:
        UserError: the file is damaged.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        sessions = [*told.get("resumed", []), {"command": _command(), "git": _git(), "changed": list(changed)}]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"{path} cannot be read ({type(error).__name__}): is it a whole run?") from error
    write_json(path, told | {"resumed": sessions, **now})


def _command() -> list[str]:
    """What this process was started by, `-m` and its module included: `sys.argv` has a file's path in their place."""
    return ["python", *sys.orig_argv[1:]]


def _git() -> dict[str, Any]:
    commit = _run_git("rev-parse", "HEAD")
    return {"commit": commit, "dirty": None if commit is None else bool(_run_git("status", "--porcelain"))}


def _run_git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _device(name: str) -> str:
    return torch.cuda.get_device_name(name) if name.startswith("cuda") and torch.cuda.is_available() else name
