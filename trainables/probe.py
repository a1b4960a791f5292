"""A few steps of a system, timed: what its trials will cost, before there is one."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any, Final, TypeVar

import torch

from trainables.checkpoint import packed
from trainables.config import Budget
from trainables.cost import Probe
from trainables.epochs import epoch_bars
from trainables.factory import Music, build
from trainables.judge import Judge
from trainables.record import Record
from trainables.systems import described, system_of

_STEPS: Final = 3
_LEAST_SECONDS: Final = 1.0
"""Steps are timed three by three for so long: a single round of some milliseconds would be chance."""

T = TypeVar("T")


def probe(
    system: str,
    settings: Mapping[str, Any],
    music: Music,
    judge: Judge,
    budget: Budget,
    *,
    device: str = "cpu",
    seconds: float = _LEAST_SECONDS,
) -> tuple[Probe, dict[str, Any]]:
    """Time a system: a first step, rounds of three more until so many `seconds` are over, and both kinds of evaluation.

    The median of the rounds counts. On the CPU PyTorch computes on one thread meanwhile, as in a trial.

    Returns:
        What was measured, and the result of the last evaluation, as a trial reports it.

    Raises:
        UserError: settings or music that the system cannot be made of.
    """
    parts = described(system, settings)
    with _one_thread():
        trained, building = _timed(lambda: build(system, settings, music, seed=0, horizon=budget.bars, device=device))
        losses, first = _timed(lambda: trained.train(1))
        bars = trained.bars_seen
        rounds: list[float] = []
        computing = time.process_time()
        while not rounds or sum(rounds) < seconds:
            losses, spent = _timed(lambda: trained.train(trained.bars_seen + _STEPS * bars))
            rounds.append(spent)
        computing = time.process_time() - computing
        record = Record(judge, budget, by_beat=parts.network.by_beat)
        _, early = _timed(lambda: record.add(trained, losses, 1))
        result, full = _timed(lambda: record.add(trained, losses, budget.evaluations))
    measured = Probe(
        system=system_of(system, settings),
        seconds_per_step=median(rounds) / _STEPS,
        bars_per_step=bars,
        epoch_bars=epoch_bars(parts, music),
        seconds_per_evaluation=full,
        seconds_per_early_evaluation=early,
        start_seconds=building + first,
        checkpoint_bytes=len(packed({"system": trained.state_dict(), "record": record.state_dict()})),
        lost=max(0.0, 1 - computing / sum(rounds)) if device == "cpu" else 0.0,
    )
    return measured, result | {"training_iteration": budget.evaluations}


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
