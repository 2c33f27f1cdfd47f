"""The compiled ends of a lane: called from anybody's compiled code with a handle, an integer.

Rule 1. A handle is the address of a private block: what its end reaches, and what it has seen of the other side.
Rule 2. Nothing here waits. A handle belongs to one thread at a time.
Rule 3. Records are moved as bytes: their length is compared here, their type was when the lane was opened.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from byteor.kernel.atomics import load_acquire, load_relaxed, prefetch, store_relaxed, store_release
from byteor.kernel.hot import anywhere, hot
from byteor.kernel.ring import advance
from byteor.kernel.wait import ring

# A sender's block; behind it, for each gate, its address and its reader's bell (0: nobody blocks).
GATES, MASK, BYTES, NEXT, CURSOR, SLOTS, SEEN, ENDED = range(0, 64, 8)
LENGTHS, ANSWER, OTHERWISE, RECORDS, RECORD, DTYPE = range(64, 112, 8)  # for calls from Python
SENDER_HEAD, GATE_STRIDE = 112, 16
# A reader's block; behind it a part for each ring. `OUT`: the part from which something was taken last.
RINGS, TURN, OUT, READER_HEAD, RING_STRIDE = 0, 24, 32, 40, 64
RING_CURSOR, RING_GATE, RING_SLOTS, RING_TAKEN, RING_SEEN, RING_BELL = range(0, 48, 8)
RING_LENGTHS, RING_RECORDS = 48, 56  # for calls from Python
_PIECE = 256  # messages published at once: the other end starts before all of them are written


@intrinsic
def bytes_of(_typing: Any, record: Any) -> Any:
    """Length of a record; a constant of the compiler's."""
    if not isinstance(record, types.Record):
        return None
    size = record.size

    def codegen(context: Any, _builder: Any, _signature: Any, _args: Any) -> Any:
        return context.get_constant(types.int64, size)

    return types.int64(record), codegen


@intrinsic
def put(_typing: Any, address: Any, record: Any) -> Any:
    """Copy a record to an address."""
    size = record.size

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], cgutils.voidptr_t)
        _move(context, builder, pointer, args[1], size)
        return context.get_dummy_value()

    return types.void(types.int64, record), codegen


@intrinsic
def get(_typing: Any, record: Any, address: Any) -> Any:
    """Copy what lies at an address into a record."""
    size = record.size

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[1], cgutils.voidptr_t)
        _move(context, builder, args[0], pointer, size)
        return context.get_dummy_value()

    return types.void(record, types.int64), codegen


def _move(context: Any, builder: Any, to: Any, source: Any, size: int) -> None:
    count = context.get_constant(types.intp, size)
    cgutils.raw_memcpy(builder, to, source, count, 1)


@hot
def room(handle):
    """Slots that are free, as far as was seen; the gates are looked at only when there seem to be none."""
    sequence = load_relaxed(handle + NEXT)
    capacity = load_relaxed(handle + MASK) + 1
    free = load_relaxed(handle + SEEN) + capacity - sequence
    if free > 0:
        return free
    if load_relaxed(load_relaxed(handle + ENDED)) != 0:
        return 0
    lowest = sequence  # a reader that left for good is past all
    for i in range(load_relaxed(handle + GATES)):
        gate = load_relaxed(handle + SENDER_HEAD + i * GATE_STRIDE)
        lowest = min(lowest, load_acquire(gate))  # SYNC: pairs with the release in `advance`
    lowest = max(lowest, sequence - capacity)  # a gate may say anything: it is another's word
    store_relaxed(handle + SEEN, lowest)
    return lowest + capacity - sequence


@hot
def publish(handle, sequence):
    """Publish what lies before `sequence`, and ring who may sleep.

    A sender remembers where it is: to read its own cursor would be to fetch a line that a reader has just taken.
    """
    store_relaxed(handle + NEXT, sequence)
    store_release(load_relaxed(handle + CURSOR), sequence)  # SYNC: pairs with `stock`, and with `news`
    for i in range(load_relaxed(handle + GATES)):
        ring((load_relaxed(handle + SENDER_HEAD + i * GATE_STRIDE + 8),))


@anywhere
def try_send(handle, record):
    """Send one record; False when there is no room."""
    size = load_relaxed(handle + BYTES)
    if bytes_of(record) != size:
        raise ValueError("the record is not of the lane's type")
    if room(handle) == 0:
        return False
    sequence = load_relaxed(handle + NEXT)
    put(load_relaxed(handle + SLOTS) + (sequence & load_relaxed(handle + MASK)) * size, record)
    publish(handle, sequence + 1)
    return True


@anywhere
def try_send_many(handle, rows):
    """Send as many rows as there is room for; answer how many."""
    count = min(room(handle), len(rows))
    if count == 0:
        return 0
    size, mask = load_relaxed(handle + BYTES), load_relaxed(handle + MASK)
    if bytes_of(rows[0]) != size:
        raise ValueError("the records are not of the lane's type")
    slots = load_relaxed(handle + SLOTS)
    sequence = load_relaxed(handle + NEXT)
    done = 0
    while done < count:
        end = min(done + _PIECE, count)
        for i in range(done, end):
            put(slots + ((sequence + i) & mask) * size, rows[i])
        done = end
        publish(handle, sequence + done)
    return count


