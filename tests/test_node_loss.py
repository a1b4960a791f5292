"""A machine of a cluster is lost while it trains: its trial goes on elsewhere from its last state."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reporting.trial_folder import read_scores
from search_spaces.search.study import Outcome, open_study, records
from tests.toy_space import EVALUATIONS, ended, rows, start, wait_until, write_space


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two machines with room for one trial each, both on this one."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield cluster
    cluster.shutdown()


def test_the_trial_of_a_lost_machine_goes_on_elsewhere(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    run = tmp_path / "run"
    where = ["--results", str(tmp_path), "--name", "run", "--address", cluster.address]
    process = start("--space", write_space(tmp_path), *where, "--trials", "4", "--scheduler", "none")
    wait_until(lambda: rows(run) >= 2, process)
    cluster.remove_node(node, allow_graceful=False)
    time.sleep(0.1)
    output = ended(process)
    assert process.returncode == 0, output
    found = records(open_study(run))
    assert [record.outcome for record in found] == [Outcome.FINISHED] * 4
    assert sorted(record.attempts for record in found) in ([1, 1, 1, 1], [1, 1, 1, 2])
    for record in found:
        written = [row["training_iteration"] for row in read_scores(run / "trials" / record.name)]
        assert written == list(range(1, EVALUATIONS + 1))
