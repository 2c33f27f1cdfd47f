"""Compiled sources, and what the fast paths may cost.

Rule 1. A cost is a number of shared operations: nothing is looked at, stored or rung for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from byteor.kernel import ring as kernel
from byteor.kernel.loops import Shape
from byteor.kernel.ring import UNMARKED
from byteor.kernel.wait import NOBODY
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.shapes import alone, mask_of_all, nothing

# A compiled source


def number(record: Any, sequence: int, _p: Any) -> None:
    record.a, record.b = sequence, -sequence


source_loop = kernel.make_source_loop(number)


def sourcing(lab: Lab, capacity: int, count: int, piece: int) -> Check:
    """A compiled source instead of rows that are copied."""
    lab.ring(capacity, 1)
    got: list[Row] = []

    def source() -> Body:
        loop = lab.lift(source_loop)
        n = yield from loop(lab.cursor, [0], lab.gates, lab.slots, count, [None], lab.waiter(-1), NOBODY, piece)
        assert n == count
        yield from lab.closing()

    lab.world.spawn(source(), "source")
    lab.world.spawn(lab.collecting(0, [lab.cursor], got), "egress")
    return lambda: same(got, sent(count))


scenario("source, collect: capacity 1, 3 messages")(lambda lab: sourcing(lab, 1, 3, 64))
scenario("source, collect: capacity 2, 3 messages, pieces of 1")(lambda lab: sourcing(lab, 2, 3, 1))
scenario("source, collect: capacity 4, 3 messages, pieces of 2")(lambda lab: sourcing(lab, 4, 3, 2))


@scenario("source alone, without patience: capacity 2")
def _(lab: Lab) -> Check:
    lab.ring(2, 1)
    lab.patience = 0
    answers: list[int] = []

    def source() -> Body:
        loop, seen = lab.lift(source_loop), [0]
        for want in (3, 1):
            waiter = lab.waiter(-1)
            answers.append((yield from loop(lab.cursor, seen, lab.gates, lab.slots, want, [None], waiter, NOBODY, 64)))

    lab.world.spawn(source(), "source")

    def check() -> None:
        assert answers == [2, 0], answers

    return check


# What a fast path costs


@scenario("send alone, with room: two pieces, one look at the gates")
def _(lab: Lab) -> Check:
    lab.ring(4, 1)
    rows = lab.world.rows(sent(4))

    def run() -> Body:
        send, seen = lab.lift(kernel.send), [-4]
        n = yield from send(lab.cursor, seen, lab.gates, lab.slots, rows, lab.waiter(-1), NOBODY, 2)
        assert n == 4

    lab.world.spawn(run(), "alone")
    return lambda: lab.cost(load=2, store=2)


@scenario("send alone, to a neighbour that has not announced itself: it is not rung")
def _(lab: Lab) -> Check:
    lab.ring(1, 1)
    lab.blocking(0)
    alone(lab, lab.sending(1, [0], [0], close=False))
    return lambda: lab.cost(load=2, store=1, fence=1)


@scenario("source alone, with room: two pieces, no look at a gate")
def _(lab: Lab) -> Check:
    lab.ring(4, 1)

    def run() -> Body:
        loop = lab.lift(source_loop)
        n = yield from loop(lab.cursor, [0], lab.gates, lab.slots, 4, [None], lab.waiter(-1), NOBODY, 2)
        assert n == 4

    lab.world.spawn(run(), "alone")
    return lambda: lab.cost(load=1, store=2)


@scenario("source without close, collect blocking: capacity 1, 1 message")
def _(lab: Lab) -> Check:
    lab.ring(1, 1)
    lab.blocking(0)
    got: list[Row] = []
    loop, waiter = lab.lift(source_loop), lab.waiter(-1)
    source = loop(lab.cursor, [0], lab.gates, lab.slots, 1, [None], waiter, lab.rung(0), 64)
    lab.world.spawn(source, "source")
    lab.world.spawn(lab.collecting_once(0, [lab.cursor], got), "egress")
    return lambda: same(got, sent(1))


@scenario("source without close, collect blocking: capacity 2, 2 messages, pieces of 1")
def _(lab: Lab) -> Check:
    lab.ring(2, 1)
    lab.blocking(0)
    got: list[Row] = []
    loop, waiter = lab.lift(source_loop), lab.waiter(-1)

    def egress() -> Body:
        while len(got) < 2:
            yield from lab.collecting_once(0, [lab.cursor], got)

    source = loop(lab.cursor, [0], lab.gates, lab.slots, 2, [None], waiter, lab.rung(0), 1)
    lab.world.spawn(source, "source")
    lab.world.spawn(egress(), "egress")
    return lambda: same(got, sent(2))


@scenario("source alone, with room, pieces of 1: a store each, no look at a gate")
def _(lab: Lab) -> Check:
    lab.ring(4, 1)
    lab.world.spawn(
        lab.lift(source_loop)(lab.cursor, [0], lab.gates, lab.slots, 3, [None], lab.waiter(-1), NOBODY, 1), "alone"
    )
    return lambda: lab.cost(load=1, store=3)


def uncounted(batches: bool) -> Callable[[Lab], Check]:
    """A filter that takes nothing out does not touch its counter."""

    def setup(lab: Lab) -> Check:
        lab.ring(1, 1, filters=1)
        lab.world.memory.define(lab.cursor, 1)
        lab.world.memory.define(lab.closed, 1)
        port = lab.port(0, [lab.cursor], [], 64, UNMARKED, 0)
        shape = Shape(filters=True, masks=batches)
        alone(lab, lab.per_batch(mask_of_all, shape, port, 0) if batches else lab.per_message(nothing, shape, port, 0))
        return lambda: lab.cost(load=5, store=3 if batches else 2)

    return setup


scenario("message loop alone: nothing taken out, nothing counted")(uncounted(False))
scenario("batch loop alone: nothing taken out, nothing counted")(uncounted(True))
