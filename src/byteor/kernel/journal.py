"""A log of records in segments that are written over: one writer that never waits, readers at positions of their own.

Rule 1. A position is in bytes of the whole log; a record starts at a multiple of 8 and never crosses a segment.
Rule 2. A record is written behind the cursor, its head word last; it is there when the cursor has passed it.
Rule 3. `intent` says up to where bytes may be written over, before they are; it never goes back.
Rule 4. What was copied is judged by `intent` afterwards. Who was passed goes on at the oldest segment that is whole.
Rule 5. A successor goes on at the cursor: what a dead writer left behind it is written over.
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

NOTHING, PADDED, PASSED = -1, -2, -3  # answers of `take` that are no lengths
SEQUENCE, ORDER, DATA = RECORD_HEADER["sequence"], RECORD_HEADER["order"], RECORD_HEADER.bytes
COMMITTED, PADDING = RECORD_COMMITTED << 32, (RECORD_COMMITTED | RECORD_PADDING) << 32  # in the head word
_IS_PADDING = RECORD_PADDING << 32
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
def append(log, source, words):
    """Append the record at `source`, so many words with its header; answer the position behind it."""
    begin = load_relaxed(log.cursor)  # its own word
    rest = -begin % log.segment_bytes  # of a segment that has begun
    at = begin if 8 * words <= rest else begin + rest
    store_relaxed(log.intent, max(load_relaxed(log.intent), at + 8 * words))
    fence_release()  # SYNC: pairs with the fence in `take`: who reads a word written below sees this intent
    if at % log.segment_bytes == 0:
        if at > 0:
            end_segment(log, begin, rest)
        begin_segment(log, at, load_relaxed(source + SEQUENCE))
    copy_words(place_of(log, at) + 8, source + 8, words - 1)
    store_relaxed(place_of(log, at), load_relaxed(source))
    store_relaxed(log.sequence, load_relaxed(source + SEQUENCE) + 1)
    store_release(log.cursor, at + 8 * words)  # SYNC: pairs with the acquire in `take`
    return at + 8 * words


@hot
def count(log):
    """Records committed, counted from the first of the last segment: a dead writer may not have come to say so."""
    end = load_relaxed(log.cursor)
    if end == 0:
        return 0
    position = (end - 1) // log.segment_bytes * log.segment_bytes
    number = load_relaxed(row_of(log, position) + FIRST)
    while position < end:
        position += size_of(load_relaxed(place_of(log, position)))
        number += 1
    return number


@hot
def take(log, at, out):
    """Copy the record at the position in `at` to `out`, header first, and move the position behind it.

    Answers the length of its payload, or NOTHING. With PADDED it has moved to the next segment; with PASSED to the
    oldest one that is whole: what lies between was written over.
    """
    position = load_relaxed(at)  # its own word
    if position >= load_acquire(log.cursor):  # SYNC: pairs with the release in `append`
        return NOTHING
    copy_words(out, place_of(log, position), 1)
    head = load_relaxed(out)  # live, so read once: it is judged like the rest
    rest = log.segment_bytes - position % log.segment_bytes
    size = rest if head & _IS_PADDING else min(size_of(head), rest)
    copy_words(out + 8, place_of(log, position) + 8, 0 if head & _IS_PADDING else (size >> 3) - 1)
    fence_acquire()  # SYNC: pairs with the fence in `append`
    intent = load_relaxed(log.intent)
    if intent - position > log.segments * log.segment_bytes:
        oldest = (intent - 1) // log.segment_bytes - log.segments + 1
        store_relaxed(at, oldest * log.segment_bytes)
        return PASSED
    store_relaxed(at, position + size)
    return PADDED if head & _IS_PADDING else max(0, min(head & _LENGTH, size - DATA))
