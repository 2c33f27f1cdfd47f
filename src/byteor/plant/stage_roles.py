"""Roles with a stage: what the compiled and the plain kind share, and the compiled one.

Rule 1. `end` fills the role's region before the commit that says so; its records are then sent in pieces.
Rule 2. A role that was killed in its `end` runs it again from the committed state, or goes on sending.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from byteor.exec import compiler
from byteor.exec.record import Records
from byteor.exec.runners import StageFailed
from byteor.exec.schema import dtype
from byteor.exec.stage import Stage, arguments
from byteor.kernel import commit as c
from byteor.kernel import feed, steps, turns
from byteor.kernel.wait import Waiter
from byteor.plant.compile import turns_of
from byteor.plant.desk import WORD, Desk
from byteor.plant.failpoints import END_COMMITTED, END_FILLED
from byteor.plant.held import Held
from byteor.plant.roles import END_ORDER, FAULTS, NOBODY, RoleRunner, compiled
from byteor.spec.model import Stage as Spec

SPARE = 4096  # rows that a batch form may give at once where they have no slots side by side


class StageRunner(RoleRunner):
    """What both kinds of stage share: state, begin and end."""

    def __init__(self, desk: Desk, limit: int, code: Stage) -> None:
        super().__init__(desk, limit)
        assert desk.role.stage is not None
        self.spec: Spec = desk.role.stage
        self.code = code
        self.held = Held(desk, self.spec)
        self.into, self.out = self._lane(desk.role.inputs[0]), self._lane(desk.role.outputs[0])
        order = desk.wiring.lane(desk.role.outputs[0]).order
        self.late = int(order is not None and order.late == "drop")
        desk.now[c.ENDED // WORD] = -1 if self.spec.end else 0

    def _lane(self, port: Any) -> np.ndarray:
        """The slots of a lane as records."""
        wiring = self.desk.wiring
        kind = dtype(wiring.type(port), wiring.lane(port).slot_bytes)
        return np.asarray(self.desk.blocks.lanes[port.lane].array("slots", kind))

    def prepare_end(self) -> None:
        """Compile, or load, what sends the records of `end`."""
        if self.spec.end:
            self._feed = compiled(self.desk.steps.feed_rows, self.desk.hot, feed.Feed(0, 0, 0, 0, 0), 0, 0, NOBODY)

    def attach(self) -> int:
        epoch = super().attach()
        if epoch:
            self.held.restore()
        return epoch

    def begin(self) -> None:
        if self.code.begin_function:
            self.outside(self.code.begin_function, self.given(self.held.table))
        self.held.bring_home()
        super().begin()

    def advance(self, waiter: Waiter) -> bool:
        if not self.drained:
            if not self.run(waiter):
                return False
            self.drained = True
            if self.count(c.ENDED) < 0:
                self._end()
        if self.spec.end and not self._send_end(waiter):
            return False
        self.close()
        return True

    @abstractmethod
    def run(self, waiter: Waiter) -> bool:
        """Run the stage; answer whether its input has ended."""

    def _end(self) -> None:
        """Run the stage's `end` and commit what it gave."""
        assert self.spec.end is not None and self.code.end_function is not None
        out = np.zeros(self.spec.end.max, self.out.dtype)
        n = self.outside(self.code.end_function, {"out": self.several(out), **self.given(self.held.rows)})
        if not 0 <= n <= len(out):
            raise StageFailed(self.role.name, -1, f"`end` answered {n} of at most {len(out)} records")
        self.desk.book.array("end")[: n * out.itemsize] = out[:n].view(np.uint8)
        self.desk.book.write("end_count", n)
        self.desk.now[c.ENDED // WORD] = 0
        self.desk.at(END_FILLED)
        self._settle(self.desk.hot)
        self.desk.at(END_COMMITTED)

    def _send_end(self, waiter: Waiter) -> bool:
        sent, total = self.count(c.ENDED), self.desk.book.read("end_count")
        size = self.out.dtype.itemsize
        rows, counter = self.desk.book.address("end") + sent * size, self.desk.hot.now + c.ENDED
        what = feed.Feed(rows, size, counter, END_ORDER, self.late)
        result = self._feed(self.desk.hot, what, total - sent, self.limit, waiter)
        if result < 0:
            raise StageFailed(self.role.name, -1, f"`end`: {FAULTS[result]}")
        return bool(self.count(c.ENDED) == total)

    def outside(self, function: Any, given: dict[str, Any]) -> Any:
        """Call a begin, an end or an open by the names that it asks for."""
        names = arguments(function)
        if missing := [name for name in names if name not in given]:
            said = f"`{function.__name__}` asks for `{missing[0]}`, which it is not given"
            raise StageFailed(self.role.name, -1, said)
        try:
            return self.part(function)(*[given[name] for name in names])
        except Exception as e:
            raise StageFailed(self.role.name, -1, f"{type(e).__name__}: {e}") from e

    def given(self, rows: np.ndarray) -> dict[str, Any]:
        """What begin and end may ask for: keyed state as its rows, flat state as its record."""
        state = self.several(rows) if self.held.keys else self.one(self.held.table)
        return {"state": state, "p": self.one(self.held.p)}

    def part(self, function: Any) -> Any:
        return function

    def several(self, array: np.ndarray) -> np.ndarray:
        return array

    def one(self, array: np.ndarray) -> Any:
        return array[0]

    def shown(self, at: int) -> str:
        return repr(Records(self.into)[at & (len(self.into) - 1)]) if at >= 0 else ""


class CompiledStage(StageRunner):
    """A stage inside one compiled loop."""

    def prepare(self) -> None:
        held, p = self.held, self.held.p
        lanes, make_turns = (self.into.dtype, self.out.dtype), self.desk.steps.make_turns
        work = turns_of(make_turns, self.spec, self.code, *lanes, held.table, p, held.row_of)
        self._bench = self._made()
        self._turns = compiled(work, self.desk.hot, self._bench, self.limit, NOBODY)
        self.prepare_end()

    def _made(self) -> steps.Bench:
        rows = max(self.spec.max_out, SPARE, self.limit)
        self._spare = np.zeros(rows, self.out.dtype)
        scratch = (np.ones(self.limit, np.bool_), np.zeros(self.limit, np.int32), np.zeros(rows, np.int32))
        held, table = self.held, self.held.table
        logged = self._log_rows()
        facts = (self._spare.ctypes.data, self.desk.stamps.ctypes.data, logged, self.late, self.stats)
        return steps.Bench(table, held.keys or 0, held.p, *facts, *scratch)

    def _log_rows(self) -> int:
        from byteor.plant.blocks import log_rows

        return log_rows(self.desk.wiring, self.spec) if self.held.keys else 0

    def run(self, waiter: Waiter) -> bool:
        try:
            result = self._turns(self.desk.hot, self._bench, self.limit, waiter)
        except Exception as e:
            raise self.failed(self.failed_at(), f"{type(e).__name__}: {e}") from e
        if result < 0:
            raise self.failed(self.failed_at(), FAULTS[result])
        return bool(result == turns.ENDED)

    def part(self, function: Any) -> Any:
        return compiler.part(function, self.spec.boundscheck)
