"""What the kernel's hot functions are run through: each scenario names operations and bounds.

Rule 1. A scenario makes its words, payload and actors, and answers with the check of the end.
Rule 2. Messages have two words, so a torn one can show: (number, minus number) when sent.
Rule 3. Actors hand each other nothing but words and payload; lists belong to one actor.
Rule 4. What is asserted is what users are promised: every row once, in order, whole; counters exact.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from byteor.abi.byteor_v1 import OPEN
from byteor.kernel import loops
from byteor.kernel import ring as kernel
from byteor.kernel.ring import UNMARKED
from byteor.kernel.wait import BLOCK, FOREVER, NOBODY, SPIN, Waiter
from byteor.kernel.wait import ring as ring_bells
from byteor.testing.explore import Check, Scenario
from byteor.testing.lift import Body, Lifter
from byteor.testing.world import World

Setup = Callable[["Lab"], Check]
Row = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One scenario of the table: `full` marks those beyond the default bounds."""

    name: str
    setup: Setup
    limit: int
    full: bool

    def lifted(self, lift: Lifter) -> Scenario:
        """The scenario over the functions as this lifter makes them."""
        self.setup(Lab(World(), lift))  # a dry run: what the lifter has not reached by now is not in it
        return lambda world: self.setup(Lab(world, lift))


# One loop per stage and shape: what is lifted once is run many thousand times.
message_loop = functools.cache(loops.make_message_loop)
batch_loop = functools.cache(loops.make_batch_loop)

TABLE: dict[str, Entry] = {}


def scenario(name: str, limit: int = 60_000, full: bool = False) -> Callable[[Setup], Setup]:
    """Put a scenario into the table."""

    def put(setup: Setup) -> Setup:
        assert name not in TABLE
        TABLE[name] = Entry(name, setup, limit, full)
        return setup

    return put


class Lab:
    """One world with one ring, and the actors of the kernel ready to be put to it."""

    def __init__(self, world: World, lift: Lifter) -> None:
        self.world, self.lift = world, lift
        self.blockers: tuple[int, ...] = ()
        self.patience = FOREVER

    def ring(self, capacity: int, gates: int, filters: int = 0) -> None:
        """Make the ring's words and slots."""
        self.cursor, self.stop = self.world.words("cursor", "stop")
        self.closed = self.world.word("closed", OPEN)
        self.gates = tuple(self.world.word(f"gate{i}") for i in range(gates))
        self.bells = tuple(self.world.word(f"bell{i}") for i in range(gates + 1))  # the last is the producer's
        self.stats = tuple(self.world.word(f"stats{i}") for i in range(gates))
        self.slots = self.world.slots(capacity)
        self.dead = self.world.array(max(1, filters), capacity, name="dead")

    def blocking(self, *ends: int) -> None:
        """Let these ends block, at their first turn; the others spin, for which no bell is rung."""
        self.blockers = ends
        self.lift.constants["_SPINS"] = -1

    def waiter(self, end: int) -> Waiter:
        """How this end waits."""
        return Waiter(self.closed, self.stop, self.bells[end], BLOCK if self.blocks(end) else SPIN, self.patience)

    def rung(self, *ends: int) -> tuple[int, ...]:
        """The bells to ring: of those that may block."""
        return tuple(self.bells[end] for end in ends if self.blocks(end)) or NOBODY

    def blocks(self, end: int) -> bool:
        """Whether this end may block; -1 is the producer, which is also the last."""
        return end % len(self.bells) in {blocker % len(self.bells) for blocker in self.blockers}

    def sending(self, count: int, gates: Iterable[int], rings: Iterable[int], limit: int = 64) -> Body:
        """Send `count` messages, all of them, and close."""
        rows = self.world.rows([(n, -n) for n in range(count)])
        cells = tuple(self.gates[g] for g in gates)
        waiter, bells = self.waiter(-1), self.rung(*rings)
        taken = yield from self.lift(kernel.send)(self.cursor, [0], cells, self.slots, rows, waiter, bells, limit)
        assert taken == count, f"{taken} of {count} sent"
        yield from self.lift(kernel.close)(self.cursor, self.closed, self.rung(*range(len(self.gates) + 1)))

    def collecting(self, gate: int, cells: Iterable[int], got: list[Row], room: int = 4, marks: Any = UNMARKED) -> Body:
        """Collect until the stream has ended."""
        own = self.gates[gate]
        cells, waiter, bells = tuple(cells), self.waiter(gate), self.rung(-1)
        collect = self.lift(kernel.collect)
        while True:
            out = self.world.slots(room, name="out")
            n = yield from collect(cells, own, self.slots, self.dead, marks, out, waiter, bells)
            got += [row.values() for row in out[:n]]
            done = yield "load", "relaxed", own
            if done == (yield "load", "acquire", self.closed):
                return

    def port(self, gate: int, cells: Iterable[int], rings: Iterable[int], limit: int, marks: Any, own: int) -> loops.Port:
        """Where a stage meets the ring."""
        return loops.Port(tuple(cells), self.gates[gate], self.stats[gate], self.rung(*rings), marks, own, limit)

    def per_message(
        self,
        call: Any,
        shape: loops.Shape,
        port: loops.Port,
        gate: int,
        state: Any = None,
        result: int = loops.DONE,
        row_of: Any = None,
    ) -> Body:
        """Run a per-message stage to its end."""
        loop = self.lift(message_loop(call, row_of, shape))
        ended = yield from loop(port, self.slots, self.dead, [state], None, [None], self.waiter(gate))
        assert ended == result, f"the loop ended with {ended}"

    def per_batch(
        self,
        call: Any,
        shape: loops.Shape,
        port: loops.Port,
        gate: int,
        state: Any = None,
        result: int = loops.DONE,
        rows_of: Any = None,
    ) -> Body:
        """Run a per-batch stage to its end."""
        loop = self.lift(batch_loop(call, rows_of, shape))
        lives, indices = np.zeros(8, np.bool_), np.zeros(8, np.int64)
        waiter = self.waiter(gate)
        ended = yield from loop(port, self.slots, self.dead, state, None, [None], waiter, lives, indices)
        assert ended == result, f"the loop ended with {ended}"

    def value(self, address: int) -> int:
        """The newest value of a word; for checks at the end."""
        return self.world.memory.history(address)[-1][0]


