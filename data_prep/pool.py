"""One function over many files, by several processes: the same results in the same order, and progress told."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Final, TypeVar

Progress = Callable[[int, int], None]
"""Called with the number of files read so far, and of all files."""

A = TypeVar("A")
B = TypeVar("B")

_WORTH_A_PROCESS: Final = 24
"""Fewer files than this are read before another process has started."""


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_all(read: Callable[[A], B], items: Sequence[A], jobs: int, progress: Progress | None = None) -> list[B]:
    """`read(item)` for every item, in order. `read` must be importable: the processes are fresh ones."""
    results: dict[int, B] = {}
    with closing(_read(read, items, min(jobs, len(items) // _WORTH_A_PROCESS))) as reading:
        for number, result in reading:
            results[number] = result
            if progress:
                progress(len(results), len(items))
    return [results[number] for number in range(len(items))]


def _read(read: Callable[[A], B], items: Sequence[A], jobs: int) -> Generator[tuple[int, B]]:
    """The number of each item, and what was read of it, as it comes."""
    missing = dict.fromkeys(range(len(items)))
    if jobs > 1:
        with closing(_by_processes(read, items, jobs)) as reading:
            for number, result in reading:
                del missing[number]
                yield number, result
    # Also where a process was killed, or the caller's script has no __main__ guard: slower, but the same songs.
    for number in missing:
        yield number, read(items[number])


def _by_processes(read: Callable[[A], B], items: Sequence[A], jobs: int) -> Generator[tuple[int, B]]:
    """The same, but for what a process that was killed still had in hand.

    A line for each, held by nobody else, breaks where either end is killed. A ProcessPoolExecutor has one for all:
    it waits for ever for the rest of a result, and its processes for the next file of a parent that is gone.
    """
    # spawn: safe under threads (torch, Ray) where a fork may hang.
    context = multiprocessing.get_context("spawn")
    processes = []
    in_hand: dict[Any, Iterator[int]] = {}
    try:
        for first in range(jobs):
            line, end = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(end, read, items[first::jobs]), daemon=True)
            process.start()
            processes.append(process)
            end.close()
            in_hand[line] = iter(range(first, len(items), jobs))
        while in_hand:
            for ready in wait(list(in_hand)):
                results: list[B] = _received(ready)
                if not results:
                    del in_hand[ready]
                for result in results:
                    yield next(in_hand[ready]), result
    finally:
        for process in processes:
            process.kill()
            process.join()


def _received(line: Any) -> list[Any]:
    """The next result, none where its process has read all or was killed."""
    with suppress(EOFError, OSError):
        return [line.recv()]
    return []


def _work(line: Connection, read: Callable[[A], B], items: Sequence[A]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it
    with suppress(BrokenPipeError):  # the parent was killed
        for item in items:
            line.send(read(item))
