"""How records are taken from a journal: one after the other, from any position, by whoever maps it.

Rule 1. What is taken is a copy. Records come in order, whole, and none twice.
Rule 2. Records that were written over are told as one `Gap`, before the first record behind them.
Rule 3. Who replays has no gate: it costs the journal nothing, and nobody knows how far it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from byteor.abi.byteor_v1 import BITS, OPEN
from byteor.backings import shm
from byteor.diag import Refused
from byteor.kernel import handles
from byteor.kernel.hot import waiting
from byteor.kernel.journal import DAMAGED, DATA, NOTHING, PASSED, SEQUENCE, Log
from byteor.kernel.lanes import wait_change
from byteor.kernel.wait import BRIEFLY
from byteor.lanes import calls, cells
from byteor.lanes import findings as t
from byteor.lanes.making import blocks, strategy
from byteor.lanes.outcome import Closed, Contended, Died
from byteor.lanes.segments import COMMIT, NONE, NOWHERE, SEGMENT, Around, Files, Records
from byteor.lanes.shelf import InMemory, OnDisk, Shelf
from byteor.lanes.typed import Type
from byteor.lanes.waiting import until, until_async
from byteor.transport.header import NO_HASH
from byteor.transport.regions import PLAIN, Mapping

_UNKNOWN = -1
_NO_HANDLE: handles.Block | None = None
_TRIES = 64  # looks in a row: each that fails was passed by a whole lap of the log, or found padding


@dataclass(frozen=True, slots=True)
class Gap:
    """What was written over before this reader took it: so many bytes of the log, and the records that began there.

    A reader that was passed while it was away does not know of how many records: `first` and `records` are None. Who
    replays from the number of a record does not know of how many bytes: `bytes` is None.
    """

    bytes: int | None
    first: int | None
    records: int | None


class Form:
    """The facts of one lane; records are bytes when `dtype` is None, `foreign` when they have a type unknown here."""

    def __init__(self, name: str, block: cells.Block, dtype: Type | None, how: Mapping = PLAIN) -> None:
        schema = block.region.header.schema_hash if isinstance(block, shm.Block) else NO_HASH
        self.name, self.block, self.dtype = name, block, dtype
        self.foreign = dtype is None and schema != NO_HASH
        self.keeps_all, self.may_block = bool(block.capabilities & BITS["retain_all"]), blocks(block)
        self.cursor, self.closed, self.bell = (block.address(word) for word in ("cursor", "closed", "bell"))
        self._shelf = self._shelf_for(block, schema, how) if self.keeps_all else None
        self._look, self._ring = calls.look(), calls.ring_all()

    @property
    def fsync(self) -> int:
        """When the writer forces records to the disk."""
        bits = self.block.capabilities
        return COMMIT if bits & BITS["fsync_commit"] else SEGMENT if bits & BITS["fsync_segment"] else NONE

    def _shelf_for(self, block: cells.Block, schema: bytes, how: Mapping) -> Shelf:
        return OnDisk(block, schema, how, self.fsync != NONE) if isinstance(block, shm.Block) else InMemory(block)

    def log(self, writing: bool = False) -> Records:
        """The records, as one end reaches them."""
        if self._shelf is None:
            return Around(self.block)
        return Files(self.block, self._shelf, self.fsync, writing)

    def buffer(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Private words for one record with its header, and the bytes behind it."""
        words = np.zeros(self.block.params["segment_bytes"] // 8, np.int64)
        return words, words.view(np.uint8)[DATA:]

    def strategy(self, wait: str | None) -> int:
        """How a reader waits."""
        return strategy(self.name, wait, self.may_block)

    def ring(self) -> None:
        """Ring, as the writer, whoever may sleep."""
        if self.may_block:
            self._ring(self.bell)

    def handle(
        self, log: Records, record: int, number: int, at: int = 0, gate: int = 0, rung: bool = False
    ) -> handles.Block:
        """The block of a compiled end."""
        if self.dtype is None:
            raise Refused([t.NOT_COMPILED.at(self.name, "its records are raw bytes")])
        bell = self.bell if rung and self.may_block else 0
        here, file = log.here
        return handles.journal_block(here, self.dtype.itemsize, bell, record, number, at, gate, file)

    def is_closed(self) -> bool:
        """Whether no record follows."""
        return self._look(self.closed) != OPEN


class Taking:
    """Takes records, and gaps where some are missing: `try_receive`, `receive`, `areceive`, iteration."""

    def __init__(self, form: Form, at: int, record: int | None, strategy: int, gate: int = 0) -> None:
        self._form, self._log, self._strategy = form, form.log(), strategy
        self._words, self._data = form.buffer()
        self._out = self._words.ctypes.data
        self._at = np.array([at], np.int64)
        self._at_address = self._at.ctypes.data
        # The number of the record to come, as far as it is known; also the handle's.
        self._next = np.array([_UNKNOWN if record is None else record], np.int64)
        self._gate, self._handle = gate, _NO_HANDLE
        self._lost: int | None = 0
        self._kept: int | None = None  # the length of a record that was found behind a gap

    @property
    def _left(self) -> bool:
        return False

    def release(self) -> None:
        """Give back what was taken."""

    def try_receive(self) -> Any:
        """The next record, a copy, or a Gap where records are missing, or None when there is neither now."""
        if self._kept is not None:
            length, self._kept = self._kept, None
            self._next[0] = self._words[SEQUENCE // 8] + 1
            self._turn(*self._log.here)
            return self._record(length)
        if self._left:
            return None
        self.release()
        passed = 0
        while passed < _TRIES:
            before = int(self._at[0])
            length = self._log.take(before, self._at_address, self._out)
            if length == NOTHING:
                return None
            if length == DAMAGED:
                raise self._damaged()
            if length == PASSED and self._lost is not None:
                self._lost += int(self._at[0]) - before
            if length >= 0 and not self._is_before():
                return self._found(length)
            passed = 0 if length >= 0 else passed + 1
        raise Contended(f"{self._form.name}: passed by the writer {_TRIES} times")

    def _is_before(self) -> bool:
        """Whether the record just taken lies before the one from which a replay begins."""
        return False

    def _found(self, length: int) -> Any:
        number, wanted = int(self._words[SEQUENCE // 8]), self.record
        lost, self._lost, self._next[0] = self._lost, 0, number + 1
        if lost == 0 and wanted not in (None, number):
            raise self._damaged()
        self._turn(*self._log.here)
        if lost == 0 or number == wanted:
            return self._record(length)
        self._kept = length
        self._turn(self._log.here[0], NOWHERE)  # until it is given, compiled code has to leave its copy alone
        return Gap(lost, wanted, None if wanted is None else number - wanted)

    def _turn(self, log: Log, file: int) -> None:
        if self._handle is not None:
            handles.turn(self._handle, log, file)

    def _record(self, length: int) -> Any:
        if self._form.dtype is None:
            return self._data[:length].tobytes()
        if length != self._form.dtype.itemsize:
            raise self._damaged()
        return self._data[:length].view(self._form.dtype)[0].copy()

    def _damaged(self) -> Refused:
        return Refused([t.JOURNAL_DAMAGED.at(self._form.name, f"no record ends at {self.position}, as one should")])

    def receive(self, timeout: float | None = None) -> Any:
        """The next record or gap, waiting for it; raises Closed at the end of the log."""
        return until(self._look, self._wait, self._strategy, timeout, self._expect_writer)

    async def areceive(self, timeout: float | None = None) -> Any:
        """The next record or gap, letting the event loop go on while there is none."""
        return await until_async(self._look, timeout, self._expect_writer)

    def _look(self) -> Any:
        closed = self._form.is_closed()  # before the look: what is found closed after it may have grown meanwhile
        found = self.try_receive()
        if found is None and (closed or self._left):
            raise Closed(f"{self._form.name}: no record follows")
        return found

    def _wait(self) -> None:
        form = self._form
        wait = waiting(wait_change)
        wait(form.cursor, self.position, form.closed, OPEN, form.bell, self._strategy, BRIEFLY[self._strategy])

    def _expect_writer(self) -> None:
        pid = cells.dead(self._form.block, "cursor", 0)
        if pid and self._log.end == self.position:
            raise Died(f"the writer of {self._form.name}", pid)

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                found = self.receive()
            except Closed:
                return
            yield found

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            try:
                found = await self.areceive()
            except Closed:
                return
            yield found

    @property
    def position(self) -> int:
        """How many bytes of the log this reader has passed."""
        return int(self._at[0])

    @property
    def record(self) -> int | None:
        """The number of the record to come; None when it is not known before it has come."""
        return None if self._next[0] == _UNKNOWN else int(self._next[0])

    @property
    def compiled(self) -> int:
        """The handle of this end for `byteor.lanes.try_take` in compiled code."""
        if self._handle is None:
            number, at = self._next.ctypes.data, self._at_address
            self._handle = self._form.handle(self._log, self._out, number, at, self._gate)
        return int(self._handle.ctypes.data)


class Replay(Taking):
    """Takes records without a gate, from a record or a position on."""

    def __init__(self, form: Form, record: int, position: int | None, strategy: int) -> None:
        if position is not None:
            super().__init__(form, position, 0 if position == 0 else None, strategy)
        else:
            super().__init__(form, form.log().position_of(record), record, strategy)
        self._first = record if position is None else 0
        if self.position and position is None:
            self._lost = None

    def _is_before(self) -> bool:
        return int(self._words[SEQUENCE // 8]) < self._first
