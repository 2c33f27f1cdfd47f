"""The Journal lane: one writer appends records, each reader takes them from a position of its own.

Rule 1. The log is written over from its beginning; the writer waits for nobody. A reader that was passed is given a
        `Gap` in place of the records that it missed, then goes on at the oldest segment that is whole.
Rule 2. A record that was taken is given back at the next call: a reader that comes back takes it again.
Rule 3. A record is there when it was committed; what a dead writer left unfinished never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba.core import types

from byteor.abi.byteor_v1 import JOURNAL_KIND, OPEN
from byteor.backings import mem, shm
from byteor.diag import Refused
from byteor.kernel import journal as kernel
from byteor.kernel.hot import short
from byteor.kernel.journal import COMMITTED, DATA, NOTHING, PASSED, SEQUENCE, Log
from byteor.kernel.wait import BACKOFF, NOBODY
from byteor.lanes import calls, cells
from byteor.lanes import findings as t
from byteor.lanes.outcome import Closed, Died
from byteor.lanes.state import Contended
from byteor.lanes.typed import Type, checked, hash_of
from byteor.lanes.waiting import until
from byteor.transport.header import NO_HASH
from byteor.transport.regions import Mapping

_TRIES = 64  # looks of one call: each that fails was passed by a whole lap of the log, or found padding

Append = Callable[[Log, int, int], int]
Take = Callable[[Log, int, int], int]
Count = Callable[[Log], int]


@dataclass(frozen=True, slots=True)
class Gap:
    """What was written over before this reader took it: so many bytes of the log, and the records that began there.

    A reader that was passed while it was away does not know of how many records: `first` and `records` are None.
    """

    bytes: int
    first: int | None
    records: int | None


@cache
def _compiled() -> tuple[Append, Take, Count]:
    log = types.NamedUniTuple(types.int64, len(Log._fields), Log)
    word = types.int64
    append: Append = short(kernel.append, log, word, word)
    take: Take = short(kernel.take, log, word, word)
    count: Count = short(kernel.count, log)
    return append, take, count


class Form:
    """The facts of one lane; records are bytes when `dtype` is None, `foreign` when they have a type unknown here."""

    def __init__(self, name: str, block: cells.Block, dtype: Type | None, foreign: bool = False) -> None:
        self.name, self.block, self.dtype, self.foreign = name, block, dtype, foreign
        self.segment_bytes = block.params["segment_bytes"]
        at = [block.address(word) for word in ("cursor", "sequence", "intent", "segment_number", "records")]
        self.log = Log(at[0], at[1], at[2], at[3], at[4], block.params["segments"], self.segment_bytes)
        self.append, self.take, self.count = _compiled()

    def buffer(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Private words for one record with its header, and the bytes behind it."""
        words = np.zeros(self.segment_bytes // 8, np.int64)
        return words, words.view(np.uint8)[DATA:]


class Writer:
    """Appends records: `append`; `close` says that none follows."""

    def __init__(self, form: Form, owner: cells.Owner) -> None:
        self._form, self._owner = form, owner
        self._words, self._data = form.buffer()
        self._source = self._words.ctypes.data
        self.records = form.count(form.log)

    def append(self, record: Any) -> int:
        """Append one record; answer its number, from 0."""
        if not self._owner.alive:
            raise Closed(f"{self._form.name}: this writer has left")
        data = self._bytes(record)
        if data.size > self._data.size:
            said = f"the record has {data.size} bytes, a segment {self._data.size} beside the record's header"
            raise Refused([t.TOO_LONG.at(self._form.name, said)])
        self._data[: data.size] = data
        self._words[0] = COMMITTED | data.size
        self._words[SEQUENCE // 8] = self.records
        self._form.append(self._form.log, self._source, DATA + data.size + 7 >> 3)
        self.records += 1
        return self.records - 1

    def _bytes(self, record: Any) -> np.ndarray[Any, Any]:
        dtype = self._form.dtype
        if dtype is None:
            return np.frombuffer(record, np.uint8)
        if isinstance(record, np.generic | np.ndarray) and record.dtype != dtype:
            raise Refused([t.OTHER_TYPE.at(self._form.name, f"{record.dtype} instead of {dtype}")])
        row = np.empty(1, dtype)
        row[0] = record
        return row.view(np.uint8)

    def close(self) -> None:
        """Say that no record follows, and leave."""
        if self._owner.alive:
            calls.close(len(NOBODY))(self._form.log.cursor, self._form.block.address("closed"), NOBODY)
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
    """Takes records, and gaps where some are missing: `try_receive`, `receive`, iteration."""

    def __init__(self, form: Form, owner: cells.Owner) -> None:
        self._form, self._owner, self.number = form, owner, owner.index
        self._words, self._data = form.buffer()
        self._out = self._words.ctypes.data
        self._gate = form.block.address("gate", self.number)
        self._at = np.array([form.block.read("gate", self.number)], np.int64)
        self._next = 0 if self._at[0] == 0 else None  # the number of the record to come, as far as it is known
        self._lost, self._kept = 0, NOTHING

    def try_receive(self) -> Any:
        """The next record, a copy, or a Gap where records are missing, or None when there is neither now."""
        if self._kept != NOTHING:
            length, self._kept = self._kept, NOTHING
            return self._record(length)
        if not self._owner.alive:
            return None
        self.release()
        for _ in range(_TRIES):
            before = int(self._at[0])
            length = self._form.take(self._form.log, self._at.ctypes.data, self._out)
            if length == NOTHING:
                return None
            if length >= 0:
                return self._found(length)
            if length == PASSED:
                self._lost += int(self._at[0]) - before
        raise Contended(f"{self._form.name}: passed by the writer {_TRIES} times")

    def _found(self, length: int) -> Any:
        number, wanted = int(self._words[SEQUENCE // 8]), self._next
        lost, self._lost, self._next = self._lost, 0, number + 1
        if not lost or number == wanted:
            return self._record(length)
        self._kept = length
        return Gap(lost, wanted, None if wanted is None else number - wanted)

    def _record(self, length: int) -> Any:
        if self._form.dtype is None:
            return self._data[:length].tobytes()
        return self._data[: self._form.dtype.itemsize].view(self._form.dtype)[0].copy()

    def receive(self, timeout: float | None = None) -> Any:
        """The next record or gap, waiting for it; raises Closed at the end of the log."""
        return until(self._look, lambda: None, BACKOFF, timeout, self._expect_writer)

    def _look(self) -> Any:
        closed = calls.look()(self._form.block.address("closed"))
        found = self.try_receive()
        if found is None and (closed != OPEN or not self._owner.alive):
            raise Closed(f"{self._form.name}: no record follows")
        return found

    def _expect_writer(self) -> None:
        pid = cells.dead(self._form.block, "cursor", 0)
        if pid and calls.look()(self._form.log.cursor) == self.position:
            raise Died(f"the writer of {self._form.name}", pid)

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                found = self.receive()
            except Closed:
                return
            yield found

    @property
    def position(self) -> int:
        """How many bytes of the log this reader has passed."""
        return int(self._at[0])

    def release(self) -> None:
        """Give back what was taken: whoever comes back to this gate goes on behind it."""
        if self._kept == NOTHING and self._owner.alive:
            calls.advance(len(NOBODY))(self._gate, self.position, NOBODY)

    def close(self) -> None:
        """Give back what was taken, and leave."""
        self.release()
        self.leave()

    def leave(self) -> None:
        """Leave what was taken last to be taken again."""
        self._kept = NOTHING
        self._owner.leave()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.leave()


class Lane:
    """One lane: `writer()` and `reader()` give its ends."""

    def __init__(self, name: str, block: cells.Block, form: Form) -> None:
        self.name, self._block, self._form = name, block, form
        self._ends: list[Writer | Reader] = []

    @property
    def dtype(self) -> Type | None:
        """The type of its records; None when they are bytes."""
        return self._form.dtype

    @property
    def path(self) -> str:
        """Its file; empty for a lane in the memory of this process."""
        return self._block.path

    @property
    def readers(self) -> int:
        """Gates."""
        return self._block.params["gates"]

    def writer(self, name: str = "") -> Writer:
        """Win the lane's cursor, and go on behind the last record that was committed."""
        if self._form.foreign:
            raise Refused([t.OTHER_TYPE.at(self.name, "its records have a type, and it was opened without one")])
        owner = cells.win(self._block, "cursor", [0], name)
        if owner is None:
            raise Refused([t.IN_USE.at(self.name, "its writer lives")])
        if self._block.read("closed") != OPEN:
            owner.leave()
            raise Refused([t.NO_CELL.at(self.name, "its writer has closed it")])
        self._ends.append(end := Writer(self._form, owner))
        return end

    def reader(self, number: int | None = None, name: str = "") -> Reader:
        """Win a gate, and go on where its last reader was."""
        choice = range(self.readers) if number is None else [number]
        if number is not None and not 0 <= number < self.readers:
            raise Refused([t.NO_CELL.at(self.name, f"reader {number} is none of {self.readers}")])
        owner = cells.win(self._block, "gate", choice, name)
        if owner is None:
            code = t.NO_CELL if number is None else t.IN_USE
            raise Refused([code.at(self.name, f"{len(choice)} of {self.readers} readers asked for, and taken")])
        self._ends.append(end := Reader(self._form, owner))
        return end

    def close(self) -> None:
        """Leave: what was appended and taken by ends of this object is settled; the file stays."""
        self._let_go(closing=True)

    def _let_go(self, closing: bool) -> None:
        for end in self._ends:
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
    segments: int = 4,
    segment_bytes: int = 65536,
    readers: int = 1,
    prefault: bool = False,
    mlock: bool = False,
) -> Lane:
    """Make a lane whose segments are written over in turn; without a path, in the memory of this process."""
    where, name = ("", "") if path is None else (str(path), path.name)
    given = None if dtype is None else checked(dtype, where)
    if segments < 2 or readers < 1:
        raise Refused([t.BAD_OPTION.at(where, "it needs two segments, so that one is whole, and a reader")])
    if given is not None and given.itemsize > segment_bytes - DATA:
        raise Refused([t.BAD_OPTION.at(where, f"a record has {given.itemsize} bytes, a segment {segment_bytes}")])
    params = {"segments": segments, "segment_bytes": segment_bytes, "gates": readers}
    block: cells.Block
    if path is None:
        block = mem.block(JOURNAL_KIND, params)
    else:
        block = shm.create(path, JOURNAL_KIND, params, 0, hash_of(given), Mapping(prefault, mlock))
    return Lane(name, block, Form(name, block, given))


def attach(path: Path, dtype: Any = None, *, wait: float = 1.0) -> Lane:
    """Open a lane whose records are of this type; without one, as bytes."""
    given = None if dtype is None else checked(dtype, str(path))
    schema = None if given is None else hash_of(given)
    block = shm.attach(path, [JOURNAL_KIND], known=0, schema=schema, wait=wait)
    if block.params["segments"] < 2:
        block.close()
        raise Refused([t.BAD_OPTION.at(str(path), "its segments are files of their own")])
    foreign = given is None and block.region.header.schema_hash != NO_HASH
    return Lane(path.name, block, Form(path.name, block, given, foreign))
