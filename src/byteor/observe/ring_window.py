"""A ring in processes seen from outside, in the words of plants: its ring is a lane that all of its roles share.

Rule 1. A stage's position is its gate; what it waits for follows from the gates before it, as one looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from byteor.abi.byteor_v1 import ON_RECORDS, ON_ROOM
from byteor.exec.graph import Graph
from byteor.exec.snapshot import percentile
from byteor.kernel import commit as c
from byteor.plant import ring_blocks
from byteor.plant.blocks import Blocks
from byteor.plant.directory import Seen
from byteor.plant.ring_blocks import Part, parts_of
from byteor.plant.status import WAITING, LaneStatus, RoleStatus, Status, newest
from byteor.plant.wiring import Port, Role
from byteor.spec.lane_graph import Lane
from byteor.spec.model import MessageType, SingleRing

NAME, KIND = "ring", "sequenced_slots"


@dataclass(frozen=True, slots=True)
class RingWiring:
    """A ring wired as a plant of one lane."""

    roles: tuple[Role, ...]
    ring: Lane
    message: MessageType

    def role(self, name: str) -> Role | None:
        return next((role for role in self.roles if role.name == name), None)

    def lane(self, port: Port) -> Lane:
        return self.ring

    def type(self, port: Port) -> MessageType:
        return self.message


def wire_ring(spec: SingleRing) -> RingWiring:
    """Wire a ring: the ingress gives to it, all others take from it, each at its own gate."""
    message = next(one for one in spec.types if one.name == spec.type)
    ring = Lane(NAME, KIND, spec.type, spec.capacity, spec.slot_bytes, 1, len(spec.stages) + 1, "block")
    roles = []
    for part in parts_of(spec):
        takes = () if part.kind == "ingress" else (Port(0, part.number - 1),)
        gives = (Port(0),) if part.kind == "ingress" else ()
        roles.append(Role(part.number, part.kind, part.name, part.path, part, takes, gives, ()))
    return RingWiring(tuple(roles), ring, message)


class RingLook:
    """The regions of a ring, mapped to be looked at."""

    def __init__(self, seen: Seen, spec: SingleRing) -> None:
        self._spec, self._graph, self._parts = spec, Graph(spec), parts_of(spec)
        self.wiring = wire_ring(spec)
        made = ring_blocks.attach(spec, seen.where, seen.manifest.generations, self._parts, looks=True)
        self._made = made
        self.blocks = Blocks(made.plant, (made.region,), made.books)

    def _cursor(self) -> int:
        return int(self._made.region.read("cursor"))

    def _gate(self, number: int) -> int:
        return int(self._made.region.read("gate", number))

    def _released(self) -> int:
        """Up to where slots may be used again."""
        return min(self._gate(number) for number in self._graph.boundary)

    def _before(self, part: Part) -> int:
        """Up to where a role may take."""
        if part.stage is None:
            return min(self._gate(number) for number in self._graph.sinks)
        return min([self._gate(number) for number in part.stage.depends_on] or [self._cursor()])

    def waiting(self) -> np.ndarray:
        """What each role waits for, as far as its gates tell."""
        return np.array([self._missing(part) for part in self._parts], np.int64)

    def _missing(self, part: Part) -> int:
        if part.kind == "ingress":
            return ON_ROOM * (self._cursor() - self._released() >= self._spec.capacity)
        return ON_RECORDS * (self._gate(part.number - 1) >= self._before(part))

    def fills(self) -> list[float]:
        """How full the ring is, from 0 to 1."""
        return [max(0, self._cursor() - self._released()) / self._spec.capacity]

    def status(self) -> Status:
        """How the ring stands now."""
        cursor, released = self._cursor(), self._released()
        full = cursor - released >= self._spec.capacity
        slow = [p.name for p in self._parts if p.number - 1 in self._graph.boundary and p.kind != "ingress"]
        gated = tuple(n for n in slow if self._position(n) == released) if full else ()
        closed = self._made.region.read("closed") >= 0
        ring = LaneStatus(NAME, KIND, self._spec.capacity, cursor, max(0, cursor - released), closed, gated)
        return Status(tuple(self._role(part) for part in self._parts), (ring,))

    def _position(self, name: str) -> int:
        return self._gate(next(part.number for part in self._parts if part.name == name) - 1)

    def _role(self, part: Part) -> RoleStatus:
        book, counted = self._made.books[part.number], self._made.runner(part)
        words, sizes = newest(book), counted.values("sizes")
        end, first = int(self._made.region.read("closed")), part.kind == "ingress"
        at = self._cursor() if first else self._gate(part.number - 1)
        return RoleStatus(
            name=part.name,
            kind=part.kind,
            epoch=words[0],
            taken=at,
            put=words[c.TAKEN // 8 + 1] if part.kind == "egress" else at,
            filtered=counted.read("filtered"),
            dropped=0,
            late=0,
            lag=0 if first else max(0, self._before(part) - at),
            done=0 <= end <= at,
            alive=book.held("owner"),
            starts=book.read("owner"),
            batch_p50=percentile(sizes, 0.5),
            batch_p99=percentile(sizes, 0.99),
            batches=tuple(sizes),
            waits=counted.read("waits"),
            crowded=counted.read("crowded"),
            blocks=counted.read("blocks"),
            waiting=WAITING[self._missing(part)],
            pid=book.read("owner_pid"),
        )
