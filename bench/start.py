"""P7: how long it takes until something happens.

Rule 1. Every start is a process of its own; a cold one has a compile cache of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.harness import Effort
from bench.results import Family

HERE = Path(__file__).resolve().parent
BYTEOR = (sys.executable, "-c", "from byteor.cli import main; main()")
IMPORT = "import time; t = time.perf_counter(); import byteor; print(time.perf_counter() - t)"


def measured(effort: Effort) -> Family:
    """Measure the import, warm starts and cold ones."""
    family = Family(
        "P7",
        "Start",
        "A fresh process each time. First message: from the start of `byteor run` over three compiled stages until "
        "the first bytes stand in its output; cold: with an empty compile cache.",
    )
    with tempfile.TemporaryDirectory() as folder:
        ticks = Path(folder) / "ticks.raw"
        np.ones((65_536, 2), "<i8").tofile(ticks)
        imports = [imported() * 1e3 for _ in range(effort.rounds)]
        cold = [first_message(ticks, Path(folder) / f"cache{i}") for i in range(max(1, effort.rounds // 3))]
        warm = [first_message(ticks, Path(folder) / "cache0")[0] for _ in range(effort.rounds)]
    family.value("import byteor", "byteor", "ms", imports)
    family.value("first message, warm", "byteor", "s", warm)
    family.value("first message, cold", "byteor", "s", [seconds for seconds, _ in cold])
    family.at_most("P7 import", 60, imports, unit=" ms")
    family.at_most("P7 warm", 1.0, warm, unit=" s")
    family.at_most("P7 cold", 15, [seconds for seconds, _ in cold], unit=" s")
    if not all(told for _, told in cold):
        family.remarks.append("a cold start showed no progress")
    return family


def imported() -> float:
    """Seconds of `import byteor` in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], stdout=subprocess.PIPE, text=True, check=True, env=environment()
    )
    return float(done.stdout)


def first_message(ticks: Path, cache: Path) -> tuple[float, bool]:
    """Seconds from the start of a run until its first bytes, and whether it showed progress before."""
    command = [*BYTEOR, "run", str(HERE / "ticks.toml"), "-i", str(ticks), "-o", "-"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(cache)) as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.read(1)
        took = time.perf_counter() - began
        process.stdout.read()
        told = process.stderr.read()
    if not first or process.returncode:
        raise RuntimeError(f"`byteor run` ended with {process.returncode}: {told.decode()}")
    return took, bool(told)


def environment(cache: Path | None = None) -> dict[str, str]:
    """A child sees the sources of this checkout."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, **({"BYTEOR_CACHE": str(cache)} if cache else {})}
