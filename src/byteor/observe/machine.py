"""What the kernel says of a process: how much of a core it had, how long it waited for one, and on which it may run.

Rule 1. A process that is gone, or another one by now, says nothing.
Rule 2. A process is all of its threads.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds on a core and seconds waiting for one since the process began; the cores that it may use."""

    cpu: float
    delay: float
    cores: frozenset[int]
    asleep_on_disk: bool


def usage(pid: int, started: int) -> Usage | None:
    """What process `pid` used, if it is the one that started at that tick; None where nobody can tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if pid <= 0 or (started and int(fields[19]) != started):
            return None
        cpu, delay = _scheduled(pid)
        return Usage(cpu or _ticks(fields), delay, frozenset(os.sched_getaffinity(pid)), fields[0] == "D")
    except (OSError, IndexError, ValueError):
        return None


def _ticks(fields: list[str]) -> float:
    return (int(fields[11]) + int(fields[12])) / TICKS


def _scheduled(pid: int) -> tuple[float, float]:
    """Seconds on a core and in its queue, of all threads that live; zeros where the kernel does not count them."""
    cpu = delay = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):  # a thread that ended meanwhile
            spent, waited, _ = Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()
            cpu, delay = cpu + int(spent), delay + int(waited)
    return cpu / 1e9, delay / 1e9
