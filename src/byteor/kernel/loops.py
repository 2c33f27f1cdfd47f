"""The loops that run a stage over its ring: one per form, closed over the stage's function.

Rule 1. A loop takes what its barrier allows, calls the stage, then gives the slots on; nothing
        of a piece is seen downstream before all of it is done.
Rule 2. A stage sees a slot unless one of its ancestors took it out; a filtering stage writes its
        dead cell for every slot at every lap.
Rule 3. A loop ends drained, stopped or out of patience with its gate where it is; a stage that
        returns False without leave to filter ends it too (`Exit`).

What a loop is closed over decides what is compiled: the function (already taking exactly
`(record or batch, live, index, state, p)`), and the facts of `Shape`. All else is run-time data.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from byteor.abi.byteor_v1 import runner
from byteor.kernel.atomics import load_relaxed, store_relaxed
from byteor.kernel.hot import hot
from byteor.kernel.ring import advance, is_dead
from byteor.kernel.wait import wait_past

DONE, FAULT = 0, 1  # how a loop ends: its gate says where

_RUNNER = runner()
_STATS = _RUNNER["at"]
AT = 0
FILTERED = _RUNNER["filtered"] - _STATS
WAITS = _RUNNER["waits"] - _STATS
SIZES = _RUNNER["sizes"] - _STATS


class Port(NamedTuple):
    """Where a stage meets its ring: its barrier's cells, its gate, its counters, whom it rings."""

    cells: Any
    gate: int
    stats: int
    bells: Any
    marks: Any  # rows of the dead cells that this stage's ancestors write
    own: int  # the row that it writes itself; -1 when it does not filter
    limit: int


class Shape(NamedTuple):
    """What of a stage is compiled into its loop."""

    filters: bool  # min_out is 0
    skips: bool  # some ancestor filters
    raises: bool  # the stage can raise: its sequence is stored before each call
    keyed: bool  # its state is a table, found by key
    live: bool  # a batch form that is told which rows are there, so batches are not cut


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


def no_row(keys, slots, slot):
    """The row of a stage without keyed state."""
    return 0


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
                end = min(available, sequence + port.limit)
                note_batch(port.stats, end - sequence)
                out = 0
                while sequence < end:
                    slot = sequence & mask
                    gone = False
                    if not skips or not is_dead(dead, port.marks, slot):
                        if raises:
                            store_relaxed(port.stats + AT, sequence)
                        row = row_of(keys, slots, slot) if keyed else 0
                        kept = call(slots[slot], 0, 0, table[row], p)
                        gone = not (kept is None or kept)
                        if gone and not filters:
                            store_relaxed(port.stats + AT, sequence)
                            return FAULT
                    if filters:
                        dead[port.own, slot] = gone
                        out += gone
                    sequence += 1
                if filters and out > 0:
                    count(port.stats + FILTERED, out)
                advance(port.gate, sequence, port.bells)

    return loop
