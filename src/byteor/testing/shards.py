"""Rows scattered over two rings and gathered again: the scenarios of the shards.

Rule 1. The second shard has a stage, which reads its cursor alone; the first is read by the egress.
"""

from __future__ import annotations

from byteor.kernel import ring as kernel
from byteor.kernel import shards
from byteor.kernel.loops import Port, Shape
from byteor.kernel.ring import UNMARKED
from byteor.kernel.wait import NOBODY
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, bump, message_loop, same, scenario, sent
from byteor.testing.lift import Body


class Pair:
    """Two shards and the route between their ends."""

    def __init__(self, lab: Lab, capacity: int, owners: list[int], staged: bool = False) -> None:
        lab.ring(2 * capacity, 3)
        self.lab, self.capacity, self.owners, self.staged = lab, capacity, owners, staged
        self.second, self.route, self.gathered = lab.world.words("cursor1", "route", "gathered")
        self.shards = lab.world.array(2 * capacity, name="shards")
        self.got: list[Row] = []
        self.at, self.seen, self.place = [0, 0], [0, 0], [0, 0]
        self.marks: tuple[int, ...] = UNMARKED
        self.routes = shards.Routes(
            cursors=(lab.cursor, self.second),
            gates=lab.gates[:2],
            boundaries=((lab.gates[0],), (lab.gates[1],)),
            sinks=((lab.cursor,), (lab.gates[2] if staged else self.second,)),
            route=self.route,
            gathered=self.gathered,
            capacity=capacity,
        )

    def scatter(self, rows: list[Row], owners: list[int], limit: int = 2) -> Body:
        """Scatter the rows; answer how many."""
        lab, table = self.lab, self.lab.world.rows(rows)
        scatter, waiter = lab.lift(shards.scatter), lab.waiter(-1)
        n: int = yield from scatter(
            self.routes, lab.slots, self.shards, owners, table, self.at, self.seen, waiter, lab.rung(0), limit
        )
        return n

    def gather(self, room: int = 4) -> Body:
        """Gather what is there; answer how many."""
        lab, out = self.lab, self.lab.world.slots(room, name="out")
        gather, waiter = lab.lift(shards.gather), lab.waiter(0)
        n: int = yield from gather(
            self.routes, lab.slots, self.shards, lab.dead, self.marks, out, self.place, waiter, lab.rung(-1)
        )
        self.got.extend(row.values() for row in out[:n])
        return n

    def ingress(self, limit: int, close: bool = True) -> Body:
        """Scatter all rows, and close."""
        n = yield from self.scatter(sent(len(self.owners)), self.owners, limit)
        assert n == len(self.owners), f"{n} scattered"
        if close:
            yield from self.lab.lift(kernel.close)(self.route, self.lab.closed, self.lab.rung(0))

    def egress(self, room: int, close: bool = True) -> Body:
        """Gather until all is there."""
        while True:
            yield from self.gather(room)
            if not close:
                return
            done = yield "load", "relaxed", self.gathered
            if done == (yield "load", "acquire", self.lab.closed):
                return

    def stage(self) -> Body:
        """Run a stage over the second shard's messages."""
        lab = self.lab
        port = Port((self.second,), lab.gates[2], lab.stats[2], NOBODY, UNMARKED, -1, 1)
        waiter = lab.waiter(2)._replace(closed=lab.world.word("closed1", self.owners.count(1)))
        loop = lab.lift(message_loop(bump, None, Shape()))
        yield from loop(port, lab.slots[self.capacity :], lab.dead, [None], None, [None], waiter)

    def wanted(self) -> list[Row]:
        """What must be gathered."""
        added = 100 if self.staged else 0
        return [(a, b + added * self.owners[a]) for a, b in sent(len(self.owners))]

    def spawn(self, limit: int = 2, room: int = 4, close: bool = True) -> Check:
        """Let both ends, and the stage, run at once."""
        self.lab.world.spawn(self.ingress(limit, close), "ingress")
        if self.staged:
            self.lab.world.spawn(self.stage(), "stage")
        self.lab.world.spawn(self.egress(room, close), "egress")
        return lambda: same(self.got, self.wanted())


