"""Where a journal's records lie: in its own region, written over in turn, or in numbered files that stay.

Rule 1. Each end reaches the records through an object of its own: it has one segment file open at a time.
Rule 2. Where the next record does not fit, its segment is made first: whoever is refused that has changed nothing.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

from numba.core import types

from byteor.kernel import journal as kernel
from byteor.kernel import lanes as kernel_lanes
from byteor.kernel.handles import AROUND
from byteor.kernel.hot import short, waiting
from byteor.kernel.journal import FIRST, NOTHING, TAIL, Log
from byteor.lanes.cells import Block
from byteor.lanes.shelf import Segment, Shelf

FARTHEST = 1 << 62  # bytes of a log
NOWHERE = -2  # of a compiled end, while no file is open: it is never one's number
NONE, SEGMENT, COMMIT = range(3)
FSYNC = {"none": NONE, "segment": SEGMENT, "commit": COMMIT}
_LOG = types.NamedUniTuple(types.int64, len(Log._fields), Log)
_WORD = types.int64
Walk = Callable[[Log, int, int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Calls:
    """The kernel's functions, compiled."""

    append: Callable[[Log, int, int], int]
    extend: Callable[[Log, Log, int, int], int]
    write: Callable[[Log, Log, int, int, int], int]
    commit: Callable[[Log, int], None]
    take: Callable[[Log, int, int], int]
    look: Callable[[int], int]


@cache
def calls() -> Calls:
    """Compile what ends call."""
    return Calls(
        short(kernel.append, _LOG, _WORD, _WORD),
        short(kernel.extend, _LOG, _LOG, _WORD, _WORD),
        short(kernel.write, _LOG, _LOG, _WORD, _WORD, _WORD),
        short(kernel.commit, _LOG, _WORD),
        short(kernel.take, _LOG, _WORD, _WORD),
        short(kernel_lanes.look, _WORD),
    )


def walk(log: Log, position: int, end: int, number: int) -> tuple[int, int]:
    """Walk the records of one segment; see the kernel's."""
    at, last = waiting(kernel.walk)(log, position, end, number)
    return int(at), int(last)


class Records(Protocol):
    """How an end reaches the records of its journal."""

    segment_bytes: int

    def append(self, source: int, words: int) -> None:
        """Append the record at an address."""

    def take(self, position: int, at: int, out: int) -> int:
        """Copy the record at a position, which is also the word at `at`, to `out`; see the kernel's."""

    def log(self, number: int) -> Log:
        """The log in which a segment lies."""

    def first_of(self, number: int) -> int:
        """The number of a segment's first record."""

    def position_of(self, record: int) -> int:
        """The beginning of a segment that is whole, from which a record is reached."""

    def numbers(self) -> list[int]:
        """The segments there are, up to the end."""

    def segment(self, number: int) -> Segment:
        """What one of them holds."""

    @property
    def here(self) -> tuple[Log, int]:
        """Where compiled ends go on: the log that is open, and the number of its file."""

    @property
    def oldest(self) -> int:
        """The first segment that should be there."""

    @property
    def end(self) -> int:
        """The position behind the last record."""


def _believed(end: int) -> int:
    """A cursor as far as it can be one: the word is live, and may say anything."""
    return max(0, min(end, FARTHEST))