def sent(count: int, change: Callable[[Row], Row] = lambda row: row) -> list[Row]:
    """What arrives when `count` messages were sent and each was changed."""
    return [change((n, -n)) for n in range(count)]


def same(got: list[Row], wanted: list[Row]) -> None:
    """Every row once, in order, whole."""
    assert got == wanted, f"{got} instead of {wanted}"


# Stages


def left(record: Any, *_: Any) -> None:
    record.a = record.a + 10


def bump(record: Any, *_: Any) -> None:
    record.b = record.b + 100


def take(record: Any, _live: Any, _index: Any, state: list[Row], _p: Any) -> None:
    state.append(record.values())


def keep_even(record: Any, *_: Any) -> bool:
    return bool(record.a % 2 == 0)


# The two ends


def unicast(lab: Lab, capacity: int, count: int, limit: int = 64, room: int = 4) -> Check:
    """One producer, one reader."""
    lab.ring(capacity, 1)
    got: list[Row] = []
    lab.world.spawn(lab.sending(count, [0], [0], limit), "producer")
    lab.world.spawn(lab.collecting(0, [lab.cursor], got, room), "egress")
    return lambda: same(got, sent(count))


for _capacity, _count, _full in ((1, 0, 0), (1, 2, 0), (1, 3, 0), (1, 4, 0), (2, 3, 0), (2, 4, 0), (2, 5, 1)):
    scenario(f"send, collect: capacity {_capacity}, {_count} messages", full=bool(_full), limit=400_000)(
        lambda lab, c=_capacity, n=_count: unicast(lab, c, n)  # type: ignore[misc]
    )
scenario("send, collect: capacity 2, 3 messages, pieces of 1")(lambda lab: unicast(lab, 2, 3, 1, 1))


