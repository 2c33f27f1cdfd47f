"""Journals in a plant: what is tapped, what comes in through a log first, and what is read out of one.

Rule 1. A journal keeps count of its records, and a commit of one record is its own: a role that writes one goes on
    behind the last record that the journal has, whatever its own record says.
Rule 2. Audits have a place that the run is given, and stay; a journal inside the plant goes with it.
Rule 3. A role that reads a journal needs no gate: its own record says which record is next.
"""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import types

from byteor.exec.schema import dtype
from byteor.kernel.handles import try_append, try_take
from byteor.kernel.hot import hot, waiting
from byteor.kernel.wait import Waiter
from byteor.lanes import journal
from byteor.lanes.outcome import Closed
from byteor.plant.desk import Desk
from byteor.plant.ends import EgressRole, IngressRole, Source
from byteor.plant.failpoints import APPENDED
from byteor.plant.wiring import Wiring
from byteor.spec.lane_graph import Lane, LaneGraph

HEADER = 24  # bytes of a record beside its payload
PIECE = 4096
TRIES = 16


@dataclass(frozen=True, slots=True)
class Log:
    """One journal of a plant: its lane in the spec, where it lies, and the type of its records."""

    lane: Lane
    path: Path
    dtype: np.dtype

    def create(self) -> int:
        """Make it; answer its generation."""
        need = self.lane.capacity * (HEADER + self.dtype.itemsize + 7 & ~7)
        segment = max(4096, 1 << (need - 1).bit_length())
        gates = max(1, self.lane.consumers)
        retain = self.lane.retain or "all"
        made = journal.create(self.path, self.dtype, retain=retain, segment_bytes=segment, readers=gates)
        try:
            return int(made.generation)
        finally:
            made.close()

    def compile(self, loop: Any) -> None:
        """Compile, or load, a loop over records of this journal."""
        rows = types.Array(numba.from_dtype(self.dtype), 1, "C")
        waiting(loop).compile((types.int64, rows, types.int64) if loop is append_rows else (types.int64, rows))

    def generation(self) -> int:
        """The generation that it has by now."""
        lane = self.open()
        try:
            return int(lane.generation)
        finally:
            lane.close()

    def open(self) -> Any:
        """Attach it."""
        return journal.attach(self.path, self.dtype)


def logs_of(wiring: Wiring, places: Mapping[str, str], folder: Path) -> dict[int, Log]:
    """The journals of a plant by the number of their lane: where they were placed, else in the plant's folder."""
    found = {}
    for number, lane in enumerate(wiring.graph.lanes):
        if lane.kind == "journal" and number in wiring.here:
            path = Path(places[lane.name]) if lane.name in places else folder / f"lane.{lane.name}"
            found[number] = Log(lane, path, dtype(wiring.types[lane.type], lane.slot_bytes))
    return found


def audits(graph: LaneGraph) -> tuple[str, ...]:
    """The journals that nobody in the plant reads: they are outputs, and need a place."""
    written = {role.to for role in graph.bridges} | {role.to for role in graph.ingresses}
    kept = [lane.name for lane in graph.lanes if lane.kind == "journal" and lane.consumers == 0]
    return tuple(name for name in kept if name in written)


@hot
def append_rows(handle: Any, rows: Any, start: Any) -> Any:
    """Append rows as long as no file begins; answer the first that Python has to append."""
    for i in range(start, len(rows)):
        if not try_append(handle, rows[i]):
            return i
    return len(rows)


@hot
def take_rows(handle: Any, rows: Any) -> Any:
    """Take records as long as there are some; answer how many."""
    for i in range(len(rows)):
        if try_take(handle, rows[i], TRIES) != 1:
            return i
    return len(rows)


