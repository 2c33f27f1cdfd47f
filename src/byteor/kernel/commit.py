"""The commit of a role: what it did becomes true at once, and whoever takes over goes on exactly there.

Rule 1. Four steps, in this order: outputs into unpublished slots; the record, its epoch last: the commit; cursors
        and marks; gates. Killed before the second, nothing was seen; after it, the successor does the rest again.
Rule 2. Two buffers: the record of an epoch is written over only once the next one is out.
Rule 3. A word is stored only where it differs from what that buffer holds: most words of a record stay.
Rule 4. What a role sees of its neighbours is looked at in one order: `closed`, then marks, then cursors. So what a
        mark promises is behind the cursor, and with an end come the last mark and the last record.
Rule 5. What this actor stored in a cursor or a gate it remembers: to look there would fetch the line from a reader.
Rule 6. A role's own tables are private words, by address; neighbours' cells are reached through the addresses in them.
"""

from __future__ import annotations

from typing import NamedTuple

from byteor.abi.byteor_v1 import OWNED
from byteor.kernel.atomics import (
    fence_acquire,
    fence_release,
    fence_seq_cst,
    fetch_add,
    load_acquire,
    load_relaxed,
    spin_hint,
    store_relaxed,
    store_release,
)
from byteor.kernel.hot import hot, inlined
from byteor.kernel.plain import keep, own
from byteor.kernel.state import CONTENDED, copy_words
from byteor.kernel.system import futex_wake
from byteor.kernel.wait import ANNOUNCED

# The words of a record: a head, a position for each input, then four words for each output, then flat state.
EPOCH, ENDED, FILTERED, LATE, ROWS, LOGGED, TAKEN = range(0, 56, 8)
AT, FIELD, WORD, DROPPED, PUT = range(0, 40, 8)  # of an output; PUT is their length

# A row of the table of inputs: where its cells are, then what was last seen of it.
CURSOR, CLOSED, MARK, GATE, SLOTS, MASK, SIZE, ORDERS, NUMBERING, LANE, SEEN, END, SEEN_FIELD, SEEN_WORD = range(
    0, 112, 8
)
HEAD_FIELD, HEAD_WORD, HEAD = range(112, 136, 8)  # the key of its first record, or a bound; HEAD says which
GIVEN = 136  # what this actor stored in the gate
IN = 144

# A row of the table of outputs; the first eight are as above. READERS gates lie at GATE, a line apart.
READERS, ROOM, DROPS, STARTS = range(64, 96, 8)
OUT = 104
TOLD = 96  # what this actor stored in the cursor
INHERITS, FROM_INPUTS, FROM_RECORDS = range(3)  # of STARTS: order words are kept; or begin here, and whence the mark

GATE_LINE = OWNED.bytes  # from gate to gate


class Desk(NamedTuple):
    """What a role works with, all of it addresses and counts."""

    now: int  # its record, private
    told: int  # what the two buffers hold, private
    words: int  # of a record, without the log
    book: int  # the first buffer
    stride: int  # bytes to the second
    ins: int
    inputs: int
    outs: int
    outputs: int
    bells: int  # a table of the neighbours' bells
    ringing: int  # how many they are
    key_in: int  # offset of the field that orders in the records of inputs; -1 where they are in no order
    key_out: int  # and of outputs; -1 where none is ordered
    key_kind: int
    table: int  # keyed state: the rows worked on, private
    home: int  # and where they are kept
    row_words: int
    touched: int  # a table of the rows that this commit changed


@inlined
def taken(desk, i):
    """Where the position in input `i` stands."""
    return desk.now + TAKEN + 8 * i


@inlined
def put(desk, j):
    """Where the position in output `j` stands, with its mark and its drops behind it."""
    return desk.now + TAKEN + 8 * desk.inputs + PUT * j


@inlined
def least_gate(row):
    """The gate of the slowest reader of an output."""
    gate = own(row + GATE)
    lowest = load_acquire(gate)  # SYNC: pairs with the release in `release` of whoever reads
    for k in range(1, own(row + READERS)):
        lowest = min(lowest, load_acquire(gate + GATE_LINE * k))  # SYNC: as above
    return lowest


