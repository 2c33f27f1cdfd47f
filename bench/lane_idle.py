"""P8a: what a reader costs that waits and to which nothing comes.

Rule 1. It waits in one call, longer than any turn of its wait, and what its process used is told by the system.
"""

from __future__ import annotations

import time

from bench import lane_ends
from bench.harness import Effort
from bench.results import Family

SECONDS = 1.0
BOUNDS = {"block": 1.0, "backoff": 10.0}


def measured(effort: Effort) -> Family:
    """Measure each strategy that sleeps."""
    family = Family(
        "P8a",
        "A reader to which nothing comes",
        f"`receive(timeout={SECONDS:g})` on a lane whose sender lives and is silent; the CPU of the whole process.",
    )
    for wait, bound in BOUNDS.items():
        shares = [100 * idle_share(wait, 0.1 if effort.tiny else SECONDS) for _ in range(effort.rounds)]
        family.value("idle", f"byteor {wait}", "% of a core", shares)
        reason = "what a turn of the wait costs in Python, and how often it comes"
        family.at_most(f"P8a {wait}", bound, shares, reason, " %")
    return family


def idle_share(wait: str, seconds: float) -> float:
    """The share of a core that a wait of so many seconds takes."""
    with (
        lane_ends.lane("idle", may_block=wait == "block") as (_, made),
        made.sender(),
        made.reader(wait=wait) as reader,
    ):
        try:
            reader.receive(timeout=0.01)  # compiles
        except TimeoutError:
            began, cpu = time.perf_counter(), time.process_time()
        try:
            reader.receive(timeout=seconds)
        except TimeoutError:
            return (time.process_time() - cpu) / (time.perf_counter() - began)
    raise AssertionError("something was received")
