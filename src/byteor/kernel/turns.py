"""The turns of a role: look, work, settle; or wait until something changes.

Rule 1. One loop for every kind of role: what differs is the work, which fills unpublished slots and moves positions.
Rule 2. Work says how it ended: it moved, or it misses records, or room. Who misses room does not wait for records.
Rule 3. A role that waits for room still commits when a mark rose: others may wait for just that.
"""

from __future__ import annotations

from typing import Any

from byteor.kernel.atomics import fence_seq_cst, load_relaxed, store_relaxed
from byteor.kernel.commit import (
    CLOSED,
    CURSOR,
    END,
    IN,
    MARK,
    MASK,
    OUT,
    ROOM,
    SEEN,
    SEEN_FIELD,
    SEEN_WORD,
    is_drained,
    least_gate,
    look,
    look_ahead,
    put,
    settle,
)
from byteor.kernel.hot import hot, inlined
from byteor.kernel.notes import note_block, note_turn, note_work
from byteor.kernel.order import raise_marks
from byteor.kernel.plain import own
from byteor.kernel.system import futex_wait
from byteor.kernel.wait import _SPINS, ANNOUNCED, BLOCK, idle

MOVED, STARVED, CROWDED = range(3)  # how work ends; what is less than 0 is a fault of the stage
ENDED, HELD = 3, 4  # how a loop ends: all is done; or it was stopped, or out of patience

BLOCK_NS = 250_000_000  # the bound of one sleep: many idle roles cost little


@inlined
def has_news(row):
    """Whether an input brings something that was not seen."""
    if own(row + CURSOR) == 0:
        return False
    if load_relaxed(own(row + CURSOR)) != own(row + SEEN) or load_relaxed(own(row + CLOSED)) != own(row + END):
        return True
    mark = own(row + MARK)
    if mark == 0:
        return False
    return load_relaxed(mark) != own(row + SEEN_FIELD) or load_relaxed(mark + 8) != own(row + SEEN_WORD)


@inlined
def has_room(row, at):
    """Whether an output has more room than was seen."""
    if own(row + CURSOR) == 0:
        return False
    return min(least_gate(row), at) + own(row + MASK) + 1 != own(row + ROOM)


@inlined
def has_changed(desk, missing):
    """Whether what is missing may be there by now; it says that looking is worth while, and brings nothing."""
    if missing == CROWDED:
        for j in range(desk.outputs):
            if has_room(desk.outs + OUT * j, own(put(desk, j))):
                return True
        return False
    for i in range(desk.inputs):
        if has_news(desk.ins + IN * i):
            return True
    return False


@hot
def doze(desk, missing, waiter):
    """Sleep on one's bell unless something changed meanwhile."""
    rung = load_relaxed(waiter.bell)
    store_relaxed(waiter.bell + ANNOUNCED, 1)
    fence_seq_cst()  # SYNC: pairs with the fence in `ring_neighbours`: one of the two sees the other's store
    if not has_changed(desk, missing) and load_relaxed(waiter.stop) == 0:
        note_block(waiter.bell)
        futex_wait(waiter.bell, rung, BLOCK_NS)
    store_relaxed(waiter.bell + ANNOUNCED, 0)


@hot
def wait_change(desk, missing, waiter):
    """Wait until something changes; no when the run stops, or patience is over."""
    turns = 0
    while not has_changed(desk, missing):
        if turns >= waiter.patience or load_relaxed(waiter.stop) != 0:
            note_work(waiter.bell)
            return False
        note_turn(waiter.bell, missing, turns)
        if waiter.strategy == BLOCK and turns > _SPINS:
            doze(desk, missing, waiter)
        turns = idle(turns, waiter.strategy)
    note_work(waiter.bell)
    return True


def make_turns(work: Any) -> Any:
    """The loop of a role, closed over its work: `work(desk, tools, limit)`."""

    @hot
    def turns(desk, tools, limit, waiter):
        """Take turns until all inputs have ended, the run stops, patience is over, or the stage fails."""
        look(desk)
        while True:
            result = work(desk, tools, limit)
            if result < 0:
                return result
            rose = raise_marks(desk)
            if result == MOVED or rose:
                settle(desk)
                if load_relaxed(waiter.stop) != 0:
                    return HELD
                look_ahead(desk)
            elif is_drained(desk):
                return ENDED
            elif not wait_change(desk, result, waiter):
                return HELD
            else:
                look(desk)

    return turns
