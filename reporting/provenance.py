"""Where a run comes from: code, versions, machine, music, seeds."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import torch

from data_prep.files import write_atomic

_PACKAGES: Final = ("torch", "ray", "optuna", "numpy", "pretty_midi", "tensorboard", "music21")
_ROOT: Final = Path(__file__).parent.parent


def provenance(*, corpus_digest: str, corpus_folder: Path, seed: int, resources: Mapping[str, float]) -> dict[str, Any]:
    """Everything needed to say what made a result; `provenance.json` in the run's folder.

    `resources` is what each trial was given; `device` is this machine's, which on a cluster may run no trials.
    """
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "git": _git(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "device": _device()},
        "trial_resources": dict(resources),
        "corpus": {"sha256": corpus_digest, "folder": str(corpus_folder)},
        "seeds": {"search": seed, "training": seed},
    }


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    write_atomic(path, (json.dumps(content, indent=2, default=float) + "\n").encode())


def _git() -> dict[str, Any]:
    commit = _run_git("rev-parse", "HEAD")
    return {"commit": commit, "dirty": None if commit is None else bool(_run_git("status", "--porcelain"))}


def _run_git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
