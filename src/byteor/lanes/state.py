"""The State lane: one writer puts values, any number of readers get the latest, and nobody waits for anybody.

Rule 1. What is got is a copy, whole, and the reader's own; an older value never comes after a newer one.
Rule 2. The writer has the lock of the cursor; readers have no cell, so there may be as many as like.
Rule 3. A writer that dies leaves its last whole value; a successor goes on behind it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba.core import types

from byteor.abi.byteor_v1 import OPEN, STATE_KIND
from byteor.backings import mem, shm
from byteor.diag import Refused
from byteor.kernel import state as kernel
from byteor.kernel.hot import short, waiting
from byteor.kernel.state import CONTENDED, HEAD, Place
from byteor.kernel.wait import BACKOFF, NOBODY
from byteor.lanes import calls, cells
from byteor.lanes import findings as t
from byteor.lanes.outcome import Closed, Contended, Died
from byteor.lanes.typed import Type, checked, hash_of
from byteor.lanes.waiting import until
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

    def buffer(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Private words for one value with its head, and the value in them: one record, or bytes."""
        words = np.zeros(self.words, np.int64)
        data = words[HEAD:].view(np.uint8)[: self.slot_bytes]
        return words, data if self.dtype is None else data.view(self.dtype)


class Writer:
    """Puts values: `put`; `close` says that none follows."""

    def __init__(self, form: Form, owner: cells.Owner) -> None:
        self._form, self._owner = form, owner
        self._words, self._data = form.buffer()
        self._source = self._words.ctypes.data

    def put(self, value: Any) -> None:
        """Make this the latest value; never waits."""
        if not self._owner.alive:
            raise Closed(f"{self._form.name}: this writer has left")
        length = self._record(value) if self._form.dtype is not None else self._bytes(value)
        self._words[:HEAD] = time.monotonic_ns(), length
        self._form.put(self._form.place, self._source, HEAD + (length + 7 >> 3))

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

    def close(self) -> None:
        """Say that no value follows, and leave; the last one stays."""
        if self._owner.alive:
            calls.close(len(NOBODY))(self._form.place.cursor, self._form.block.address("closed"), NOBODY)
        self.leave()

    def leave(self) -> None:
        """Leave, to be continued by somebody else."""
        self._owner.leave()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.leave()


class Reader:
    """Gets the latest value: `get`; `sequence` and `age` are those of the value that was got last."""

    def __init__(self, form: Form) -> None:
        self._form, self.sequence = form, 0
        self._words, self._data = form.buffer()
        self._out = self._words.ctypes.data

    def get(self) -> Any:
        """The latest value, a copy; None when none was put yet."""
        number = self._form.get(self._form.place, self._out, _TRIES)
        if number == CONTENDED:
            raise Contended(f"{self._form.name}: passed by the writer {_TRIES} times")
        self.sequence = number
        return self._value() if number else None

    def get_newer(self, timeout: float | None = None) -> Any:
        """The latest value once it is newer than the one that was got last; raises Closed when none can follow."""
        return until(self._newer, lambda: None, BACKOFF, timeout, self._expect_writer)

    def _value(self) -> Any:
        if self._form.dtype is not None:
            return self._data[0].copy()
        length = max(0, min(int(self._words[1]), self._form.slot_bytes))
        return self._data[:length].tobytes()

    def _newer(self) -> Any:
        closed = calls.look()(self._form.block.address("closed"))
        if calls.look()(self._form.place.cursor) != self.sequence:
            return self.get()
        if closed != OPEN:
            raise Closed(f"{self._form.name}: no value follows")
        return None

    def _expect_writer(self) -> None:
        pid = cells.dead(self._form.block, "cursor", 0)
        if pid and calls.look()(self._form.place.cursor) == self.sequence:
            raise Died(f"the writer of {self._form.name}", pid)

    @property
    def age(self) -> float | None:
        """Seconds since the value that was got last was put, by the clock that all processes share."""
        return (time.monotonic_ns() - int(self._words[0])) / 1e9 if self.sequence else None

    @property
    def ended(self) -> bool:
        """Whether no value follows."""
        return calls.look()(self._form.block.address("closed")) != OPEN


class Lane:
    """One lane: `writer()` and `reader()` give its ends."""

    def __init__(self, name: str, block: cells.Block, dtype: Type | None) -> None:
        self.name, self._block, self._form = name, block, Form(name, block, dtype)
        self._writers: list[Writer] = []

    @property
    def dtype(self) -> Type:
        """The type of its values; without one, bytes of a slot."""
        return np.dtype(f"V{self._form.slot_bytes}") if self._form.dtype is None else self._form.dtype

    @property
    def path(self) -> str:
        """Its file; empty for a lane in the memory of this process."""
        return self._block.path

    @property
    def capacity(self) -> int:
        """Slots: a reader is passed when so many values come while it copies one."""
        return self._form.place.mask + 1

    def writer(self, name: str = "") -> Writer:
        """Win the lane's cursor, and go on behind the last whole value."""
        owner = cells.win(self._block, "cursor", [0], name)
        if owner is None:
            raise Refused([t.IN_USE.at(self.name, "its writer lives")])
        if self._block.read("closed") != OPEN:
            owner.leave()
            raise Refused([t.NO_CELL.at(self.name, "its writer has closed it")])
        self._writers.append(end := Writer(self._form, owner))
        return end

    def reader(self) -> Reader:
        """An end that gets the latest value."""
        return Reader(self._form)

    def close(self) -> None:
        """Leave: what was put is the last value by this object's writers; the file stays."""
        self._let_go(closing=True)

    def _let_go(self, closing: bool) -> None:
        for end in self._writers:
            end.close() if closing else end.leave()
        self._block.close()

    def __enter__(self) -> Lane:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._let_go(closing=kind is None)


def create(
    path: Path | None,
    dtype: Any = None,
    *,
    capacity: int = 4,
    slot_bytes: int | None = None,
    prefault: bool = False,
    mlock: bool = False,
) -> Lane:
    """Make a lane; without a path, in the memory of this process."""
    where = "" if path is None else str(path)
    given = None if dtype is None else checked(dtype, where)
    if (given is None) == (slot_bytes is None):
        raise Refused([t.BAD_OPTION.at(where, "it needs a type or `slot_bytes`, one of them")])
    params = {"capacity": capacity, "slot_bytes": given.itemsize if given is not None else slot_bytes or 0}
    if path is None:
        return Lane("", mem.block(STATE_KIND, params), given)
    return Lane(path.name, shm.create(path, STATE_KIND, params, 0, hash_of(given), Mapping(prefault, mlock)), given)


def attach(path: Path, dtype: Any = None, *, wait: float = 1.0) -> Lane:
    """Open a lane whose values are of this type; without one, as bytes."""
    given = None if dtype is None else checked(dtype, str(path))
    schema = None if given is None else hash_of(given)
    block = shm.attach(path, [STATE_KIND], known=0, schema=schema, wait=wait)
    if given is None and block.region.header.schema_hash != NO_HASH:
        given = np.dtype(f"V{block.params['slot_bytes']}")
    return Lane(path.name, block, given)
