"""P4: a message there and back, plain Python at both ends, beside pyaeron and other libraries.

Rule 1. A round of a library is two fresh processes; the first round of each is its warm-up and is not kept.
Rule 2. All run in one interpreter, CPython 3.12 where there is one: pyaeron needs it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Sequence
from typing import Any

from bench import venv
from bench.harness import Effort
from bench.results import Family

LIBRARIES = (
    "byteor",
    "pyaeron",
    "iceoryx2",
    "pyzmq",
    "faster-fifo",
    "multiprocessing.Queue",
    "multiprocessing.Pipe",
)
SHARES = ("median", "p99", "p99.9")
SECONDS, PATIENCE = 0.4, 60
Rounds = dict[str, list[dict[str, float]]]


def measured(effort: Effort) -> Family:
    """Measure all libraries in turns."""
    python, absent = venv.made()
    version = venv.interpreter()[1]
    family = Family(
        "P4",
        "A message there and back, plain Python at both ends",
        f"64 bytes, two processes, each on a core of its own, CPython {version}, message by message: a trip ends where "
        "the next begins. byteor, pyaeron and iceoryx2 spin; the others wait in their own way.",
    )
    names = [name for name in LIBRARIES if name != "pyaeron" or version >= venv.WANTED][: 1 if effort.tiny else None]
    if not absent:
        found = rounds("trips", names, python, effort)
        _tell(family, found)
        absent = (
            "" if "pyaeron" in found else "there is no CPython 3.12 (or set BYTEOR_BENCH_PYTHON), which pyaeron needs"
        )
        if not effort.tiny:
            others = [name for name in names if name not in ("byteor", "pyaeron")]
            best = min(others, key=lambda name: statistics.median(_medians(found, name)))
            reason = f"{best} is the fastest of them"
            family.at_least("P4 over others", 10, _ratios(found, best, "byteor"), reason)
        if "pyaeron" in found:
            reason = "what a call of Python's costs, four times, on top of two hops"
            family.at_most("P4 over pyaeron", 1, _ratios(found, "byteor", "pyaeron"), reason)
    if absent:
        family.unmeasured("P4 over pyaeron", "≤ 1×", absent)
    return family


def rounds(kind: str, names: Sequence[str], python: str, effort: Effort) -> Rounds:
    """What each library answers, round by round."""
    found: Rounds = {name: [] for name in names}
    for i in range(effort.rounds + 1):
        for name in names:
            answer = _run(kind, name, python, 0.1 if not i or effort.tiny else SECONDS)
            if i:
                found[name].append(answer)
    return found


def _run(kind: str, name: str, python: str, seconds: float) -> dict[str, float]:
    command = [python, str(venv.HERE / "links.py"), kind, name, str(seconds)]
    given: dict[str, Any] = {"env": venv.environment(venv.interpreter()[1]), "timeout": PATIENCE}
    done = subprocess.run(command, capture_output=True, text=True, **given)
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _tell(family: Family, found: Rounds) -> None:
    for name, answers in found.items():
        for which in SHARES:
            family.value(f"there and back, {which}", name, "ns", [one[which] for one in answers])


def _medians(found: Rounds, name: str) -> list[float]:
    return [one["median"] for one in found[name]]


def _ratios(found: Rounds, above: str, below: str) -> list[float]:
    """One library's median over another's, round by round."""
    return [a / b for a, b in zip(_medians(found, above), _medians(found, below), strict=True)]
