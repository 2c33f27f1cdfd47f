"""P8: what a plant in processes costs to which nothing comes.

Rule 1. All of its processes count: roles, their forkserver and their supervisor.
"""

from __future__ import annotations

import time

from bench.harness import Effort
from bench.plants import Chain, chain
from bench.results import Family

SECONDS = 5.0
BOUNDS = {8: 1.0, 64: 3.0}


def measured(effort: Effort) -> Family:
    """Measure chains that wait under `block`."""
    family = Family(
        "P8",
        "An idle plant in processes",
        f"A chain of roles under `block` whose input is silent, for {SECONDS:g} s; the CPU of all its processes.",
    )
    for roles, bound in list(BOUNDS.items())[: 1 if effort.tiny else None]:
        with chain(roles) as made:
            time.sleep(SECONDS / 5)
            shares = [_share(made, 0.2 if effort.tiny else SECONDS) for _ in range(effort.rounds)]
            made.end()
        family.value(f"{roles} roles", "byteor block", "% of a core", shares)
        family.at_most(f"P8 {roles} roles", bound, shares, "each waiter looks up four times a second", " %")
    return family


def _share(made: Chain, seconds: float) -> float:
    before, began = made.used(), time.perf_counter()
    time.sleep(seconds)
    after, took = made.used(), time.perf_counter() - began
    return 100 * sum(after[pid] - before.get(pid, 0) for pid in after) / took / 1e9
