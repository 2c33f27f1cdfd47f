"""The State lane: one writer puts values, any number of readers get the latest, and nobody waits for anybody.

Rule 1. What is got is a copy, whole, and the reader's own; an older value never comes after a newer one.
Rule 2. The writer has the lock of the cursor; readers have no cell, so there may be as many as like.
Rule 3. A writer that dies leaves its last whole value; a successor goes on behind it.
Rule 4. Who waits for a newer value may sleep on a bell that all readers share, where the lane has it rung.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba.core import types

from byteor.abi.byteor_v1 import BITS, OPEN, STATE_KIND
from byteor.diag import Refused
from byteor.kernel import handles
from byteor.kernel import state as kernel
from byteor.kernel.hot import short, waiting
from byteor.kernel.lanes import wait_change
from byteor.kernel.state import CONTENDED, HEAD, Place
from byteor.kernel.wait import BRIEFLY, NOBODY
from byteor.lanes import calls, cells
from byteor.lanes import findings as t
from byteor.lanes.base import AnyLane, End
from byteor.lanes.making import blocks, join, make, strategy, where
from byteor.lanes.outcome import Closed, Contended, Died
from byteor.lanes.typed import Type, checked, raw
from byteor.lanes.waiting import until, until_async
from byteor.transport.header import NO_HASH
from byteor.transport.regions import Mapping

_TRIES = 64  # looks of one `get`: each that fails was passed by as many values as there are slots
_LONG = 1 << 16  # bytes whose copy is long enough to let other threads run meanwhile

Put = Callable[[Place, int, int], None]
Get = Callable[[Place, int, int], int]


@cache
def _compiled(long: bool) -> tuple[Put, Get]:
    if long:
        return waiting(kernel.put), waiting(kernel.get)
    place = types.NamedUniTuple(types.int64, len(Place._fields), Place)
    put, get = (short(function, place, types.int64, types.int64) for function in (kernel.put, kernel.get))
    return put, get


class Form:
    """The facts of one lane: where its words are, and what a value is; raw bytes when `dtype` is None."""

    def __init__(self, name: str, block: cells.Block, dtype: Type | None) -> None:
        self.name, self.block, self.dtype = name, block, dtype
        self.slot_bytes = block.params["slot_bytes"]
        self.words = block.layout.cells["slots"].stride // 8
        at = [block.address(name) for name in ("cursor", "intent", "slots")]
        self.place = Place(at[0], at[1], at[2], block.params["capacity"] - 1, self.words)
        self.put, self.get = _compiled(self.slot_bytes > _LONG)
        self.closed, self.bell = block.address("closed"), block.address("bell")
        self.may_block = blocks(block)
        self.look, self._ring = calls.look(), calls.ring_all()

    def ring(self) -> None:
        """Ring, as the writer, whoever may sleep."""
        if self.may_block:
            self._ring(self.bell)

    def handle(self, rung: bool) -> handles.Block:
        """The block of a compiled end."""
        if self.dtype is None:
            raise Refused([t.NOT_COMPILED.at(self.name, "its values are raw bytes")])
        return handles.state_block(self.place, self.slot_bytes, self.bell if rung and self.may_block else 0)

    def buffer(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Private words for one value with its head, and the value in them: one record, or bytes."""
        words = np.zeros(self.words, np.int64)
        data = words[HEAD:].view(np.uint8)[: self.slot_bytes]
        return words, data if self.dtype is None else data.view(self.dtype)


class Writer(End):
    """Puts values: `put`; `close` says that none follows."""

    def __init__(self, form: Form, owner: cells.Owner) -> None:
        super().__init__(owner)
        self._form = form
        self._words, self._data = form.buffer()
        self._source = self._words.ctypes.data
        self._handle: handles.Block | None = None
        owner.lost = self._cut

    def put(self, value: Any) -> None:
        """Make this the latest value; never waits."""
        if not self._owner.alive:
            raise Closed(f"{self._form.name}: this writer has left")
        length = self._record(value) if self._form.dtype is not None else self._bytes(value)
        self._words[:HEAD] = time.monotonic_ns(), length
        self._form.put(self._form.place, self._source, HEAD + (length + 7 >> 3))
        self._form.ring()

    def _record(self, value: Any) -> int:
        if isinstance(value, np.generic | np.ndarray) and value.dtype != self._form.dtype:
            raise Refused([t.OTHER_TYPE.at(self._form.name, f"{value.dtype} instead of {self._form.dtype}")])
        self._data[0] = value
        return self._form.slot_bytes

    def _bytes(self, value: Any) -> int:
        data = np.frombuffer(value, np.uint8)
        if data.size > self._form.slot_bytes:
            said = f"the value has {data.size} bytes, a slot {self._form.slot_bytes}"
            raise Refused([t.TOO_LONG.at(self._form.name, said)])
        self._data[: data.size] = data
        return data.size

    @property
    def sequence(self) -> int:
        """Values put so far, also by those that had the lane before."""
        return self._form.block.read("cursor")

    @property
    def compiled(self) -> int:
        """The handle of this end for `byteor.lanes.try_put` in compiled code."""
        if self._handle is None:
            self._handle = self._form.handle(rung=True)
        return int(self._handle.ctypes.data)

    def _cut(self) -> None:
        if self._handle is not None:
            handles.cut(self._handle, handles.ALIVE)

    def _settle(self) -> None:
        """Say that no value follows; the last one stays."""
        if self._owner.alive:
            calls.close(len(NOBODY))(self._form.place.cursor, self._form.closed, NOBODY)
            self._form.ring()


