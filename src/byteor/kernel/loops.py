"""The loops that run a stage over its ring: one per form, closed over the stage's function.

Rule 1. A loop takes what its barrier allows, calls the stage, then gives the slots on; nothing
        of a piece is seen downstream before all of it is done.
Rule 2. A stage sees a slot unless one of its ancestors took it out; a filtering stage writes its
        dead cell for every slot at every lap.
Rule 3. A loop ends where its gate is: drained, stopped, out of patience, or by a fault of the stage.

What a loop is closed over decides what is compiled: `call(record or batch, live, index, state, p)`,
`row_of(keys, slot)` and the facts of `Shape`. All else is run-time data.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from byteor.abi.byteor_v1 import runner
from byteor.kernel.atomics import load_relaxed, store_relaxed
from byteor.kernel.hot import hot
from byteor.kernel.ring import advance, is_dead
from byteor.kernel.wait import wait_past

DONE, UNASKED, FULL, MISFIT = range(4)  # how a loop ends; all but the first are faults of the stage

_RUNNER = runner()
_STATS = _RUNNER["at"]
FILTERED = _RUNNER["filtered"] - _STATS
SIZES = _RUNNER["sizes"] - _STATS


class Port(NamedTuple):
    """Where a stage meets its ring: its barrier's cells, its gate, its counters, whom it rings."""

    cells: Any  # addresses, a tuple
    gate: int
    stats: int
    bells: Any  # addresses, a tuple
    marks: Any  # rows of the dead cells that this stage's ancestors write, a tuple
    own: int  # the row that it writes itself, when it filters
    limit: int


class Shape(NamedTuple):
    """What of a stage is compiled into its loop."""

    filters: bool = False  # min_out is 0
    skips: bool = False  # some ancestor filters
    raises: bool = False  # the stage can raise: its sequence is stored before each call
    keyed: bool = False  # its state is a table, found by key
    live: bool = False  # a batch form that is told which rows are there: batches are not cut
    masks: bool = False  # a batch form that may answer with a mask


@hot
def count(address, n):
    """Add to a counter of one's own."""
    store_relaxed(address, load_relaxed(address) + n)


@hot
def note_batch(stats, n):
    """Count one batch of `n` by size."""
    bucket = 0
    while n > 1:
        n >>= 1
        bucket += 1
    count(stats + SIZES + 8 * bucket, 1)


def make_message_loop(call, row_of, shape):
    """The loop of a per-message stage."""
    filters, skips, raises, keyed = shape.filters, shape.skips, shape.raises, shape.keyed

    @hot
    def loop(port, slots, dead, table, keys, p, waiter):
        mask = len(slots) - 1
        sequence = load_relaxed(port.gate)  # its own word
        while True:
            available = wait_past(port.cells, sequence, waiter)
            if available == sequence:
                return DONE
            while sequence < available:
                slot = sequence & mask
                n = min(min(available - sequence, port.limit), len(slots) - slot)
                note_batch(port.stats, n)
                piece = slots[slot : slot + n]  # counted from 0: an index that cannot be negative costs nothing
                out = 0
                for i in range(n):
                    gone = False
                    if not skips or not is_dead(dead, port.marks, slot + i):
                        if raises or keyed:
                            store_relaxed(port.stats, sequence + i)
                        row = row_of(keys, slot + i) if keyed else 0
                        if row < 0:
                            return FULL
                        kept = call(piece[i], 0, 0, table[row], p[0])
                        gone = not (kept is None or kept)
                        if gone and not filters:
                            store_relaxed(port.stats, sequence + i)
                            return UNASKED
                    if filters:
                        dead[port.own, slot + i] = gone
                        out += gone
                if out > 0:
                    count(port.stats + FILTERED, out)
                sequence += n
                advance(port.gate, sequence, port.bells)

    return loop


@hot
def run_of(dead, marks, slot, most):
    """Length of the run of slots from `slot` that are all there, or all taken out; at most `most`."""
    first = is_dead(dead, marks, slot)
    n = 1
    while n < most and is_dead(dead, marks, slot + n) == first:
        n += 1
    return n


@hot
def note_live(dead, marks, slot, live):
    """Write which of the slots from `slot` on are there."""
    for i in range(len(live)):
        live[i] = not is_dead(dead, marks, slot + i)


@hot
def take_out(port, dead, sequence, slot, kept, live):
    """Write this stage's dead cells for a batch that it has masked."""
    out = 0
    for i in range(len(live)):
        gone = live[i] and not kept[i]
        dead[port.own, slot + i] = gone
        out += gone
    if out > 0:
        count(port.stats + FILTERED, out)
    return DONE


@hot
def keep_all(port, dead, sequence, slot, kept, live):
    """Hold a stage that may not filter to its mask; remember the first row that it took out."""
    for i in range(len(live)):
        if live[i] and not kept[i]:
            store_relaxed(port.stats, sequence + i)
            return UNASKED
    return DONE


def make_batch_step(call, rows_of, shape):
    """One batch of a per-batch stage: find its state, call it, do what its mask says."""
    skips, keyed, told, masks = shape.skips, shape.keyed, shape.live, shape.masks
    obey = take_out if shape.filters else keep_all

    @hot
    def step(port, slots, dead, table, keys, p, sequence, slot, live, index):
        n = len(live)
        if told or keyed or masks:
            live[:] = True
        if skips and told:
            note_live(dead, port.marks, slot, live)
        store_relaxed(port.stats, sequence)
        if keyed:
            found = rows_of(keys, slot, live, index)
            if found < n:
                store_relaxed(port.stats, sequence + found)
                return FULL
        kept = call(slots[slot : slot + n], live, index, table, p[0])
        if masks:
            if kept is not None:
                return MISFIT if len(kept) != n else obey(port, dead, sequence, slot, kept, live)
        return DONE

    return step


def make_batch_loop(call, rows_of, shape):
    """The loop of a per-batch stage."""
    filters, cut = shape.filters, shape.skips and not shape.live
    step = make_batch_step(call, rows_of, shape)

    @hot
    def loop(port, slots, dead, table, keys, p, waiter, lives, indices):
        mask = len(slots) - 1
        sequence = load_relaxed(port.gate)  # its own word
        while True:
            available = wait_past(port.cells, sequence, waiter)
            if available == sequence:
                return DONE
            while sequence < available:
                slot = sequence & mask
                n = min(min(available - sequence, port.limit), len(slots) - slot)
                if cut:
                    n = run_of(dead, port.marks, slot, n)
                if filters:
                    dead[port.own, slot : slot + n] = 0
                if not cut or not is_dead(dead, port.marks, slot):
                    note_batch(port.stats, n)
                    code = step(port, slots, dead, table, keys, p, sequence, slot, lives[:n], indices[:n])
                    if code != DONE:
                        return code
                sequence += n
                advance(port.gate, sequence, port.bells)

    return loop
