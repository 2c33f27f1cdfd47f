"""A ring on the bench: its words, its actors made of the kernel's functions, and the table of scenarios.

Rule 1. A scenario makes its words, payload and actors, and answers with the check of the end.
Rule 2. Messages have two words, so a torn one can show: (number, minus number) when sent.
Rule 3. Actors hand each other nothing but words and payload; lists belong to one actor.
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
        self.patience, self.linger = FOREVER, 0

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
        strategy = BLOCK if self.blocks(end) else SPIN
        return Waiter(self.closed, self.stop, self.bells[end], strategy, self.patience, self.linger)

    def rung(self, *ends: int) -> tuple[int, ...]:
        """The bells to ring: of those that may block."""
        return tuple(self.bells[end] for end in ends if self.blocks(end)) or NOBODY

    def blocks(self, end: int) -> bool:
        """Whether this end may block; -1 is the producer, which is also the last."""
        return end % len(self.bells) in {blocker % len(self.bells) for blocker in self.blockers}

    def sending(
        self, count: int, gates: Iterable[int], rings: Iterable[int], limit: int = 64, close: bool = True
    ) -> Body:
        """Send `count` messages, all of them, and close."""
        rows = self.world.rows(sent(count))
        cells = tuple(self.gates[g] for g in gates)
        waiter, bells = self.waiter(-1), self.rung(*rings)
        taken = yield from self.lift(kernel.send)(self.cursor, [0], cells, self.slots, rows, waiter, bells, limit)
        assert taken == count, f"{taken} of {count} sent"
        if close:
            yield from self.closing()

    def closing(self) -> Body:
        """Say that nothing follows."""
        yield from self.lift(kernel.close)(self.cursor, self.closed, self.rung(*range(len(self.gates) + 1)))

    def collecting(self, gate: int, cells: Iterable[int], got: list[Row], room: int = 4, marks: Any = UNMARKED) -> Body:
        """Collect until the stream has ended."""
        cells = tuple(cells)
        while True:
            yield from self.collecting_once(gate, cells, got, room, marks)
            done = yield "load", "relaxed", self.gates[gate]
            if done == (yield "load", "acquire", self.closed):
                return

    def collecting_once(
        self, gate: int, cells: Iterable[int], got: list[Row], room: int = 4, marks: Any = UNMARKED
    ) -> Body:
        """Collect what is there, waiting for the first row."""
        out = self.world.slots(room, name="out")
        own, waiter, bells = self.gates[gate], self.waiter(gate), self.rung(-1)
        collect = self.lift(kernel.collect)
        n = yield from collect(tuple(cells), own, self.slots, self.dead, marks, out, waiter, bells)
        got += [row.values() for row in out[:n]]

    def port(
        self, gate: int, cells: Iterable[int], rings: Iterable[int], limit: int, marks: Any, own: int
    ) -> loops.Port:
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
        """Run a per-message stage to its end; keyed state is one row."""
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

    def cost(self, **wanted: int) -> None:
        """Hold the actors to this many operations of each kind, and to none of another."""
        done = {kind: n for kind, n in self.world.done.items() if n}
        assert done == wanted, f"operations {done} instead of {wanted}"

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
