"""Lanes and desks over plain memory, for roles that run compiled without a plant around them.

Rule 1. Shared words lie a line apart in memory that is given, so processes that were forked over it share them.
Rule 2. Each actor has a desk of its own, in memory of its own; a successor makes a new one and recovers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from byteor.abi.byteor_v1 import OPEN, RUNNER
from byteor.backings.mem import lines
from byteor.kernel import commit as c
from byteor.kernel.plain import I64
from byteor.kernel.wait import BACKOFF, FOREVER, Waiter

LINE, WORD = 128, 8
Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]


class Space:
    """Memory that is given away line by line."""

    def __init__(self, memory: Bytes) -> None:
        self.memory = memory
        self._used = -memory.ctypes.data % LINE

    def take(self, nbytes: int) -> Bytes:
        """The next so many bytes, from a line on."""
        begin = self._used
        self._used += -(-nbytes // LINE) * LINE
        assert self._used <= len(self.memory), f"{self._used} of {len(self.memory)} bytes"
        return self.memory[begin : begin + nbytes]

    def word(self, value: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """A word on a line of its own."""
        made = self.take(WORD).view(np.int64)
        made[0] = value
        return made


class Lane:
    """One ring with one reader."""

    def __init__(self, space: Space, capacity: int, kind: np.dtype) -> None:
        self.cursor, self.closed, self.gate = space.word(), space.word(OPEN), space.word()
        self.slots = space.take(capacity * kind.itemsize).view(kind)

    def fill(self, row: np.ndarray) -> None:
        """Write where this lane's words are into a desk's row of it."""
        places = (c.CURSOR, self.cursor), (c.CLOSED, self.closed), (c.GATE, self.gate), (c.SLOTS, self.slots)
        for at, array in places:
            row[at // WORD] = array.ctypes.data
        row[c.MASK // WORD], row[c.SIZE // WORD] = len(self.slots) - 1, self.slots.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Book:
    """The shared words of a role without state: the two buffers of its record, and its counters."""

    record: Bytes
    runner: Bytes  # a bell that nobody rings, then counters
    ins: tuple[Lane, ...]
    outs: tuple[Lane, ...]

    @property
    def stats(self) -> int:
        """Where its counters begin."""
        return self.runner.ctypes.data + RUNNER["at"]

    def waiter(self, stop: int, strategy: int = BACKOFF, patience: int = FOREVER) -> Waiter:
        """How it waits."""
        return Waiter(0, stop, self.runner.ctypes.data, strategy, patience)

    @property
    def words(self) -> int:
        """The words of a record; what lies outside the lanes counts as one."""
        return c.TAKEN // WORD + max(1, len(self.ins)) + max(1, len(self.outs)) * c.PUT // WORD


def book(space: Space, ins: Sequence[Lane], outs: Sequence[Lane]) -> Book:
    """Make the words of a role between lanes."""
    made = Book(space.take(0), space.take(RUNNER.bytes), tuple(ins), tuple(outs))
    return Book(space.take(2 * stride(made)), made.runner, made.ins, made.outs)


def stride(role: Book) -> int:
    """Bytes from one buffer to the other: whole lines."""
    return -(-WORD * role.words // LINE) * LINE


class Desk:
    """What one actor works with; it keeps the private memory."""

    def __init__(self, role: Book) -> None:
        inputs, outputs = max(1, len(role.ins)), max(1, len(role.outs))
        sizes = role.words, 2 * role.words, inputs * c.IN // WORD, outputs * c.OUT // WORD, 1, 1
        self._memory = lines(WORD * sum(sizes)).view(np.int64)
        parts = np.split(self._memory, np.cumsum(sizes)[:-1])
        self.taken = c.TAKEN // WORD  # where in `now` the position in the first input stands
        self.now, _, ins, outs, _, _ = parts
        self.seen = ins[c.SEEN // WORD :]  # the cursor of the first input, as last looked at
        for i, lane in enumerate(role.ins):
            lane.fill(ins[i * c.IN // WORD :])
        for j, lane in enumerate(role.outs):
            lane.fill(outs[j * c.OUT // WORD :])
            outs[(j * c.OUT + c.READERS) // WORD] = 1
        at = [part.ctypes.data for part in parts]
        record = at[0], at[1], role.words, role.record.ctypes.data, stride(role)
        self.hot = c.Desk(*record, at[2], inputs, at[3], outputs, at[4], 0, -1, -1, I64, 0, 0, 0, at[5])
