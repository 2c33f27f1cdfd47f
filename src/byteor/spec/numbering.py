"""Which lanes carry order words, and where these are given: what ordering merges ask of the lanes before them.

Rule 1. A numbering starts at an ingress, at a merge that joins numberings or does not order, and where it is told to;
    everywhere else records keep the word of the record that they came of.
Rule 2. Numbers count for the whole plant: a lane's number is its place, a numbering's that of the lane it starts at.
    Numbers of a merge's own wedge two merges that take the same branches in opposite order.
Rule 3. Nothing here judges: `order_rules` does, and lowering fills in what is found here. Only whole flows are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from byteor.spec.flow import Flow, Role, is_ordering
from byteor.spec.lane_graph import LaneGraph, Order

# Longer than any lane; runs multiply, and nobody needs to know how far.
ENDLESS = 1 << 40


@dataclass(frozen=True, slots=True)
class Demand:
    """What a merge asks of the lanes before it; `path` is the merge's key."""

    by: str
    late: str
    path: str


@dataclass(frozen=True, slots=True)
class Clash:
    """Two merges that ask different things of one lane."""

    lane: int
    first: Demand
    second: Demand


@dataclass(frozen=True, slots=True)
class Numbering:
    """For each lane, where its numbering starts and what is asked of it; and what cannot be had at once."""

    starts: tuple[int, ...]
    demands: tuple[Demand | None, ...]
    clashes: tuple[Clash, ...]

    def orders(self) -> Iterator[Order | None]:
        """The order of each lane, None where nothing asks for one."""
        for start, demand in zip(self.starts, self.demands, strict=True):
            yield Order(demand.by, start, demand.late) if demand else None

    def keeps(self, lane: int) -> bool:
        """Whether a lane is asked for order, and inherits its words."""
        return self.demands[lane] is not None and self.starts[lane] != lane


def told(graph: LaneGraph) -> frozenset[int]:
    """The lanes of a spec at which a numbering starts."""
    return frozenset(i for i, lane in enumerate(graph.lanes) if lane.order and lane.order.numbering == i)


def numbering_of(flow: Flow, anew: Iterable[int] = ()) -> Numbering:
    """Find what the ordering merges of a whole flow ask for; `anew` are lanes told to start a numbering."""
    starts = _starts(flow, frozenset(anew))
    clashes: list[Clash] = []
    demands: list[Demand | None] = [None] * len(starts)
    for lane in reversed(range(len(starts))):
        demands[lane] = _demand(flow, lane, starts, demands, clashes)
    return Numbering(tuple(starts), tuple(demands), tuple(reversed(clashes)))


def _starts(flow: Flow, anew: frozenset[int]) -> list[int]:
    starts: list[int] = []
    for lane, writers in enumerate(flow.writers):
        before = {starts[number] for number, _ in writers[0].inputs}
        starts.append(before.pop() if lane not in anew and _inherits(writers[0], before) else lane)
    return starts


def _inherits(role: Role, before: set[int]) -> bool:
    return len(before) == 1 and (role.kind != "merge" or is_ordering(role))


def _demand(
    flow: Flow, lane: int, starts: list[int], demands: list[Demand | None], clashes: list[Clash]
) -> Demand | None:
    """Gather what the readers of a lane ask of it; the first one that asks is heard."""
    found: Demand | None = None
    for demand in _asked(flow, lane, starts, demands):
        if found is None:
            found = demand
        elif (found.by, found.late) != (demand.by, demand.late):
            clashes.append(Clash(lane, found, demand))
    return found


def _asked(flow: Flow, lane: int, starts: list[int], demands: list[Demand | None]) -> Iterator[Demand]:
    for role in flow.readers[lane]:
        if is_ordering(role):
            yield Demand(role.part.field, role.part.late, role.path)
        for number, _ in role.outputs:
            if starts[number] != number and (demand := demands[number]):
                yield demand


def runs(flow: Flow, numbering: Numbering) -> list[int]:
    """How many records of one order word may follow each other on each lane."""
    pairs: list[tuple[int, int]] = []
    for lane, writers in enumerate(flow.writers):
        role = writers[0]
        if numbering.starts[lane] == lane:
            pairs.append((1, 0))
            continue
        rows = sum(pairs[number][0] for number, _ in role.inputs)
        ends = sum(pairs[number][1] for number, _ in role.inputs)
        if stage := role.stage:
            rows, ends = rows * stage.max_out, ends * stage.max_out + (stage.end.max if stage.end else 0)
        pairs.append((min(rows, ENDLESS), min(ends, ENDLESS)))
    # Records of `end` share one word of their own, behind all others.
    return [max(pair) for pair in pairs]


@dataclass(frozen=True, slots=True)
class Split:
    """A place where the records of `lane` go several ways: it has several readers, or one is the router `role`."""

    lane: int
    role: Role | None
    readers: tuple[Role, ...]


def splits(flow: Flow) -> Iterator[Split]:
    """The places at which one lane's records go several ways, in order of their lanes."""
    for lane, readers in enumerate(flow.readers):
        if len(readers) > 1:
            yield Split(lane, None, readers)
        for role in readers:
            if len(role.outputs) > 1:
                yield Split(lane, role, (role,))


def branches(split: Split) -> list[list[Role | int]]:
    """The beginnings of a split's branches: a merge, or the lanes behind a reader."""
    if split.role is not None:
        return [[number] for number, _ in split.role.outputs]
    return [[role, *(number for number, _ in role.outputs)] for role in split.readers]


def meet(flow: Flow, numbering: Numbering, split: Split) -> str | None:
    """The key of an ordering merge at which two branches of a split meet, if they do."""
    seen: dict[str, int] = {}
    for i, branch in enumerate(branches(split)):
        for path in _merges_behind(flow, numbering, branch):
            if seen.setdefault(path, i) != i:
                return path
    return None


def _merges_behind(flow: Flow, numbering: Numbering, branch: list[Role | int]) -> Iterator[str]:
    """The ordering merges that a branch reaches without a new numbering."""
    waiting = [number for number in branch if isinstance(number, int)]
    roles = [role for role in branch if isinstance(role, Role)]
    been = set(waiting)
    while waiting or roles:
        while roles:
            role = roles.pop()
            if is_ordering(role):
                yield role.path
        lane = waiting.pop() if waiting else None
        if lane is None or not numbering.keeps(lane):
            continue
        for role in flow.readers[lane]:
            roles.append(role)
            fresh = [number for number, _ in role.outputs if number not in been]
            been.update(fresh)
            waiting += fresh
