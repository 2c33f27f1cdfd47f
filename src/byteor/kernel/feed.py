"""The ends of a plant: rows that come from outside, and a role that works in Python between two turns.

Rule 1. Rows are put as room comes, in pieces; each piece is settled with the position in what they come from.
Rule 2. A role in Python waits here, without the GIL, and settles by a short call when its piece is done.
"""

from __future__ import annotations

from typing import NamedTuple

from byteor.kernel.atomics import load_relaxed
from byteor.kernel.commit import (
    AT,
    DROPPED,
    DROPS,
    FIELD,
    FROM_RECORDS,
    LATE,
    MASK,
    ORDERS,
    ROOM,
    SEEN,
    SIZE,
    SLOTS,
    STARTS,
    is_drained,
    look,
    look_ahead,
    put,
    settle,
    taken,
)
from byteor.kernel.hot import hot, inlined
from byteor.kernel.moves import FELL
from byteor.kernel.order import raise_marks
from byteor.kernel.plain import copy_row, keep, own, peek, set_row_word
from byteor.kernel.turns import CROWDED, ENDED, HELD, MOVED, STARVED, wait_change


class Feed(NamedTuple):
    """Rows that are fed: where they lie, and the word of the record that counts them."""

    rows: int
    size: int  # bytes of a row
    counter: int
    word: int  # their order word, where they are not numbered as they are put
    late: int  # 1 where a late row is left out, 0 where it is a fault


@hot
def feed_row(desk, feed, k):
    """Put row `k`; answer 0, or that it fell."""
    row, at = desk.outs, put(desk, 0)
    if desk.key_out >= 0:
        field = peek(feed.rows, k, feed.size, desk.key_out, desk.key_kind)
        if field < own(at + FIELD):
            if not feed.late:
                return FELL
            keep(desk.now + LATE, own(desk.now + LATE) + 1)
            return 0
        keep(at + FIELD, field)
    to = own(at + AT)
    if to == own(row + ROOM):
        keep(at + DROPPED, own(at + DROPPED) + 1)
        return 0
    slot = to & own(row + MASK)
    copy_row(own(row + SLOTS), slot, own(row + SIZE), feed.rows, k, feed.size, feed.size)
    if own(row + ORDERS) != 0:
        set_row_word(own(row + ORDERS), slot, to if own(row + STARTS) == FROM_RECORDS else feed.word)
    keep(at + AT, to + 1)
    return 0


@inlined
def feed_run(desk, feed, k, n):
    """Put up to `n` rows from `k` on at once, where nothing is to be looked at; answer how many."""
    row, to = desk.outs, own(put(desk, 0) + AT)
    slot = to & own(row + MASK)
    n = min(min(n, own(row + ROOM) - to), own(row + MASK) + 1 - slot)
    copy_row(own(row + SLOTS), slot, feed.size, feed.rows, k, feed.size, n * feed.size)
    keep(put(desk, 0) + AT, to + n)
    return n


@inlined
def feed_piece(desk, feed, k, n):
    """Put up to `n` rows from `k` on, as far as there is room; answer how many were done with, or that one fell."""
    row = desk.outs
    full = own(row + ROOM) == own(put(desk, 0) + AT)
    if not full and desk.key_out < 0:
        return feed_run(desk, feed, k, n)
    done = 0
    while done < n and (own(row + DROPS) or own(row + ROOM) != own(put(desk, 0) + AT)):
        if feed_row(desk, feed, k + done) != 0:
            return done if done > 0 else FELL  # what came before is settled first: then the position names the row
        done += 1
    return done


@hot
def feed_rows(desk, feed, count, limit, waiter):
    """Put `count` rows as room comes, and settle each piece; answer how many, or that one fell."""
    done = 0
    look(desk)
    while done < count:
        n = feed_piece(desk, feed, done, min(count - done, limit))
        if n < 0:
            return n
        if n > 0:
            done += n
            keep(feed.counter, own(feed.counter) + n)
            raise_marks(desk)
            settle(desk)
            if load_relaxed(waiter.stop) != 0:
                return done
            look_ahead(desk)
        elif wait_change(desk, CROWDED, waiter):
            look(desk)
        else:
            return done
    return done


@hot
def await_turn(desk, need, waiter):
    """Wait until there is a record, and room for `need`; answer MOVED, or how the waiting ended."""
    while True:
        look(desk)
        missing = STARVED
        if own(taken(desk, 0)) < own(desk.ins + SEEN):
            if own(desk.outs + DROPS) or need == 0 or own(desk.outs + ROOM) - own(put(desk, 0)) >= need:
                return MOVED
            missing = CROWDED
        if raise_marks(desk):
            settle(desk)
        elif is_drained(desk):
            return ENDED
        elif not wait_change(desk, missing, waiter):
            return HELD


@hot
def settle_turn(desk):
    """Settle what a role in Python has done."""
    raise_marks(desk)
    settle(desk)
