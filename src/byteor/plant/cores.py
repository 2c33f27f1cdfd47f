"""Which cores the processes of a plant may use.

Rule 1. A process has the cores that its roles name; `balanced` deals those that nobody named to the others, in turn.
Rule 2. A core that this process may not use is told before anything starts: some may be gone when a plant is resumed.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping

from byteor.diag import Diagnostic
from byteor.plant import findings
from byteor.spec.placement import Placement


def missing(placement: Placement) -> Iterator[Diagnostic]:
    """A finding for each role that names a core which is not here."""
    allowed = os.sched_getaffinity(0)
    for place in placement.roles:
        if place.cpu is not None and place.cpu not in allowed:
            here = ", ".join(map(str, sorted(allowed)))
            path = f"placement.roles.{placement.roles.index(place)}.cpu"
            yield findings.NO_CORE.at(path, f"`{place.role}` is pinned to core {place.cpu}; there are {here}")


def spread(members: Mapping[str, tuple[str, ...]], placement: Placement) -> dict[str, tuple[int, ...]]:
    """The cores of each process by its name, from the roles in it; none where it may use all."""
    named = {name: _named(roles, placement) for name, roles in members.items()}
    allowed = os.sched_getaffinity(0)
    free = sorted(allowed.difference(*named.values())) or sorted(allowed)
    dealt = itertools.cycle(free)
    balanced = placement.pinning == "balanced"
    return {name: cores or ((next(dealt),) if balanced else ()) for name, cores in named.items()}


def _named(roles: tuple[str, ...], placement: Placement) -> tuple[int, ...]:
    return tuple(sorted({core for role in roles if (core := placement.place(role).cpu) is not None}))
