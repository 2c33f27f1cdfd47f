"""Roles that move records as they are: bridges, routers and merges are one loop with other policies.

Rule 1. `pick` says which input comes next, `route` to which output it goes; both answer by number, or that it waits.
Rule 2. Whatever is not declared as depending on time depends on positions and keys alone.
Rule 3. A record goes to every output, or to none, before its input moves on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from byteor.kernel.commit import (
    AT,
    DROPPED,
    DROPS,
    END,
    FIELD,
    FROM_RECORDS,
    HEAD,
    IN,
    LATE,
    MASK,
    ORDERS,
    OUT,
    ROOM,
    SEEN,
    SIZE,
    SLOTS,
    STARTS,
    put,
    taken,
)
from byteor.kernel.hot import inlined
from byteor.kernel.keyhash import SEED, finished, mixed_with
from byteor.kernel.loops import note_batch
from byteor.kernel.order import RECORD, first_input, note_head, order_word
from byteor.kernel.plain import U8, copy_row, keep, own, peek, poke, set_row_word
from byteor.kernel.turns import CROWDED, MOVED, STARVED

FELL = -10  # a record's field is below that of one before it, where their numbering starts
NONE, ALL = -1, -2  # answers of policies: nothing can be taken or put now; every output


class Mover(NamedTuple):
    """What a mover knows of its records."""

    size: int  # bytes of a message
    route_at: int  # of the key that routes
    route_size: int
    stamp_at: int  # of the field that is stamped
    stamp_kind: int  # -1 where none is
    drops_late: int
    stats: int


# Which input comes next; `last` is the one taken from before, NONE at first.


@inlined
def pick_only(desk, last):
    """The only input."""
    return 0 if own(taken(desk, 0)) < own(desk.ins + SEEN) else NONE


@inlined
def pick_in_turn(desk, last):
    """The input of which least was taken: strict turns, whoever is late is waited for."""
    turn = NONE
    for i in range(desk.inputs):
        at = own(taken(desk, i))
        if own(desk.ins + IN * i + END) != at and (turn == NONE or at < own(taken(desk, turn))):
            turn = i
    if turn == NONE or own(taken(desk, turn)) == own(desk.ins + IN * turn + SEEN):
        return NONE
    return turn


@inlined
def pick_in_order(desk, last):
    """The input whose first record orders before all others, and before what may still come."""
    if last == NONE:
        for i in range(desk.inputs):
            note_head(desk, i)
    else:
        note_head(desk, last)
    first = first_input(desk)
    return first if own(desk.ins + IN * first + HEAD) == RECORD else NONE


@inlined
def pick_any(desk, last):
    """The next input that has something; however small the batches, none is always first."""
    begin = 0
    for i in range(desk.inputs):
        begin += own(taken(desk, i))
    for k in range(desk.inputs):
        i = (begin + k) % desk.inputs
        if own(taken(desk, i)) < own(desk.ins + IN * i + SEEN):
            return i
    return NONE


# To which output it goes


@inlined
def has_place(desk, j):
    """Whether output `j` takes a record now: it has room, or drops what it has none for."""
    row = desk.outs + OUT * j
    return own(put(desk, j)) != own(row + ROOM) or own(row + DROPS) == 1


@inlined
def route_only(desk, mover, i):
    """The only output."""
    return 0 if has_place(desk, 0) else NONE


@inlined
def route_to_all(desk, mover, i):
    """Every output, once all have room."""
    for j in range(desk.outputs):
        if not has_place(desk, j):
            return NONE
    return ALL


@inlined
def route_in_turn(desk, mover, i):
    """One output after the other, by the record's position."""
    j = own(taken(desk, i)) % desk.outputs
    return j if has_place(desk, j) else NONE


@inlined
def route_by_key(desk, mover, i):
    """The output of the record's key, by the hash that shards use."""
    row = desk.ins + IN * i
    slot, size = own(taken(desk, i)) & own(row + MASK), own(row + SIZE)
    h = SEED
    for k in range(mover.route_at, mover.route_at + mover.route_size):
        h = mixed_with(h, peek(own(row + SLOTS), slot, size, k, U8))
    j = np.int64(finished(h) % np.uint64(desk.outputs))
    return j if has_place(desk, j) else NONE


@inlined
def route_to_idle(desk, mover, i):
    """The output with most room."""
    best = 0
    for j in range(1, desk.outputs):
        if room_of(desk, j) > room_of(desk, best):
            best = j
    return best if has_place(desk, best) else NONE


@inlined
def room_of(desk, j):
    """Free slots of an output."""
    return own(desk.outs + OUT * j + ROOM) - own(put(desk, j))


# The move itself


@inlined
def copy_to(desk, mover, i, j):
    """Copy the next record of input `i` to output `j`, with its order word; where there is no room, count it."""
    source, target, at, start = desk.ins + IN * i, desk.outs + OUT * j, put(desk, j), own(taken(desk, i))
    to = own(at)
    if to == own(target + ROOM):
        keep(at + DROPPED, own(at + DROPPED) + 1)
        return
    slot, size = to & own(target + MASK), own(target + SIZE)
    from_slot, from_size = start & own(source + MASK), own(source + SIZE)
    copy_row(own(target + SLOTS), slot, size, own(source + SLOTS), from_slot, from_size, mover.size)
    if mover.stamp_kind >= 0:
        poke(own(target + SLOTS), slot, size, mover.stamp_at, mover.stamp_kind, i)
    if own(target + ORDERS) != 0:
        set_row_word(own(target + ORDERS), slot, order_word(source, start))
    keep(at + AT, to + 1)


@inlined
def falls(desk, i, j):
    """Whether the next record of input `i` is below what output `j` was given, where the numbering starts there."""
    if own(desk.outs + OUT * j + STARTS) != FROM_RECORDS:
        return False
    row = desk.ins + IN * i
    slot = own(taken(desk, i)) & own(row + MASK)
    field = peek(own(row + SLOTS), slot, own(row + SIZE), desk.key_out, desk.key_kind)
    if field < own(put(desk, j) + FIELD):
        return True
    keep(put(desk, j) + FIELD, field)
    return False


@inlined
def copy_out(desk, mover, i, j):
    """Copy the next record of input `i` to where it goes; no when it is late, and that is a fault."""
    for k in range(desk.outputs):
        if j == ALL or j == k:
            if falls(desk, i, k):
                if mover.drops_late == 0:
                    return False
                keep(desk.now + LATE, own(desk.now + LATE) + 1)
            else:
                copy_to(desk, mover, i, k)
    return True


def make_mover(pick: Any, route: Any) -> Any:
    """The work of a role that moves records."""

    @inlined
    def move(desk, mover, limit):
        """Move up to `limit` records; answer how it ended."""
        n = 0
        i = NONE
        result = STARVED
        while n < limit:
            i = pick(desk, i)
            if i == NONE:
                break
            j = route(desk, mover, i)
            if j == NONE:
                result = CROWDED
                break
            if not copy_out(desk, mover, i, j):
                return FELL
            keep(taken(desk, i), own(taken(desk, i)) + 1)
            n += 1
        if n > 0:
            note_batch(mover.stats, n)
            return MOVED
        return result

    return move


PICKS = {"": pick_only, "round_robin": pick_in_turn, "by_field": pick_in_order, "arrival": pick_any}
ROUTES = {
    "": route_only,
    "broadcast": route_to_all,
    "work_queue": route_in_turn,
    "by_key": route_by_key,
    "first_idle": route_to_idle,
}
