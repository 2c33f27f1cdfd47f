"""A lane graph played with lists under a random schedule: does it end, and is the result always the same?

Rule 1. Lanes have capacities, gates, marks and `closed`; roles take, give and raise marks as an executor does.
Rule 2. It shares no code with any executor, and takes order from the spec's lanes alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from byteor.spec.flow import Role, flow_of
from byteor.spec.lane_graph import LaneGraph

INF = 10**9
Record = tuple[int, int, str]  # the field, the order word, the value
Key = tuple[int, int, int, int]


@dataclass
class Lane:
    """One lane: its records, a gate for each reader, and the mark below which nothing comes any more."""

    number: int
    capacity: int
    numbering: int
    gates: dict[str, int]
    records: list[Record] = field(default_factory=list)
    mark: tuple[int, int] = (-1, -1)
    closed: bool = False

    def free(self) -> int:
        return self.capacity - (len(self.records) - min(self.gates.values(), default=len(self.records)))

    def put(self, record: Record) -> None:
        own = self.numbering == self.number
        self.records.append((record[0], len(self.records), record[2]) if own else record)

    def raised(self, bound: tuple[int, int]) -> bool:
        """Raise the mark to a bound; where the numbering starts, to the next number of its own."""
        if self.numbering == self.number and bound[0] < INF:
            bound = (bound[0], len(self.records))
        if bound <= self.mark:
            return False
        self.mark = bound
        return True


@dataclass
class Player:
    """One role at play."""

    role: Role
    inputs: list[Lane]
    outputs: list[Lane]
    source: list[Record] = field(default_factory=list)
    taken: int = 0
    done: bool = False

    def head(self, lane: Lane) -> tuple[Key, Record | None]:
        """The key of the next that a lane can bring, and the record if it is there."""
        gate = lane.gates[self.role.path]
        if gate < len(lane.records):
            record = lane.records[gate]
            return (record[0], lane.numbering, record[1], lane.number), record
        if lane.closed:
            return (INF, 0, INF, lane.number), None
        return (lane.mark[0], lane.numbering, lane.mark[1], lane.number), None

    def choose(self) -> tuple[Lane | None, Record | None]:
        if self.role.kind == "ingress":
            return None, self.source[self.taken] if self.taken < len(self.source) else None
        if self.role.kind == "merge" and self.role.part.policy == "round_robin":
            lane = self.inputs[self.taken % len(self.inputs)]
            return lane, self.head(lane)[1]
        lane = min(self.inputs, key=lambda one: self.head(one)[0])
        return lane, self.head(lane)[1]

    def step(self, random: Random) -> bool:
        """Commit a batch of at most three; tell whether anything changed."""
        moved = False
        for _ in range(random.randint(1, 3)):
            lane, record = self.choose()
            if record is None or not self.room():
                break
            if lane is not None:
                lane.gates[self.role.path] += 1
            for k, given in OPERATIONS[self.role.kind](self, record):
                self.outputs[k].put(given)
            self.taken, moved = self.taken + 1, True
        return self.marked() | self.finished() | moved

    def room(self) -> bool:
        return all(lane.free() >= (self.role.stage.max_out if self.role.stage else 1) for lane in self.outputs)

    def marked(self) -> bool:
        if self.role.kind == "ingress":
            here = self.taken < len(self.source)
            bound = (self.source[self.taken][0], self.taken) if here else (INF, INF)
        else:
            key = min(self.head(lane)[0] for lane in self.inputs)
            bound = (key[0], key[2])
        return sum(lane.raised(bound) for lane in self.outputs) > 0

    def finished(self) -> bool:
        if self.role.kind == "ingress":
            end = self.taken == len(self.source)
        else:
            end = all(lane.closed and lane.gates[self.role.path] == len(lane.records) for lane in self.inputs)
        if not end or self.done:
            return False
        for lane in self.outputs:
            lane.closed = True
        self.done = True
        return True


def _stage(player: Player, record: Record) -> list[tuple[int, Record]]:
    """Each value is a text, which grows by what is done to it; a hash of it decides how many there are."""
    stage = player.role.stage
    assert stage is not None
    count = stage.min_out + _hash(record[2]) % (stage.max_out - stage.min_out + 1)
    return [(0, (record[0], record[1], f"{record[2]}{stage.name[0]}{i}")) for i in range(count)]


def _router(player: Player, record: Record) -> list[tuple[int, Record]]:
    router = player.role.part
    if router.policy == "broadcast":
        return [(k, record) for k in range(len(player.outputs))]
    return [((player.taken if router.policy == "work_queue" else _hash(record[2])) % len(player.outputs), record)]


def _same(player: Player, record: Record) -> list[tuple[int, Record]]:
    return [(0, record)]


OPERATIONS: dict[str, Callable[[Player, Record], list[tuple[int, Record]]]] = {
    "ingress": _same,
    "bridge": _same,
    "merge": _same,
    "stage": _stage,
    "router": _router,
    "egress": lambda player, record: player.source.append(record) or [],  # type: ignore[func-returns-value]
}


def _hash(text: str) -> int:
    return sum(ord(c) * pow(31, i, 997) for i, c in enumerate(text)) % 997


def source_of(random: Random, name: str, count: int = 30, run: int = 12) -> list[Record]:
    """Records in the order of their field, with runs of equal ones."""
    rows: list[Record] = []
    now = 0
    while len(rows) < count:
        rows += [(now, 0, f"{name}{len(rows) + i}") for i in range(random.choice([1, 2, run]))]
        now += random.choice([1, 1, 5])
    return rows[:count]


def play(graph: LaneGraph, seed: int, schedule: int) -> dict[str, list[Any]] | None:
    """What leaves by each egress; None when the plant waits for itself. The seed decides the input alone."""
    flow = flow_of(graph)
    lanes = [
        Lane(i, lane.capacity, lane.order.numbering if lane.order else i, {role.path: 0 for role in flow.readers[i]})
        for i, lane in enumerate(graph.lanes)
    ]
    random = Random(seed)
    players = [
        Player(role, [lanes[n] for n, _ in role.inputs], [lanes[n] for n, _ in role.outputs]) for role in flow.roles
    ]
    for player in players:
        if player.role.kind == "ingress":
            player.source = source_of(random, player.role.name)
    return _result(players) if _played(players, Random(schedule)) else None


def _played(players: list[Player], random: Random) -> bool:
    weights = [random.random() ** 3 + 0.01 for _ in players]
    while not all(player.done for player in players):
        if random.choices(players, weights)[0].step(random):
            continue
        if not sum(player.step(random) for player in random.sample(players, len(players))):
            return False
    return True


def _result(players: list[Player]) -> dict[str, list[Any]]:
    sinks = [player for player in players if player.role.kind == "egress"]
    return {player.role.name: [(record[0], record[2]) for record in player.source] for player in sinks}
