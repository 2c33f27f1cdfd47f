"""P12: whether a run's memory grows with its input.

Rule 1. The resident size is the largest that the system saw of a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench import machine, rings
from bench.harness import Effort
from bench.results import Family
from bench.start import HERE, environment

TIMES = 100
# What a parent held when it forked does not count: the process itself tells what it used.
RUN = "import atexit; from bench import memory; atexit.register(memory.tell); from byteor.cli import main; main()"
CACHE = HERE.parent / "build" / "bench" / "compiled"
FORMATS = ("raw", "csv")


def measured(effort: Effort) -> Family:
    """Measure a file as large as the ring beside one that is a hundred times larger."""
    family = Family(
        "P12",
        "Memory",
        f"`byteor run` over a file of {rings.CAPACITY:,} ticks, as many as the ring has slots, and over one of "
        f"{TIMES} times as many; file to file, three compiled stages.",
    )
    for format in FORMATS[: 1 if effort.tiny else None]:
        with tempfile.TemporaryDirectory() as folder:
            _compare(family, format, Path(folder), effort)
    return family


def _compare(family: Family, format: str, folder: Path, effort: Effort) -> None:
    small = written(folder, format, 1)
    large = written(folder, format, 2 if effort.tiny else TIMES)
    resident(small, folder)  # compiles
    sizes = [(resident(small, folder), resident(large, folder)) for _ in range(min(3, effort.rounds))]
    family.value(f"{format}, as large as the ring", "byteor run", "MiB", [a for a, _ in sizes])
    family.value(f"{format}, {TIMES} times the ring", "byteor run", "MiB", [b for _, b in sizes])
    family.at_most(f"P12 {format}", 1.05, [b / a for a, b in sizes], f"{sizes[0][0]:.0f} to {sizes[0][1]:.0f} MiB")


def written(folder: Path, format: str, times: int) -> Path:
    """Write ticks: `times` as many as the ring has slots."""
    path = folder / f"{times}.{format}"
    rows = np.stack([np.arange(rings.CAPACITY), np.ones(rings.CAPACITY, np.int64)], 1).astype("<i8")
    block = rows.tobytes() if format == "raw" else "".join(f"{a},{b}\n" for a, b in rows.tolist()).encode()
    with open(path, "wb") as file:
        file.write(b"px,qty\n" if format == "csv" else b"")
        for _ in range(times):
            file.write(block)
    return path


def resident(path: Path, folder: Path) -> float:
    """The largest resident size, in MiB, of a run over a file."""
    command = [sys.executable, "-c", RUN, "run", str(HERE / "ticks.toml"), "-i", str(path)]
    command += ["-o", str(folder / f"out{path.suffix}")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(CACHE))
    if done.returncode:
        raise RuntimeError(f"`byteor run` over {path.name} ended with {done.returncode}: {done.stderr}")
    return float(done.stderr.splitlines()[-1])


def tell() -> None:
    """Print the largest resident size of this process as the last line of stderr."""
    print(machine.largest_resident(), file=sys.stderr)