class Reader:
    """Gets the latest value: `get`; `sequence` and `age` are those of the value that was got last."""

    def __init__(self, form: Form, strategy: int) -> None:
        self._form, self._strategy, self.sequence = form, strategy, 0
        self._words, self._data = form.buffer()
        self._out = self._words.ctypes.data
        self._handle: handles.Block | None = None

    def get(self) -> Any:
        """The latest value, a copy; None when none was put yet."""
        number = self._form.get(self._form.place, self._out, _TRIES)
        if number == CONTENDED:
            raise Contended(f"{self._form.name}: passed by the writer {_TRIES} times")
        self.sequence = number
        return self._value() if number else None

    def get_newer(self, timeout: float | None = None) -> Any:
        """The latest value once it is newer than the one that was got last; raises Closed when none can follow."""
        return until(self._newer, self._wait, self._strategy, timeout, self._expect_writer)

    async def aget_newer(self, timeout: float | None = None) -> Any:
        """The latest value once it is newer, letting the event loop go on until then."""
        return await until_async(self._newer, timeout, self._expect_writer)

    def _value(self) -> Any:
        if self._form.dtype is not None:
            return self._data[0].copy()
        length = max(0, min(int(self._words[1]), self._form.slot_bytes))
        return self._data[:length].tobytes()

    def _newer(self) -> Any:
        ended = self.ended  # before the look: what is found closed after it may have grown meanwhile
        if self._form.look(self._form.place.cursor) != self.sequence:
            return self.get()
        if ended:
            raise Closed(f"{self._form.name}: no value follows")
        return None

    def _wait(self) -> None:
        form = self._form
        how = self._strategy, BRIEFLY[self._strategy]
        waiting(wait_change)(form.place.cursor, self.sequence, form.closed, OPEN, form.bell, *how)

    def _expect_writer(self) -> None:
        pid = cells.dead(self._form.block, "cursor", 0)
        if pid and self._form.look(self._form.place.cursor) == self.sequence:
            raise Died(f"the writer of {self._form.name}", pid)

    @property
    def age(self) -> float | None:
        """Seconds since the value that was got last was put, by the clock that all processes share."""
        return (time.monotonic_ns() - int(self._words[0])) / 1e9 if self.sequence else None

    @property
    def ended(self) -> bool:
        """Whether no value follows."""
        return self._form.look(self._form.closed) != OPEN

    @property
    def compiled(self) -> int:
        """A handle for `byteor.lanes.try_get` in compiled code."""
        if self._handle is None:
            self._handle = self._form.handle(rung=False)
        return int(self._handle.ctypes.data)


class Lane(AnyLane):
    """One lane: `writer()` and `reader()` give its ends."""

    def __init__(self, name: str, block: cells.Block, dtype: Type | None) -> None:
        super().__init__(name, block)
        self._form = Form(name, block, dtype)

    @property
    def dtype(self) -> Type:
        """The type of its values; without one, bytes of a slot."""
        return raw(self._form.slot_bytes) if self._form.dtype is None else self._form.dtype

    @property
    def capacity(self) -> int:
        """Slots: a reader is passed when so many values come while it copies one."""
        return self._form.place.mask + 1

    def writer(self, name: str = "") -> Writer:
        """Win the lane's cursor, and go on behind the last whole value."""
        self._ends.append(end := Writer(self._form, self._written_by(name)))
        return end

    def reader(self, wait: str | None = None) -> Reader:
        """An end that gets the latest value; `wait` is spin, yield, backoff or block."""
        return Reader(self._form, strategy(self.name, wait, self._form.may_block))


def create(
    path: Path | None,
    dtype: Any = None,
    *,
    capacity: int = 4,
    slot_bytes: int | None = None,
    may_block: bool = False,
    prefault: bool = False,
    mlock: bool = False,
) -> Lane:
    """Make a lane; without a path, in the memory of this process."""
    given = None if dtype is None else checked(dtype, where(path))
    if (given is None) == (slot_bytes is None):
        raise Refused([t.BAD_OPTION.at(where(path), "it needs a type or `slot_bytes`, one of them")])
    params = {"capacity": capacity, "slot_bytes": given.itemsize if given is not None else slot_bytes or 0}
    block = make(path, STATE_KIND, params, BITS["may_block"] * may_block, given, Mapping(prefault, mlock))
    return Lane("" if path is None else path.name, block, given)


def attach(path: Path, dtype: Any = None, *, wait: float = 1.0) -> Lane:
    """Open a lane whose values are of this type; without one, of the type that its region says, or as bytes."""
    block, given = join(path, [STATE_KIND], BITS["may_block"], dtype, wait)
    if given is None and block.region.header.schema_hash != NO_HASH:
        given = raw(block.params["slot_bytes"])
    return Lane(path.name, block, given)