class Around:
    """Segments in the journal's own region, written over in turn."""

    def __init__(self, block: Block) -> None:
        self._block, self._calls = block, calls()
        self.segment_bytes = block.params["segment_bytes"]
        at = [block.address(word) for word in ("cursor", "sequence", "intent", "segment_number", "records")]
        self._log = Log(at[0], at[1], at[2], at[3], at[4], block.params["segments"], self.segment_bytes)

    def append(self, source: int, words: int) -> None:
        self._calls.append(self._log, source, words)

    def take(self, position: int, at: int, out: int) -> int:
        return self._calls.take(self._log, at, out)

    def log(self, number: int) -> Log:
        return self._log

    def first_of(self, number: int) -> int:
        return self._block.read("segment_first", number % self._log.segments)

    def position_of(self, record: int) -> int:
        return self.oldest * self.segment_bytes if record else 0

    def numbers(self) -> list[int]:
        last = -(-self.end // self.segment_bytes)  # a live word: it may say anything
        return list(range(max(self.oldest, last - self._log.segments), last))

    def segment(self, number: int) -> Segment:
        begin, row, end = number * self.segment_bytes, number % self._log.segments, self.end
        used = end - begin if end - begin <= self.segment_bytes else self._block.read("segment_tail", row)
        return Segment(number, self.first_of(number), begin, used, self._block.path)

    @property
    def here(self) -> tuple[Log, int]:
        return self._log, AROUND

    @property
    def oldest(self) -> int:
        intent = self._block.read("intent")
        return max(0, (intent - 1) // self.segment_bytes - self._log.segments + 1)

    @property
    def end(self) -> int:
        return _believed(self._calls.look(self._log.cursor))


class Opened(NamedTuple):
    """A segment file that is open."""

    number: int
    block: Block
    log: Log


class Files:
    """Segments that are files of their own, or, in the memory of one process, blocks of their own."""

    def __init__(self, head: Block, shelf: Shelf, fsync: int = NONE, writing: bool = False) -> None:
        self._head, self._shelf, self._fsync, self._calls = head, shelf, fsync, calls()
        self._writing = writing
        self.segment_bytes = head.params["segment_bytes"]
        self._words = [head.address(word) for word in ("cursor", "sequence", "intent")]
        self._now: Opened | None = None

    def append(self, source: int, words: int) -> None:
        end = self.end
        rest = -end % self.segment_bytes
        begin = end if 8 * words <= rest else end + rest
        last = self.at(max(end - 1, 0) // self.segment_bytes)
        now = self.at(begin // self.segment_bytes)
        if self._fsync == COMMIT:
            end = self._calls.write(last.log, now.log, begin, source, words)
            self._sync(*{last.number: last.block, now.number: now.block}.values())
            self._calls.commit(now.log, end)
            self._sync(self._head)
        else:
            self._calls.extend(last.log, now.log, source, words)
            if self._fsync == SEGMENT and last is not now:
                self._sync(last.block, self._head)

    def _sync(self, *blocks: Block) -> None:
        for block in blocks:
            block.sync()

    def take(self, position: int, at: int, out: int) -> int:
        if self._now is None or position // self.segment_bytes != self._now.number:
            if position >= self.end:
                return NOTHING
            self.log(position // self.segment_bytes)
        assert self._now is not None
        return self._calls.take(self._now.log, at, out)

    def log(self, number: int) -> Log:
        return self.at(number).log

    def at(self, number: int) -> Opened:
        """Have a segment open; a writer makes it where nothing was committed to it yet."""
        if self._now is None or self._now.number != number:
            is_new = self._writing and number * self.segment_bytes >= self.end
            block = self._shelf.make(number) if is_new else self._shelf.open(number, self._writing)
            table, records = (block.address(name) for name in ("segment_number", "records"))
            cursor, sequence, intent = self._words
            self._now = Opened(number, block, Log(cursor, sequence, intent, table, records, 1, self.segment_bytes))
        return self._now

    def first_of(self, number: int) -> int:
        return self._calls.look(self.log(number).table + FIRST)

    def position_of(self, record: int) -> int:
        there = self.numbers() if record else []
        after = bisect.bisect_right(there, record, key=self.first_of)
        return there[after - 1] * self.segment_bytes if after else 0

    def numbers(self) -> list[int]:
        end = self.end
        return [number for number in self._shelf.numbers() if number * self.segment_bytes < end]

    def segment(self, number: int) -> Segment:
        log, begin, end = self.log(number), number * self.segment_bytes, self.end
        used = end - begin if end - begin <= self.segment_bytes else self._calls.look(log.table + TAIL)
        return Segment(number, self.first_of(number), begin, used, self._shelf.path(number))

    @property
    def here(self) -> tuple[Log, int]:
        if self._now is None:
            cursor, sequence, intent = self._words
            nowhere = Log(cursor, sequence, intent, 0, 0, 1, self.segment_bytes)
            return nowhere, NOWHERE
        return self._now.log, self._now.number

    @property
    def oldest(self) -> int:
        return 0

    @property
    def end(self) -> int:
        return _believed(self._calls.look(self._words[0]))
