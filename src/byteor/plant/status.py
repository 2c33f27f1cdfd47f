"""How a plant stands: what each role has done, what lies in each lane, and who holds it back.

Rule 1. All of it is read from the mapped tables, by anybody who can map them; no loop does anything for it.
Rule 2. Positions are those of the newest commit: they are exact after a crash. Cells beside it are not, and say so.
Rule 3. What a role waits for is told as it is at that moment: whoever looks often sees how its time is spent.
Rule 4. The consumer that gates a lane is the one with the least gate; a lane that is not full is gated by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from byteor.exec.snapshot import StageSnapshot, percentile
from byteor.kernel import commit as c
from byteor.plant.blocks import LINK_BYTES, Blocks
from byteor.plant.wiring import RINGS, Port, Role, Wiring

SIZES = 32  # buckets of batch sizes
LINKS = ("out", "in")
UNHEARD = 2  # how a link has ended whose far side never said that it has everything
WAITING = ("works", "starved", "crowded")  # by the word


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One role: records taken and put, by its newest commit, and counters beside it.

    `batches` counts batches by size: entry b those from 2^b on. `waiting` is `works`, `starved` or `crowded`, and
    `pid` whose process it is, or was last; 0 in one process. A link may be done `unheard`: its far side never said that
    it has everything. Of a link are told the other host, whether it is connected, and up to where it has sent; counted
    are waits for room over there, records that were asked for or sent again, and messages of zombies.
    """

    name: str
    kind: str
    epoch: int
    taken: int
    put: int
    filtered: int
    dropped: int
    late: int
    lag: int
    done: bool
    alive: bool
    starts: int
    batch_p50: int
    batch_p99: int
    batches: tuple[int, ...]
    waits: int
    crowded: int
    blocks: int
    waiting: str
    pid: int
    unheard: bool = False
    peer: str = ""
    connected: bool | None = None
    sent: int = 0
    stalls: int = 0
    rewinds: int = 0
    fenced: int = 0

    @property
    def state(self) -> str:
        """In one word: done, gone, or what it is at."""
        if self.done or not self.alive:
            return "done" if self.done else "gone"
        return self.waiting

    @property
    def is_link(self) -> bool:
        return self.connected is not None

    @property
    def restarts(self) -> int:
        return max(0, self.starts - 1)

    @property
    def starved(self) -> int:
        """How many of the waits were for records."""
        return self.waits - self.crowded


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """One lane: what was published, what lies in it, and the readers that hold its producer back."""

    name: str
    kind: str
    capacity: int
    published: int
    depth: int
    closed: bool
    gated_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """A plant at one moment."""

    roles: tuple[RoleStatus, ...]
    lanes: tuple[LaneStatus, ...]

    def role(self, name: str) -> RoleStatus:
        return next(role for role in self.roles if role.name == name)

    @property
    def stages(self) -> tuple[StageSnapshot, ...]:
        """The roles as the stages of a ring are shown."""
        return tuple(StageSnapshot(r.name, r.taken, r.filtered, r.lag, r.batch_p50, r.batch_p99) for r in self.roles)

    @property
    def messages_in(self) -> int:
        return sum(role.taken for role in self.roles if role.kind == "ingress")

    @property
    def messages_out(self) -> int:
        return sum(role.put for role in self.roles if role.kind == "egress")

    @property
    def filtered(self) -> int:
        return sum(role.filtered for role in self.roles)

    @property
    def dropped(self) -> int:
        return sum(role.dropped for role in self.roles)

    @property
    def late(self) -> int:
        return sum(role.late for role in self.roles)


def status_of(wiring: Wiring, blocks: Blocks) -> Status:
    """Read the whole plant; lanes that this process has not mapped are left out."""
    roles = tuple(_role(wiring, blocks, role) for role in wiring.roles if blocks.books[role.number] is not None)
    lanes = range(len(wiring.graph.lanes))
    rings = [n for n in lanes if blocks.lanes[n] is not None and wiring.graph.lanes[n].kind in RINGS]
    return Status(roles, tuple(_lane(wiring, blocks, n) for n in rings))


