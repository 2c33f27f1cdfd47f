"""The floor of P1: two threads that hand 16-byte records to each other and keep none of a ring's promises.

Rule 1. The same slots, the same work, the same threads; no waiting strategy, no counters, no stop, no errors.
"""

from __future__ import annotations

import threading

import numba
import numpy as np

from bench import machine, rings
from bench.harness import Clock, Contender, Took
from byteor.backings.mem import lines
from byteor.kernel.atomics import load_acquire, spin_hint, store_release

GATE = 256  # bytes from the cursor: another line, and not the next one either
RUN = 256
PAUSES = 64  # the reader lingers as ours does, else it would take each line from under the producer


@numba.njit(nogil=True)
def produce(words, slots, n):
    """Make `n` records, published in runs."""
    sequence, full = 0, len(slots)
    while sequence < n:
        while sequence == full:
            full = load_acquire(words + GATE) + len(slots)
        until = min(min(sequence + RUN, full), n)
        while sequence < until:
            slots[sequence & (len(slots) - 1)].px = sequence
            slots[sequence & (len(slots) - 1)].qty = 1
            sequence += 1
        store_release(words, sequence)


@numba.njit(nogil=True)
def consume(words, slots, n):
    """Add to each record what is there, until `n` are done."""
    sequence = 0
    while sequence < n:
        available = load_acquire(words)
        if available - sequence < RUN:
            for _ in range(PAUSES):
                spin_hint()
            available = load_acquire(words)
        while sequence < available:
            at = sequence & (len(slots) - 1)
            piece = slots[at : at + min(available - sequence, len(slots) - at)]
            for i in range(len(piece)):
                piece[i].px += piece[i].qty
            sequence += len(piece)
            store_release(words + GATE, sequence)


def bare(capacity: int = rings.CAPACITY, name: str = "bare hand-over") -> Contender:
    """Hand records over in runs, in memory of each round's own: how far a line is depends on where it lies."""

    def one(n: int) -> Took:
        slots = lines(16 * capacity).view([("px", "<i8"), ("qty", "<i8")])
        words = lines(2 * GATE).view(np.int64)
        slots["qty"] = 0  # its memory is there before it is timed
        reader = threading.Thread(target=consume, args=(words.ctypes.data, slots, n), name="bare")
        reader.start()
        machine.pin([0, reader.native_id or 0])
        with Clock() as clock:
            produce(words.ctypes.data, slots, n)
            reader.join()
        machine.pin([0], free=True)
        return clock.took

    return Contender(name, one, step=RUN, least=rings.LEAST // RUN)
