"""Several actors at once: what the kernel's hot functions are explored with.

Rule 1. The name of a scenario says its operations and its bounds.
Rule 2. What is asserted is what users are promised: every row once, in order, whole; counters exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from byteor.kernel import loops
from byteor.kernel import ring as kernel
from byteor.kernel.ring import UNMARKED
from byteor.kernel.wait import ANNOUNCED, NOBODY
from byteor.kernel.wait import ring as ring_bells
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, bump, keep_even, left, same, scenario, sent, take
from byteor.testing.lift import Body

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
scenario("send, collect: capacity 2, 4 messages, pieces of 1")(lambda lab: unicast(lab, 2, 4, 1, 1))


@scenario("send, collect, both lingering: capacity 2, 3 messages, pieces of 1")
def lingering(lab: Lab) -> Check:
    """Fewer messages than 3 are looked at again; the turns of the pause itself are not what is looked at."""
    lab.linger = 3
    return unicast(lab, 2, 3, 1, 1)


scenario("send, collect: capacity 1, 5 messages", full=True)(lambda lab: unicast(lab, 1, 5))
scenario("send, collect: capacity 2, 5 messages, pieces of 1", full=True)(lambda lab: unicast(lab, 2, 5, 1, 1))


def two_readers(lab: Lab, capacity: int, count: int) -> Check:
    """A fanout: the slot is free when both have passed it."""
    lab.ring(capacity, 2)
    got: tuple[list[Row], list[Row]] = ([], [])
    lab.world.spawn(lab.sending(count, [0, 1], [0, 1]), "producer")
    for gate in (0, 1):
        lab.world.spawn(lab.collecting(gate, [lab.cursor], got[gate]), f"egress{gate}")
    return lambda: same(got[0] + got[1], sent(count) * 2)


scenario("send, two collects: capacity 1, 2 messages")(lambda lab: two_readers(lab, 1, 2))


def unicast_blocking(lab: Lab, count: int, blockers: tuple[int, ...]) -> Check:
    """As before, with doorbells: a ring that is missed wedges."""
    lab.blocking(*blockers)
    return unicast(lab, 1, count)


def unclosed(lab: Lab) -> Check:
    """Nothing follows that could wake a reader by luck."""
    lab.ring(1, 1)
    lab.blocking(0)
    got: list[Row] = []
    lab.world.spawn(lab.sending(1, [0], [0], close=False), "producer")
    lab.world.spawn(lab.collecting_once(0, [lab.cursor], got), "egress")
    return lambda: same(got, sent(1))


scenario("send without close, collect blocking: capacity 1, 1 message")(unclosed)


@scenario("publish once the reader has announced itself, collect blocking: capacity 1, 1 message")
def _(lab: Lab) -> Check:
    lab.ring(1, 1)
    lab.blocking(0)
    got: list[Row] = []

    def patient() -> Body:
        while (yield "load", "relaxed", lab.bells[0] + ANNOUNCED) == 0:
            yield "pause", ""
        yield from lab.sending(1, [0], [0], close=False)

    lab.world.spawn(patient(), "producer")
    lab.world.spawn(lab.collecting_once(0, [lab.cursor], got), "egress")
    return lambda: same(got, sent(1))


scenario("send, collect blocking: capacity 1, 1 message")(lambda lab: unicast_blocking(lab, 1, (0,)))
scenario("send blocking, collect: capacity 1, 2 messages")(lambda lab: unicast_blocking(lab, 2, (-1,)))
scenario("send, collect, both blocking: capacity 1, 1 message")(lambda lab: unicast_blocking(lab, 1, (0, -1)))
scenario("send, collect blocking: capacity 1, 2 messages", limit=50_000, full=True)(
    lambda lab: unicast_blocking(lab, 2, (0,))
)
scenario("send, collect, both blocking: capacity 1, 2 messages", limit=50_000, full=True)(
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
scenario("send, stage, collect: capacity 2, 3 messages", limit=50_000, full=True)(lambda lab: chain(lab, 2, 3))


@scenario("send, stage, collect blocking: capacity 1, 1 message", full=True)
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
scenario("send, diamond of stages: capacity 1, 2 messages", limit=50_000, full=True)(lambda lab: diamond(lab, 1, 2))


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
scenario("send, filter, stage, collect: capacity 1, 3 messages", limit=50_000, full=True)(
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
