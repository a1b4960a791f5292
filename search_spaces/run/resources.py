"""How trials are packed on machines: what each of them takes, and how many fit at a time. Ray is not needed for it.

Without GPUs a trial takes one CPU, as it trains on one thread. With GPUs several trials share one, as these networks
leave most of it idle: a trial is bound by the thread that feeds the GPU. That thread fills a core, which is two of the
CPUs that clouds and Ray count (hyper-threads); so each GPU takes one trial for every two CPUs that its node has for it,
and at most eight, as each brings some hundred megabytes of CUDA's own and slows its neighbours down. Nodes of several
sizes have one share in common, the largest that any of them asks for: Ray fills a GPU before it begins the next, and
smaller shares would leave GPUs empty where CPUs run out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from data_prep.errors import UserError

_UNITS: Final = 10_000
"""Ray rounds amounts to ten-thousandths, and counts these: 1/7 is 0.1429, of which six fit into one."""

_CPUS_TO_A_TRIAL_ON_GPU: Final = 2
_MOST_ON_A_GPU: Final = 8
_MOST_CPUS: Final = 100_000  # of any machine: Ray counts in whole numbers

Node = Mapping[str, float]
"""What one machine has, by Ray's names: `{"CPU": 16.0, "GPU": 1.0, ...}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """What each trial takes, and how many run at a time."""

    cpus: float
    gpus: float
    """A share of one, 1, or 0 to train on CPUs."""

    concurrency: int
    """Trials at a time; more than there is room for where machines may yet come."""

    per_node: tuple[int, ...]
    """How many trials fit on each machine that has room for one."""

    @property
    def resources(self) -> dict[str, float]:
        """What Ray sets aside for a trial, as `ray.tune.with_resources` takes it."""
        return {"cpu": self.cpus} | ({"gpu": self.gpus} if self.gpus else {})

    @property
    def told(self) -> str:
        """In words: "4 at a time, each on 0.25 of a GPU and 1 CPU"."""
        machines = f" on {len(self.per_node)} machines" if len(self.per_node) > 1 else ""
        waiting = self.concurrency - sum(self.per_node)
        more = f"; {waiting} of them wait until machines come" if waiting > 0 else ""
        return f"{self.concurrency} at a time{machines}, each on {_taken(self.cpus, self.gpus)}{more}"


def pack(
    nodes: Sequence[Node],
    *,
    gpus_per_trial: float | None = None,
    cpus_per_trial: float | None = None,
    concurrency: int | None = None,
    may_grow: bool = False,
) -> Packing:
    """Pack trials on these machines; what is None is chosen.

    Args:
        nodes: the machines that run now, `node["Resources"]` of each that is alive in `ray.nodes()`.
        gpus_per_trial: a share of one GPU such as 0.25, 1, or 0 to train on CPUs.
        cpus_per_trial: CPUs of a trial.
        concurrency: trials at a time.
        may_grow: whether an autoscaler may bring machines that are not there yet. Then there may be more trials than
            there is room for, and no room at all as long as `gpus_per_trial` and `concurrency` are given.

    Raises:
        UserError: amounts that Ray cannot set aside, that no machine has, or more trials than there is room for.
    """
    check_amounts(gpus_per_trial, cpus_per_trial)
    cpus = cpus_per_trial or 1.0
    gpus = _share(nodes, cpus_per_trial) if gpus_per_trial is None else float(gpus_per_trial)
    per_node = tuple(room for node in nodes if (room := _room(node, cpus, gpus)))
    if not per_node and not (may_grow and concurrency and gpus_per_trial is not None):
        raise UserError(_no_room(nodes, cpus, gpus, may_grow))
    packing = Packing(cpus=cpus, gpus=gpus, concurrency=concurrency or sum(per_node), per_node=per_node)
    if packing.concurrency > sum(per_node) and not may_grow:
        raise UserError(
            f"--concurrency is {concurrency}, but there is room for {sum(per_node)} trials at a time "
            f"({_taken(cpus, gpus)} each): lower it, or let a trial take less."
        )
    return packing


def check_amounts(gpus: float | None, cpus: float | None) -> None:
    """Refuse amounts that no trial can use, or that are none to Ray.

    Raises:
        UserError: which, and what they may be.
    """
    if gpus is not None and not 0 <= gpus <= 1:
        raise UserError(
            f"--gpus-per-trial is {gpus:g}, but must be from 0 to 1: a trial trains on one GPU, or on a share of it."
        )
    if cpus is not None and not 0 < cpus < _MOST_CPUS:
        raise UserError(f"--cpus-per-trial is {cpus:g}, but must be above 0: 1, or a share such as 0.5.")
    for name, value in (("--gpus-per-trial", gpus), ("--cpus-per-trial", cpus)):
        if value and not _units(value):
            raise UserError(f"{name} is {value:g}, but Ray counts ten-thousandths: choose at least 0.0001.")


def _share(nodes: Sequence[Node], cpus: float | None) -> float:
    """The share of a GPU for each trial; 0 where there are none that a trial could use."""
    each = cpus or _CPUS_TO_A_TRIAL_ON_GPU
    fitting = [node for node in nodes if node.get("GPU", 0) >= 1 and node.get("CPU", 0) >= (cpus or 1)]
    if not fitting:
        return 0.0
    trials = min(_units(node["CPU"]) // (int(node["GPU"]) * _units(each)) for node in fitting)
    return _UNITS // min(max(trials, 1), _MOST_ON_A_GPU) / _UNITS  # rounded down, so that as many do fit


def _room(node: Node, cpus: float, gpus: float) -> int:
    """How many trials fit on one machine. A share is of one GPU: what is left of two does not add up."""
    by_cpus = _units(node.get("CPU", 0)) // _units(cpus)
    return min(by_cpus, int(node.get("GPU", 0)) * (_UNITS // _units(gpus))) if gpus else by_cpus


def _units(amount: float) -> int:
    return math.floor(amount * _UNITS + 0.5)


def _no_room(nodes: Sequence[Node], cpus: float, gpus: float, may_grow: bool) -> str:
    """Why not one trial fits."""
    if may_grow:
        return (
            "No machine of the cluster has room for a trial yet: wait until `ray status` shows workers, or give "
            "--gpus-per-trial and --concurrency."
        )
    with_gpu = [node for node in nodes if node.get("GPU", 0) >= gpus]
    if not with_gpu and gpus:
        return f"--gpus-per-trial is {gpus:g}, but there is no GPU here: leave it out to train on CPUs."
    most_cpus = max((node.get("CPU", 0) for node in with_gpu), default=0)
    with_it = " with a GPU" if gpus else ""
    return (
        f"A trial takes {_counted(cpus, 'CPU')}, but no machine{with_it} has more than {_counted(most_cpus, 'CPU')}: "
        "lower --cpus-per-trial, or add machines."
    )


def _taken(cpus: float, gpus: float) -> str:
    return f"{_counted(gpus, 'GPU')} and {_counted(cpus, 'CPU')}" if gpus else _counted(cpus, "CPU")


def _counted(amount: float, unit: str) -> str:
    if 0 < amount < 1:
        return f"{amount:g} of a {unit}"
    return f"{amount:g} {unit}" + ("" if amount == 1 else "s")
