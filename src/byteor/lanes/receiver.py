"""The receiving end of a lane: a gate of its own on every ring, at the position where its last owner was.

Rule 1. A record is a view of its slot, good until the next call, which gives the slot back; raw bytes are a copy.
Rule 2. A reader that comes back sees again what it had not given back: at least once.
Rule 3. Of several rings one is taken at a time, in turn; each is in order, and between them there is none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np

from byteor.abi.byteor_v1 import LAST
from byteor.diag import Refused
from byteor.kernel import ends
from byteor.kernel.hot import waiting
from byteor.kernel.lanes import wait_news
from byteor.kernel.objects import Handle
from byteor.kernel.wait import BRIEFLY
from byteor.lanes import calls, cells
from byteor.lanes.base import End
from byteor.lanes.envelope import Envelope, decode
from byteor.lanes.form import Form
from byteor.lanes.outcome import Closed, Died
from byteor.lanes.waiting import until, until_async


def _word(ring: int, word: int) -> int:
    """The index of a word of a ring's part in a reader's block."""
    return (ends.READER_HEAD + ring * ends.RING_STRIDE + word) // 8


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
        self._look, self._take = calls.look(), calls.take_row()
        self._handle = self._made()
        self._words, self._address = self._handle.words, self._handle.address
        owner.lost = self._cut

    def _made(self) -> Handle:
        """The handle: all that this end knows of its rings stands in its block."""
        slots = [one.ctypes.data for one in self._slots]
        taken = [self._form.block.read("gate", self._gate_of(r)) for r in range(self._form.rings)]
        bells = [bell[0] for bell in self._bells]
        lengths = [0 if one is None else one.ctypes.data for one in self._lengths]
        rings = zip(self._cursors, self._gates, slots, taken, taken, bells, lengths, strict=True)
        block = ends.reader_block(self._form.capacity - 1, self._form.slot_bytes, list(rings))
        handle = Handle(block.tobytes(), self)
        for ring, one in enumerate(self._slots):
            handle.keep(_word(ring, ends.RING_RECORDS), one)
        return handle

    # One message

    @cached_property
    def try_receive(self) -> Callable[[], Any]:
        """The next message if there is one now, else None; a record is good until the next call."""
        if self._form.is_enveloped:
            return self._try_envelope
        return calls.receive_one(self._form.is_raw, self._handle)

    def _try_envelope(self) -> Envelope | None:
        found = self.try_receive_many(1)
        return found[0] if found else None

    def receive(self, timeout: float | None = None) -> Any:
        """The next message, waiting for it; raises Closed at the end of the stream."""
        message = self.try_receive()
        return self._until(self._found, timeout) if message is None else message

    async def areceive(self, timeout: float | None = None) -> Any:
        """The next message, letting the event loop go on while there is none."""
        return await until_async(self._found, timeout, self._expect_senders)

    def _found(self) -> Any:
        if (message := self.try_receive()) is None:
            self._expect_more()
        return message

    # Many messages

    def try_receive_many(self, limit: int | None = None) -> Any:
        """The messages that lie in a row now, at most `limit`; none when there are none."""
        ring, at, count = self._take(self._address, LAST if limit is None else limit)
        return self._shown(max(ring, 0), at, count)

    def receive_many(self, limit: int | None = None, timeout: float | None = None) -> Any:
        """The messages that lie in a row, at least one: an array, a view of the slots; a list when they are raw."""
        limit = LAST if limit is None else limit
        ring, at, count = self._take(self._address, limit)
        if ring < 0:
            ring, at, count = self._until(partial(self._found_many, limit), timeout)
        return self._shown(ring, at, count)

    def _found_many(self, limit: int) -> tuple[int, int, int] | None:
        found = self._take(self._address, limit)
        if found[0] < 0:
            self._expect_more()
        return found if found[0] >= 0 else None

    def _shown(self, ring: int, at: int, count: int) -> Any:
        lengths = self._lengths[ring]
        if lengths is None:
            return self._slots[ring][at : at + count]
        found = [self._slots[ring][i, : lengths[i]] for i in range(at, at + count)]  # no slice is longer than its slot
        return self._envelopes(ring, found) if self._form.is_enveloped else [one.tobytes() for one in found]

    def _envelopes(self, ring: int, messages: list[Any]) -> list[Any]:
        """Envelopes up to the first message that is none; when that is the first, it alone was received."""
        found: list[Any] = []
        for message in messages:
            try:
                found.append(decode(message.data, self._form.name))
            except Refused:
                self._words[_word(ring, ends.RING_TAKEN)] -= len(messages) - max(1, len(found))
                if not found:
                    raise
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

    @property
    def _taken(self) -> list[int]:
        """What was taken of each ring."""
        return [self._words[_word(ring, ends.RING_TAKEN)] for ring in range(self._form.rings)]

    def release(self) -> None:
        """Give the slots back of what was received."""
        calls.give_back()(self._address)

    # Waiting, and the end

    def _until(self, look: Callable[[], Any], timeout: float | None) -> Any:
        return until(look, self._wait, self._strategy, timeout, self._expect_senders)

    def _expect_more(self) -> None:
        if self.ended:
            raise Closed(f"{self._form.name}: the stream has ended")

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
        self._cursors = ()
        ends.cut_reader(self._words)

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
        return self._address

    @property
    def sequence(self) -> int:
        """The number, on its ring, of the first message that was received last; -1 when nothing is out."""
        part = self._words[ends.OUT // 8]
        if not part:
            return -1
        ring = (part - self._address - ends.READER_HEAD) // ends.RING_STRIDE
        return self._form.block.read("gate", self._gate_of(ring))

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
