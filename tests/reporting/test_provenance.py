import json
from pathlib import Path

import numpy as np
import pytest

from reporting import provenance as module
from reporting.provenance import provenance, write_json


def test_outside_a_checkout_there_is_no_commit_and_no_claim_of_cleanness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    told = provenance(corpus_digest="0" * 64, corpus_folder=tmp_path, seed=3, resources={"cpu": 1.0})
    assert told["git"] == {"commit": None, "dirty": None}
    assert told["seeds"] == {"search": 3, "training": 3}


def test_numpy_numbers_become_json(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": np.float32(0.5), "n": np.int64(3)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 0.5, "n": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
