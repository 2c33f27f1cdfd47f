"""The roles at the ends of a plant: rows that come in, and records that leave.

Rule 1. An ingress commits how many rows of its source it has put; a successor goes on with the next.
Rule 2. An egress writes, then commits how far it has written; a successor cuts off what was not committed.
Rule 3. What is behind an end is given: `source` makes batches from a position on, `outlet` takes records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from byteor.exec.runners import StageFailed
from byteor.exec.schema import dtype
from byteor.kernel import commit as c
from byteor.kernel import feed, turns
from byteor.kernel.wait import Waiter
from byteor.plant.desk import WORD, Desk
from byteor.plant.failpoints import CONVERTED, RENAMED, SPOOLED
from byteor.plant.roles import FAULTS, NOBODY, RoleRunner, compiled

Source = Callable[[int], Iterator[np.ndarray]]  # batches from a position on


class Outlet(Protocol):
    """Where an egress writes to."""

    def open(self, written: int) -> None:
        """Begin, or go on behind the first `written` records."""

    def write(self, records: np.ndarray) -> None:
        """Take records; they are to be written when this returns."""

    def convert(self) -> None:
        """Make ready what is to be complete; to do it twice does no harm."""

    def finish(self) -> None:
        """Complete the output, which was converted; to do both twice does no harm."""

    def leave(self) -> None:
        """Let go of it as it is: a successor goes on."""


class IngressRole(RoleRunner):
    """Rows from outside into the first lane."""

    def __init__(self, desk: Desk, limit: int, source: Source | None = None) -> None:
        super().__init__(desk, limit)
        wiring, port = desk.wiring, desk.role.outputs[0]
        self.dtype = dtype(wiring.type(port), wiring.lane(port).slot_bytes)
        order = wiring.lane(port).order
        self._late = int(order is not None and order.late == "drop")
        self._source = source
        self._batches: Iterator[np.ndarray] | None = None
        self._rows = np.zeros(0, self.dtype)
        self.ending = False

    def prepare(self) -> None:
        self._feed = compiled(self.desk.steps.feed_rows, self.desk.hot, feed.Feed(0, 0, 0, 0, 0), 0, 0, NOBODY)

    def feed(self, rows: np.ndarray, waiter: Waiter) -> int:
        """Put rows as room comes; answer how many before patience was over."""
        counter = self.desk.hot.now + c.TAKEN
        what = feed.Feed(rows.ctypes.data, rows.dtype.itemsize, counter, 0, self._late)
        put = self._feed(self.desk.hot, what, len(rows), self.limit, waiter)
        if put < 0:
            raise StageFailed(self.role.name, self.position(), FAULTS[put])
        if put:
            self._note(self.stats, put)
        return int(put)

    def advance(self, waiter: Waiter) -> bool:
        if self._batches is None:
            self._batches = self._source(self.position()) if self._source else iter(())
        while not self.ending:
            if not len(self._rows):
                rows = next(self._batches, None)
                if rows is None:
                    break
                self._rows = np.ascontiguousarray(rows, self.dtype)
            took = self.feed(self._rows, waiter) if len(self._rows) else 0
            self._rows = self._rows[took:]
            if len(self._rows) or not took:  # no room for them, or a source that has none for now
                return False
        self.close()
        return True


class EgressRole(RoleRunner):
    """Records of the last lane to the outside."""

    def __init__(self, desk: Desk, limit: int, outlet: Outlet | None = None) -> None:
        super().__init__(desk, limit)
        wiring, port = desk.wiring, desk.role.inputs[0]
        self.dtype = dtype(wiring.type(port), wiring.lane(port).slot_bytes)
        self._slots = np.asarray(desk.blocks.lanes[port.lane].array("slots", self.dtype))
        self._outlet = outlet
        self.may_finish = True
        desk.now[c.ENDED // WORD] = 0

    def prepare(self) -> None:
        self._wait = compiled(self.desk.steps.await_turn, self.desk.hot, 0, NOBODY)

    def attach(self) -> int:
        epoch = super().attach()
        if self._outlet is not None and not self.count(c.ENDED):
            self._outlet.open(int(self.desk.now[self.desk.put()]))
        return epoch

    def ready(self, waiter: Waiter) -> np.ndarray | None:
        """The records that are there, side by side; none when patience was over, None at the end."""
        result = self._wait(self.desk.hot, 0, waiter)
        if result == turns.ENDED:
            return None
        at, mask = self.position(), len(self._slots) - 1
        n = min(self.desk.seen(c.SEEN) - at, self.limit, mask + 1 - (at & mask))
        return self._slots[at & mask : (at & mask) + (n if result == turns.MOVED else 0)]

    def written(self, n: int) -> None:
        """Commit that `n` more records have left."""
        self.desk.now[self.desk.taken()] += n
        self.desk.now[self.desk.put()] += n
        self._settle(self.desk.hot)

    def advance(self, waiter: Waiter) -> bool:
        """Go on; at the end of the stream, complete the output once that is allowed."""
        while (records := self.ready(waiter)) is not None:
            if not len(records):
                return False
            if self._outlet is not None:
                self._outlet.write(records)
                self.desk.at(SPOOLED)
            self._note(self.stats, len(records))
            self.written(len(records))
        self.drained = True
        if self.may_finish:
            self._finish()
        return self.done

    def _finish(self) -> None:
        if self._outlet is not None and not self.count(c.ENDED):
            self._outlet.convert()
            self.desk.at(CONVERTED)
            self._outlet.finish()
            self.desk.at(RENAMED)
        self.desk.now[c.ENDED // WORD] = 1
        self._settle(self.desk.hot)
        self.close()

    def leave(self) -> None:
        if self._outlet is not None:
            self._outlet.leave()