def _role(wiring: Wiring, blocks: Blocks, role: Role) -> RoleStatus:
    book = blocks.books[role.number]
    words = newest(book)
    inputs, outputs = max(1, len(role.inputs)), max(1, len(role.outputs))
    at = c.TAKEN // 8
    put = [at + inputs + c.PUT // 8 * j for j in range(outputs)]
    sizes = _sizes(blocks, role)
    taken = sum(words[at : at + inputs])
    return RoleStatus(
        role.name,
        role.kind,
        words[0],
        taken,
        sum(words[p] for p in put),
        words[c.FILTERED // 8],
        sum(words[p + c.DROPPED // 8] for p in put),
        words[c.LATE // 8],
        sum(_behind(blocks, port, words[at + i]) for i, port in enumerate(role.inputs)),
        _done(blocks, role, words),
        book.held("owner"),
        book.read("owner"),
        percentile(sizes, 0.5),
        percentile(sizes, 0.99),
        tuple(sizes),
        blocks.plant.read("runner_waits", role.number),
        blocks.plant.read("runner_crowded", role.number),
        blocks.plant.read("runner_blocks", role.number),
        WAITING[blocks.plant.read("runner_waiting", role.number) % len(WAITING)],
        book.read("owner_pid"),
        role.kind in LINKS and words[c.ENDED // 8] == UNHEARD,
        *_of_link(role, book),
    )


def _of_link(role: Role, book: Any) -> tuple[Any, ...]:
    """What is told of a link alone."""
    if role.kind not in LINKS:
        return ()
    words = newest(book, LINK_BYTES // 8)
    up, sent, *counts = words[-5:]
    connected = bool(up) and book.held("owner")
    return (role.part.peer or role.part.address, connected, max(sent, words[c.TAKEN // 8]), *counts)


def _sizes(blocks: Blocks, role: Role) -> list[int]:
    plant = blocks.plant
    first = (plant.address("runner_sizes", role.number) - plant.address("header")) // 8
    return [int(n) for n in plant.words[first : first + SIZES]]


def _done(blocks: Blocks, role: Role, words: list[int]) -> bool:
    if role.kind in ("egress", *LINKS):
        return words[c.ENDED // 8] >= 1
    return all(blocks.lanes[p.lane] is None or blocks.lanes[p.lane].read("closed") >= 0 for p in role.outputs)


def _behind(blocks: Blocks, port: Port, at: int) -> int:
    block = blocks.lanes[port.lane]
    return max(0, block.read("cursor") - at) if block is not None else 0


def newest(book: Any, tail: int = 0) -> list[int]:
    """The words of a role's newest record, with so many of the tail; whole, however often it commits meanwhile."""
    first, second = book.address("record_epoch"), book.address("record_epoch", 1)
    words = (c.TAKEN + 8 * book.params["inputs"] + c.PUT * book.params["outputs"]) // 8 + tail
    base = book.address("header")
    while True:
        k = int(book.read("record_epoch", 1) > book.read("record_epoch"))
        start = ((second if k else first) - base) // 8
        copied = [int(word) for word in book.words[start : start + words]]
        if book.read("record_epoch", 1 - k) <= copied[0]:
            return copied


def _lane(wiring: Wiring, blocks: Blocks, number: int) -> LaneStatus:
    lane, block = wiring.graph.lanes[number], blocks.lanes[number]
    gates = block.values("gate")
    cursor, least = block.read("cursor"), min(gates)
    capacity = wiring.capacities[number]
    full = cursor - least >= capacity
    slow = [gate for gate, at in enumerate(gates) if at == least] if full else []
    readers = {port.gate: role.name for role in wiring.roles for port in role.inputs if port.lane == number}
    names = tuple(readers[gate] for gate in slow if gate in readers)
    depth = max(0, cursor - least)
    return LaneStatus(lane.name, lane.kind, capacity, cursor, depth, block.read("closed") >= 0, names)
