"""The work of a role with a stage: one per form, closed over the stage's function.

Rule 1. A record is taken only where every record that may come of it has room; what is filtered leaves no slot.
Rule 2. Nothing of a piece is seen, in lanes or in kept state, before it is settled: positions move when all is done.
Rule 3. A full log of changed rows ends the piece.
Rule 4. What is put to an output keeps its input's order word and the field that orders.

What is closed over decides what is compiled: `call(first, out, src, live, index, state, p)`, `row_of(keys, slot)`,
the two views and the facts of `Form`. All else is run-time data.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from byteor.abi.byteor_v1 import LAST
from byteor.kernel.atomics import store_relaxed
from byteor.kernel.commit import (
    AT,
    DROPPED,
    DROPS,
    FIELD,
    FILTERED,
    FROM_RECORDS,
    LATE,
    LOGGED,
    MASK,
    ORDERS,
    ROOM,
    ROWS,
    SEEN,
    SIZE,
    SLOTS,
    STARTS,
    put,
    taken,
)
from byteor.kernel.hot import inlined
from byteor.kernel.loops import note_batch
from byteor.kernel.moves import FELL
from byteor.kernel.order import order_word
from byteor.kernel.plain import clear_rows, copy_row, keep, own, peek, set_row_word
from byteor.kernel.turns import CROWDED, MOVED, STARVED

TOOK_OUT, NO_ROW, BAD_MASK, BAD_COUNT, CHANGED = -1, -2, -3, -4, -5  # faults of a stage, beside FELL
FULL_LOG = -20  # no fault: the piece ends before this record
LEFT_OUT, PUT_IN = 0, 1  # what became of a record that a stage gave


class Form(NamedTuple):
    """What of a stage is compiled into its work."""

    filters: bool = False  # min_out is 0
    raises: bool = False  # the stage can raise: its position is stored before each call
    keyed: bool = False
    masks: bool = False  # a batch form that may answer with a mask
    min_out: int = 1
    max_out: int = 1


class Bench(NamedTuple):
    """What a stage works with besides its lanes."""

    table: Any  # its state, a table of one row where it is flat
    keys: Any
    p: Any
    spare: int  # rows of the output's type, private: where a record has no slot
    stamps: int  # of each row of keyed state: the epoch that changed it last
    log_rows: int  # that fit a record
    late: int  # 1 where a late record is left out, 0 where it is a fault
    stats: int
    lives: Any  # scratch of a batch form
    indices: Any
    sources: Any


@inlined
def touch(desk, bench, row):
    """Note that a row of keyed state changes; no when the log is full."""
    epoch = own(desk.now) + 1
    if own(bench.stamps + 8 * row) == epoch:
        return True
    n = own(desk.now + LOGGED)
    if n == bench.log_rows:
        return False
    keep(bench.stamps + 8 * row, epoch)
    keep(desk.touched + 8 * n, row)
    keep(desk.now + LOGGED, n + 1)
    if row >= own(desk.now + ROWS):
        keep(desk.now + ROWS, row + 1)
    return True


@inlined
def field_of(desk, at):
    """The field that orders, of a record of the input; 0 where it orders nothing."""
    if desk.key_in < 0:
        return 0
    slot = at & own(desk.ins + MASK)
    return peek(own(desk.ins + SLOTS), slot, own(desk.ins + SIZE), desk.key_in, desk.key_kind)


@inlined
def put_in(desk, rows, slot, at, field, late):
    """Put the record at `rows[slot]` to the output, made of the one at `at` whose field is `field`.

    It is there already, where it has a slot; a full lane that drops counts it, a late one is counted or a fault.
    """
    to_at = put(desk, 0)
    to = own(to_at + AT)
    if desk.key_out >= 0:
        now = peek(rows, slot, own(desk.outs + SIZE), desk.key_out, desk.key_kind)
        if own(desk.outs + STARTS) == FROM_RECORDS:
            if now < own(to_at + FIELD):
                keep(desk.now + LATE, own(desk.now + LATE) + 1)
                return LEFT_OUT if late else FELL
            keep(to_at + FIELD, now)
        elif now != field:
            return CHANGED
    if to == own(desk.outs + ROOM):
        keep(to_at + DROPPED, own(to_at + DROPPED) + 1)
        return LEFT_OUT
    if own(desk.outs + ORDERS) != 0:
        set_row_word(own(desk.outs + ORDERS), to & own(desk.outs + MASK), order_word(desk.ins, at))
    keep(to_at + AT, to + 1)
    return PUT_IN


@inlined
def has_slot(desk):
    """Whether the output has a free slot."""
    return own(put(desk, 0) + AT) != own(desk.outs + ROOM)


@inlined
def put_row(desk, base, k, at, late):
    """Put row `k` of `base` to the output, in the slot that is next; answer what became of it."""
    if not has_slot(desk):
        return put_in(desk, base, k, at, field_of(desk, at), late)  # it drops: only counted
    slot, size = own(put(desk, 0) + AT) & own(desk.outs + MASK), own(desk.outs + SIZE)
    slots = own(desk.outs + SLOTS)
    if base != slots or k != slot:
        copy_row(slots, slot, size, base, k, size, size)
    return put_in(desk, slots, slot, at, field_of(desk, at), late)


@inlined
def move_on(desk, bench, at, result):
    """Note how far a piece came, or how it ended when it came nowhere."""
    n = at - own(taken(desk, 0))
    if n == 0:
        return result
    note_batch(bench.stats, n)
    keep(taken(desk, 0), at)
    return MOVED


@inlined
def fault(bench, at, code):
    """Remember at which record a stage failed."""
    store_relaxed(bench.stats, at)
    return code


def make_row_step(row_of: Any, keyed: bool) -> Any:
    """Find the row of keyed state of a record, and note that it changes: the row, NO_ROW, or FULL_LOG."""

    @inlined
    def row_step(desk, bench, slot):
        if not keyed:
            return 0
        row = row_of(bench.keys, slot)
        if row < 0:
            return NO_ROW
        return row if touch(desk, bench, row) else FULL_LOG

    return row_step


def make_message_work(view_in: Any, view_out: Any, call: Any, row_of: Any, form: Form) -> Any:
    """The work of a per-message stage that changes its record, or takes it out."""
    filters, raises, keyed = form.filters, form.raises, form.keyed
    row_step = make_row_step(row_of, keyed)

    @inlined
    def run(desk, bench, at, end):
        """Do a piece where nothing is ordered, dropped or keyed: what it needs at each record is in registers."""
        mask, out_mask = own(desk.ins + MASK) & LAST, own(desk.outs + MASK) & LAST
        rows, made = view_in(own(desk.ins + SLOTS), mask + 1), view_out(own(desk.outs + SLOTS), out_mask + 1)
        to, room = own(put(desk, 0) + AT), own(desk.outs + ROOM)
        begin = at - to
        while at < end and to != room:
            if raises:
                store_relaxed(bench.stats, at)
            slot = to & out_mask
            made[slot] = rows[at & mask]
            kept = call(made[slot], 0, 0, 0, 0, bench.table[0], bench.p[0])
            at += 1
            if kept is None or kept:
                to += 1
            elif not filters:
                return fault(bench, at - 1, TOOK_OUT)
        if filters:
            keep(desk.now + FILTERED, own(desk.now + FILTERED) + at - to - begin)
        keep(put(desk, 0) + AT, to)
        return move_on(desk, bench, at, STARVED if at == end else CROWDED)

    @inlined
    def work(desk, bench, limit):
        at, seen, drops = own(taken(desk, 0)), own(desk.ins + SEEN), own(desk.outs + DROPS)
        end = min(seen, at + limit)
        if not keyed and desk.key_out < 0 and drops == 0:
            return run(desk, bench, at, end)
        mask, out_mask = own(desk.ins + MASK) & LAST, own(desk.outs + MASK) & LAST
        rows = view_in(own(desk.ins + SLOTS), mask + 1)
        while at < end:
            slotted = has_slot(desk)
            if not slotted and not drops:
                return move_on(desk, bench, at, CROWDED)
            if raises or keyed:
                store_relaxed(bench.stats, at)
            row = row_step(desk, bench, at & mask)
            if row < 0:
                return move_on(desk, bench, at, CROWDED) if row == FULL_LOG else row
            base = own(desk.outs + SLOTS) if slotted else bench.spare
            slot = own(put(desk, 0) + AT) & out_mask if slotted else 0
            made = view_out(base, slot + 1)
            made[slot] = rows[at & mask]
            kept = call(made[slot], 0, 0, 0, 0, bench.table[row], bench.p[0])
            if kept is None or kept:
                result = put_in(desk, base, slot, at, field_of(desk, at), bench.late)
                if result < 0:
                    return fault(bench, at, result)
            elif filters:
                keep(desk.now + FILTERED, own(desk.now + FILTERED) + 1)
            else:
                return fault(bench, at, TOOK_OUT)
            at += 1
        return move_on(desk, bench, at, STARVED)

    return work


def make_giving_work(view_in: Any, view_out: Any, call: Any, row_of: Any, form: Form) -> Any:
    """The work of a per-message stage that writes up to `max_out` records of its own into `out`."""
    low, high, marks = form.min_out, form.max_out, form.raises or form.keyed
    row_step = make_row_step(row_of, form.keyed)

    @inlined
    def put_all(desk, bench, base, first, n, at):
        """Put the records that one call gave."""
        for k in range(n):
            result = put_row(desk, base, first + k, at, bench.late)
            if result < 0:
                return result
        return 0

    @inlined
    def work(desk, bench, limit):
        at, seen, drops = own(taken(desk, 0)), own(desk.ins + SEEN), own(desk.outs + DROPS)
        mask, out_mask = own(desk.ins + MASK) & LAST, own(desk.outs + MASK) & LAST
        rows = view_in(own(desk.ins + SLOTS), mask + 1)
        end = min(seen, at + limit)
        while at < end:
            to = own(put(desk, 0) + AT)
            roomy = own(desk.outs + ROOM) - to >= high
            if not roomy and not drops:
                return move_on(desk, bench, at, CROWDED)
            if marks:
                store_relaxed(bench.stats, at)
            row = row_step(desk, bench, at & mask)
            if row < 0:
                return move_on(desk, bench, at, CROWDED) if row == FULL_LOG else row
            slotted = roomy and (to & out_mask) + high <= out_mask + 1
            base = own(desk.outs + SLOTS) if slotted else bench.spare
            first = to & out_mask if slotted else 0
            clear_rows(base, first, own(desk.outs + SIZE), high)  # not what an earlier lap left there
            out = view_out(base, first + high)[first:]
            n = call(rows[at & mask], out, 0, 0, 0, bench.table[row], bench.p[0])
            if n < low or n > high:
                return fault(bench, at, BAD_COUNT)
            if n == 0:
                keep(desk.now + FILTERED, own(desk.now + FILTERED) + 1)
            result = put_all(desk, bench, base, first, n, at)
            if result < 0:
                return fault(bench, at, result)
            at += 1
        return move_on(desk, bench, at, STARVED)

    return work


def make_rows_step(row_of: Any, keyed: bool) -> Any:
    """Find the rows of keyed state of a batch: how many records have one in this piece, or NO_ROW for the first."""
    row_step = make_row_step(row_of, keyed)

    @inlined
    def rows_step(desk, bench, slot, n):
        for i in range(n):
            bench.lives[i] = True
            row = row_step(desk, bench, slot + i)
            if row == FULL_LOG:
                return i
            if row < 0:
                return i if i > 0 else NO_ROW
            bench.indices[i] = row if keyed else -1
        return n

    return rows_step


@inlined
def piece(desk, at, end):
    """How many records from `at` on lie side by side."""
    slot = at & own(desk.ins + MASK)
    return min(end - at, own(desk.ins + MASK) + 1 - slot)


@inlined
def span(desk):
    """How many free slots of the output lie side by side."""
    to = own(put(desk, 0) + AT)
    return min(own(desk.outs + ROOM) - to, own(desk.outs + MASK) + 1 - (to & own(desk.outs + MASK)))


def make_batch_work(view_in: Any, view_out: Any, call: Any, row_of: Any, form: Form) -> Any:
    """The work of a per-batch stage that changes its records, or masks some out."""
    filters, masks = form.filters, form.masks
    rows_step = make_rows_step(row_of, form.keyed)

    @inlined
    def put_kept(desk, bench, base, first, n, at, kept):
        """Put those rows of a batch that stay, side by side."""
        for k in range(n):
            if kept[k]:
                result = put_row(desk, base, first + k, at + k, bench.late)
                if result < 0:
                    return fault(bench, at + k, result)
            elif not filters:
                return fault(bench, at + k, TOOK_OUT)
            else:
                keep(desk.now + FILTERED, own(desk.now + FILTERED) + 1)
        return 0

    @inlined
    def work(desk, bench, limit):
        at, seen, drops = own(taken(desk, 0)), own(desk.ins + SEEN), own(desk.outs + DROPS)
        end = min(seen, at + limit)
        while at < end:
            n, free = piece(desk, at, end), span(desk)
            if free == 0 and not drops:
                return move_on(desk, bench, at, CROWDED)
            n = min(n, free) if free > 0 else n
            slot = at & own(desk.ins + MASK)
            store_relaxed(bench.stats, at)
            n = rows_step(desk, bench, slot, n)
            if n < 0:
                return n
            if n == 0:
                return move_on(desk, bench, at, CROWDED)
            base = own(desk.outs + SLOTS) if free > 0 else bench.spare
            first = own(put(desk, 0) + AT) & own(desk.outs + MASK) if free > 0 else 0
            batch = view_out(base, first + n)[first:]
            batch[:] = view_in(own(desk.ins + SLOTS), slot + n)[slot:]
            kept = call(batch, 0, 0, bench.lives[:n], bench.indices[:n], bench.table, bench.p[0])
            result = 0
            if masks:
                if kept is None:
                    result = put_kept(desk, bench, base, first, n, at, bench.lives)
                elif len(kept) != n:
                    return BAD_MASK
                else:
                    result = put_kept(desk, bench, base, first, n, at, kept)
            else:
                result = put_kept(desk, bench, base, first, n, at, bench.lives)
            if result < 0:
                return result
            at += n
        return move_on(desk, bench, at, STARVED)

    return work


def make_giving_batch_work(view_in: Any, view_out: Any, call: Any, row_of: Any, form: Form) -> Any:
    """The work of a per-batch stage that writes records of its own into `out`, and may say in `src` whence each is."""
    high = form.max_out
    rows_step = make_rows_step(row_of, form.keyed)

    @inlined
    def put_all(desk, bench, base, first, n, at, taken_in):
        """Put what one call gave, each record with the order of the one that it came of."""
        source = 0
        for k in range(n):
            if bench.sources[k] < source or bench.sources[k] >= taken_in:
                return CHANGED
            source = bench.sources[k]
            result = put_row(desk, base, first + k, at + source, bench.late)
            if result < 0:
                return fault(bench, at + source, result)
        return 0

    @inlined
    def work(desk, bench, limit):
        at, seen, drops = own(taken(desk, 0)), own(desk.ins + SEEN), own(desk.outs + DROPS)
        end = min(seen, at + limit)
        while at < end:
            room = own(desk.outs + ROOM) - own(put(desk, 0) + AT)
            slotted = span(desk) >= high
            free = span(desk) if slotted else room if not drops else len(bench.sources)
            free = min(free, len(bench.sources))
            slot = at & own(desk.ins + MASK)
            store_relaxed(bench.stats, at)
            n = rows_step(desk, bench, slot, min(piece(desk, at, end), free // high))
            if n < 0:
                return n
            if n == 0:
                return move_on(desk, bench, at, CROWDED)
            base = own(desk.outs + SLOTS) if slotted else bench.spare
            first = own(put(desk, 0) + AT) & own(desk.outs + MASK) if slotted else 0
            out, batch = view_out(base, first + n * high)[first:], view_in(own(desk.ins + SLOTS), slot + n)[slot:]
            clear_rows(base, first, own(desk.outs + SIZE), n * high)  # not what an earlier lap left there
            sources, indices = bench.sources[: n * high], bench.indices[:n]
            sources[:] = 0
            given = call(batch, out, sources, bench.lives[:n], indices, bench.table, bench.p[0])
            if given < 0 or given > n * high:
                return BAD_COUNT
            result = put_all(desk, bench, base, first, given, at, n)
            if result < 0:
                return result
            at += n
        return move_on(desk, bench, at, STARVED)

    return work