scenario("scatter, gather: two shards of capacity 1, 2 messages apart")(lambda lab: Pair(lab, 1, [1, 0]).spawn())
scenario("scatter, gather: two shards of capacity 1, 3 messages")(lambda lab: Pair(lab, 1, [1, 1, 0]).spawn())
scenario("scatter, gather: two shards of capacity 2, 3 messages in turn, room for 1")(
    lambda lab: Pair(lab, 2, [0, 1, 0]).spawn(room=1)
)
scenario("scatter, gather: two shards of capacity 2, 2 messages of one, room for 1")(
    lambda lab: Pair(lab, 2, [0, 0]).spawn(room=1)
)
scenario("scatter, gather: two shards of capacity 2, 3 messages in turn")(
    lambda lab: Pair(lab, 2, [0, 1, 0]).spawn(limit=3)
)
scenario("scatter, stage, gather: two shards of capacity 1, 2 messages apart")(
    lambda lab: Pair(lab, 1, [1, 0], staged=True).spawn()
)
scenario("scatter, stage, gather: two shards of capacity 2, 2 messages of one")(
    lambda lab: Pair(lab, 2, [1, 1], staged=True).spawn(limit=2)
)
scenario("scatter, stage, gather: two shards of capacity 2, 2 messages of one, pieces of 1", full=True)(
    lambda lab: Pair(lab, 2, [1, 1], staged=True).spawn(limit=1)
)
scenario("scatter, gather: two shards of capacity 1, 4 messages", full=True, limit=50_000)(
    lambda lab: Pair(lab, 1, [1, 1, 0, 1]).spawn()
)


@scenario("scatter without close, gather blocking: two shards of capacity 1, 1 message")
def _(lab: Lab) -> Check:
    pair = Pair(lab, 1, [1])
    lab.blocking(0)
    return pair.spawn(close=False)


@scenario("scatter blocking, gather: two shards of capacity 1, 2 messages of one")
def _(lab: Lab) -> Check:
    pair = Pair(lab, 1, [1, 1])
    lab.blocking(-1)
    return pair.spawn()


@scenario("scatter, gather alone, without patience: two shards of capacity 2")
def _(lab: Lab) -> Check:
    pair = Pair(lab, 2, [])
    lab.patience, pair.marks = 0, (0,)
    lab.dead[0, 1] = 1
    answers: list[int] = []

    def run() -> Body:
        answers.append((yield from pair.gather()))
        answers.append((yield from pair.scatter([(n, -n) for n in range(4)], [0, 0, 0, 1], 64)))
        answers.append((yield from pair.gather()))
        answers.append((yield from pair.scatter([(2, -2), (3, -3)], [0, 1], 64)))
        answers.append((yield from pair.gather()))

    lab.world.spawn(run(), "alone")

    def check() -> None:
        assert answers == [0, 2, 1, 2, 2], answers
        same(pair.got, [(0, 0), (2, -2), (3, -3)])

    return check


def frugal(lab: Lab, limit: int, stores: int) -> Check:
    """With room nobody looks at a gate, and each `limit` rows are published at once."""
    pair = Pair(lab, 4, [])

    def run() -> Body:
        n = yield from pair.scatter([(n, -n) for n in range(4)], [0, 0, 1, 1], limit)
        assert n == 4

    lab.world.spawn(run(), "alone")
    return lambda: lab.cost(load=1, store=stores)


scenario("scatter alone, with room: published twice")(lambda lab: frugal(lab, 2, 6))
scenario("scatter alone, with room: published at the end")(lambda lab: frugal(lab, 64, 3))


@scenario("gather alone, with rows there: one look at each word")
def _(lab: Lab) -> Check:
    pair = Pair(lab, 2, [])

    def run() -> Body:
        yield from pair.scatter([(0, 0), (1, -1)], [0, 0], 64)
        lab.world.done.clear()
        yield from pair.gather()

    lab.world.spawn(run(), "alone")
    return lambda: lab.cost(load=3, store=3)
