"""What the tests of hostile input have in common: `data_prep` run in bounded memory, and what it says."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
READ: Final = ""
"""What is said of music that can be read after all."""

LIMITED: Final = """\
import os, resource, runpy
os.environ["OPENBLAS_NUM_THREADS"] = "1"
resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
try:
    runpy.run_module("data_prep", run_name="__main__")
finally:
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("peak", max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
"""
"""Runs `data_prep` in 4 GiB of address space; the last line tells the memory used at most, in KiB."""
MOST_KIB: Final = 700 * 1024
