"""The Journal lane: one writer appends records, each reader takes them from a position of its own.

Rule 1. With `retain="overwrite"` the log is written over from its beginning, and the writer waits for nobody: a
        reader that was passed is given a `Gap` in place of the records that it missed.
Rule 2. With `retain="all"` the segments are files that stay, and nothing is ever written over.
Rule 3. A record that was taken is given back at the next call: a reader that comes back takes it again.
Rule 4. A record is there when it was committed; what a dead writer left unfinished never is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from byteor.abi.byteor_v1 import BITS, JOURNAL_KIND
from byteor.diag import Refused
from byteor.kernel import handles
from byteor.kernel.journal import COMMITTED, DATA, SEQUENCE
from byteor.kernel.wait import NOBODY
from byteor.lanes import calls, cells, verify
from byteor.lanes import findings as t
from byteor.lanes.base import AnyLane, End
from byteor.lanes.making import join, make, where
from byteor.lanes.outcome import Closed
from byteor.lanes.records import Form, Replay, Taking
from byteor.lanes.records import Gap as Gap
from byteor.lanes.segments import COMMIT, FSYNC
from byteor.lanes.shelf import Segment, paths_of
from byteor.lanes.typed import Type, checked
from byteor.transport import findings as regions_t
from byteor.transport.regions import Mapping

RETAIN = ("overwrite", "all")
KNOWN = BITS["retain_all"] | BITS["may_block"]
_SEGMENT_BYTES = {"overwrite": 1 << 16, "all": 1 << 20}


class Writer(End):
    """Appends records: `append`; `close` says that none follows."""

    def __init__(self, form: Form, owner: cells.Owner) -> None:
        super().__init__(owner)
        self._form, self._log = form, form.log(writing=True)
        self._count = np.array([verify.counted(form.name, self._log)], np.int64)
        self._words, self._data = form.buffer()
        self._source = self._words.ctypes.data
        self._handle: handles.Block | None = None
        owner.lost = self._cut

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
        number = self._words[SEQUENCE // 8] = self.records
        self._log.append(self._source, DATA + data.size + 7 >> 3)
        self._form.ring()
        self._count[0] = number + 1
        if self._handle is not None:
            handles.turn(self._handle, *self._log.here)
        return number

    def _bytes(self, record: Any) -> np.ndarray[Any, Any]:
        dtype = self._form.dtype
        if dtype is None:
            return np.frombuffer(record, np.uint8)
        if isinstance(record, np.generic | np.ndarray) and record.dtype != dtype:
            raise Refused([t.OTHER_TYPE.at(self._form.name, f"{record.dtype} instead of {dtype}")])
        row = np.empty(1, dtype)
        row[0] = record
        return row.view(np.uint8)

    @property
    def records(self) -> int:
        """Records appended so far, also by those that had the lane before."""
        return int(self._count[0])

    @property
    def compiled(self) -> int:
        """The handle of this end for `byteor.lanes.try_append` in compiled code."""
        if self._form.fsync == COMMIT:
            raise Refused([t.NOT_COMPILED.at(self._form.name, "each record is forced to the disk, which takes Python")])
        if self._handle is None:
            self._handle = self._form.handle(self._log, self._source, self._count.ctypes.data, rung=True)
        return int(self._handle.ctypes.data)

    def _cut(self) -> None:
        if self._handle is not None:
            handles.cut(self._handle, handles.HERE)

    @property
    def position(self) -> int:
        """Bytes of the log up to the end of the last record."""
        return self._log.end

    def _settle(self) -> None:
        """Say that no record follows."""
        if self._owner.alive:
            calls.close(len(NOBODY))(self._form.cursor, self._form.closed, NOBODY)
            self._form.ring()


class Reader(Taking, End):
    """Takes records, and gaps where some are missing, from a gate: who comes back to it goes on there."""

    def __init__(self, form: Form, owner: cells.Owner, strategy: int) -> None:
        End.__init__(self, owner)
        self.number = owner.index
        self._gate = form.block.address("gate", self.number)
        at = form.block.read("gate", self.number)
        Taking.__init__(self, form, at, 0 if at == 0 else None, strategy, self._gate)
        owner.lost = self._cut

    def _cut(self) -> None:
        if self._handle is not None:
            handles.cut(self._handle, handles.HERE)

    @property
    def _left(self) -> bool:
        return not self._owner.alive

    def release(self) -> None:
        """Give back what was taken: whoever comes back to this gate goes on behind it."""
        if self._kept is None and self._owner.alive:
            calls.advance(len(NOBODY))(self._gate, self.position, NOBODY)

    def _settle(self) -> None:
        self.release()

    def leave(self) -> None:
        """Leave what was taken last to be taken again."""
        self._kept = None
        self._owner.leave()


class Lane(AnyLane):
    """One lane: `writer()` and `reader()` give its ends, `replay()` reads without a gate."""

    def __init__(self, name: str, block: cells.Block, form: Form) -> None:
        super().__init__(name, block)
        self._form = form

    @property
    def dtype(self) -> Type | None:
        """The type of its records; None when they are bytes."""
        return self._form.dtype

    @property
    def readers(self) -> int:
        """Gates."""
        return self._block.params["gates"]

    @property
    def retain(self) -> str:
        """What becomes of records: `overwrite` or `all`."""
        return RETAIN[self._form.keeps_all]

    @property
    def total(self) -> int | None:
        """How many records there are in all; None as long as some may follow."""
        return int(self._block.read("sequence")) if self._form.is_closed() else None

    def writer(self, name: str = "") -> Writer:
        """Win the lane's cursor, and go on behind the last record that was committed."""
        if self._form.foreign:
            raise Refused([t.OTHER_TYPE.at(self.name, "its records have a type, and it was opened without one")])
        owner = self._written_by(name)
        try:
            end = Writer(self._form, owner)
        except BaseException:
            owner.leave()
            raise
        self._ends.append(end)
        return end

    def reader(self, number: int | None = None, wait: str | None = None, name: str = "") -> Reader:
        """Win a gate, and go on where its last reader was; `wait` is spin, yield, backoff or block."""
        strategy = self._form.strategy(wait)
        choice = range(self.readers) if number is None else [number]
        if number is not None and not 0 <= number < self.readers:
            raise Refused([t.NO_CELL.at(self.name, f"reader {number} is none of {self.readers}")])
        owner = cells.win(self._block, "gate", choice, name)
        if owner is None:
            code = t.NO_CELL if number is None else t.IN_USE
            raise Refused([code.at(self.name, f"{len(choice)} of {self.readers} readers asked for, and taken")])
        self._ends.append(end := Reader(self._form, owner, strategy))
        return end

    def replay(self, record: int = 0, position: int | None = None, wait: str | None = None) -> Replay:
        """Read without a gate from a record of this number, or from a position that a reader was at."""
        return Replay(self._form, record, position, self._form.strategy(wait))

    def segments(self) -> tuple[Segment, ...]:
        """The segments there are: their numbers, first records, positions, lengths and files."""
        log = self._form.log()
        return tuple(log.segment(number) for number in log.numbers())

    def verify(self) -> verify.Verified:
        """Walk all records up to the last one; say how many are sound, and what is torn or missing."""
        return verify.verified(self.path or self.name, self._form.log())


