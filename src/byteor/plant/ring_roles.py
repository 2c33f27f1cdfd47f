"""The roles of a ring whose stages are processes: a stage, the ingress, and the egress.

Rule 1. A stage works behind a gate of its own that nobody else sees; the ring's gate moves once its turn is
    committed. A role's position is its gate: a turn that was not committed is done again.
Rule 2. So a stage may come back only if a half-done turn does no harm: it reads nothing that it writes.
Rule 3. The ingress's position is the cursor: what was published was taken from the source.
Rule 4. The egress writes, commits how far, and only then gives the slots back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
from numba.core import types

from byteor.backings.mem import lines
from byteor.exec.ends import Straight
from byteor.exec.plain import PlainRunner
from byteor.exec.runners import CompiledRunner, Place, Runner
from byteor.exec.schema import dtype
from byteor.exec.shard import Options, Outside, Shard
from byteor.exec.stage import Stage
from byteor.exec.state import hold
from byteor.kernel import commit as c
from byteor.kernel.hot import short, waiting
from byteor.kernel.keys import Keys, make_row_of
from byteor.kernel.plain import I64
from byteor.kernel.ring import UNMARKED, advance
from byteor.kernel.wait import BRIEFLY, NOBODY, Waiter, wait_past
from byteor.plant.ends import Outlet
from byteor.plant.ring_blocks import WORD, Part, RingBlocks, row_words
from byteor.spec.model import Stage as Spec

TAKEN = c.TAKEN // WORD
PUT = TAKEN + 1
HEAD = c.TAKEN // WORD + 1 + c.PUT // WORD


class Record:
    """A role's record: positions, how far `end` is, and state; committed at once, recovered by a successor."""

    def __init__(self, blocks: RingBlocks, part: Part) -> None:
        self.book = blocks.books[part.number]
        stage = part.stage
        words = row_words(blocks.spec, stage) if stage and stage.state else 0
        rows = stage.state.max if stage and stage.state and stage.state.by else 0
        flat = words if stage and stage.state and not stage.state.by else 0
        sizes = [HEAD + flat, 2 * (HEAD + flat), c.IN // WORD, c.OUT // WORD, rows + 1, rows * words + 1]
        self._memory = lines(WORD * sum(sizes)).view(np.int64)
        parts = np.split(self._memory, np.cumsum(sizes)[:-1])
        self.now, _, _, _, self.touched, self.rows = parts
        at = [one.ctypes.data for one in parts]
        first, second = self.book.address("record_epoch"), self.book.address("record_epoch", 1)
        desk = (at[0], at[1], sizes[0], first, second - first, at[2], 1, at[3], 1, 0, 0)
        self._desk = c.Desk(*desk, -1, -1, I64, at[5], self.book.address("table"), words, at[4])
        kind = numba.typeof(self._desk)
        self._settle, self._recover = short(c.settle, kind), short(c.recover, kind)
        self.words = words

    def recover(self) -> int:
        """Take up what the last commit left; answer its epoch."""
        return int(self._recover(self._desk))

    def settle(self) -> None:
        """Commit."""
        self._settle(self._desk)

    @property
    def flat(self) -> np.ndarray:
        """The words of flat state."""
        return self.now[HEAD:]


class RingRole:
    """What all roles of a ring share."""

    def __init__(self, blocks: RingBlocks, part: Part, around: Outside) -> None:
        self.blocks, self.role, self.around = blocks, part, around
        self.ring = blocks.ring
        self.words = blocks.runner(part)
        self.bell = self.words.address("bell")
        self.record = Record(blocks, part)
        self.done = self.drained = False
        self.closed = self.ring.words.address("closed")

    def prepare(self) -> None:
        """Compile, or load, all that the role calls."""

    def open(self) -> None:
        """Open what the role opens once in a process."""

    def attach(self) -> int:
        """Take the role up where its last commit left it."""
        return self.record.recover()

    def leave(self) -> None:
        """Give up what the process holds outside the ring."""

    def advance(self, waiter: Waiter) -> bool:
        """Go on until all is done, the run stops, or patience is over; answer whether all is done."""
        raise NotImplementedError

    def waiting(self, waiter: Waiter) -> Waiter:
        return waiter._replace(closed=self.closed)


class RingStage(RingRole):
    """A stage in a process of its own."""

    def __init__(
        self, blocks: RingBlocks, part: Part, around: Outside, shard: Shard, code: Stage, options: Options
    ) -> None:
        super().__init__(blocks, part, around)
        assert part.stage is not None
        self.spec: Spec = part.stage
        self.code, self._options, self._number = code, options, part.number - 1
        types_ = {t.name: t for t in blocks.spec.types}
        self.held = hold(self.spec, types_, self.ring.slots)
        self._mirror = self.held.table.copy()
        self._port = shard.port(self._number)
        self._gate = lines(64).view(np.int64)
        inner = self._port._replace(gate=self._gate.ctypes.data, bells=NOBODY)
        end = types_[self.spec.end.type] if self.spec.end else None
        self._place = Place(self.ring, inner, self.words, self.held, end)
        self.record.now[c.ENDED // WORD] = -1 if self.spec.end else 0

    def prepare(self) -> None:
        self.runner: Runner = self._made()
        self._wait = waiting(wait_past)
        self._advance = short(advance, types.int64, types.int64, numba.typeof(self._port.bells))

    def _made(self) -> Runner:
        if self.spec.compiled and not self._options.interpreted:
            return CompiledRunner(self.spec, self.code, self._place)
        return PlainRunner(self.spec, self.code, self._place, interpreted=self.spec.compiled)

    def attach(self) -> int:
        epoch = super().attach()
        self.runner.warm_up(Waiter(self.closed, 0, self.bell, 0, 0))
        if epoch:
            self._restore()
        else:
            self.runner.begin()
            self._commit(0)
        self._start(int(self.record.now[TAKEN]))
        return epoch

    def _start(self, position: int) -> None:
        """Go on at a position: the ring's gate follows, if its last owner did not come to it."""
        self._gate[0] = position
        if isinstance(self.runner, PlainRunner):
            self.runner.start_at(position)
        self._advance(self._port.gate, position, self._port.bells)

    def advance(self, waiter: Waiter) -> bool:
        waiter = self.waiting(waiter)
        looking = waiter._replace(patience=0)
        while True:
            at = int(self._gate[0])
            if self._wait(self._port.cells, at, waiter) == at:
                break
            self.runner.run(looking)
            self._commit(int(self._gate[0]))
            self._advance(self._port.gate, int(self._gate[0]), self._port.bells)
        if self.ring.words.read("closed") != self._gate[0]:
            return False
        self._end()
        self.done = True
        return True

    def _end(self) -> None:
        """Run `end`, once: its records lie in the role's region when the commit says so."""
        if self.record.now[c.ENDED // WORD] >= 0:
            return
        self.runner.end()
        ended = self.runner.ended if self.runner.ended is not None else np.zeros(0, np.uint8)
        book = self.record.book
        book.array("end")[: ended.nbytes] = ended.view(np.uint8)
        book.write("end_count", len(ended))
        self.record.now[c.ENDED // WORD] = len(ended)
        self._commit(int(self._gate[0]))

    # state

    def _commit(self, position: int) -> None:
        self.record.now[TAKEN] = position
        self.record.now[c.FILTERED // WORD] = self.words.read("filtered")
        if self.spec.state is not None:
            self._note_state()
        self.record.settle()

    def _note_state(self) -> None:
        """Put into the record what has changed of the state since the last commit."""
        record, table = self.record, self.held.table
        size = table.dtype.itemsize
        if self.held.keys is None:
            record.flat.view(np.uint8)[:size] = table.view(np.uint8)
            return
        used = int(self.held.keys.used[0])
        now, before = (a[:used].view(np.uint8).reshape(used, size) for a in (table, self._mirror))
        changed = np.flatnonzero((now != before).any(axis=1))
        fresh = np.arange(int(record.now[c.ROWS // WORD]), used)
        changed = np.union1d(changed, fresh)
        home = record.rows[: self.spec.state.max * record.words].view(np.uint8).reshape(-1, WORD * record.words)  # type: ignore[union-attr]
        home[changed, :size] = now[changed]
        self._mirror[changed] = table[changed]
        record.touched[: len(changed)] = changed
        record.now[c.LOGGED // WORD], record.now[c.ROWS // WORD] = len(changed), used

    def _restore(self) -> None:
        """Take over the state that was committed."""
        record, table = self.record, self.held.table
        size = table.dtype.itemsize
        if self.spec.state is None:
            return
        if self.held.keys is None:
            table.view(np.uint8)[:] = record.flat.view(np.uint8)[:size]
            return
        home = record.book.array("table").reshape(-1, WORD * record.words)
        used = int(record.now[c.ROWS // WORD])
        table[:used].view(np.uint8).reshape(used, size)[:] = home[:used, :size]
        record.rows[: home.size // WORD] = home.reshape(-1).view(np.int64)
        self._mirror[:] = table
        find_again(self.held, self.spec, used)


def find_again(held: Any, spec: Spec, used: int) -> None:
    """Make the index of keys anew from the rows in use."""
    assert spec.state is not None and held.table.dtype.fields is not None
    places = [held.table.dtype.fields[name] for name in spec.state.by]
    spans = tuple((place[1], place[1], place[0].itemsize) for place in places)
    keys = held.keys
    find = waiting(make_row_of(spans))
    again = Keys(keys.rows, keys.rows, keys.index, keys.used)
    for row in range(used):
        find(again, row)


class RingIngress(RingRole):
    """Rows from outside into the ring."""

    def __init__(self, blocks: RingBlocks, part: Part, around: Outside, ends: Straight, source: Any) -> None:
        super().__init__(blocks, part, around)
        self._ends, self._source = ends, source
        self._batches: Iterator[np.ndarray] | None = None
        self._rows = np.zeros(0, self.ring.slots.dtype)
        self.ending = False

    def attach(self) -> int:
        self._ends.resume()
        return super().attach()

    def advance(self, waiter: Waiter) -> bool:
        if self._batches is None:
            self._batches = self._source(self._ends.sent)
        while not self.ending:
            if not len(self._rows):
                rows = next(self._batches, None)
                if rows is None:
                    break
                self._rows = np.ascontiguousarray(rows, self.ring.slots.dtype)
            took = self._ends.send(self._rows, BRIEFLY[waiter.strategy])
            self._rows = self._rows[took:]
            if len(self._rows):
                return False
        self._ends.close()
        self.done = True
        return True


class RingEgress(RingRole):
    """What has passed all sinks to the outside, and the records of `end` behind it."""

    def __init__(
        self,
        blocks: RingBlocks,
        part: Part,
        around: Outside,
        shard: Shard,
        outlets: tuple[Outlet | None, Outlet | None],
        ended: Callable[[], np.ndarray | None],
    ) -> None:
        super().__init__(blocks, part, around)
        graph = shard.graph
        self._rows, self._ends = outlets
        self._ended = ended
        self._emits = graph.emits_rows
        self._cells, self._gate = shard.cells(graph.sinks), self.ring.words.address("gate", graph.egress)
        self._marks = graph.marks(graph.egress)
        self._bells = around.bells([around.ingress])
        self.may_finish = False

    def prepare(self) -> None:
        self._wait = waiting(wait_past)
        self._advance = short(advance, types.int64, types.int64, numba.typeof(self._bells))

    def attach(self) -> int:
        epoch = super().attach()
        if not self.record.now[c.ENDED // WORD]:
            if self._rows is not None:
                self._rows.open(int(self.record.now[PUT]))
            if self._ends is not None:
                self._ends.open(0)
            self._advance(self._gate, int(self.record.now[TAKEN]), self._bells)
        return epoch

    def advance(self, waiter: Waiter) -> bool:
        if self._emits and not self.drained and not self._drain(self.waiting(waiter)):
            return False
        self.drained = True
        if self.may_finish:
            self._finish()
        return self.done

    def _drain(self, waiter: Waiter) -> bool:
        """Write what passes the sinks; answer whether the stream has ended."""
        now, slots = self.record.now, self.ring.slots
        mask = len(slots) - 1
        while True:
            at = int(now[TAKEN])
            available = int(self._wait(self._cells, at, waiter))
            if available == at:
                return self.ring.words.read("closed") == at
            slot = at & mask
            n = min(available - at, mask + 1 - slot)
            rows = slots[slot : slot + n]
            if self._marks != UNMARKED:
                rows = rows[~self.ring.dead[np.array(self._marks), slot : slot + n].any(axis=0)]
            if self._rows is not None and len(rows):
                self._rows.write(rows)
            now[TAKEN], now[PUT] = at + n, now[PUT] + len(rows)
            self.record.settle()
            self._advance(self._gate, at + n, self._bells)

    def _finish(self) -> None:
        if not self.record.now[c.ENDED // WORD]:
            if self._ends is not None:
                records = self._ended()
                if records is not None and len(records):
                    self._ends.write(records)
            outlets = [outlet for outlet in (self._rows, self._ends) if outlet is not None]
            for outlet in outlets:
                outlet.convert()
            for outlet in outlets:
                outlet.finish()
        self.record.now[c.ENDED // WORD] = 1
        self.record.settle()
        self.done = True

    def leave(self) -> None:
        for outlet in (self._rows, self._ends):
            if outlet is not None:
                outlet.leave()


def ended_records(blocks: RingBlocks) -> np.ndarray | None:
    """The records of `end` of all stages, as their regions have them; None where no stage has one."""
    found = []
    for part, book in zip(_parts(blocks), blocks.books, strict=True):
        if part.stage is not None and part.stage.end is not None:
            kind = dtype(next(t for t in blocks.spec.types if t.name == part.stage.end.type))
            count = int(book.read("end_count"))
            found.append(book.array("end")[: count * kind.itemsize].view(kind).copy())
    return np.concatenate(found) if found else None


def _parts(blocks: RingBlocks) -> tuple[Part, ...]:
    from byteor.plant.ring_blocks import parts_of

    return parts_of(blocks.spec)
