"""How trials are packed, where it follows from what machines have; `test_packing.py` asks Ray itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.errors import UserError
from search_spaces.run.cluster import may_grow
from search_spaces.run.resources import Node, pack

LAPTOP = [{"CPU": 8.0, "memory": 2e10, "object_store_memory": 1e9}]
WORKSTATION = [{"CPU": 8.0, "GPU": 1.0}]
HEAD = {"memory": 2e10}  # `resources: {CPU: 0}`: Ray then names no CPU at all
WORKER = {"CPU": 4.0, "GPU": 1.0}
CPUS = {"CPU": 32.0}


@pytest.mark.parametrize(
    ("nodes", "resources", "per_node"),
    [
        (LAPTOP, {"cpu": 1.0}, (8,)),
        (WORKSTATION, {"cpu": 1.0, "gpu": 0.25}, (4,)),
        ([HEAD, WORKER, WORKER], {"cpu": 1.0, "gpu": 0.5}, (2, 2)),
        ([{"CPU": 2.0, "GPU": 4.0}], {"cpu": 1.0, "gpu": 1.0}, (2,)),  # more GPUs than cores to feed them
        ([{"CPU": 64.0, "GPU": 1.0}], {"cpu": 1.0, "gpu": 0.125}, (8,)),  # eight at most
        ([{"CPU": 12.0, "GPU": 1.0}], {"cpu": 1.0, "gpu": 0.1666}, (6,)),  # of .1667 only five would fit
        ([{"CPU": 16.0, "GPU": 2.0}, {"CPU": 4.0, "GPU": 1.0}], {"cpu": 1.0, "gpu": 0.5}, (4, 2)),  # the larger share
        ([WORKER, CPUS], {"cpu": 1.0, "gpu": 0.5}, (2,)),  # where there are GPUs, no trial trains without
        ([{"GPU": 1.0}, {"CPU": 2.0}], {"cpu": 1.0}, (2,)),  # a GPU without a core is of no use
    ],
)
def test_what_is_chosen(nodes: list[Node], resources: dict[str, float], per_node: tuple[int, ...]) -> None:
    packing = pack(nodes)
    assert (packing.resources, packing.per_node) == (resources, per_node)
    assert packing.concurrency == sum(per_node)


@pytest.mark.parametrize(
    ("gpus", "cpus", "room"),
    [
        (0.1, 0.1, 20),  # 2 // 0.1 is 19 in floating-point numbers
        (0.3, None, 6),
        (0.6, None, 2),  # one on each: what is left of two GPUs does not add up
        (1, None, 2),
        (1 / 7, 0.5, 12),  # Ray rounds to .1429
        (0, None, 8),
        (0.25, 3, 2),
        (0.5, 0.3, 4),
        (None, 1, 8),
        (None, 4, 2),
    ],
)
def test_what_is_asked_for_fits_as_often_as_ray_fits_it(gpus: float | None, cpus: float | None, room: int) -> None:
    packing = pack([{"CPU": 8.0, "GPU": 2.0}], gpus_per_trial=gpus, cpus_per_trial=cpus)
    assert packing.concurrency == room


@given(cpus=st.integers(1, 256), gpus=st.integers(0, 16))
def test_a_machine_of_any_size_has_room_that_ray_would_grant(cpus: int, gpus: int) -> None:
    packing = pack([{"CPU": float(cpus), "GPU": float(gpus)}])
    assert 1 <= packing.concurrency <= cpus
    if gpus:
        on_each = 10_000 // round(packing.gpus * 10_000)
        assert packing.concurrency <= gpus * on_each <= 8 * gpus
        assert packing.concurrency == gpus * on_each or cpus < 2 * gpus  # no share of a GPU is left over


@pytest.mark.parametrize(
    ("nodes", "options", "message"),
    [
        (LAPTOP, {"gpus_per_trial": 0.5}, "--gpus-per-trial is 0.5, but there is no GPU here: leave it out"),
        (
            WORKSTATION,
            {"gpus_per_trial": 2},
            "--gpus-per-trial is 2, but must be from 0 to 1: a trial trains on one",
        ),
        (WORKSTATION, {"gpus_per_trial": -1}, "--gpus-per-trial is -1, but must be from 0 to 1"),
        (WORKSTATION, {"gpus_per_trial": float("nan")}, "--gpus-per-trial is nan, but"),
        (WORKSTATION, {"gpus_per_trial": 1e-5}, "--gpus-per-trial is 1e-05, but Ray counts ten-thousandths"),
        (WORKSTATION, {"cpus_per_trial": float("inf")}, "--cpus-per-trial is inf, but must be above 0"),
        (LAPTOP, {"cpus_per_trial": 0}, "--cpus-per-trial is 0, but must be above 0"),
        (
            LAPTOP,
            {"cpus_per_trial": 9},
            "A trial takes 9 CPUs, but no machine has more than 8 CPUs: lower",
        ),
        (
            [WORKER, CPUS],
            {"cpus_per_trial": 8, "gpus_per_trial": 1},
            "A trial takes 8 CPUs, but no machine with a GPU has more than 4 CPUs",
        ),
        (LAPTOP, {"concurrency": 9}, "--concurrency is 9, but there is room for 8 trials at a time"),
        ([HEAD], {}, "A trial takes 1 CPU, but no machine has more than 0 CPUs"),
        ([], {}, "A trial takes 1 CPU, but no machine has more than 0 CPUs"),
    ],
)
def test_what_would_wait_for_ever_is_refused(nodes: list[Node], options: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}") as refused:
        pack(nodes, **options)  # type: ignore[arg-type]
    assert len(str(refused.value).splitlines()) == 1


def test_machines_that_may_come_are_waited_for() -> None:
    packing = pack([HEAD, WORKER], concurrency=8, may_grow=True)
    assert packing.told == "8 at a time, each on 0.5 of a GPU and 1 CPU; 6 of them wait until machines come"
    packing = pack([HEAD], gpus_per_trial=0.5, concurrency=4, may_grow=True)
    assert (packing.concurrency, packing.per_node) == (4, ())


@pytest.mark.parametrize("options", [{}, {"concurrency": 4}, {"gpus_per_trial": 1}])
def test_how_many_come_is_not_guessed(options: dict[str, float]) -> None:
    with pytest.raises(UserError, match="No machine of the cluster has room for a trial yet"):
        pack([HEAD], may_grow=True, **options)  # type: ignore[arg-type]


def test_only_the_head_of_ray_up_may_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not may_grow("auto")
    (tmp_path / "ray_bootstrap_config.yaml").touch()
    assert may_grow("auto")
    assert not may_grow("local")


def test_it_is_told_in_words() -> None:
    assert pack(LAPTOP).told == "8 at a time, each on 1 CPU"
    assert (
        pack([HEAD, WORKER, WORKER], concurrency=3).told == "3 at a time on 2 machines, each on 0.5 of a GPU and 1 CPU"
    )