@hot
def stock(part):
    """Messages of a ring that may be taken, as far as was seen; its cursor is looked at when there seem to be none."""
    taken = load_relaxed(part + RING_TAKEN)
    count = load_relaxed(part + RING_SEEN) - taken
    if count > 0:
        return count
    seen = load_acquire(load_relaxed(part + RING_CURSOR))  # SYNC: pairs with the release of the cursor
    if seen > taken:
        store_relaxed(part + RING_SEEN, seen)
    return seen - taken


@hot
def take(handle, part, sequence):
    """Note that a ring's messages before `sequence` were taken; they are given back later."""
    store_relaxed(part + RING_TAKEN, sequence)
    store_relaxed(handle + OUT, part)


@hot
def give_back(handle):
    """Give back what was taken last."""
    part = load_relaxed(handle + OUT)
    if part != 0:
        store_relaxed(handle + OUT, 0)
        advance(load_relaxed(part + RING_GATE), load_relaxed(part + RING_TAKEN), (load_relaxed(part + RING_BELL),))


@hot
def place(handle, part, sequence):
    """Where a ring has a message."""
    return load_relaxed(part + RING_SLOTS) + (sequence & load_relaxed(handle + MASK)) * load_relaxed(handle + BYTES)


@hot
def ready(handle):
    """The part of the ring whose turn it is among those that have messages; 0 when none has."""
    rings = load_relaxed(handle + RINGS)
    turn = load_relaxed(handle + TURN)
    for _ in range(rings):
        part = handle + READER_HEAD + turn * RING_STRIDE
        turn = turn + 1 if turn + 1 < rings else 0
        if stock(part) > 0:
            store_relaxed(handle + TURN, turn)
            return part
        prefetch(place(handle, part, load_relaxed(part + RING_TAKEN)))  # it then comes together with the cursor
    return 0


@anywhere
def try_receive(handle, record):
    """Receive one record into `record`; False when there is none."""
    size = load_relaxed(handle + BYTES)
    if bytes_of(record) != size:
        raise ValueError("the record is not of the lane's type")
    give_back(handle)
    part = ready(handle)
    if part == 0:
        return False
    taken = load_relaxed(part + RING_TAKEN)
    get(record, load_relaxed(part + RING_SLOTS) + (taken & load_relaxed(handle + MASK)) * size)
    take(handle, part, taken + 1)
    give_back(handle)
    return True


@hot
def find(handle):
    """The number of the ring whose turn it is among those that have messages; -1 when none has."""
    give_back(handle)
    part = ready(handle)
    return (part - handle - READER_HEAD) // RING_STRIDE if part != 0 else -1


@hot
def take_row(handle, limit):
    """Take messages that lie in a row, at most `limit`: from which ring, from which slot on, and how many."""
    ring = find(handle)
    if ring < 0:
        return ring, 0, 0
    part, mask = handle + READER_HEAD + ring * RING_STRIDE, load_relaxed(handle + MASK)
    taken = load_relaxed(part + RING_TAKEN)
    at = taken & mask
    count = min(min(stock(part), mask + 1 - at), limit)
    if count > 0:
        take(handle, part, taken + count)
    return ring, at, count


@anywhere
def try_receive_many(handle, out):
    """Receive what one ring has into `out`; answer how many."""
    give_back(handle)
    part = ready(handle) if len(out) > 0 else 0
    if part == 0:
        return 0
    size, mask = load_relaxed(handle + BYTES), load_relaxed(handle + MASK)
    if bytes_of(out[0]) != size:
        raise ValueError("the records are not of the lane's type")
    slots, taken = load_relaxed(part + RING_SLOTS), load_relaxed(part + RING_TAKEN)
    count = min(stock(part), len(out))
    for i in range(count):
        get(out[i], slots + ((taken + i) & mask) * size)
    take(handle, part, taken + count)
    give_back(handle)
    return count


Block = np.ndarray[Any, np.dtype[np.int64]]
Words = MutableSequence[int] | memoryview


def sender_block(
    mask: int,
    size: int,
    sent: int,
    cursor: int,
    slots: int,
    seen: int,
    ended: int,
    gates: Sequence[int],
    bells: Sequence[int],
) -> Block:
    """The block of a sender's handle."""
    pairs = [word for pair in zip(gates, bells, strict=True) for word in pair]
    others = [0] * ((SENDER_HEAD - LENGTHS) // 8)
    return np.array([len(gates), mask, size, sent, cursor, slots, seen, ended, *others, *pairs], np.int64)


def reader_block(mask: int, size: int, rings: Sequence[tuple[int, ...]]) -> Block:
    """The block of a reader's handle; of each ring cursor, gate, slots, what was taken and seen, its sender's bell."""
    parts = [[*one, *[0] * (RING_STRIDE // 8 - len(one))] for one in rings]
    return np.array([len(rings), mask, size, 0, 0, *(word for part in parts for word in part)], np.int64)


def cut_sender(words: Words, ended: int) -> None:
    """Let a handle find no room any more; `ended` is the address of a word that is not 0."""
    words[ENDED // 8], words[SEEN // 8] = ended, -(2**62)


def cut_reader(words: Words) -> None:
    """Let a handle find no ring any more, and give nothing back."""
    words[RINGS // 8] = words[OUT // 8] = 0
