"""What flows where in a lane graph: its roles with their lanes as numbers.

Rule 1. A name that is no lane, or that two lanes have, is left out; a rule names it. `whole` says that there is none.
Rule 2. Linear in the graph, and made once for a graph: a rule asks for it as often as it likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from byteor.spec.lane_graph import LaneGraph, Merge, Order, Router, StageRole
from byteor.spec.model import MessageType, Stage


@dataclass(frozen=True, slots=True)
class Role:
    """One reader or writer of lanes: `path` is its key, the ports are pairs of a lane's number and the port's key."""

    kind: str
    path: str
    name: str
    part: Any
    inputs: tuple[tuple[int, str], ...]
    outputs: tuple[tuple[int, str], ...]

    @property
    def stage(self) -> Stage | None:
        return self.part.stage if isinstance(self.part, StageRole) else None

    @property
    def takes(self) -> str:
        """The type that a stage or an egress says it takes."""
        return self.part.egress.type if self.kind == "egress" else self.stage.in_ if self.stage else ""

    @property
    def gives(self) -> str:
        """The type that a stage or an ingress says it gives."""
        return self.part.ingress.type if self.kind == "ingress" else self.stage.out if self.stage else ""


@dataclass(frozen=True, slots=True)
class Flow:
    """A graph taken apart: for each lane its writers and its readers."""

    graph: LaneGraph
    roles: tuple[Role, ...]
    writers: tuple[tuple[Role, ...], ...]
    readers: tuple[tuple[Role, ...], ...]
    types: dict[str, MessageType]
    unknown: tuple[tuple[str, str], ...]
    backwards: tuple[tuple[Role, str, int, int], ...]

    @property
    def whole(self) -> bool:
        """Whether every lane is known and has one writer, and every role writes behind what it reads."""
        return not self.unknown and not self.backwards and set(map(len, self.writers)) <= {1}

    def type(self, lane: int) -> MessageType | None:
        return self.types.get(self.graph.lanes[lane].type)


_kept: list[Flow] = []


def flow_of(graph: LaneGraph) -> Flow:
    """Take a graph apart; the last one is kept, for the next rule asks for the same."""
    for kept in _kept:
        if kept.graph is graph:
            return kept
    _kept[:] = [made := _made(graph)]
    return made


def with_orders(graph: LaneGraph, orders: Iterable[Order | None]) -> LaneGraph:
    """Give the lanes their orders; what flows where stays the same, and is kept for the rules that come next."""
    lanes = tuple(
        [replace(lane, order=order) if order else lane for lane, order in zip(graph.lanes, orders, strict=True)]
    )
    made = replace(graph, lanes=lanes)
    _kept[:] = [replace(flow_of(graph), graph=made)]
    return made


def _made(graph: LaneGraph) -> Flow:
    at: dict[str, int] = {}
    for i, lane in enumerate(graph.lanes):
        at.setdefault(lane.name, i)
    unknown: list[tuple[str, str]] = []
    roles = tuple(_role(kind, path, name, part, ports, at, unknown) for kind, path, name, part, ports in _parts(graph))
    writers: list[list[Role]] = [[] for _ in graph.lanes]
    readers: list[list[Role]] = [[] for _ in graph.lanes]
    for role in roles:
        for lanes, ports in ((readers, role.inputs), (writers, role.outputs)):
            for number in dict.fromkeys([number for number, _ in ports]):
                lanes[number].append(role)
    types: dict[str, MessageType] = {}
    for message in graph.types:
        types.setdefault(message.name, message)
    sides = tuple(map(tuple, writers)), tuple(map(tuple, readers))
    return Flow(graph, roles, *sides, types, tuple(unknown), tuple(_backwards(roles)))


def _backwards(roles: tuple[Role, ...]) -> Iterator[tuple[Role, str, int, int]]:
    """The ports at which a role writes a lane that does not stand behind what it reads."""
    for role in roles:
        last = max([lane for lane, _ in role.inputs], default=-1)
        for lane, path in role.outputs:
            if lane <= last:
                yield role, path, last, lane


Ports = tuple[list[tuple[str, str]], list[tuple[str, str]]]


def _parts(graph: LaneGraph) -> Iterator[tuple[str, str, str, Any, Ports]]:
    """Every role: (kind, path, name, part, (inputs, outputs)), a port being (path, name of the lane)."""
    for i, ingress in enumerate(graph.ingresses):
        path = f"ingresses.{i}"
        yield "ingress", path, ingress.ingress.name, ingress, ([], [(f"{path}.to", ingress.to)])
    for i, role in enumerate(graph.stages):
        path = f"stages.{i}"
        yield "stage", path, role.stage.name, role, ([(f"{path}.from", role.from_)], [(f"{path}.to", role.to)])
    for i, bridge in enumerate(graph.bridges):
        path = f"bridges.{i}"
        yield "bridge", path, bridge.name, bridge, ([(f"{path}.from", bridge.from_)], [(f"{path}.to", bridge.to)])
    for i, router in enumerate(graph.routers):
        path = f"routers.{i}"
        outputs = [(f"{path}.to.{k}", name) for k, name in enumerate(router.to)]
        yield "router", path, router.name, router, ([(f"{path}.from", router.from_)], outputs)
    for i, merge in enumerate(graph.merges):
        path = f"merges.{i}"
        inputs = [(f"{path}.from.{k}", name) for k, name in enumerate(merge.from_)]
        yield "merge", path, merge.name, merge, (inputs, [(f"{path}.to", merge.to)])
    for i, egress in enumerate(graph.egresses):
        path = f"egresses.{i}"
        yield "egress", path, egress.egress.name, egress, ([(f"{path}.from", egress.from_)], [])


def _role(
    kind: str, path: str, name: str, part: Any, ports: Ports, at: dict[str, int], unknown: list[tuple[str, str]]
) -> Role:
    unknown += [port for side in ports for port in side if port[1] not in at]
    inputs, outputs = (tuple((at[lane], key) for key, lane in side if lane in at) for side in ports)
    return Role(kind, path, name, part, inputs, outputs)


def is_ordering(role: Role) -> bool:
    """Whether a role is a merge that orders by a field."""
    return isinstance(role.part, Merge) and role.part.policy == "by_field" and role.part.field is not None


def is_router(role: Role) -> bool:
    return isinstance(role.part, Router)
