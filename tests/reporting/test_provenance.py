import sys
from pathlib import Path
from typing import Any

import pytest

from reporting import provenance as module
from reporting.provenance import provenance


def told(folder: Path, **seeds: int) -> dict[str, Any]:
    return provenance(corpus_digest="0" * 64, corpus_folder=folder, seeds=seeds, resources={"cpu": 1.0}, device="cpu")


def test_outside_a_checkout_there_is_no_commit_and_no_claim_of_cleanness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert told(tmp_path)["git"] == {"commit": None, "dirty": None}


def test_seeds_and_device_are_those_that_were_used(tmp_path: Path) -> None:
    assert told(tmp_path, training=3)["seeds"] == {"training": 3}
    assert told(tmp_path)["machine"]["device"] == "cpu"


def test_the_command_can_be_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["/opt/env/bin/python3.11", "-m", "trainables", "train", "mlp"])
    monkeypatch.setattr(sys, "argv", ["/src/trainables/__main__.py", "train", "mlp"])
    assert told(tmp_path)["command"] == ["python", "-m", "trainables", "train", "mlp"]
