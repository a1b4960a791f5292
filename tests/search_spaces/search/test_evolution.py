"""Copies of states in a population: the worst go on from the best, and no trial loses its own best state."""

from pathlib import Path

import pytest

from search_spaces.search.evolution import Evolution
from search_spaces.search.population import Change


class Fixed:
    """A population in which `0003` goes on from `0000`."""

    def evolve(self, members: object) -> list[Change]:
        return [Change(name="0003", donor="0000", settings={"learning_rate": 1e-4})]


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("kept", [True, False])
def test_a_member_that_takes_another_s_state_keeps_its_own_best(tmp_path: Path, kept: bool) -> None:
    """Without `best/` the newest state of a trial is its best."""
    for name in ("0000", "0003"):
        write(tmp_path / name / "checkpoint" / "state.pt", name.encode())
    if kept:
        write(tmp_path / "0003" / "best" / "state.pt", b"older")
    evolution = Evolution(Fixed(), tmp_path)  # type: ignore[arg-type]
    curves = {name: {1: 0.5} for name in ("0000", "0003")}
    for name in curves:
        evolution.settings(name, {"learning_rate": 2e-4})
    evolution.evolve(curves)
    assert (tmp_path / "0003" / "checkpoint" / "state.pt").read_bytes() == b"0000"
    assert (tmp_path / "0003" / "best" / "state.pt").read_bytes() == (b"older" if kept else b"0003")
    assert not (tmp_path / "0000" / "best").exists()
    assert evolution.settings("0003", {}) == {"learning_rate": 1e-4}
