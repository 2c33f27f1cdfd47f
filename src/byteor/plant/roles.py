"""Roles at work: what every kind of role does between its bring-up and its end.

Rule 1. A role is attached, begun once in its life, run until its inputs have ended, ended, and closed; each step
    can be done again by a successor.
Rule 2. `advance` goes on until all is done, the run stops, or patience is over; it answers whether all is done.
Rule 3. What goes wrong in a stage leaves as `StageFailed`, with the stage's name and the position of the record.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from typing import Any

import numba
import numpy as np

from byteor.exec.runners import StageFailed
from byteor.exec.schema import dtype
from byteor.kernel import commit as c
from byteor.kernel import feed, moves, steps, turns
from byteor.kernel.hot import short, waiting
from byteor.kernel.loops import note_batch
from byteor.kernel.plain import KINDS
from byteor.kernel.wait import Waiter
from byteor.plant.desk import WORD, Desk
from byteor.plant.failpoints import SHIPPED

NOBODY = Waiter(0, 0, 0, 0, 0)  # stands for any waiter where something is compiled
END_ORDER = 2**63 - 2
FAULTS = {
    steps.TOOK_OUT: "it took out a record, and its `min_out` is 1",
    steps.NO_ROW: "a new key came and its table is full (`state.max`)",
    steps.BAD_MASK: "its mask is not as long as its batch",
    steps.BAD_COUNT: "it gave fewer records than `min_out`, or more than `max_out`",
    steps.CHANGED: "it gave a record whose order field, or whose `src`, is not that of its input",
    moves.FELL: "the field that orders fell below that of the record before",
}


class RoleRunner(ABC):
    """What all kinds share: attach, commit, close, and how a fault is told."""

    def __init__(self, desk: Desk, limit: int) -> None:
        self.desk, self.role, self.limit = desk, desk.role, limit
        plant, number = desk.blocks.plant, desk.role.number
        self.stats = plant.address("runner_at", number)
        self.bell = plant.address("runner_bell", number)
        self.drained = self.done = False
        self._desk_type = numba.typeof(desk.hot)
        self._recover = short(desk.steps.recover, self._desk_type)
        self._close = short(desk.steps.close_outputs, self._desk_type)
        self._settle = short(desk.steps.settle_turn, self._desk_type)
        self._note = short(note_batch, numba.int64, numba.int64)

    def prepare(self) -> None:  # noqa: B027 most kinds have nothing of their own
        """Compile, or load, all that the role calls."""

    def open(self) -> None:  # noqa: B027 as above
        """Open what the stage opens once in a process."""

    def attach(self) -> int:
        """Take the role up where its last commit left it; answer that commit's epoch, 0 for a new role."""
        epoch = int(self._recover(self.desk.hot))
        if epoch == 0:
            self.begin()
        return epoch

    def begin(self) -> None:
        """Do what is done once in a role's life, and commit that it was."""
        self._settle(self.desk.hot)

    @abstractmethod
    def advance(self, waiter: Waiter) -> bool:
        """Go on as long as the waiter has patience; answer whether all is done."""

    def close(self) -> None:
        """Say that nothing follows."""
        self._close(self.desk.hot)
        self.done = True

    def leave(self) -> None:  # noqa: B027 as above
        """Give up what the process holds outside the plant; the role's record stays."""

    def position(self, i: int = 0) -> int:
        return int(self.desk.now[self.desk.taken(i)])

    @property
    def epoch(self) -> int:
        return int(self.desk.now[0])

    def count(self, at: int) -> int:
        """A word of the record's head."""
        return int(self.desk.now[at // WORD])

    def failed(self, at: int, reason: str) -> StageFailed:
        return StageFailed(self.role.name, at, reason, self.shown(at))

    def shown(self, at: int) -> str:
        """The record at a position of the first input, for people."""
        return ""

    def failed_at(self) -> int:
        return int(self.desk.blocks.plant.read("runner_at", self.role.number))


class Mover(RoleRunner):
    """A bridge, a router or a merge."""

    def __init__(self, desk: Desk, limit: int) -> None:
        super().__init__(desk, limit)
        part, kind = desk.role.part, desk.role.kind
        pick = moves.PICKS[part.policy if kind == "merge" else ""]
        route = moves.ROUTES[part.policy if kind == "router" else ""]
        self._work = _mover(desk.steps.make_turns, pick, route)
        self._mover = self._facts()

    def _facts(self) -> moves.Mover:
        part, wiring = self.role.part, self.desk.wiring
        fields = dtype(wiring.type(self.role.inputs[0]))
        key, stamp = getattr(part, "key", None), getattr(part, "stamp", None)
        places: Any = fields.fields or {}
        route_at, route_size = (places[key][1], places[key][0].itemsize) if key else (0, 0)
        stamp_at, stamp_kind = (places[stamp][1], KINDS[places[stamp][0].str[1:]]) if stamp else (0, -1)
        late = int(any(o is not None and o.late == "drop" for o in self._orders()))
        return moves.Mover(fields.itemsize, route_at, route_size, stamp_at, stamp_kind, late, self.stats)

    def _orders(self) -> list[Any]:
        return [self.desk.wiring.lane(port).order for port in self.role.outputs]

    def prepare(self) -> None:
        self._turns = compiled(self._work, self.desk.hot, self._mover, self.limit, NOBODY)

    def advance(self, waiter: Waiter) -> bool:
        result = self._turns(self.desk.hot, self._mover, self.limit, waiter)
        if result < 0:
            raise StageFailed(self.role.name, self.position(), FAULTS[result])
        if result == turns.ENDED:
            self.close()
        return self.done


def compiled(function: Any, *args: Any) -> Any:
    """Compile, or load, the waiting form of a hot function for such arguments, without a call."""
    form = waiting(function)
    form.compile(tuple(numba.typeof(arg) for arg in args))
    return form


def warm() -> None:
    """Load what every role calls, and what numba imports for it: in the process that roles are forked from."""
    desk = c.Desk(*(0 for _ in c.Desk._fields))
    numba.typeof(np.zeros(1, [("_", "u1")]))
    for function in (SHIPPED.recover, SHIPPED.close_outputs, SHIPPED.settle_turn):
        short(function, numba.typeof(desk))
    compiled(SHIPPED.feed_rows, desk, feed.Feed(0, 0, 0, 0, 0), 0, 0, NOBODY)
    compiled(SHIPPED.await_turn, desk, 0, NOBODY)


@functools.cache
def _mover(make_turns: Any, pick: Any, route: Any) -> Any:
    return make_turns(moves.make_mover(pick, route))
