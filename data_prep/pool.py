"""One function over many files, by several processes: the same results in the same order, and progress told."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from threading import Thread
from typing import Final, TypeVar

Progress = Callable[[int, int], None]
"""Called with the number of files read so far, and of all files."""

A = TypeVar("A")
B = TypeVar("B")

_WORTH_A_POOL: Final = 48
"""Fewer files than this are read before a second process has started."""


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_all(read: Callable[[A], B], items: Sequence[A], jobs: int, progress: Progress | None = None) -> list[B]:
    """`read(item)` for every item, in order. `read` must be importable: the processes are fresh ones."""
    if jobs == 1 or len(items) < _WORTH_A_POOL:
        return _counted(map(read, items), len(items), progress)
    try:
        return _in_pool(read, items, jobs, progress)
    except BrokenProcessPool:
        # A worker was killed, or the caller's script has no __main__ guard: slower, but the same songs.
        return _counted(map(read, items), len(items), progress)


def _in_pool(read: Callable[[A], B], items: Sequence[A], jobs: int, progress: Progress | None) -> list[B]:
    # spawn: safe under threads (torch, Ray) where a fork may hang.
    context = multiprocessing.get_context("spawn")
    line, held_by_parent = context.Pipe(duplex=False)
    with (
        line,
        held_by_parent,
        ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent, initargs=(line,)) as pool,
    ):
        try:
            return _counted(pool.map(read, items, chunksize=16), len(items), progress)
        except BaseException:
            held_by_parent.close()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _counted(results: Iterable[B], total: int, progress: Progress | None) -> list[B]:
    done: list[B] = []
    for result in results:
        done.append(result)
        if progress:
            progress(len(done), total)
    return done


def _end_with_parent(line: Connection) -> None:
    """Interrupts are the parent's to hear; once it lets go of the line, or is killed, this process ends at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_wait_and_exit, args=(line,), daemon=True).start()


def _wait_and_exit(line: Connection) -> None:
    line.poll(None)
    os._exit(1)
