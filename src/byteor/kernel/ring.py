"""The ring's two ends: a producer that publishes rows, a reader that copies them out.

Rule 1. The cursor is published once per piece; a piece never goes over the ring's end.
Rule 2. A slot is `sequence & mask`; it belongs to the producer until published, to the readers
        until every gate has passed it.
Rule 3. What was seen of the other side is kept: one look at a gate serves as many rows as it frees.
"""

from __future__ import annotations

from byteor.abi.byteor_v1 import LAST
from byteor.kernel.atomics import load_relaxed, store_release
from byteor.kernel.hot import hot
from byteor.kernel.wait import ring, wait_past


@hot
def send(cursor, seen, gates, slots, rows, waiter, bells, limit):
    """Publish `rows` as room comes, in pieces of at most `limit`; answer how many were taken.

    Fewer than all are taken when the run stops and when the waiter's patience with a full ring is over. `seen`
    is the producer's own: the gate it saw last, so that one look serves many calls. A successor, which saw none,
    begins with its cursor less the capacity: nothing is free until it has looked.
    """
    capacity = len(slots)
    sequence = load_relaxed(cursor)  # its own word
    taken = 0
    free = seen[0] + capacity - sequence
    while taken < len(rows):
        if free == 0:
            seen[0] = min(wait_past(gates, sequence - capacity, waiter), sequence)  # a reader that left is past all
            free = seen[0] + capacity - sequence
            if free == 0:
                break
        at = sequence & (capacity - 1)
        piece = min(min(free, limit), min(len(rows) - taken, capacity - at))
        for i in range(piece):
            slots[at + i] = rows[taken + i]
        sequence += piece
        taken += piece
        free -= piece
        store_release(cursor, sequence)  # SYNC: pairs with `least` of whoever reads the cursor
        ring(bells)
    return taken


def make_source_loop(make):
    """The loop of a compiled source: `make(record, number, p)` fills each message in its slot."""

    @hot
    def loop(cursor, seen, gates, slots, count, p, waiter, bells, piece):
        """Publish up to `count` messages in pieces of at most `piece`; answer how many."""
        capacity = len(slots)
        mask = (capacity - 1) & LAST  # seen to be positive: an index that cannot be negative costs nothing
        sequence = load_relaxed(cursor)  # its own word
        end = sequence + count
        full = seen[0] + capacity  # the first sequence without a free slot
        while sequence < end:
            if sequence == full:
                seen[0] = min(wait_past(gates, sequence - capacity, waiter), sequence)
                full = seen[0] + capacity
                if sequence == full:
                    break
            until = min(min(sequence + piece, full), end)
            while sequence < until:
                make(slots[sequence & mask], sequence, p[0])
                sequence += 1
            store_release(cursor, sequence)  # SYNC: pairs with `least` of whoever reads the cursor
            ring(bells)
            if piece == 1:  # one by one in a loop of its own, a message costs a third
                room = min(full, end)
                while sequence < room:
                    make(slots[sequence & mask], sequence, p[0])
                    sequence += 1
                    store_release(cursor, sequence)  # SYNC: as above
                    ring(bells)
        return count - (end - sequence)

    return loop


@hot
def close(cursor, closed, bells):
    """Say that nothing follows: the stream ends at the cursor."""
    store_release(closed, load_relaxed(cursor))  # SYNC: pairs with the acquire in `wait_past`
    ring(bells)


@hot
def advance(gate, sequence, bells):
    """Give the slots before `sequence` on."""
    store_release(gate, sequence)  # SYNC: pairs with `least` of dependents and of the producer
    ring(bells)


UNMARKED = (-1,)  # marks where no stage filters


@hot
def is_dead(dead, marks, slot):
    """Whether any of the filtering stages `marks` took this slot out."""
    for k in range(len(marks)):
        if marks[k] >= 0 and dead[marks[k], slot] != 0:
            return True
    return False


@hot
def collect(cells, gate, slots, dead, marks, out, waiter, bells):
    """Copy the rows that are live into `out`, as many as are there; answer how many.

    Waits for the first. 0 is also the answer when all that was there had been taken out:
    the gate tells.
    """
    mask = len(slots) - 1
    sequence = load_relaxed(gate)  # its own word
    available = wait_past(cells, sequence, waiter)
    count = 0
    while sequence < available and count < len(out):
        if not is_dead(dead, marks, sequence & mask):
            out[count] = slots[sequence & mask]
            count += 1
        sequence += 1
    advance(gate, sequence, bells)
    return count