def two_readers(lab: Lab, capacity: int, count: int) -> Check:
    """A fanout: the slot is free when both have passed it."""
    lab.ring(capacity, 2)
    got: tuple[list[Row], list[Row]] = ([], [])
    lab.world.spawn(lab.sending(count, [0, 1], [0, 1]), "producer")
    for gate in (0, 1):
        lab.world.spawn(lab.collecting(gate, [lab.cursor], got[gate]), f"egress{gate}")
    return lambda: [same(g, sent(count)) for g in got]


scenario("send, two collects: capacity 1, 2 messages")(lambda lab: two_readers(lab, 1, 2))


def unicast_blocking(lab: Lab, count: int, blockers: tuple[int, ...]) -> Check:
    """As before, with doorbells: a ring that is missed wedges."""
    lab.blocking(*blockers)
    return unicast(lab, 1, count)


scenario("send, collect blocking: capacity 1, 1 message")(lambda lab: unicast_blocking(lab, 1, (0,)))
scenario("send blocking, collect: capacity 1, 2 messages")(lambda lab: unicast_blocking(lab, 2, (-1,)))
scenario("send, collect, both blocking: capacity 1, 1 message")(lambda lab: unicast_blocking(lab, 1, (0, -1)))
scenario("send, collect blocking: capacity 1, 2 messages", limit=400_000, full=True)(
    lambda lab: unicast_blocking(lab, 2, (0,))
)
scenario("send, collect, both blocking: capacity 1, 2 messages", limit=100_000, full=True)(
    lambda lab: unicast_blocking(lab, 2, (0, -1))
)


# Stopping


def stopping(lab: Lab, ends: Iterable[int]) -> Body:
    """Set the stop word and wake whoever may sleep."""
    yield "store", "release", lab.stop, 1
    yield from lab.lift(ring_bells)(lab.rung(*ends))


def stop_both(lab: Lab) -> Check:
    """A producer without room and a reader without messages: only the stop ends them."""
    lab.ring(1, 2)
    answers: list[int] = []

    def full() -> Body:
        rows = lab.world.rows([(0, 0), (1, -1)])
        send = lab.lift(kernel.send)
        taken = yield from send(lab.cursor, [0], (lab.gates[0],), lab.slots, rows, lab.waiter(-1), NOBODY, 64)
        answers.append(taken)

    def empty() -> Body:
        cells, out = (lab.gates[0],), lab.world.slots(1, name="out")
        collect = lab.lift(kernel.collect)
        n = yield from collect(cells, lab.gates[1], lab.slots, lab.dead, UNMARKED, out, lab.waiter(1), NOBODY)
        answers.append(n)

    lab.world.spawn(full(), "producer")
    lab.world.spawn(empty(), "egress")
    lab.world.spawn(stopping(lab, range(3)), "stopper")

    def check() -> None:
        assert sum(answers) <= 1 and len(answers) == 2, answers

    return check


scenario("stop of a full send and an empty collect: capacity 1")(stop_both)


@scenario("stop of a full send and an empty collect, both blocking: capacity 1")
def _(lab: Lab) -> Check:
    lab.blocking(1, -1)
    return stop_both(lab)


# Stages


def chain(lab: Lab, capacity: int, count: int, limit: int = 64) -> Check:
    """Producer, one stage in place, egress."""
    lab.ring(capacity, 2)
    got: list[Row] = []
    port = lab.port(0, [lab.cursor], [1], limit, UNMARKED, -1)
    lab.world.spawn(lab.sending(count, [1], [0]), "producer")
    lab.world.spawn(lab.per_message(bump, loops.Shape(), port, 0), "stage")
    lab.world.spawn(lab.collecting(1, [lab.gates[0]], got), "egress")
    return lambda: same(got, sent(count, lambda r: (r[0], r[1] + 100)))


scenario("send, stage, collect: capacity 1, 2 messages")(lambda lab: chain(lab, 1, 2))
scenario("send, stage, collect: capacity 1, 3 messages")(lambda lab: chain(lab, 1, 3))
scenario("send, stage, collect: capacity 2, 3 messages", limit=300_000, full=True)(lambda lab: chain(lab, 2, 3))


@scenario("send, stage, collect blocking: capacity 1, 1 message")
def _(lab: Lab) -> Check:
    lab.blocking(1)
    return chain(lab, 1, 1)


