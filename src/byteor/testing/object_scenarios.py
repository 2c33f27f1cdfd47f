"""The calls that take and give objects, under the explorer: what goes, and what they leave to Python.

Rule 1. A message is a row, an end is the address of its block; what Python's C interface does is played here.
Rule 2. Python's side of a call answers `REFUSED`; what fails in Python is a null, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from byteor.kernel import ends, objects
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lane_scenarios import Handles
from byteor.testing.lift import Body

REFUSED, TAKEN, NULL = "refused", "taken", "null"
TYPE, DTYPE = 5, 6


class Talk(Handles):
    """A lane between two ends that are called from Python."""

    def __init__(self, lab: Lab, capacity: int, rings: int = 1) -> None:
        super().__init__(lab, capacity, rings, 1, (False, False))
        here = lab.lift.constants["here"]
        self.size, self.fails = 1, False
        self.foreign: bool | tuple[int, int] = False
        lab.lift.constants.update(
            block_of=lambda end: end,
            is_bytes=lambda _message: not here[0].foreign,
            size_of=lambda _message: here[0].size,
            put_bytes=lambda base, _lengths, at, _size, message, _n: here[0].put(base + at, message),
            get_bytes=lambda base, _lengths, at, _size: here[0].shown(base + at),
            is_plain=lambda _message: here[0].foreign is False,
            is_record=lambda _message, kind, dtype: here[0].foreign == (kind, dtype),
            put_record=lambda records, at, message: here[0].written(records + at, message),
            get_record=lambda records, at: here[0].shown(records + at),
            kept=lambda address: {1: TAKEN}[address],
            call=lambda function, _argument: {2: REFUSED}[function],
            none=lambda: None,
            null=lambda: NULL,
            is_null=lambda found: found == NULL,
        )

    def shown(self, address: int) -> Any:
        """What a slot holds, as an object."""
        return NULL if self.fails else self.slots[address // 1000][address % 1000].values()

    def written(self, address: int, message: Any) -> bool:
        """Write into a slot, as numpy does."""
        if not self.fails:
            self.put(address, message)
        return not self.fails

    def sender(self, ring: int, name: str = "sender") -> int:
        """A handle for a ring, with the objects that its words point to."""
        handle = super().sender(ring, name)
        words = {ends.ANSWER: 1, ends.OTHERWISE: 2, ends.RECORDS: 1000 * ring, ends.RECORD: TYPE, ends.DTYPE: DTYPE}
        for word, value in words.items():
            self.lab.world.memory.define(handle + word, value)
        return handle

    def reader(self, gate: int) -> int:
        """A handle for a reader, with the records of each ring."""
        handle = super().reader(gate)
        for ring in range(len(self.cursors)):
            part = handle + ends.READER_HEAD + ring * ends.RING_STRIDE
            self.lab.world.memory.define(part + ends.RING_RECORDS, 1000 * ring)
        return handle

    def giving(self, ring: int, count: int, send: Any) -> Body:
        """Send `count` messages, each until it was taken."""
        handle, rows, done = self.sender(ring), self.lab.world.rows(sent(count)), 0
        while done < count:
            answer = yield from self.lab.lift(send)(handle, rows[done])
            done += answer == TAKEN
            if answer != TAKEN:
                yield "pause", ""

    def getting(self, count: int, receive: Any, got: list[Row]) -> Body:
        """Receive `count` messages; the last is given back by the look that finds nothing."""
        handle, found = self.reader(0), None
        while len(got) < count or found is not None:
            found = yield from self.lab.lift(receive)(handle, None)
            if found is not None:
                got.append(found)
            elif len(got) < count:
                yield "pause", ""


def talk(capacity: int, counts: tuple[int, ...], send: Any, receive: Any) -> Callable[[Lab], Check]:
    """A sender for each count, and a reader of them all."""

    def setup(lab: Lab) -> Check:
        lane = Talk(lab, capacity, len(counts))
        got: list[Row] = []
        for ring, count in enumerate(counts):
            lab.world.spawn(lane.giving(ring, count, send), f"sender{ring}")
        lab.world.spawn(lane.getting(sum(counts), receive, got), "reader")

        def check() -> None:
            same(sorted(got), sorted(row for n in counts for row in sent(n)))
            assert [lab.value(gates[0]) for gates in lane.gates] == list(counts), "not all was given back"

        return check

    return setup


scenario("objects: bytes: capacity 1, 2 messages")(talk(1, (2,), objects.send_bytes, objects.receive_bytes))
scenario("objects: records: capacity 1, 2 messages")(talk(1, (2,), objects.send_record, objects.receive_record))
scenario("objects: bytes: capacity 2, 3 messages")(talk(2, (3,), objects.send_bytes, objects.receive_bytes))
scenario("objects: records, two rings: capacity 1, 1 message each")(
    talk(1, (1, 1), objects.send_record, objects.receive_record)
)


def alone(name: str) -> Callable[[Callable[[Lab, Talk, int, int], Body]], None]:
    """A scenario of one actor with both handles on a ring of two slots."""

    def put(body: Callable[[Lab, Talk, int, int], Body]) -> None:
        def setup(lab: Lab) -> Check:
            lane = Talk(lab, 2)
            lab.world.spawn(body(lab, lane, lane.sender(0), lane.reader(0)), "alone")
            return lambda: None

        scenario(f"objects alone: {name}")(setup)

    return put


def answers(lab: Lab, call: Any, handle: int, wanted: list[Any], argument: Any = None) -> Body:
    """Hold calls, one after the other, to their answers."""
    for answer in wanted:
        found = yield from lab.lift(call)(handle, argument)
        assert found == answer, f"{found} instead of {answer}"


for _send, _receive in ((objects.send_bytes, objects.receive_bytes), (objects.send_record, objects.receive_record)):

    @alone(f"{_send.__name__}: until it is full, and again when there is room")
    def _(lab: Lab, lane: Talk, sender: int, reader: int, send: Any = _send, receive: Any = _receive) -> Body:
        row = lab.world.rows(sent(1))[0]
        yield from answers(lab, send, sender, [TAKEN, TAKEN, REFUSED], row)
        yield from answers(lab, receive, reader, [(0, 0)])
        yield from answers(lab, send, sender, [REFUSED], row)
        yield from answers(lab, receive, reader, [(0, 0)])
        yield from answers(lab, send, sender, [TAKEN, REFUSED], row)
        yield from answers(lab, receive, reader, [(0, 0), None, None])
        yield from answers(lab, send, sender, [TAKEN], row)
        yield "store", "release", lane.ended, 1
        yield from answers(lab, send, sender, [REFUSED], row)

    @alone(f"{_receive.__name__}: what cannot be shown is received by the next call")
    def _(lab: Lab, lane: Talk, sender: int, reader: int, send: Any = _send, receive: Any = _receive) -> Body:
        yield from answers(lab, send, sender, [TAKEN], lab.world.rows(sent(1))[0])
        lane.fails = True
        yield from answers(lab, receive, reader, [NULL])
        lane.fails = False
        yield from answers(lab, receive, reader, [(0, 0), None])


@alone("bytes as long as a slot go, longer ones and other objects are left to Python")
def _(lab: Lab, lane: Talk, sender: int, reader: int) -> Body:
    row = lab.world.rows(sent(1))[0]
    lane.size = 2
    yield from answers(lab, objects.send_bytes, sender, [REFUSED], row)
    lane.size, lane.foreign = 0, True
    yield from answers(lab, objects.send_bytes, sender, [REFUSED], row)
    lane.foreign = False
    yield from answers(lab, objects.send_bytes, sender, [TAKEN], row)


@alone("records of the lane's own type go, others are left to Python, and a failure sends nothing")
def _(lab: Lab, lane: Talk, sender: int, reader: int) -> Body:
    row = lab.world.rows(sent(1))[0]
    lane.foreign = (TYPE, DTYPE + 1)
    yield from answers(lab, objects.send_record, sender, [REFUSED], row)
    lane.foreign, lane.fails = (TYPE, DTYPE), True
    yield from answers(lab, objects.send_record, sender, [NULL], row)
    lane.fails = False
    yield from answers(lab, objects.receive_record, reader, [None])
    yield from answers(lab, objects.send_record, sender, [TAKEN], row)
    yield from answers(lab, objects.receive_record, reader, [(0, 0), None])
