"""A plant on the bench: its lanes, the records of its roles, and a desk for each of their actors.

Rule 1. A role is shared words; each actor that is it, the first one and its successors, has a desk of its own.
Rule 2. Neighbours that are not looked at are a few operations long: the tree is the role's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from byteor.abi.byteor_v1 import OPEN
from byteor.kernel import commit as c
from byteor.kernel.atomics import spin_hint
from byteor.kernel.hot import hot
from byteor.kernel.order import LOWEST
from byteor.kernel.plain import I64
from byteor.kernel.wait import BLOCK, FOREVER, SPIN, Waiter
from byteor.testing.lab import Lab, Row
from byteor.testing.lift import Body
from byteor.testing.plain import OFFSETS, ROW, WORD, plain_of

NO_KEY = -1
SHORTER = {  # what nobody waits for, and a hash of numbers that never wrap
    "note_batch": lambda stats, n: None,
    "note_turn": lambda bell, missing, turns: None,
    "note_work": lambda bell: None,
    "note_block": lambda bell: None,
    "mixed_with": lambda h, byte: h ^ np.uint64(byte),
    "finished": lambda h: h,
}


@dataclass(frozen=True, slots=True)
class Lane:
    """One ring of a plant; `numbering` is None where nothing orders."""

    number: int
    capacity: int
    readers: int
    cursor: int
    closed: int
    mark: int
    gates: int
    slots: int
    orders: int
    numbering: int | None
    starts: int
    drops: bool


@dataclass(slots=True)
class Role:
    """What all actors of one role share; `flat` and `keyed` count rows of its state."""

    name: str
    ins: tuple[tuple[Lane, int], ...]
    outs: tuple[Lane, ...]
    book: int
    home: int
    stats: int
    bell: int
    flat: int = 0
    keyed: int = 0
    log_rows: int = 0
    limit: int = 64
    late: bool = False
    spare: int = 8
    blocks: bool = False
    patience: int = FOREVER
    near: list[Role] = field(default_factory=list)

    @property
    def words(self) -> int:
        """The words of a record, without the log."""
        return c.TAKEN // WORD + max(1, len(self.ins)) + max(1, len(self.outs)) * c.PUT // WORD + 2 * self.flat


@hot
def look_anyway(desk: Any, missing: Any, waiter: Any) -> Any:
    """Wait by looking at everything: half the operations of looking whether to look."""
    spin_hint()
    return True


class Bench:
    """The lanes and roles of one world; where it does not poll, who waits looks at everything again."""

    def __init__(self, lab: Lab, polls: bool = True) -> None:
        self.lab, self.world, self.lift = lab, lab.world, lab.lift
        self.plain = plain_of(lab.lift)
        self.plain.clear()
        lab.lift.constants.update(SHORTER if polls else {**SHORTER, "wait_change": look_anyway})
        self.stop = self.world.word("stop")
        self.lanes: list[Lane] = []
        self.roles: list[Role] = []

    # Lanes

    def lane(
        self,
        capacity: int,
        *,
        readers: int = 1,
        numbering: int | None = None,
        starts: int = c.INHERITS,
        drops: bool = False,
    ) -> Lane:
        """Make an empty lane; its number is its place among all."""
        number, world = len(self.lanes), self.world
        cursor, gates = world.words(f"cursor{number}", f"gates{number}")
        closed = world.word(f"closed{number}", OPEN)
        mark = 0
        if numbering is not None:
            mark = world.word(f"mark{number}", LOWEST)
            world.memory.define(mark + WORD, LOWEST)
        slots = self.plain.table(world, f"slots{number}", capacity)
        inherits = numbering is not None and numbering != number
        orders = self.plain.side(world, f"orders{number}", capacity) if inherits else 0
        made = Lane(number, capacity, readers, cursor, closed, mark, gates, slots, orders, numbering, starts, drops)
        self.lanes.append(made)
        return made

    def fill(
        self,
        lane: Lane,
        rows: Sequence[Row],
        words: Sequence[int] = (),
        mark: Row | None = None,
        closed: bool = True,
    ) -> None:
        """Put rows into an empty lane before anything begins, and close it."""
        for slot, (a, b) in enumerate(rows):
            record = self.plain.rows[lane.slots][slot]
            record.a, record.b = a, b
        for slot, word in enumerate(words):
            self.plain.sides[lane.orders][slot] = word
        self.world.memory.define(lane.cursor, len(rows))
        if mark is not None:
            self.world.memory.define(lane.mark, mark[0])
            self.world.memory.define(lane.mark + WORD, mark[1])
        if closed:
            self.world.memory.define(lane.closed, len(rows))

    def producing(
        self,
        lane: Lane,
        rows: Sequence[Row],
        words: Sequence[int] = (),
        last: int | None = None,
        marks: bool = True,
    ) -> Body:
        """Send rows one by one, and close: the shortest producer.

        Where the lane is ordered, with each row's order word, and with the mark that follows from it; `last` is the
        field of a last mark.
        """
        gate = 0
        for n, (a, b) in enumerate(rows):
            while n - gate >= lane.capacity:
                gate = yield "load", "acquire", lane.gates
                if n - gate >= lane.capacity:
                    yield "pause", ""
            slot = n & (lane.capacity - 1)
            record = self.plain.rows[lane.slots][slot]
            record.a, record.b = a, b
            if lane.orders:
                self.plain.sides[lane.orders][slot] = words[n]
            yield "store", "release", lane.cursor, n + 1
            if lane.mark and marks:
                yield from self.promising(lane, a, words[n] + 1 if lane.orders else n + 1)
        if last is not None:
            yield from self.promising(lane, last, words[-1] + 1 if words else 0)
        yield "store", "release", lane.closed, len(rows)

    def promising(self, lane: Lane, field: int, word: int) -> Body:
        """Raise a lane's mark."""
        yield "store", "release", lane.mark + WORD, word
        yield "store", "release", lane.mark, field

    def consuming(self, lane: Lane, count: int, got: list[Row], reader: int = 0) -> Body:
        """Take so many rows one by one: the shortest consumer."""
        for n in range(count):
            while (yield "load", "acquire", lane.cursor) <= n:
                yield "pause", ""
            got.append(self.plain.rows[lane.slots][n & (lane.capacity - 1)].values())
            yield "store", "release", lane.gates + c.GATE_LINE * reader, n + 1

    def sending(self, lane: Lane, rows: Sequence[Row], words: Sequence[int] = (), close: bool = False) -> Body:
        """Send rows from where the lane is, whatever room there is: for one actor alone."""
        n = self.lab.value(lane.cursor)
        for k, (a, b) in enumerate(rows):
            record = self.plain.rows[lane.slots][(n + k) & (lane.capacity - 1)]
            record.a, record.b = a, b
            if lane.orders:
                self.plain.sides[lane.orders][(n + k) & (lane.capacity - 1)] = words[k]
        yield "store", "release", lane.cursor, n + len(rows)
        if close:
            yield "store", "release", lane.closed, n + len(rows)

    def taking(self, lane: Lane, got: list[Any], reader: int = 0) -> Body:
        """Take all that is there, with order words where there are some: for one actor alone."""
        gate = lane.gates + c.GATE_LINE * reader
        first, end = self.lab.value(gate), self.lab.value(lane.cursor)
        for n in range(first, end):
            slot = n & (lane.capacity - 1)
            words = (self.plain.sides[lane.orders][slot],) if lane.orders else ()
            got.append((*self.plain.rows[lane.slots][slot].values(), *words))
        yield "store", "release", gate, end

    def rows_of(self, lane: Lane) -> list[Row]:
        """What an ended lane holds; for checks at the end, where nothing was written over."""
        count = self.lab.value(lane.cursor)
        assert self.lab.value(lane.closed) == count <= lane.capacity, f"closed at {self.lab.value(lane.closed)}"
        return [record.values() for record in self.plain.rows[lane.slots][:count]]

    def words_of(self, lane: Lane) -> list[int]:
        """The order words of an ended lane."""
        return [self.plain.sides[lane.orders][n] for n in range(self.lab.value(lane.cursor))]

    def mark_of(self, lane: Lane) -> Row:
        """The mark of a lane."""
        return self.lab.value(lane.mark), self.lab.value(lane.mark + WORD)

    # Roles

    def role(self, name: str, ins: Sequence[Any], outs: Sequence[Lane] = (), **facts: Any) -> Role:
        """Make a role between lanes; an input is a lane, or a lane and which of its readers this is."""
        world = self.world
        book, home, stats, bell = world.words(*(f"{name}.{part}" for part in ("book", "home", "stats", "bell")))
        given = tuple(one if isinstance(one, tuple) else (one, 0) for one in ins)
        made = Role(name, given, tuple(outs), book, home, stats, bell, **facts)
        for other in self.roles:
            mine, theirs = self._meets(made), self._meets(other)
            if mine & theirs:
                made.near.append(other)
                other.near.append(made)
        self.roles.append(made)
        return made

    def _meets(self, role: Role) -> set[int]:
        return {lane.number for lane, _ in role.ins} | {lane.number for lane in role.outs}

    def stride(self, role: Role) -> int:
        """Bytes from one buffer of a role's record to the other."""
        return WORD * (role.words + 3 * max(1, role.log_rows))

    def desk(self, role: Role) -> c.Desk:
        """The private tables of one actor."""
        world, block, name = self.world, self.plain.block, role.name
        inputs, outputs = max(1, len(role.ins)), max(1, len(role.outs))
        now = block(world, f"{name}.now", role.words)
        told = block(world, f"{name}.told", 2 * role.words)
        ins = block(world, f"{name}.ins", inputs * c.IN // WORD)
        outs = block(world, f"{name}.outs", outputs * c.OUT // WORD)
        bells = [near.bell for near in role.near if near.blocks]
        table = block(world, f"{name}.bells", len(bells))
        for k, bell in enumerate(bells):
            self.plain.words[table + WORD * k] = bell
        for i, (lane, gate) in enumerate(role.ins):
            self._fill_input(ins + c.IN * i, lane, gate)
        for j, lane in enumerate(role.outs):
            self._fill_output(outs + c.OUT * j, lane)
            if lane.mark:
                at = now + c.TAKEN + WORD * inputs + c.PUT * j
                self.plain.words[at + c.FIELD] = self.plain.words[at + c.WORD] = LOWEST
        key_in = OFFSETS["a"] if role.ins and all(lane.mark for lane, _ in role.ins) else NO_KEY
        key_out = OFFSETS["a"] if any(lane.mark for lane in role.outs) else NO_KEY
        rows = block(world, f"{name}.rows", 2 * role.keyed)
        touched = block(world, f"{name}.touched", role.keyed)
        record = now, told, role.words, role.book, self.stride(role)
        lanes = ins, inputs, outs, outputs, table, len(bells)
        return c.Desk(*record, *lanes, key_in, key_out, I64, rows, role.home, 2, touched)

    def _fill(self, row: int, lane: Lane) -> None:
        words = self.plain.words
        words[row + c.CURSOR], words[row + c.CLOSED], words[row + c.MARK] = lane.cursor, lane.closed, lane.mark
        words[row + c.SLOTS], words[row + c.MASK], words[row + c.SIZE] = lane.slots, lane.capacity - 1, ROW
        words[row + c.ORDERS] = lane.orders

    def _fill_input(self, row: int, lane: Lane, gate: int) -> None:
        self._fill(row, lane)
        words = self.plain.words
        words[row + c.GATE] = lane.gates + c.GATE_LINE * gate
        words[row + c.NUMBERING], words[row + c.LANE] = lane.numbering or 0, lane.number
        words[row + c.SEEN_FIELD] = words[row + c.SEEN_WORD] = LOWEST

    def _fill_output(self, row: int, lane: Lane) -> None:
        self._fill(row, lane)
        words = self.plain.words
        words[row + c.GATE], words[row + c.READERS] = lane.gates, lane.readers
        words[row + c.DROPS], words[row + c.STARTS] = int(lane.drops), lane.starts

    def waiter(self, role: Role) -> Waiter:
        """How a role waits: blockers sleep at their first turn."""
        return Waiter(0, self.stop, role.bell, BLOCK if role.blocks else SPIN, role.patience)

    def blocking(self, *roles: Role) -> None:
        """Let these roles block."""
        self.lift.constants["_SPINS"] = -1
        for role in roles:
            role.blocks = True

    def spawn(self, body: Callable[..., Body], name: str, deaths: int = 0) -> None:
        """Let an actor live; it may die so often at any operation, and a successor takes over each time."""
        dead: list[int] = []
        for life in range(deaths):
            dead.append(self.world.spawn(body(after=tuple(dead)), f"{name} {life}", mortal=True))
        self.world.spawn(body(after=tuple(dead)), f"{name} {deaths}")

    def word(self, role: Role, at: int) -> int:
        """A word of the newest committed record; for checks at the end."""
        value, stride = self.lab.value, self.stride(role)
        epoch = max(value(role.book), value(role.book + stride))
        return value(role.book + (epoch & 1) * stride + at)

    def dropped(self, role: Role, j: int = 0) -> int:
        """How many records found an output full."""
        return self.word(role, c.TAKEN + WORD * max(1, len(role.ins)) + c.PUT * j + c.DROPPED)