@inlined
def look_at_input(row):
    """See what is there; what a mark promises is behind the cursor seen after it."""
    keep(row + END, load_acquire(own(row + CLOSED)))  # SYNC: pairs with the release in `close_outputs`
    if own(row + MARK) != 0:
        keep(row + SEEN_FIELD, load_acquire(own(row + MARK)))  # SYNC: pairs with the field's release in `publish`
        keep(row + SEEN_WORD, load_acquire(own(row + MARK) + 8))  # SYNC: pairs with the word's, stored before it
    keep(row + SEEN, load_acquire(own(row + CURSOR)))  # SYNC: pairs with the cursor's release in `publish`


@inlined
def look_at_output(desk, j):
    """See what room there is."""
    row = desk.outs + OUT * j
    keep(row + ROOM, min(least_gate(row), own(put(desk, j))) + own(row + MASK) + 1)


@inlined
def look(desk):
    """See what every input brings, and what room every output has."""
    for i in range(desk.inputs):
        if own(desk.ins + IN * i + CURSOR) != 0:
            look_at_input(desk.ins + IN * i)
    for j in range(desk.outputs):
        if own(desk.outs + OUT * j + CURSOR) != 0:
            look_at_output(desk, j)


@inlined
def look_ahead(desk):
    """Look where what was seen is used up: no line is fetched from under a neighbour's next store for nothing.

    What depends on the newest there is, marks, choices, drops, is looked at whole.
    """
    if desk.key_out >= 0 or desk.inputs != 1 or desk.outputs != 1 or own(desk.outs + DROPS) != 0:
        look(desk)
        return
    if own(taken(desk, 0)) == own(desk.ins + SEEN) and own(desk.ins + CURSOR) != 0:
        look_at_input(desk.ins)
    if own(put(desk, 0)) == own(desk.outs + ROOM) and own(desk.outs + CURSOR) != 0:
        look_at_output(desk, 0)


@inlined
def log_rows(desk, buffer):
    """Write the rows of keyed state that changed behind the record's words."""
    at = buffer + 8 * desk.words
    for k in range(own(desk.now + LOGGED)):
        row = own(desk.touched + 8 * k)
        store_relaxed(at, row)
        copy_private(at + 8, desk.table + 8 * desk.row_words * row, desk.row_words)
        at += 8 * (desk.row_words + 1)


@inlined
def copy_private(to, source, words):
    """Copy private words to where others may look."""
    for i in range(words):
        store_relaxed(to + 8 * i, own(source + 8 * i))


@inlined
def say(now, told, buffer, begin, end):
    """Write the words of a record that differ from what its buffer holds."""
    for k in range(begin, end, 8):
        value = own(now + k)
        if own(told + k) != value:
            keep(told + k, value)
            store_relaxed(buffer + k, value)


@inlined
def differs(now, told):
    """Whether a word of the head does: rarely, and one test is cheaper than one for each."""
    bits = 0
    for k in range(ENDED, TAKEN, 8):
        bits |= own(now + k) ^ own(told + k)
    return bits != 0


@inlined
def commit(desk):
    """Write the record into the older buffer; its epoch makes it true."""
    epoch = own(desk.now) + 1
    buffer = desk.book + (epoch & 1) * desk.stride
    told = desk.told + (epoch & 1) * 8 * desk.words
    fence_release()  # SYNC: pairs with the fence in `read_record`: who reads a word stored below sees the epoch before
    if differs(desk.now, told):
        say(desk.now, told, buffer, ENDED, TAKEN)
    say(desk.now, told, buffer, TAKEN, 8 * desk.words)
    log_rows(desk, buffer)
    store_release(buffer, epoch)  # SYNC: pairs with the acquire in `recover`
    keep(desk.now, epoch)


@inlined
def publish(desk):
    """Let the readers see what was committed: the cursor, then the mark, its field last."""
    for j in range(desk.outputs):
        row, at = desk.outs + OUT * j, put(desk, j)
        if own(row + CURSOR) == 0:
            continue
        if own(row + TOLD) != own(at):
            keep(row + TOLD, own(at))
            store_release(own(row + CURSOR), own(at))  # SYNC: pairs with the acquire in `look_at_input`
        mark = own(row + MARK)
        if mark != 0:
            if load_relaxed(mark) != own(at + FIELD) or load_relaxed(mark + 8) != own(at + WORD):
                # Whoever sees the new field sees the new word; the old field with the new word is still a bound.
                store_release(mark + 8, own(at + WORD))  # SYNC: pairs with the acquire of the word
                store_release(mark, own(at + FIELD))  # SYNC: pairs with the acquire of the field


