"""What benchmarks say of the machine that they ran on."""

import platform
from pathlib import Path


def processor() -> str:
    """The name of its processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return (names or [platform.processor() or platform.machine()])[0]
