"""The order of records before a merge: keys, marks, and which input comes first.

Rule 1. A key is (field, numbering, order word, lane, sequence); numbers count for the whole plant.
Rule 2. A mark is a lower bound: nothing later on its lane is below it. It permits output, it never orders any.
Rule 3. An empty input counts as its mark; where a mark is the least, nothing can be taken. One that has ended
        counts for nothing, until all have: then the highest of their marks is what is left to say.
Rule 4. A role raises its marks at every commit, also when it sends nothing, and commits when only a mark rose.
"""

from __future__ import annotations

from byteor.kernel.commit import (
    END,
    FIELD,
    FROM_RECORDS,
    HEAD,
    HEAD_FIELD,
    HEAD_WORD,
    IN,
    LANE,
    MARK,
    MASK,
    NUMBERING,
    ORDERS,
    OUT,
    SEEN,
    SEEN_FIELD,
    SEEN_WORD,
    SIZE,
    SLOTS,
    STARTS,
    WORD,
    put,
    taken,
)
from byteor.kernel.hot import inlined
from byteor.kernel.plain import keep, own, peek, row_word

LOWEST = -(2**63)  # the field of a mark that says nothing yet
GONE, BOUND, RECORD = -1, 0, 1  # what a head is: the last mark of an input that has ended; a mark; a record's key


@inlined
def order_word(row, at):
    """The order word of a record of an input."""
    if own(row + ORDERS) == 0:
        return at  # words begin on this lane: they are its sequence
    return row_word(own(row + ORDERS), at & own(row + MASK))


@inlined
def note_head(desk, i):
    """Note the key of what input `i` brings next: of its first record, or the bound on what will come."""
    row, at = desk.ins + IN * i, own(taken(desk, i))
    if at < own(row + SEEN):
        slot = at & own(row + MASK)
        keep(row + HEAD_FIELD, peek(own(row + SLOTS), slot, own(row + SIZE), desk.key_in, desk.key_kind))
        keep(row + HEAD_WORD, order_word(row, at))
        keep(row + HEAD, RECORD)
    else:
        keep(row + HEAD_FIELD, own(row + SEEN_FIELD))
        keep(row + HEAD_WORD, own(row + SEEN_WORD))
        keep(row + HEAD, GONE if own(row + END) == at else BOUND)


@inlined
def is_below(one, other):
    """Whether the key of one input's head is below that of another's."""
    if own(one + HEAD_FIELD) != own(other + HEAD_FIELD):
        return own(one + HEAD_FIELD) < own(other + HEAD_FIELD)
    if own(one + NUMBERING) != own(other + NUMBERING):
        return own(one + NUMBERING) < own(other + NUMBERING)
    if own(one + HEAD_WORD) != own(other + HEAD_WORD):
        return own(one + HEAD_WORD) < own(other + HEAD_WORD)
    return own(one + LANE) < own(other + LANE)


@inlined
def is_before(one, other):
    """Whether the head of one input comes before that of another; what has ended comes last, the highest mark first."""
    if own(one + HEAD) != GONE and own(other + HEAD) != GONE:
        return is_below(one, other)
    if own(one + HEAD) == own(other + HEAD):
        return is_below(other, one)
    return own(other + HEAD) == GONE


@inlined
def first_input(desk):
    """The input whose head comes first."""
    first = 0
    for i in range(1, desk.inputs):
        if is_before(desk.ins + IN * i, desk.ins + IN * first):
            first = i
    return first


@inlined
def raise_marks(desk):
    """Raise the marks of all outputs to the least that an input can bring; answer whether one rose."""
    if desk.key_out < 0:
        return False
    if desk.key_in >= 0:
        for i in range(desk.inputs):
            note_head(desk, i)
    first = desk.ins + IN * first_input(desk)
    rose = False
    for j in range(desk.outputs):
        row, at = desk.outs + OUT * j, put(desk, j)
        if own(row + MARK) != 0:
            starts = own(row + STARTS)
            field = own(at + FIELD) if starts == FROM_RECORDS else own(first + HEAD_FIELD)
            word = own(at) if starts != 0 else own(first + HEAD_WORD)
            if field > own(at + FIELD) or (field == own(at + FIELD) and word > own(at + WORD)):
                keep(at + FIELD, field)
                keep(at + WORD, word)
                rose = True
    return rose
