"""The compiled ends of states and journals: called from anybody's compiled code with a handle, an integer.

Rule 1. A handle is the address of a private block that Python filled; it belongs to one thread at a time.
Rule 2. Nothing here waits. What needs Python is answered by value: a new segment, a gap, damage.
Rule 3. Records are moved as bytes: their length is compared here, their type was when the lane was opened.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from byteor.kernel.atomics import load_relaxed, store_relaxed
from byteor.kernel.ends import Block as Block
from byteor.kernel.ends import bytes_of, get, put
from byteor.kernel.hot import anywhere, hot
from byteor.kernel.journal import (
    COMMITTED,
    DATA,
    PADDED,
    SEQUENCE,
    Log,
    append,
    begin_of,
    extend,
    read_at,
)
from byteor.kernel.lanes import ring_all
from byteor.kernel.state import DATA as VALUE
from byteor.kernel.state import HEAD, LENGTH, STAMP, Place
from byteor.kernel.state import get as get_latest
from byteor.kernel.state import put as put_latest
from byteor.kernel.system import now_ns

# Of a state: where it lies, the bytes of a value, the bell (0: nobody blocks), and a buffer for one value.
PLACE, BYTES, BELL, ALIVE, BUFFER = 0, 40, 48, 56, 64
# Of a journal: where its segment lies, what this end keeps, and the buffer for one record.
LOG, SIZE, OUR_BELL, HERE, RECORD, NUMBER, AT, GATE, FILE = 0, 56, 64, 72, 80, 88, 96, 104, 112
JOURNAL_WORDS = 15
AROUND = -1  # in FILE, of a log that is written over; else the number of the segment that is open
NEEDS_PYTHON = -1


@hot
def place_at(handle):
    """Where the state lies."""
    return Place(
        load_relaxed(handle),
        load_relaxed(handle + 8),
        load_relaxed(handle + 16),
        load_relaxed(handle + 24),
        load_relaxed(handle + 32),
    )


@hot
def log_at(handle):
    """Where the journal's segment lies."""
    return Log(
        load_relaxed(handle),
        load_relaxed(handle + 8),
        load_relaxed(handle + 16),
        load_relaxed(handle + 24),
        load_relaxed(handle + 32),
        load_relaxed(handle + 40),
        load_relaxed(handle + 48),
    )


@hot
def held_to(record, size):
    """Refuse a record that is not of the lane's type."""
    if bytes_of(record) != size:
        raise ValueError("the record is not of the lane's type")


@anywhere
def try_put(handle, record):
    """Make this the latest value; False when this writer has left."""
    size = load_relaxed(handle + BYTES)
    held_to(record, size)
    if load_relaxed(handle + ALIVE) == 0:
        return False
    buffer = handle + BUFFER
    store_relaxed(buffer + STAMP, now_ns())
    store_relaxed(buffer + LENGTH, size)
    put(buffer + VALUE, record)
    put_latest(place_at(handle), buffer, HEAD + (size + 7 >> 3))
    if load_relaxed(handle + BELL) != 0:
        ring_all(load_relaxed(handle + BELL))
    return True


@anywhere
def try_get(handle, record, tries):
    """Copy the latest value into `record`; answer its number, 0 when there is none, -1 when every look was passed."""
    held_to(record, load_relaxed(handle + BYTES))
    number = get_latest(place_at(handle), handle + BUFFER, tries)
    if number > 0:
        get(record, handle + BUFFER + VALUE)
    return number


@anywhere
def try_append(handle, record):
    """Append a record; False when Python has to append it, because a file begins or this writer has left."""
    size = load_relaxed(handle + SIZE)
    held_to(record, size)
    log, words = log_at(handle), DATA + size + 7 >> 3
    begin = begin_of(log, words)
    file, source = load_relaxed(handle + FILE), load_relaxed(handle + RECORD)
    if load_relaxed(handle + HERE) == 0 or (file != AROUND and not within(log, begin, file)):
        return False
    number = load_relaxed(load_relaxed(handle + NUMBER))
    store_relaxed(source, COMMITTED | size)
    store_relaxed(source + SEQUENCE, number)
    put(source + DATA, record)
    if file == AROUND:
        append(log, source, words)
    else:
        extend(log, log, source, words)
    store_relaxed(load_relaxed(handle + NUMBER), number + 1)
    if load_relaxed(handle + OUR_BELL) != 0:
        ring_all(load_relaxed(handle + OUR_BELL))
    return True


@hot
def within(log, position, file):
    """Whether a position is in a segment's file, and not its beginning."""
    return position // log.segment_bytes == file and position % log.segment_bytes != 0


@anywhere
def try_take(handle, record, tries):
    """Copy the next record into `record`; 1, or 0 when there is none now, or -1 when Python has to look.

    Python has to look where records are missing, where the next file begins, and where what is there is no record.
    """
    held_to(record, load_relaxed(handle + SIZE))
    at, log, file = load_relaxed(handle + AT), log_at(handle), load_relaxed(handle + FILE)
    for _ in range(tries):
        position = load_relaxed(at)  # its own word
        if load_relaxed(handle + HERE) == 0 or position >= load_relaxed(log.cursor):
            return 0
        if file != AROUND and position // log.segment_bytes != file:
            return NEEDS_PYTHON
        length, behind = read_at(log, position, load_relaxed(handle + RECORD))
        if length != PADDED:
            return taken(handle, record, length, behind)
        store_relaxed(at, behind)
    return NEEDS_PYTHON


@hot
def taken(handle, record, length, behind):
    """Give what was read to the caller, and go on, when it is the record that was to come."""
    source, number = load_relaxed(handle + RECORD), load_relaxed(handle + NUMBER)
    found = load_relaxed(source + SEQUENCE)
    if length != load_relaxed(handle + SIZE) or found != load_relaxed(number):
        return NEEDS_PYTHON
    get(record, source + DATA)
    store_relaxed(number, found + 1)
    store_relaxed(load_relaxed(handle + AT), behind)
    if load_relaxed(handle + GATE) != 0:
        store_relaxed(load_relaxed(handle + GATE), behind)  # who comes back to it is behind the lock
    return 1


def state_block(place: Place, size: int, bell: int) -> Block:
    """The block of an end of a state."""
    return np.array([*place, size, bell, 1, *[0] * place.words], np.int64)


def journal_block(
    log: Sequence[int], size: int, bell: int, record: int, number: int, at: int, gate: int, file: int
) -> Block:
    """The block of an end of a journal: addresses, but for the length of a record and the file's number."""
    return np.array([*log, size, bell, 1, record, number, at, gate, file], np.int64)


def turn(block: Block, log: Sequence[int], file: int) -> None:
    """Let a journal's end go on in another segment."""
    block[: len(log)], block[FILE // 8] = log, file


def cut(block: Block, here: int) -> None:
    """Let a handle do nothing any more; `here` is ALIVE or HERE."""
    block[here // 8] = 0
