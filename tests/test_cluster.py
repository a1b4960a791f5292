"""cluster.yaml: passes Ray's own schema without a cloud, pins the lock's Ray, and shows its dashboard to nobody."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
COMMANDS = ("setup_commands", "head_setup_commands", "worker_setup_commands")
STARTS = ("head_start_ray_commands", "worker_start_ray_commands")


@pytest.fixture
def cluster() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text("utf-8"))


def test_ray_accepts_it(cluster: dict[str, Any]) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(cluster))


@pytest.mark.parametrize("breakage", [{"idle_minutes": 5}, {"head_node_type": "no_such"}, {"max_workers": -1}])
def test_ray_would_refuse_a_wrong_one(cluster: dict[str, Any], breakage: dict[str, Any]) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    with pytest.raises(Exception, match=r"idle_minutes|head_node_type|-1"):
        validate_config(prepare_config(cluster | breakage))


def test_ray_is_the_version_of_the_lock(cluster: dict[str, Any]) -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = re.findall(r"^ray==([^\s;]+)", lock, flags=re.MULTILINE)
    pinned = re.findall(r"ray(?:\[\w+\])?==([\w.]+)", "\n".join(line for key in COMMANDS for line in cluster[key]))
    assert pinned == locked
    assert len(locked) == 1


def test_no_dashboard_beyond_localhost(cluster: dict[str, Any]) -> None:
    commands = [command for key in STARTS for command in cluster[key]]
    heads = [command for command in commands if "--head" in command]
    assert len(heads) == 1
    assert "--dashboard-host=127.0.0.1" in heads[0]
    assert set(re.findall(r"--dashboard-host[= ](\S+)", "\n".join(commands))) == {"127.0.0.1"}


def test_head_runs_no_trial_and_workers_are_spot(cluster: dict[str, Any]) -> None:
    types = cluster["available_node_types"]
    head, workers = types.pop(cluster["head_node_type"]), list(types.values())
    assert head["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in head["node_config"]
    assert all(worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"} for worker in workers)
    assert all(worker["min_workers"] <= 1 and worker["max_workers"] <= cluster["max_workers"] for worker in workers)


def test_every_part_of_the_project_is_mounted(cluster: dict[str, Any]) -> None:
    """All that an editable install needs, and not results or .venv, which Ray would hash whole."""
    mounted = set(cluster["file_mounts"].values())
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert mounted == packages | {"tune.py", "pyproject.toml", "requirements.lock", "README.md", "LICENSE"}
    assert all(remote == f"~/well-tempered-gan/{local}" for remote, local in cluster["file_mounts"].items())