@hot
def bring_home(desk, buffer):
    """Copy the logged rows of a committed record to where keyed state is kept."""
    at = buffer + 8 * desk.words
    for _ in range(own(desk.now + LOGGED)):
        row = load_relaxed(at)
        copy_words(desk.home + 8 * desk.row_words * row, at + 8, desk.row_words)
        at += 8 * (desk.row_words + 1)


@inlined
def release(desk):
    """Give the slots that were taken back to their producers."""
    for i in range(desk.inputs):
        row, at = desk.ins + IN * i, own(taken(desk, i))
        if own(row + GIVEN) != at and own(row + GATE) != 0:
            keep(row + GIVEN, at)
            store_release(own(row + GATE), at)  # SYNC: pairs with the acquire in `least_gate`


@inlined
def ring_neighbours(desk):
    """Ring those that have announced that they may block."""
    if desk.ringing > 0:
        fence_seq_cst()  # SYNC: pairs with the fence in `doze`
        for k in range(desk.ringing):
            bell = own(desk.bells + 8 * k)
            if load_relaxed(bell + ANNOUNCED) != 0:
                fetch_add(bell, 1)
                futex_wake(bell, 1)


@inlined
def finish_commit(desk):
    """Do the third and the fourth step of the newest commit; to do them twice does no harm."""
    bring_home(desk, desk.book + (own(desk.now) & 1) * desk.stride)
    publish(desk)
    release(desk)
    ring_neighbours(desk)


@inlined
def settle(desk):
    """Commit what was done, and let everybody see it."""
    commit(desk)
    finish_commit(desk)
    keep(desk.now + LOGGED, 0)


@hot
def recover(desk):
    """Take a role up where its last commit left it; answer that commit's epoch, 0 when there was none."""
    epoch = 0
    for k in range(2):
        buffer, told = desk.book + k * desk.stride, desk.told + k * 8 * desk.words
        found = load_acquire(buffer)  # SYNC: pairs with the release in `commit`
        for at in range(8, 8 * desk.words, 8):
            keep(told + at, load_relaxed(buffer + at))
        epoch = max(epoch, found)
    if epoch > 0:
        keep(desk.now, epoch)
        for at in range(8, 8 * desk.words, 8):
            keep(desk.now + at, own(desk.told + (epoch & 1) * 8 * desk.words + at))
        finish_commit(desk)
        keep(desk.now + LOGGED, 0)
    return epoch


@hot
def read_record(book, stride, out, words, tries):
    """Copy the newest record to `out`; answer its epoch, 0 before the first, CONTENDED after so many tries.

    The role goes on meanwhile: it writes the copied buffer over only once the other one's epoch is out.
    """
    for _ in range(tries):
        one, other = load_acquire(book), load_acquire(book + stride)  # SYNC: pairs with the release in `commit`
        epoch = max(one, other)
        copy_words(out + 8, book + (epoch & 1) * stride + 8, words - 1)
        fence_acquire()  # SYNC: pairs with the release fence in `commit`
        if load_relaxed(book + (1 - (epoch & 1)) * stride) <= epoch:
            store_relaxed(out, epoch)
            return epoch
        spin_hint()
    return CONTENDED


@hot
def close_outputs(desk):
    """Say that nothing follows on any output."""
    for j in range(desk.outputs):
        if own(desk.outs + OUT * j + CURSOR) != 0:
            store_release(own(desk.outs + OUT * j + CLOSED), own(put(desk, j)))  # SYNC: pairs with `look_at_input`
    ring_neighbours(desk)


@inlined
def is_drained(desk):
    """Whether every input has ended, and all of it was taken."""
    for i in range(desk.inputs):
        if own(desk.ins + IN * i + END) != own(taken(desk, i)):  # which OPEN never is
            return False
    return True
