"""The compiled ends of a lane: called from anybody's compiled code with a handle, an integer.

Rule 1. A handle is the address of a private block: what its end reaches, and what it has seen of the other side.
Rule 2. Nothing here waits. A handle belongs to one thread at a time.
Rule 3. Records are moved as bytes: their length is compared here, their type was when the lane was opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from byteor.kernel.atomics import load_acquire, load_relaxed, store_relaxed, store_release
from byteor.kernel.hot import hot
from byteor.kernel.ring import advance
from byteor.kernel.wait import ring

# A sender's block; behind it, for each gate, its address and its reader's bell (0: nobody blocks).
GATES, MASK, BYTES, CURSOR, SLOTS, SEEN, ENDED = range(0, 56, 8)
SENDER_HEAD, GATE_STRIDE = 56, 16
# A reader's block; behind it a part for each ring.
RINGS, TURN, READER_HEAD, RING_STRIDE = 0, 24, 32, 40
RING_CURSOR, RING_GATE, RING_SLOTS, RING_SEEN, RING_BELL = range(0, 40, 8)
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
    sequence = load_relaxed(load_relaxed(handle + CURSOR))  # its own word
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
    store_relaxed(handle + SEEN, lowest)
    return max(lowest + capacity - sequence, 0)  # a gate may say anything: it is another's word


@hot
def publish(handle, sequence):
    """Publish what lies before `sequence`, and ring who may sleep."""
    store_release(load_relaxed(handle + CURSOR), sequence)  # SYNC: pairs with `stock`, and with `news`
    for i in range(load_relaxed(handle + GATES)):
        ring((load_relaxed(handle + SENDER_HEAD + i * GATE_STRIDE + 8),))


@hot
def try_send(handle, record):
    """Send one record; False when there is no room."""
    size = load_relaxed(handle + BYTES)
    if bytes_of(record) != size:
        raise ValueError("the record is not of the lane's type")
    if room(handle) == 0:
        return False
    sequence = load_relaxed(load_relaxed(handle + CURSOR))  # its own word
    put(load_relaxed(handle + SLOTS) + (sequence & load_relaxed(handle + MASK)) * size, record)
    publish(handle, sequence + 1)
    return True


@hot
def try_send_many(handle, rows):
    """Send as many rows as there is room for; answer how many."""
    count = min(room(handle), len(rows))
    if count == 0:
        return 0
    size, mask = load_relaxed(handle + BYTES), load_relaxed(handle + MASK)
    if bytes_of(rows[0]) != size:
        raise ValueError("the records are not of the lane's type")
    slots = load_relaxed(handle + SLOTS)
    sequence = load_relaxed(load_relaxed(handle + CURSOR))  # its own word
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
    taken = load_relaxed(load_relaxed(part + RING_GATE))  # its own word
    count = load_relaxed(part + RING_SEEN) - taken
    if count > 0:
        return count
    seen = load_acquire(load_relaxed(part + RING_CURSOR))  # SYNC: pairs with the release of the cursor
    store_relaxed(part + RING_SEEN, seen)
    return seen - taken


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
    return 0


@hot
def try_receive(handle, record):
    """Receive one record into `record`; False when there is none."""
    size = load_relaxed(handle + BYTES)
    if bytes_of(record) != size:
        raise ValueError("the record is not of the lane's type")
    part = ready(handle)
    if part == 0:
        return False
    gate = load_relaxed(part + RING_GATE)
    taken = load_relaxed(gate)  # its own word
    get(record, load_relaxed(part + RING_SLOTS) + (taken & load_relaxed(handle + MASK)) * size)
    advance(gate, taken + 1, (load_relaxed(part + RING_BELL),))
    return True


@hot
def try_receive_many(handle, out):
    """Receive what one ring has into `out`; answer how many."""
    part = ready(handle) if len(out) > 0 else 0
    if part == 0:
        return 0
    size, mask = load_relaxed(handle + BYTES), load_relaxed(handle + MASK)
    if bytes_of(out[0]) != size:
        raise ValueError("the records are not of the lane's type")
    gate, slots = load_relaxed(part + RING_GATE), load_relaxed(part + RING_SLOTS)
    taken = load_relaxed(gate)  # its own word
    count = min(stock(part), len(out))
    for i in range(count):
        get(out[i], slots + ((taken + i) & mask) * size)
    advance(gate, taken + count, (load_relaxed(part + RING_BELL),))
    return count


Block = np.ndarray[Any, np.dtype[np.int64]]


def sender_block(
    mask: int, size: int, cursor: int, slots: int, seen: int, ended: int, gates: Sequence[int], bells: Sequence[int]
) -> Block:
    """The block of a sender's handle."""
    pairs = [word for pair in zip(gates, bells, strict=True) for word in pair]
    return np.array([len(gates), mask, size, cursor, slots, seen, ended, *pairs], np.int64)


def reader_block(mask: int, size: int, rings: Sequence[tuple[int, int, int, int, int]]) -> Block:
    """The block of a reader's handle; of each ring its cursor, gate, slots, what was seen, and its sender's bell."""
    return np.array([len(rings), mask, size, 0, *(word for one in rings for word in one)], np.int64)


def cut_sender(block: Block, ended: int) -> None:
    """Let a handle find no room any more; `ended` is the address of a word that is not 0."""
    block[ENDED // 8], block[SEEN // 8] = ended, np.iinfo(np.int64).min // 2


def cut_reader(block: Block) -> None:
    """Let a handle find no ring any more."""
    block[RINGS // 8] = 0
