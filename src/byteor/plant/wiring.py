"""Who meets whom in a plant: each role with its lanes, its gates in them, and the bells that it rings.

Rule 1. Roles are numbered in topological order, ties in the order of the spec; the number is the place of a role's
    bell and counters in the plant's region.
Rule 2. A reader's gate is its place among the readers of its lane.
Rule 3. Only the spec is looked at, and which part of it is here: every process of a host wires alike.
Rule 4. A part keeps the numbers of the whole graph: the number of a lane is part of the order of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from byteor.abi import byteor_v1 as abi
from byteor.abi.family import Kind
from byteor.fabric import link
from byteor.fabric.link import Link
from byteor.spec.flow import Role as Found
from byteor.spec.flow import flow_of
from byteor.spec.lane_graph import Lane, LaneGraph
from byteor.spec.model import MessageType, Stage

RINGS = ("events", "fanout", "sequenced_slots")
Sides = list[list[Found]]  # for each lane, who stands at one side of it
_KINDS = {"events": abi.EVENTS, "fanout": abi.FANOUT, "sequenced_slots": abi.SLOTS}


@dataclass(frozen=True, slots=True)
class Part:
    """What of a graph is on one host: its roles by name, and the ends of the lanes that cross to other hosts.

    `capacities` are those of lanes that have another number of slots here than the spec says.
    """

    roles: tuple[str, ...]
    links: tuple[Link, ...] = ()
    capacities: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Port:
    """Where a role meets a lane; `gate` is its own, of a reader."""

    lane: int
    gate: int = 0


@dataclass(frozen=True, slots=True)
class Role:
    """One role: `number` is its place in the plant, `rings` the numbers of its neighbours.

    Of a link the kind is `out` or `in`, and the part is the `Link`.
    """

    number: int
    kind: str
    name: str
    path: str
    part: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    rings: tuple[int, ...]

    @property
    def is_link(self) -> bool:
        """Whether it is the end of a lane that crosses to another host."""
        return self.kind in (link.OUT, link.IN)

    @property
    def stage(self) -> Stage | None:
        return self.part.stage if self.kind == "stage" else None


@dataclass(frozen=True, slots=True)
class Wiring:
    """A graph as its executor needs it, or the part of it that is here; `readers` counts them for each lane.

    A lane that nobody here reads or writes has no readers: it has no block here either.
    """

    graph: LaneGraph
    types: Mapping[str, MessageType]
    roles: tuple[Role, ...]
    readers: tuple[int, ...]
    capacities: tuple[int, ...]
    here: frozenset[int]

    def role(self, name: str) -> Role | None:
        return next((role for role in self.roles if role.name == name), None)

    def lane(self, port: Port) -> Lane:
        return self.graph.lanes[port.lane]

    def type(self, port: Port) -> MessageType:
        return self.types[self.lane(port).type]


def wire(graph: LaneGraph, part: Part | None = None) -> Wiring:
    """Wire a valid graph, or a part of it."""
    flow = flow_of(graph)
    chosen = flow.roles if part is None else (*_chosen(flow.roles, part), *_linked(graph, part.links))
    made = sorted(chosen, key=_depth)
    numbers = {one.path: number for number, one in enumerate(made)}
    lanes = range(len(graph.lanes))
    # The order of a lane's readers is that of the graph: it gives each its gate.
    readers = [[one for one in chosen if n in dict.fromkeys(lane for lane, _ in one.inputs)] for n in lanes]
    writers = [[one for one in chosen if n in dict.fromkeys(lane for lane, _ in one.outputs)] for n in lanes]
    roles = tuple(_role(readers, writers, one, number, numbers) for number, one in enumerate(made))
    counted = tuple(lane.consumers if part is None else len(readers[n]) for n, lane in enumerate(graph.lanes))
    slots = tuple((part.capacities if part else {}).get(lane.name, lane.capacity) for lane in graph.lanes)
    return Wiring(graph, flow.types, roles, counted, slots, frozenset(n for n in lanes if readers[n] or writers[n]))


def part_of(data: Mapping[str, Any]) -> Part | None:
    """The part that a manifest names; None where everything is here."""
    if not data:
        return None
    return Part(tuple(data["roles"]), tuple(map(link.from_data, data["links"])), dict(data["capacities"]))


def part_data(part: Part | None) -> dict[str, Any]:
    """A part as a manifest holds it."""
    if part is None:
        return {}
    links = [link.to_data(one) for one in part.links]
    return {"roles": list(part.roles), "links": links, "capacities": dict(part.capacities)}


def local(graph: LaneGraph, part: Part) -> LaneGraph:
    """A graph with all of its lanes and only the roles that are here: for whoever asks what these need."""
    names = set(part.roles)
    return replace(
        graph,
        ingresses=tuple(role for role in graph.ingresses if role.ingress.name in names),
        stages=tuple(role for role in graph.stages if role.stage.name in names),
        bridges=tuple(role for role in graph.bridges if role.name in names),
        routers=tuple(role for role in graph.routers if role.name in names),
        merges=tuple(role for role in graph.merges if role.name in names),
        egresses=tuple(role for role in graph.egresses if role.egress.name in names),
    )


def _chosen(parts: Iterable[Found], part: Part) -> list[Found]:
    names = set(part.roles)
    return [one for one in parts if one.name in names]


def _linked(graph: LaneGraph, links: Iterable[Link]) -> list[Found]:
    """The ends of links, as roles of the graph."""
    numbers = {lane.name: number for number, lane in enumerate(graph.lanes)}
    found = []
    for i, one in enumerate(links):
        port = ((numbers[one.lane], one.lane),)
        inputs, outputs = (port, ()) if one.side == link.OUT else ((), port)
        found.append(Found(one.side, f"links.{i}", one.role, one, inputs, outputs))
    return found


def _depth(part: Found) -> tuple[bool, int]:
    """Lanes stand in topological order, so the last one that a role reads says how deep it is."""
    return bool(part.inputs), max((lane for lane, _ in part.inputs), default=0)


def _role(readers: Sides, writers: Sides, part: Found, number: int, numbers: Mapping[str, int]) -> Role:
    inputs = tuple(Port(lane, readers[lane].index(part)) for lane, _ in part.inputs)
    outputs = tuple(Port(lane) for lane, _ in part.outputs)
    near = [other for lane, _ in part.inputs for other in writers[lane]]
    near += [other for lane, _ in part.outputs for other in readers[lane]]
    rings = tuple(dict.fromkeys(numbers[other.path] for other in near))
    return Role(number, part.kind, part.name, part.path, part.part, inputs, outputs, rings)


def kind_of(lane: Lane) -> Kind:
    """The kind of region that a lane of rings is."""
    return _KINDS[lane.kind]


def params_of(wiring: Wiring, number: int) -> dict[str, int]:
    """The parameters of a lane's region."""
    lane = wiring.graph.lanes[number]
    inherits = lane.order is not None and lane.order.numbering != number
    given = {"rings": 1, "gates": wiring.readers[number], "filters": 0, "capacity": wiring.capacities[number]}
    given |= {"slot_bytes": lane.slot_bytes, "lengths": 0, "orders": int(inherits), "schema_bytes": 0}
    return {p.name: given[p.name] for p in kind_of(lane).family.params}
