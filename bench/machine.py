"""The machine: what it is, where threads run on it, what a process has used.

Rule 1. What a system does not offer is left out and said so; nothing is guessed.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

PINS = hasattr(os, "sched_setaffinity")
_TICK = os.sysconf("SC_CLK_TCK")


def cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if PINS else list(range(os.cpu_count() or 1))


ALL = cores()


def pin(threads: Iterable[int], free: bool = False) -> bool:
    """Give each thread a core of its own; leave all free where asked, or with more threads than cores."""
    ids = list(threads)
    free = free or not PINS or len(ids) > len(ALL)
    for thread, core in zip(ids, ALL * len(ids), strict=False):
        if PINS:
            os.sched_setaffinity(thread, ALL if free else {core})
    return not free


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def threads_of(pid: int, prefix: str) -> list[int]:
    """The threads of a process whose name begins with `prefix`, in the order of their names."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith(prefix):
            found.append((name, int(task.name)))
    return [number for _, number in sorted(found)]


def wait_until_quiet(load: float, seconds: float) -> float:
    """Wait, at most `seconds`, until the load of the last minute is below `load`; answer what it is."""
    end = time.monotonic() + seconds
    while os.getloadavg()[0] > load and time.monotonic() < end:
        time.sleep(2)
    return os.getloadavg()[0]


def describe() -> dict[str, Any]:
    """Say what the figures were taken on."""
    return {
        "cpu": _cpu_model(),
        "cores": len(ALL),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": sys.version.split()[0],
        "packages": {name: _version(name) for name in ("byteor", "numba", "llvmlite", "numpy", "pyarrow")},
        "load": round(os.getloadavg()[0], 2),
        "pinned": PINS,
        "date": time.strftime("%Y-%m-%d"),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def largest_resident() -> float:
    """The largest resident size that this process had, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