class Writing:
    """The writing end of a journal, kept by a role as long as it lives."""

    def __init__(self, log: Log) -> None:
        self._lane = log.open()
        self._writer: Any = None
        self._dtype = log.dtype

    def begin(self) -> int:
        """Win the writer's cell, unless a predecessor has closed the journal; answer how many records there are."""
        if (total := self._lane.total) is not None:
            return int(total)
        self._writer = self._lane.writer()
        return int(self._writer.records)

    def append(self, rows: np.ndarray) -> None:
        """Append rows; they are committed, one by one, when this returns."""
        rows = np.ascontiguousarray(rows, self._dtype)
        at = 0
        while at < len(rows):
            at = int(waiting(append_rows)(self._writer.compiled, rows, at))
            if at < len(rows):
                self._writer.append(rows[at])
                at += 1

    def close(self) -> None:
        """Say that nothing follows."""
        if self._writer is not None:
            self._writer.close()

    def leave(self) -> None:
        if self._writer is not None:
            self._writer.leave()
        self._lane.close()


class TapRole(EgressRole):
    """A lane's records into a journal."""

    def __init__(self, desk: Desk, limit: int, log: Log) -> None:
        super().__init__(desk, limit)
        self._log = log
        self._writing: Writing | None = None

    def prepare(self) -> None:
        super().prepare()
        self._log.compile(append_rows)

    def attach(self) -> int:
        epoch = super().attach()
        self._writing = Writing(self._log)
        behind = self._writing.begin() - self.position()
        self.written(behind)
        return epoch

    def advance(self, waiter: Waiter) -> bool:
        assert self._writing is not None
        while (records := self.ready(waiter)) is not None:
            if not len(records):
                return False
            self._writing.append(records)
            self.desk.at(APPENDED)
            self.written(len(records))
        self._writing.close()
        self._finish()
        return True

    def leave(self) -> None:
        if self._writing is not None:
            self._writing.leave()


class LogIngress(IngressRole):
    """Rows from outside into a journal."""

    def __init__(self, desk: Desk, limit: int, source: Source | None, log: Log) -> None:
        super().__init__(desk, limit, source)
        self._log = log
        self._writing: Writing | None = None

    def prepare(self) -> None:
        super().prepare()
        self._log.compile(append_rows)

    def attach(self) -> int:
        epoch = super().attach()
        self._writing = Writing(self._log)
        self._took(self._writing.begin() - self.position())
        return epoch

    def _took(self, n: int) -> None:
        self.desk.now[self.desk.taken()] += n
        self.desk.now[self.desk.put()] += n
        self._settle(self.desk.hot)

    def feed(self, rows: np.ndarray, waiter: Waiter) -> int:
        assert self._writing is not None
        part = rows[: self.limit]
        self._writing.append(part)
        self.desk.at(APPENDED)
        self._took(len(part))
        return 0 if _stopped(waiter) else len(part)

    def close(self) -> None:
        assert self._writing is not None
        self._writing.close()
        super().close()

    def leave(self) -> None:
        if self._writing is not None:
            self._writing.leave()


def _stopped(waiter: Waiter) -> bool:
    return bool(ctypes.c_int64.from_address(waiter.stop).value)


class LogSource:
    """The records of a journal as rows for an ingress: nothing now is an empty batch, the end is the end."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __call__(self, position: int) -> Iterator[np.ndarray]:
        lane = self._log.open()
        try:
            reader = lane.replay(position)
            while True:
                rows = np.zeros(PIECE, self._log.dtype)
                n = int(waiting(take_rows)(reader.compiled, rows))
                if n:
                    yield rows[:n]
                elif not (yield from self._by_hand(reader)):
                    return
        finally:
            lane.close()

    def _by_hand(self, reader: Any) -> Generator[np.ndarray, None, bool]:
        """Look once in Python, which turns over files, and waits a moment; no, at the end of the log."""
        try:
            found = reader.receive(timeout=0.05)
        except Closed:
            return False
        except TimeoutError:
            yield np.zeros(0, self._log.dtype)
            return True
        yield np.array([found], self._log.dtype)
        return True


class LogBridge(IngressRole):
    """The records of a journal into a lane."""

    def __init__(self, desk: Desk, limit: int, log: Log) -> None:
        super().__init__(desk, limit, LogSource(log))
        self._log = log

    def prepare(self) -> None:
        super().prepare()
        self._log.compile(take_rows)
