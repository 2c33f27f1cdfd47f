"""The receiving end of a lane: a gate of its own on every ring, at the position where its last owner was.

Rule 1. What is received is a view of its slot, good until the next call; then the slot is given back.
Rule 2. A reader that comes back sees again what it had not given back: at least once.
Rule 3. Of several rings one is taken at a time, in turn; each is in order, and between them there is none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np

from byteor.abi.byteor_v1 import LAST
from byteor.diag import Refused
from byteor.kernel import ends
from byteor.kernel.hot import waiting
from byteor.kernel.lanes import wait_news
from byteor.kernel.wait import BRIEFLY
from byteor.lanes import calls, cells
from byteor.lanes.base import End
from byteor.lanes.envelope import Envelope, decode
from byteor.lanes.form import Form
from byteor.lanes.outcome import Closed, Died
from byteor.lanes.waiting import until, until_async

_NOTHING = -1


class Reader(End):
    """Receives from a lane: `try_receive`, `receive`, `receive_many`, iteration; `release` gives back at once."""

    def __init__(self, form: Form, owner: cells.Owner, strategy: int) -> None:
        super().__init__(owner)
        block, self.number = form.block, owner.index
        self._form, self._strategy = form, strategy
        rings = range(form.rings)
        self._cursors = tuple(block.address("cursor", r) for r in rings)
        self._gates = tuple(block.address("gate", self._gate_of(r)) for r in rings)
        self._bells = tuple(form.bells("producer_bell", [r]) for r in rings)
        self._closed = tuple(block.address("closed", r) for r in rings)
        self._ended = block.address("lane_closed")
        self._bell = block.address("reader_bell", self.number)
        self._slots = [form.slots(r) for r in rings]
        for slots in self._slots:
            slots.flags.writeable = False  # other readers see them too
        self._lengths = [form.lengths(r) for r in rings]
        self._look, self._advance = calls.look(), calls.advance(1)
        self._mask = form.capacity - 1
        self._taken, self._seen = [0] * form.rings, [0] * form.rings
        self._turn, self._out = 0, _NOTHING
        self._handle: ends.Block | None = None
        self._resume()
        owner.lost = self._cut

    # One message

    def try_receive(self) -> Any:
        """The next message if there is one now, else None; it is good until the next call."""
        ring = self._find()
        return None if ring is None else self._one(ring)

    def receive(self, timeout: float | None = None) -> Any:
        """The next message, waiting for it; raises Closed at the end of the stream."""
        ring = self._find()
        return self._one(self._until(timeout) if ring is None else ring)

    async def areceive(self, timeout: float | None = None) -> Any:
        """The next message, letting the event loop go on while there is none."""
        return self._one(await until_async(self._found, timeout, self._expect_senders))

    def _one(self, ring: int) -> Any:
        at = self._taken[ring] & self._mask
        self._taken[ring] += 1
        self._out = ring
        lengths = self._lengths[ring]
        return self._slots[ring][at] if lengths is None else self._raw(ring, at)

    def _raw(self, ring: int, at: int) -> memoryview | Envelope:
        lengths = self._lengths[ring]
        assert lengths is not None
        size = min(int(lengths[at]), self._form.slot_bytes)  # the word is live, and read once
        data = self._slots[ring][at, :size].data
        return decode(data, self._form.name) if self._form.is_enveloped else data

    # Many messages

    def try_receive_many(self, limit: int | None = None) -> Any:
        """The messages that lie in a row now, at most `limit`; none when there are none."""
        ring = self._find()
        return self._many(0, 0) if ring is None else self._many(ring, limit)

    def receive_many(self, limit: int | None = None, timeout: float | None = None) -> Any:
        """The messages that lie in a row, at least one: an array, a view of the slots; a list when they are raw."""
        ring = self._find()
        return self._many(self._until(timeout) if ring is None else ring, limit)

    def _many(self, ring: int, limit: int | None) -> Any:
        taken = self._taken[ring]
        at = taken & self._mask
        count = min(self._seen[ring] - taken, self._form.capacity - at)
        if limit is not None:
            count = min(count, limit)
        if count > 0:
            self._taken[ring], self._out = taken + count, ring
        if self._lengths[ring] is None:
            return self._slots[ring][at : at + count]
        return (
            self._envelopes(ring, at, count)
            if self._form.is_enveloped
            else [self._raw(ring, i) for i in range(at, at + count)]
        )

    def _envelopes(self, ring: int, at: int, count: int) -> list[Any]:
        """Envelopes up to the first message that is none; when that is the first, it alone was received."""
        found: list[Any] = []
        before = self._taken[ring] - count
        for i in range(at, at + count):
            self._taken[ring] = before + len(found) + 1
            try:
                found.append(self._raw(ring, i))
            except Refused:
                if not found:
                    raise
                self._taken[ring] -= 1
                break
        return found

    def batches(self, limit: int | None = None) -> Iterator[Any]:
        """Batches until the stream has ended."""
        while True:
            try:
                batch = self.receive_many(limit)
            except Closed:
                return
            yield batch

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                message = self.receive()
            except Closed:
                return
            yield message

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            try:
                message = await self.areceive()
            except Closed:
                return
            yield message

    # Positions

    def release(self) -> None:
        """Give the slots back of what was received."""
        if self._out != _NOTHING:
            ring, self._out = self._out, _NOTHING
            self._advance(self._gates[ring], self._taken[ring], self._bells[ring])

    def _resume(self) -> None:
        self._taken = [self._form.block.read("gate", self._gate_of(r)) for r in range(self._form.rings)]
        self._seen = list(self._taken)

    def _find(self) -> int | None:
        """The ring whose turn it is among those that have messages."""
        self.release()
        if self._handle is not None:
            self._resume()
        for _ in self._cursors:
            ring = self._turn
            self._turn = ring + 1 if ring + 1 < len(self._cursors) else 0
            if self._seen[ring] > self._taken[ring]:
                return ring
            seen = self._look(self._cursors[ring])
            if seen > self._taken[ring]:
                self._seen[ring] = seen
                return ring
        return None

    # Waiting, and the end

    def _until(self, timeout: float | None) -> int:
        return until(self._found, self._wait, self._strategy, timeout, self._expect_senders)

    def _found(self) -> int | None:
        ring = self._find()
        if ring is None and self.ended:
            raise Closed(f"{self._form.name}: the stream has ended")
        return ring

    def _wait(self) -> None:
        taken = np.array(self._taken, np.int64)
        words = (*self._closed, self._ended)
        seen = np.array([self._look(word) for word in words], np.int64)
        if self.ended:  # by the words just seen: what changes later ends the wait
            return
        patience = BRIEFLY[self._strategy]
        waiting(wait_news)(self._cursors, taken, words, seen, self._bell, self._strategy, patience)

    def _cut(self) -> None:
        """Receive nothing any more, also by the handle."""
        self._out, self._cursors = _NOTHING, ()
        if self._handle is not None:
            ends.cut_reader(self._handle)

    @property
    def ended(self) -> bool:
        """Whether everything was received that will ever come."""
        if not self._cursors:
            return True
        over = self._look(self._ended) != 0
        return all(self._ring_ended(ring, over) for ring in range(self._form.rings))

    def _ring_ended(self, ring: int, over: bool) -> bool:
        taken = self._taken[ring]
        if self._look(self._closed[ring]) == taken:
            return True
        if not over or self._form.block.held("cursor", ring):
            return False
        return self._look(self._cursors[ring]) == taken  # after nobody was there any more

    def _expect_senders(self) -> None:
        """Raise when every producer that there was is dead."""
        died = [(r, cells.dead(self._form.block, "cursor", r)) for r in range(self._form.rings)]
        lost = [(r, pid) for r, pid in died if pid]
        alive = any(self._form.block.held("cursor", r) for r, pid in died if not pid)
        if lost and not alive and not any(self._look(c) > n for c, n in zip(self._cursors, self._taken, strict=True)):
            ring, pid = lost[0]
            raise Died(f"producer {ring} of {self._form.name}", pid)

    @property
    def compiled(self) -> int:
        """The handle of this end for `byteor.lanes.try_receive` in compiled code."""
        self._form.refuse_raw()
        if self._handle is None:
            self.release()
            slots = [one.ctypes.data for one in self._slots]
            bells = [bell[0] for bell in self._bells]
            rings = list(zip(self._cursors, self._gates, slots, self._taken, bells, strict=True))
            self._handle = ends.reader_block(self._mask, self._form.slot_bytes, rings)
        return int(self._handle.ctypes.data)

    @property
    def sequence(self) -> int:
        """The number, on its ring, of the first message that was received last; -1 when nothing is out."""
        return -1 if self._out == _NOTHING else self._form.block.read("gate", self._gate_of(self._out))

    def _gate_of(self, ring: int) -> int:
        return ring * self._form.readers + self.number

    @property
    def position(self) -> int:
        """Messages received and given back, of all rings."""
        return sum(self._form.block.read("gate", self._gate_of(r)) for r in range(self._form.rings))

    def detach(self) -> None:
        """Leave for good: from now on nothing waits for this reader, and its gate is nobody's again."""
        if self._owner.alive:
            give_up(self._form, self.number)
        self._owner.leave()

    def _settle(self) -> None:
        """Give back what was received; the gate stays where it is for whoever takes it up."""
        self.release()


def give_up(form: Form, reader: int) -> None:
    """Store, as the owner of a reader's gates, that it is past everything, and ring the producers."""
    for ring in range(form.rings):
        gate = form.block.address("gate", ring * form.readers + reader)
        calls.advance(1)(gate, LAST, form.bells("producer_bell", [ring]))