def create(
    path: Path | None,
    dtype: Any = None,
    *,
    retain: str = "overwrite",
    segments: int = 4,
    segment_bytes: int | None = None,
    readers: int = 1,
    fsync: str = "none",
    may_block: bool = False,
    prefault: bool = False,
    mlock: bool = False,
) -> Lane:
    """Make a lane; without a path, in the memory of this process."""
    name = "" if path is None else path.name
    given = None if dtype is None else checked(dtype, where(path))
    length = _SEGMENT_BYTES.get(retain, 0) if segment_bytes is None else segment_bytes
    _judge(path, retain, segments, length, readers, fsync, 0 if given is None else given.itemsize)
    bits = BITS["may_block"] * may_block | BITS["retain_all"] * (retain == "all")
    bits |= BITS[f"fsync_{fsync}"] if fsync != "none" else 0
    params = {"segments": segments * (retain != "all"), "segment_bytes": length, "gates": readers}
    how = Mapping(prefault, mlock)
    block = make(path, JOURNAL_KIND, params, bits, given, how)
    return Lane(name, block, Form(name, block, given, how=how))


def _judge(path: Path | None, retain: str, segments: int, length: int, readers: int, fsync: str, record: int) -> None:
    """Refuse what cannot be; a segment file that is there already was another journal's."""
    faults = (
        (retain not in RETAIN, f"`retain` is {retain!r}, not one of {', '.join(RETAIN)}"),
        (fsync not in FSYNC, f"`fsync` is {fsync!r}, not one of {', '.join(FSYNC)}"),
        (retain != "all" and segments < 2, "it needs two segments, so that one is whole"),
        (readers < 1, "it needs a reader"),
        (record > length - DATA > 0, f"a record has {record} bytes, a segment {length}"),
        (fsync != "none" and (retain != "all" or path is None), "`fsync` is for segments that are files"),
    )
    found = [t.BAD_OPTION.at(where(path), said) for wrong, said in faults if wrong]
    if path is not None and retain == "all" and path.parent.is_dir():
        found += [regions_t.EXISTS.at(one, "it has the name of a segment of this lane") for one in paths_of(str(path))]
    if found:
        raise Refused(found)


def attach(path: Path, dtype: Any = None, *, wait: float = 1.0) -> Lane:
    """Open a lane whose records are of this type; without one, of the type that its region says, or as bytes."""
    block, given = join(path, [JOURNAL_KIND], KNOWN, dtype, wait)
    if (block.params["segments"] == 0) != bool(block.capabilities & BITS["retain_all"]):
        block.close()
        raise Refused([t.BAD_OPTION.at(str(path), "whether its segments are files of their own is contradictory")])
    return Lane(path.name, block, Form(path.name, block, given))