@scenario("send, stage, collect, all blocking: capacity 1, 1 message", limit=20_000, full=True)
def _(lab: Lab) -> Check:
    lab.blocking(0, 1, -1)
    return chain(lab, 1, 1)


def diamond(lab: Lab, capacity: int, count: int) -> Check:
    """Two stages side by side write one field each; the third waits for both."""
    lab.ring(capacity, 3)
    got: list[Row] = []

    lab.world.spawn(lab.sending(count, [2], [0, 1]), "producer")
    for gate, call in ((0, left), (1, bump)):
        port = lab.port(gate, [lab.cursor], [2], 64, UNMARKED, -1)
        lab.world.spawn(lab.per_message(call, loops.Shape(), port, gate), f"stage{gate}")
    port = lab.port(2, [lab.gates[0], lab.gates[1]], [-1], 64, UNMARKED, -1)
    lab.world.spawn(lab.per_message(take, loops.Shape(), port, 2, got), "join")
    return lambda: same(got, sent(count, lambda r: (r[0] + 10, r[1] + 100)))


scenario("send, diamond of stages: capacity 1, 1 message")(lambda lab: diamond(lab, 1, 1))
scenario("send, diamond of stages: capacity 1, 2 messages", limit=200_000, full=True)(lambda lab: diamond(lab, 1, 2))


# Filters


def filtering(lab: Lab, capacity: int, count: int, batches: bool) -> Check:
    """A stage takes out the odd messages, the next one skips them, the egress leaves them out."""
    lab.ring(capacity, 3, filters=1)
    got: list[Row] = []
    seen: list[Row] = []
    first = lab.port(0, [lab.cursor], [1], 64, UNMARKED, 0)
    second = lab.port(1, [lab.gates[0]], [2], 64, (0,), -1)
    lab.world.spawn(lab.sending(count, [2], [0]), "producer")
    if batches:
        lab.world.spawn(lab.per_batch(mask_even, loops.Shape(filters=True, masks=True), first, 0), "filter")
        lab.world.spawn(lab.per_batch(take_all, loops.Shape(skips=True), second, 1, seen), "stage")
    else:
        lab.world.spawn(lab.per_message(keep_even, loops.Shape(filters=True), first, 0), "filter")
        lab.world.spawn(lab.per_message(take, loops.Shape(skips=True), second, 1, seen), "stage")
    lab.world.spawn(lab.collecting(2, [lab.gates[1]], got, marks=(0,)), "egress")

    def check() -> None:
        wanted = [row for row in sent(count) if row[0] % 2 == 0]
        same(got, wanted)
        same(seen, wanted)
        assert lab.value(lab.stats[0] + loops.FILTERED) == count // 2

    return check


def mask_even(batch: Any, *_: Any) -> list[bool]:
    return [record.a % 2 == 0 for record in batch]


def take_all(batch: Any, _live: Any, _index: Any, state: list[Row], _p: Any) -> None:
    state += [record.values() for record in batch]


scenario("send, filter, stage, collect: capacity 1, 2 messages")(lambda lab: filtering(lab, 1, 2, False))
scenario("send, filter, stage, collect: capacity 2, 2 messages")(lambda lab: filtering(lab, 2, 2, False))
scenario("send, filter, stage, collect by batches: capacity 1, 2 messages")(lambda lab: filtering(lab, 1, 2, True))
scenario("send, filter, stage, collect by batches: capacity 2, 2 messages")(lambda lab: filtering(lab, 2, 2, True))
scenario("send, filter, stage, collect: capacity 1, 3 messages", limit=200_000, full=True)(
    lambda lab: filtering(lab, 1, 3, False)
)


@scenario("send, stage by batches, collect: capacity 2, 3 messages")
def _(lab: Lab) -> Check:
    lab.ring(2, 1)
    got: list[Row] = []
    lab.world.spawn(lab.sending(3, [0], [0]), "producer")
    port = lab.port(0, [lab.cursor], [-1], 64, UNMARKED, -1)
    lab.world.spawn(lab.per_batch(take_all, loops.Shape(), port, 0, got), "stage")
    return lambda: same(got, sent(3))
