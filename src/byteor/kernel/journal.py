"""A log of records in segments: one writer that never waits, readers at positions of their own.

Rule 1. A position is in bytes of the whole log; a record starts at a multiple of 8 and never crosses a segment.
Rule 2. A record is written behind the cursor, its head word last; it is there when the cursor has passed it.
Rule 3. `intent` says up to where bytes may be written over, before they are; it never goes back.
Rule 4. What was copied is judged by `intent` afterwards. Who was passed goes on at the oldest segment that is whole.
Rule 5. A successor goes on at the cursor: what a dead writer left behind it is written over.
Rule 6. Segments that are files of their own are logs of one segment each: nothing there is written over, and
        `intent` stays 0.
"""

from __future__ import annotations

from typing import NamedTuple

from byteor.abi.byteor_v1 import RECORD_COMMITTED, RECORD_HEADER, RECORD_PADDING, SEGMENT
from byteor.kernel.atomics import (
    fence_acquire,
    fence_release,
    load_acquire,
    load_relaxed,
    store_relaxed,
    store_release,
)
from byteor.kernel.hot import hot
from byteor.kernel.state import copy_words

NOTHING, PADDED, PASSED, DAMAGED = -1, -2, -3, -4  # answers of `take` that are no lengths
SEQUENCE, ORDER, DATA = RECORD_HEADER["sequence"], RECORD_HEADER["order"], RECORD_HEADER.bytes
COMMITTED, PADDING = RECORD_COMMITTED << 32, (RECORD_COMMITTED | RECORD_PADDING) << 32  # in the head word
_LENGTH = (1 << 32) - 1
NUMBER, FIRST, TAIL = SEGMENT["number"], SEGMENT["first"], SEGMENT["tail"]
ROW = SEGMENT.bytes


class Log(NamedTuple):
    """Where a journal lies: its words, its table of segments, its records, and how many segments of what length."""

    cursor: int
    sequence: int
    intent: int
    table: int
    records: int
    segments: int
    segment_bytes: int


@hot
def place_of(log, position):
    """The address of a position; within the log, whatever the position is."""
    return log.records + (position % (log.segments * log.segment_bytes) & -8)


@hot
def size_of(head):
    """The bytes of a record by its head word."""
    return DATA + ((head & _LENGTH) + 7 & -8)


@hot
def is_record(head, rest):
    """Whether this is the head of a record that fits what is left of its segment."""
    return head & ~_LENGTH == COMMITTED and size_of(head) <= rest


@hot
def is_padding(head, rest):
    """Whether this is the head of what fills the rest of a segment."""
    return head == PADDING | rest - 8


@hot
def row_of(log, position):
    """The row of the table for the segment of a position."""
    return log.table + ROW * (position // log.segment_bytes % log.segments)


@hot
def begin_segment(log, position, sequence):
    """Say what the segment that begins here holds; what lay in its place is gone."""
    store_relaxed(row_of(log, position) + NUMBER, position // log.segment_bytes)
    store_relaxed(row_of(log, position) + FIRST, sequence)
    store_relaxed(row_of(log, position) + TAIL, 0)


@hot
def end_segment(log, position, rest):
    """Fill the rest of a segment with padding, and say how much of it is used."""
    if rest > 0:
        store_relaxed(place_of(log, position), PADDING | rest - 8)
    store_relaxed(row_of(log, position - 1) + TAIL, log.segment_bytes - rest)


@hot
def begin_of(log, words):
    """Where a record of so many words goes: behind the cursor, or to the segment after that."""
    begin = load_relaxed(log.cursor)  # its own word
    rest = -begin % log.segment_bytes  # of a segment that has begun
    return begin if 8 * words <= rest else begin + rest


@hot
def write(last, log, at, source, words):
    """Write the record at `source` to where `begin_of` says, behind the cursor; answer the position behind it.

    It lies in `log`; where it begins a segment, the one before ends in `last`, which may be the same.
    """
    if at % log.segment_bytes == 0:
        if at > 0:
            begin = load_relaxed(log.cursor)  # its own word
            end_segment(last, begin, at - begin)
        begin_segment(log, at, load_relaxed(source + SEQUENCE))
    copy_words(place_of(log, at) + 8, source + 8, words - 1)
    store_relaxed(place_of(log, at), load_relaxed(source))
    store_relaxed(log.sequence, load_relaxed(source + SEQUENCE) + 1)
    return at + 8 * words


@hot
def commit(log, end):
    """Let all see what was written, up to `end`."""
    store_release(log.cursor, end)  # SYNC: pairs with the acquire in `read_at`


@hot
def append(log, source, words):
    """Append a record to a log that is written over; answer the position behind it."""
    at = begin_of(log, words)
    store_relaxed(log.intent, max(load_relaxed(log.intent), at + 8 * words))
    fence_release()  # SYNC: pairs with the fence in `read_at`: who reads a word written below sees this intent
    end = write(log, log, at, source, words)
    commit(log, end)
    return end


@hot
def extend(last, log, source, words):
    """Append a record to a log of files; answer the position behind it."""
    end = write(last, log, begin_of(log, words), source, words)
    commit(log, end)
    return end


@hot
def walk(log, position, end, number):
    """Walk the records of one segment up to `end`, from record `number` at `position`; stop at what is none.

    Answers where it stopped, and the number of the record that would be there.
    """
    while position < end:
        rest = log.segment_bytes - position % log.segment_bytes
        head = load_relaxed(place_of(log, position))
        if is_padding(head, rest):
            return position + rest, number
        if not is_record(head, rest):
            return position, number
        if load_relaxed(place_of(log, position) + SEQUENCE) != number:
            return position, number
        position += size_of(head)
        number += 1
    return position, number


@hot
def read_at(log, position, out):
    """Copy the record at a position to `out`, header first; answer what it is, and where to go on.

    It is the length of its payload, or NOTHING, or DAMAGED when what is there is no record. With PADDED one goes on in
    the next segment; with PASSED in the oldest one that is whole: what lies between was written over.
    """
    if position >= load_acquire(log.cursor):  # SYNC: pairs with the release in `commit`
        return NOTHING, position
    copy_words(out, place_of(log, position), 1)
    head = load_relaxed(out)  # live, so read once: it is judged like the rest
    rest = log.segment_bytes - position % log.segment_bytes
    size = rest if is_padding(head, rest) else min(size_of(head), rest)
    copy_words(out + 8, place_of(log, position) + 8, 0 if is_padding(head, rest) else (size >> 3) - 1)
    fence_acquire()  # SYNC: pairs with the fence in `append`
    intent = load_relaxed(log.intent)
    if intent - position > log.segments * log.segment_bytes:
        return PASSED, oldest(intent, log.segments, log.segment_bytes)
    if is_padding(head, rest):
        return PADDED, position + rest
    return (head & _LENGTH, position + size) if is_record(head, rest) else (DAMAGED, position)


@hot
def take(log, at, out):
    """Read at the position in the word at `at`, and move it to where to go on; answer what was read."""
    answer, position = read_at(log, load_relaxed(at), out)  # its own word
    store_relaxed(at, position)
    return answer


@hot
def oldest(intent, segments, segment_bytes):
    """Where the oldest segment begins that is whole, when bytes up to `intent` may be written over."""
    return max(0, (intent - 1) // segment_bytes - segments + 1) * segment_bytes
