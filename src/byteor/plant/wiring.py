"""Who meets whom in a plant: each role with its lanes, its gates in them, and the bells that it rings.

Rule 1. Roles are numbered in topological order, ties in the order of the spec; the number is the place of a role's
    bell and counters in the plant's region.
Rule 2. A reader's gate is its place among the readers of its lane.
Rule 3. Only the spec is looked at: every process wires alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from byteor.abi import byteor_v1 as abi
from byteor.abi.family import Kind
from byteor.spec.flow import Flow, flow_of
from byteor.spec.flow import Role as Part
from byteor.spec.lane_graph import Lane, LaneGraph
from byteor.spec.model import MessageType, Stage

RINGS = ("events", "fanout", "sequenced_slots")
_KINDS = {"events": abi.EVENTS, "fanout": abi.FANOUT, "sequenced_slots": abi.SLOTS}


@dataclass(frozen=True, slots=True)
class Port:
    """Where a role meets a lane; `gate` is its own, of a reader."""

    lane: int
    gate: int = 0


@dataclass(frozen=True, slots=True)
class Role:
    """One role: `number` is its place in the plant, `rings` the numbers of its neighbours."""

    number: int
    kind: str
    name: str
    path: str
    part: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    rings: tuple[int, ...]

    @property
    def stage(self) -> Stage | None:
        return self.part.stage if self.kind == "stage" else None


@dataclass(frozen=True, slots=True)
class Wiring:
    """A graph as its executor needs it."""

    graph: LaneGraph
    types: Mapping[str, MessageType]
    roles: tuple[Role, ...]

    def role(self, name: str) -> Role | None:
        return next((role for role in self.roles if role.name == name), None)

    def lane(self, port: Port) -> Lane:
        return self.graph.lanes[port.lane]

    def type(self, port: Port) -> MessageType:
        return self.types[self.lane(port).type]


def wire(graph: LaneGraph) -> Wiring:
    """Wire a valid graph."""
    flow = flow_of(graph)
    parts = sorted(flow.roles, key=_depth)
    numbers = {part.path: number for number, part in enumerate(parts)}
    roles = tuple(_role(flow, part, number, numbers) for number, part in enumerate(parts))
    return Wiring(graph, flow.types, roles)


def _depth(part: Part) -> tuple[bool, int]:
    """Lanes stand in topological order, so the last one that a role reads says how deep it is."""
    return bool(part.inputs), max((lane for lane, _ in part.inputs), default=0)


def _role(flow: Flow, part: Part, number: int, numbers: Mapping[str, int]) -> Role:
    inputs = tuple(Port(lane, _gate(flow, lane, part)) for lane, _ in part.inputs)
    outputs = tuple(Port(lane) for lane, _ in part.outputs)
    near = [other for lane, _ in part.inputs for other in flow.writers[lane]]
    near += [other for lane, _ in part.outputs for other in flow.readers[lane]]
    rings = tuple(dict.fromkeys(numbers[other.path] for other in near))
    return Role(number, part.kind, part.name, part.path, part.part, inputs, outputs, rings)


def _gate(flow: Flow, lane: int, part: Part) -> int:
    return [reader.path for reader in flow.readers[lane]].index(part.path)


def kind_of(lane: Lane) -> Kind:
    """The kind of region that a lane of rings is."""
    return _KINDS[lane.kind]


def params_of(number: int, lane: Lane) -> dict[str, int]:
    """The parameters of a lane's region."""
    inherits = lane.order is not None and lane.order.numbering != number
    given = {"rings": 1, "gates": lane.consumers, "filters": 0, "capacity": lane.capacity}
    given |= {"slot_bytes": lane.slot_bytes, "lengths": 0, "orders": int(inherits), "schema_bytes": 0}
    return {p.name: given[p.name] for p in kind_of(lane).family.params}
