"""P7b: how long a plant in processes takes until it is ready, and until it has ended.

Rule 1. Each start is a command of its own; what it compiles was compiled before.
"""

from __future__ import annotations

from bench.harness import Effort
from bench.plants import chain
from bench.results import Family

SIZES = (16, 64)


def measured(effort: Effort) -> Family:
    """Measure starts and ends of chains."""
    family = Family(
        "P7b",
        "Start of a plant in processes",
        "From the start of `byteor run --processes` until every role of a chain has committed its beginning, warm; and "
        "from the end of its input until all processes are gone.",
    )
    starts: dict[int, list[float]] = {}
    for roles in SIZES[: 1 if effort.tiny else None]:
        found = [_once(roles) for _ in range(effort.rounds + 1)][1:]  # the first one may have to compile
        starts[roles] = [start for start, _ in found]
        family.value(f"{roles} roles", "start until ready", "s", starts[roles])
        family.value(f"{roles} roles", "end", "s", [end for _, end in found])
    family.at_most("P7b", 3.0, starts[SIZES[0]], "16 processes share the cores with who starts them", " s")
    return family


def _once(roles: int) -> tuple[float, float]:
    with chain(roles) as made:
        return made.seconds, made.end()
