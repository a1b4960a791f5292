"""Ray itself, with GPUs that are not there: as many trials run at a time as we say, each on the GPU it was given."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
import torch
from ray import tune
from ray.cluster_utils import Cluster

from search_spaces.run.resources import Packing, pack
from trainables.config import Budget
from trainables.trial import SystemTrial

MACHINES = ({"num_cpus": 2, "num_gpus": 2}, {"num_cpus": 1, "num_gpus": 1})


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    # Ray's sockets live in its folder, and a socket's path may not be longer than 107 characters.
    short = tempfile.TemporaryDirectory(prefix="wtg", dir="/tmp", ignore_cleanup_errors=True)
    with short as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_TMPDIR", folder)
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
        machines = Cluster()
        for machine in MACHINES:
            machines.add_node(include_dashboard=False, object_store_memory=80_000_000, **machine)
        ray.init(address=machines.address, log_to_driver=False, logging_level="CRITICAL")
        yield
        ray.shutdown()
        machines.shutdown()


def packed(**options: float) -> Packing:
    return pack([node["Resources"] for node in ray.nodes() if node["Alive"]], **options)  # type: ignore[arg-type]


def search(trainable: type[tune.Trainable], packing: Packing, trials: int, folder: Path) -> list[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TUNE_MAX_PENDING_TRIALS_PG", str(packing.concurrency))
        tuner = tune.Tuner(
            tune.with_resources(trainable, packing.resources),
            tune_config=tune.TuneConfig(num_samples=trials, reuse_actors=True),
            run_config=tune.RunConfig(storage_path=str(folder), name="run", verbose=0, stop={"training_iteration": 1}),
        )
        results = tuner.fit()
    assert not results.errors, results.errors[0]
    return [result.metrics for result in results]


def gathering(folder: Path, room: int) -> type[tune.Trainable]:
    """A trial that is over once so many have begun, and tells when it ran and where."""

    class Gathering(tune.Trainable):  # made here, so that it travels to Ray's workers as a whole
        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

        def step(self) -> dict[str, Any]:
            start = time.time()
            (folder / self.trial_id).touch()
            while len(list(folder.iterdir())) < room and time.time() < start + 60:
                time.sleep(0.05)
            time.sleep(0.2)
            gpu = os.environ["CUDA_VISIBLE_DEVICES"]
            node = ray.get_runtime_context().get_node_id()
            return {"start": start, "end": time.time(), "place": (node, gpu), "done": True}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            pass

    return Gathering


@pytest.mark.parametrize(("share", "on_each"), [(0.25, 4), (0.5, 2)])
def test_every_gpu_is_full_and_none_is_overfull(share: float, on_each: int, tmp_path: Path) -> None:
    packing = packed(gpus_per_trial=share, cpus_per_trial=0.25)
    assert sorted(packing.per_node) == [on_each, 2 * on_each]
    (tmp_path / "begun").mkdir()
    trainable = gathering(tmp_path / "begun", packing.concurrency)
    told = search(trainable, packing, packing.concurrency + 1, tmp_path)
    at_once = max(sum(other["start"] <= each["start"] < other["end"] for other in told) for each in told)
    assert at_once == packing.concurrency
    first = sorted(told, key=lambda each: each["start"])[: packing.concurrency]
    assert sorted(Counter(each["place"] for each in first).values()) == [on_each] * 3


class Told(SystemTrial):
    """A trial of ours in a process with a GPU, as PyTorch would have it: tells what it makes of that."""

    system = "baseline"

    def setup(self, config: dict[str, Any], *parts: Any, **more: Any) -> None:
        self.shares: list[float] = []
        torch.cuda.is_available = lambda: True
        torch.cuda.set_per_process_memory_fraction = self.shares.append  # type: ignore[assignment]
        config |= {"settings": {}, "seed": 0}
        super().setup(config, corpus=None, judge=None, budget=Budget())  # type: ignore[arg-type]

    def step(self) -> dict[str, Any]:
        return {"device": self.training._device, "shares": self.shares, "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        pass


@pytest.mark.parametrize(("share", "device", "shares"), [(0.5, "cuda", [0.5]), (0, "cpu", [])])
def test_a_trial_takes_its_share_of_memory(share: float, device: str, shares: list[float], tmp_path: Path) -> None:
    (told,) = search(Told, packed(gpus_per_trial=share, concurrency=1), 1, tmp_path)
    assert (told["device"], told["shares"]) == (device, shares)
