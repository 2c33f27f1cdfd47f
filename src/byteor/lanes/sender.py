"""The sending end of a lane: one ring, in order, at the position where its last owner was.

Rule 1. A message lies in its slot before the cursor says so; a message is sent whole or not at all.
Rule 2. An end belongs to one thread at a time; there is one sender to a ring, by its lock.
Rule 3. What of a successor's ring was not published is not there: it begins at the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from byteor.diag import Refused
from byteor.kernel import ends
from byteor.kernel import ring as kernel
from byteor.kernel.hot import waiting
from byteor.kernel.objects import Handle
from byteor.kernel.wait import BRIEFLY, NOBODY, Waiter, wait_past
from byteor.lanes import calls, cells
from byteor.lanes import findings as t
from byteor.lanes.base import End
from byteor.lanes.form import Form
from byteor.lanes.outcome import Closed, Died, Outcome
from byteor.lanes.waiting import until, until_async

_PIECE = 256


class Sender(End):
    """Sends to one ring of a lane: `try_send`, `send`, `send_many`, `asend`; `close` says that nothing follows."""

    def __init__(self, form: Form, owner: cells.Owner, strategy: int) -> None:
        super().__init__(owner)
        block, self.ring = form.block, owner.index
        self._form, self._strategy = form, strategy
        self._gates = form.gates(self.ring)
        self._gate_cells = tuple(block.address("gate", i) for i in self._gates)
        self._cursor = block.address("cursor", self.ring)
        self._ended = block.address("lane_closed")
        self._bells = form.bells("reader_bell", range(form.readers))
        self._slots = form.slots(self.ring)
        self._lengths = form.lengths(self.ring)
        self._stop = np.zeros(1, np.int64)
        bell = block.address("producer_bell", self.ring)
        closed = block.address("closed", self.ring)
        self._waiter = Waiter(closed, self._stop.ctypes.data, bell, strategy, BRIEFLY[strategy])
        self._look, self._capacity, self._several = calls.look(), form.capacity, form.rings > 1
        self._gone = False
        self._handle = self._made()
        self._words, self._address = self._handle.words, self._handle.address
        self._room()
        owner.lost = self._cut

    def _made(self) -> Handle:
        """The handle: all that this end knows of its ring stands in its block."""
        bells = self._bells if self._bells != NOBODY else (0,) * len(self._gate_cells)
        mask, size, slots = self._capacity - 1, self._form.slot_bytes, self._slots.ctypes.data
        sent = self._form.block.read("cursor", self.ring)
        # Nothing is free until the gates were looked at.
        words = (mask, size, sent, self._cursor, slots, sent - self._capacity, self._ended, self._gate_cells, bells)
        return Handle(ends.sender_block(*words).tobytes(), self)

    # One message

    @cached_property
    def try_send(self) -> Callable[[Any], Outcome]:
        """Send one message if there is room now; what it answers is true when the message was taken."""
        if self._form.is_enveloped:
            return self._try_send
        if self._lengths is not None:
            self._words[ends.LENGTHS // 8] = self._lengths.ctypes.data
        self._handle.keep(ends.ANSWER // 8, Outcome.SENT, self._try_send, self._slots, np.void, self._slots.dtype)
        return calls.send_one(self._form.is_raw, self._handle)

    def _try_send(self, message: Any) -> Outcome:
        """Send what the compiled call leaves to Python, or say why it does not go."""
        if (self._several and self._is_over()) or not self._room():
            return Outcome.CLOSED if self._is_over() else Outcome.FULL
        sent = self._sent
        at = sent & (self._capacity - 1)
        if self._lengths is None:
            self._form.put(self._slots, at, message)
            if type(message) is np.void:  # the next one of this very type need not come here
                self._handle.keep(ends.DTYPE // 8, message.dtype)
        else:
            message = self._form.packed(message)
            size = len(message)
            if size > self._form.slot_bytes:
                return Outcome.TOO_LONG
            self._slots[at, :size] = np.frombuffer(message, np.uint8)
            self._lengths[at] = size
        calls.publish()(self._address, sent + 1)
        return Outcome.SENT

    def send(self, message: Any, timeout: float | None = None) -> None:
        """Send one message, waiting for room."""
        if not (outcome := self.try_send(message)):
            self._refuse(outcome, message)
            until(lambda: self._tried(message), self._wait, self._strategy, timeout, self._expect_readers)

    async def asend(self, message: Any, timeout: float | None = None) -> None:
        """Send one message, letting the event loop go on while there is no room."""
        if not (outcome := self.try_send(message)):
            self._refuse(outcome, message)
            await until_async(lambda: self._tried(message), timeout, self._expect_readers)

    def _tried(self, message: Any) -> Outcome | None:
        outcome = self.try_send(message)
        self._refuse(outcome, message)
        return outcome or None

    def _refuse(self, outcome: Outcome, message: Any) -> None:
        if outcome is Outcome.CLOSED:
            raise Closed(f"{self._form.name}: nothing may be sent any more")
        if outcome is Outcome.TOO_LONG:
            said = f"the message has {len(self._form.packed(message))} bytes, a slot {self._form.slot_bytes}"
            raise Refused([t.TOO_LONG.at(self._form.name, said)])

    # Many messages

    def try_send_many(self, rows: Any) -> int:
        """Send as many of the rows as there is room for now; answer how many."""
        if self._lengths is not None:
            return self._try_raw(rows)
        return self._pass(self._form.rows(rows), 0)

    def send_many(self, rows: Any, timeout: float | None = None) -> int:
        """Send all rows, waiting for room; fewer are sent only when an exception says why."""
        total = 0
        rest = rows if self._lengths is not None else self._form.rows(rows)
        while len(rest):
            sent = self.try_send_many(rest)
            if not sent:
                look = partial(self._some, rest)
                sent = until(look, self._wait, self._strategy, timeout, self._expect_readers)
            total, rest = total + sent, rest[sent:]
        return total

    def _some(self, rows: Any) -> int | None:
        if self._is_over():
            self._refuse(Outcome.CLOSED, b"")
        return self.try_send_many(rows) or None

    def _try_raw(self, messages: Sequence[Any]) -> int:
        for i, message in enumerate(messages):
            outcome = self.try_send(message)
            if outcome is Outcome.TOO_LONG and not i:
                self._refuse(outcome, message)
            if not outcome:
                return i
        return len(messages)

    def _pass(self, rows: np.ndarray, patience: int) -> int:
        """Let the kernel send; it comes back when its patience is over."""
        if self._is_over():
            return 0
        waiter = self._waiter._replace(patience=patience)
        send = waiting(kernel.send)
        seen = np.array([self._words[ends.SEEN // 8]], np.int64)
        sent = int(send(self._cursor, seen, self._gate_cells, self._slots, rows, waiter, self._bells, _PIECE))
        self._words[ends.SEEN // 8] = int(seen[0])
        self._words[ends.NEXT // 8] += sent
        return sent

    # Room

    @property
    def _sent(self) -> int:
        return self._words[ends.NEXT // 8]

    def _room(self) -> int:
        """Slots that are free; what readers say is held to what they can have seen."""
        return calls.room()(self._address)

    def _wait(self) -> None:
        waiting(wait_past)(self._gate_cells, self._sent - self._capacity, self._waiter)

    def _is_over(self) -> bool:
        return self._gone or self._look(self._ended) != 0

    def _cut(self) -> None:
        """Send nothing any more, also by the handle."""
        self._gone = True
        self._stop[0] = 1
        ends.cut_sender(self._words, self._stop.ctypes.data)

    def _expect_readers(self) -> None:
        """Raise when the reader that everybody waits for is dead."""
        for gate in self._gates:
            held_back = self._form.block.read("gate", gate) <= self._sent - self._capacity
            if held_back and (pid := self._form.reader_dead(gate % self._form.readers)):
                raise Died(f"reader {gate % self._form.readers} of {self._form.name}", pid)

    # Compiled, and the end

    @property
    def compiled(self) -> int:
        """The handle of this end for `byteor.lanes.try_send` in compiled code."""
        self._form.refuse_raw()
        return self._address

    @property
    def position(self) -> int:
        """Messages published on this ring."""
        return self._form.block.read("cursor", self.ring)

    def _settle(self) -> None:
        """Say that nothing follows; not on a lane of several producers: others may go on."""
        if self._owner.alive and self._form.rings == 1:
            calls.close(len(self._bells))(self._cursor, self._waiter.closed, self._bells)
