"""A recorded lane, played back into a plant: the part of a graph behind a lane, and the journal as its source.

Rule 1. What is played back is the lane that was tapped: its readers see the same records in the same order.
Rule 2. Roles that need other inputs keep them, with all that stands before those; taps are left out.
Rule 3. A lane whose records inherit their order words cannot be played back: the words are not in the journal.
Rule 4. Records that the journal no longer has are a finding, unless that is allowed; then the report says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from byteor.diag import Refused
from byteor.kernel.hot import waiting
from byteor.lanes import journal
from byteor.lanes.outcome import Closed
from byteor.plant import findings
from byteor.plant.logs import PIECE, take_rows
from byteor.spec.flow import Flow, Role, flow_of
from byteor.spec.lane_graph import Bridge, Lane, LaneGraph, LaneIngress, Order
from byteor.spec.model import Ingress, scalar

EMPTY_LOOK = 0.05  # seconds to wait for a writer that still lives


def tapped(graph: LaneGraph, name: str) -> int:
    """The number of the lane that the journal `name` of a graph taps."""
    taps = {bridge.to: bridge.from_ for bridge in graph.bridges}
    journals = [lane.name for lane in graph.lanes if lane.kind == "journal" and lane.name in taps]
    if name not in journals:
        known = ", ".join(f"`{n}`" for n in journals) or "none"
        raise _refused(name, f"the plant has no tap `{name}`", f"name one with `--tap`: {known}")
    return [lane.name for lane in graph.lanes].index(taps[name])


def behind(graph: LaneGraph, number: int) -> LaneGraph:
    """The part of a graph that reads a lane, with an ingress named as the lane in the place of its writer."""
    lane, flow = graph.lanes[number], flow_of(graph)
    if lane.order is not None and lane.order.numbering != number:
        raise _refused(lane.name, f"`{lane.name}` inherits its order", "tap the lane where its numbering starts")
    kept = _kept(flow, number)
    if any(role.path == flow.writers[number][0].path for role in kept):
        raise _refused(lane.name, f"what is behind `{lane.name}` also needs the role that wrote it", "tap before it")
    writer = flow.writers[number][0]
    made = replace(writer.part, to=lane.name) if writer.kind == "ingress" else _ingress(lane)
    return _cut(graph, {role.path for role in kept}, made)


def _kept(flow: Flow, number: int) -> list[Role]:
    """All readers behind a lane, and whatever else they need; taps are left out."""
    found: dict[str, Role] = {}
    waiting_ = [role for role in flow.readers[number] if not _is_tap(flow, role)]
    while waiting_:
        role = waiting_.pop()
        if role.path in found:
            continue
        found[role.path] = role
        near = [r for lane, _ in role.outputs for r in flow.readers[lane]]
        near += [r for lane, _ in role.inputs if lane != number for r in flow.writers[lane]]
        waiting_ += [r for r in near if not _is_tap(flow, r)]
    return list(found.values())


def _is_tap(flow: Flow, role: Role) -> bool:
    return isinstance(role.part, Bridge) and flow.graph.lanes[role.outputs[0][0]].kind == "journal"


def _ingress(lane: Lane) -> LaneIngress:
    return LaneIngress(lane.name, Ingress(lane.name, lane.type, "auto", (), "fail", None))


def _cut(graph: LaneGraph, paths: set[str], source: LaneIngress) -> LaneGraph:
    """The graph of these roles and of one source; lanes are numbered anew, and count the readers that are left."""

    def left(kind: str) -> tuple[Any, ...]:
        return tuple(part for i, part in enumerate(getattr(graph, kind)) if f"{kind}.{i}" in paths)

    made = replace(
        graph,
        ingresses=(source, *left("ingresses")),
        stages=left("stages"),
        bridges=left("bridges"),
        routers=left("routers"),
        merges=left("merges"),
        egresses=left("egresses"),
    )
    flow = flow_of(made)
    used = [i for i in range(len(graph.lanes)) if flow.writers[i] and flow.readers[i]]
    numbers = {old: new for new, old in enumerate(used)}
    lanes = [_renumbered(graph.lanes[old], len(flow.readers[old]), numbers) for old in used]
    return replace(made, lanes=tuple(lanes))


def _renumbered(lane: Lane, readers: int, numbers: dict[int, int]) -> Lane:
    kind = "events" if lane.kind == "fanout" and readers == 1 else lane.kind
    order = lane.order and Order(lane.order.by, numbers[lane.order.numbering], lane.order.late)
    return replace(lane, kind=kind, consumers=readers, order=order)


@dataclass(slots=True)
class Recorded:
    """A journal as the source of an ingress: its records from one number up to another; `missing` are gone.

    `pace` waits as long between two records as their field says, in seconds a unit of it.
    """

    path: Path
    first: int = 0
    until: int | None = None
    gaps: bool = False
    pace: Pace | None = None
    missing: int = field(default=0, init=False)

    def __call__(self, position: int) -> Iterator[np.ndarray]:
        lane = journal.attach(self.path)
        try:
            if lane.dtype is None:
                raise _refused(str(self.path), "its records have no type", "play back a journal of a plant")
            for rows in self._rows(lane, self.first + position):
                yield from self.pace.paced(rows) if self.pace else (rows,)
        finally:
            lane.close()

    def _rows(self, lane: Any, at: int) -> Iterator[np.ndarray]:
        reader = lane.replay(at)
        left = None if self.until is None else self.until - at
        while left is None or left > 0:
            rows = np.zeros(PIECE if left is None else min(PIECE, left), lane.dtype)
            n = int(waiting(take_rows)(reader.compiled, rows))
            part = rows[:n] if n else self._by_hand(lane, reader)
            if part is None:
                return
            if len(part):
                yield part
            left = None if left is None else left - len(part)

    def _by_hand(self, lane: Any, reader: Any) -> np.ndarray | None:
        """One look in Python: a record, a gap, or the end; an open journal without a writer ends where it is."""
        try:
            found = reader.receive(timeout=EMPTY_LOOK)
        except (Closed, TimeoutError):
            return None
        if isinstance(found, journal.Gap):
            if not self.gaps:
                message = f"{found.records or 'some'} records are missing from {found.first}"
                raise _refused(str(self.path), message, "play it back all the same with `--gaps`")
            self.missing += found.records or 1
            return np.zeros(0, lane.dtype)
        return np.array([found], lane.dtype)


@dataclass(slots=True)
class Pace:
    """How fast records are played back: as far apart as their timestamp says."""

    by: str
    seconds: float  # of one unit of the field
    sleep: Callable[[float], object] = time.sleep
    now: Callable[[], float] = time.monotonic
    _first: tuple[int, float] | None = field(default=None, init=False)

    def paced(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Give the rows, those of one time together, when it is their time."""
        times = rows[self.by].astype(np.int64)
        edges = np.flatnonzero(np.diff(times)) + 1
        for part in np.split(rows, edges):
            at = int(part[self.by][0])
            if self._first is None:
                self._first = at, self.now()
            due = self._first[1] + (at - self._first[0]) * self.seconds
            self.sleep(max(0.0, due - self.now()))
            yield part


_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def pace_of(graph: LaneGraph, number: int) -> Pace:
    """The pace of a lane: by the first timestamp of its records."""
    message = next(t for t in graph.types if t.name == graph.lanes[number].type)
    for one in message.fields:
        kind = scalar(one.type)
        if kind is not None and kind.kind == "timestamp" and one.count == 1:
            return Pace(one.name, _UNITS[kind.unit])
    raise _refused(graph.lanes[number].name, "its records have no timestamp", "play it back with `--speed max`")


def _refused(path: str, message: str, help: str) -> Refused:
    return Refused([findings.NO_REPLAY.at(path, message, help=help)])
