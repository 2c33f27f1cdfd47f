"""Mutants that change nothing a user could see, each with its argument.

Rule 1. An argument says why no schedule can tell the difference, not that none was found.
"""

_CLOSED = (
    "who finds the stream closed at its sequence has acquired all messages by its barrier; "
    "`closed` brings nothing but its own value"
)
_PACE = "how many turns are spun before the first sleep; any number is right"
_LINGER = "lingering looks at the same barrier again, and a barrier only grows: either answer is right"
_LIVE = (
    "where no ancestor filters `marks` is UNMARKED, and a cut batch is live throughout: "
    "the rows noted are all live, as they were set"
)
_ROUTED = "a row that its shard's cursor shows was routed before that cursor was released, so its route is there"
_BEHIND = (
    "readers look at nothing behind the cursor, which is released after all of these; "
    "the head word is last for who scans the bytes of a file"
)
_IN_PLACE = (
    "these two keep an announcement behind the one that was taken back; in the model stores to one word are in the "
    "order in which they are made, and the emitted code is held to both orders"
)
_OWN = "one of the two words, at least, is of a block that belongs to one end alone"
_ROW = "a row of the table is looked at by a successor alone, once the cursor has passed into its segment"
_BUFFER = "both lie in a buffer that nobody takes for true before its epoch"
_SCRATCH = "records that are made in scratch are copied to their slots: slower, and the same"
_UNLIKE = "the two are not equal here"
_REDONE = "the commit before them is all that counts: a successor does whatever of these is missing"

ARGUMENTS: dict[str, str] = {
    "ring: order weakened: fetch_add(bells[i], 1)": "a bell brings nothing but the news that it was rung",
    "wait_past: check dropped: if turns == 0 and available - sequence < waiter.linger": _LINGER,
    "wait_past: operand dropped: turns == 0 in turns == 0 and available - sequence < waiter.linger": _LINGER,
    "wait_past: bound moved: turns == 0 -> turns != 0": _LINGER,
    "wait_past: bound moved: available - sequence < waiter.linger -> available - sequence <= waiter.linger": _LINGER,
    "wait_past: operand dropped: turns > _SPINS in waiter.strategy == BLOCK and turns > _SPINS": _PACE,
    "wait_past: bound moved: turns > _SPINS -> turns >= _SPINS": _PACE,
    "wait_past: order weakened: load_acquire(waiter.closed)": _CLOSED,
    "block: order weakened: load_acquire(waiter.closed)": _CLOSED,
    "close: order weakened: store_release(closed, load_relaxed(cursor))": _CLOSED,
    "wait_news: operand dropped: turns > _SPINS in strategy == BLOCK and turns > _SPINS": _PACE,
    "wait_news: bound moved: turns > _SPINS -> turns >= _SPINS": _PACE,
    "make_source_loop.loop: check dropped: if piece == 1": "the loop around it does the same: one by one, only dearer",
    "make_message_loop.loop: operand dropped: not skips in not skips or not is_dead(dead, port.marks, slot + i)": (
        "where no ancestor filters `marks` is UNMARKED and no slot is dead; the test is there for the compiler"
    ),
    "make_batch_step.step: check forced: if told or keyed or masks": "`live` is scratch of the loop",
    "make_batch_step.step: check forced: if skips and told": _LIVE,
    "make_batch_step.step: operand dropped: skips in skips and told": _LIVE,
    "make_batch_step.step: operand dropped: told in skips and told": _LIVE,
    "make_batch_step.step: check forced: if masks": "a form without masks answers None",
    "gather: stores swapped: store_release(routes.gathered, place) <-> ring(bells)": (
        "the ingress waits for gates, which are stored before either; `gathered` is for the egress itself"
    ),
    "gather: order weakened: store_release(routes.gathered, place)": "only the egress itself reads it",
    "gather: operand dropped: place < routed in at[shard] < available and place < routed and (count < len(out))": (
        _ROUTED
    ),
    "gather: bound moved: place < routed -> place <= routed #2": _ROUTED,
    "gather: operand dropped: place == start in available == at[shard] and place == start": (
        "it waits with rows in hand, for a row that is in a ring already and needs nothing from the egress: "
        "later, but never for ever"
    ),
    "wait_change: operand dropped: turns > _SPINS in strategy == BLOCK and turns > _SPINS": _PACE,
    "wait_change: bound moved: turns > _SPINS -> turns >= _SPINS": _PACE,
    "publish: stores swapped: store_relaxed(handle + NEXT, sequence) <-> "
    "store_release(load_relaxed(handle + CURSOR), sequence)": _OWN,
    "take: stores swapped: store_relaxed(part + RING_TAKEN, sequence) <-> store_relaxed(handle + OUT, part)": _OWN,
    "give_back: stores swapped: store_relaxed(handle + OUT, 0) <-> advance(load_relaxed(part + RING_GATE), "
    "load_relaxed(part + RING_TAKEN), (load_relaxed(part + RING_BELL),))": _OWN,
    "try_put: stores swapped: store_relaxed(buffer + STAMP, now_ns()) <-> store_relaxed(buffer + LENGTH, size)": _OWN,
    "try_append: stores swapped: store_relaxed(source, COMMITTED | size) <-> "
    "store_relaxed(source + SEQUENCE, number)": _OWN,
    "taken: stores swapped: store_relaxed(number, found + 1) <-> "
    "store_relaxed(load_relaxed(handle + AT), behind)": _OWN,
    "ring_all: order weakened: fetch_add(bell, 1)": _IN_PLACE,
    "doze: order weakened: load_acquire(bell)": _IN_PLACE,
    "write: stores swapped: copy_words(place_of(log, at) + 8, source + 8, words - 1) <-> "
    "store_relaxed(place_of(log, at), load_relaxed(source))": _BEHIND,
    "write: stores swapped: store_relaxed(place_of(log, at), load_relaxed(source)) <-> "
    "store_relaxed(log.sequence, load_relaxed(source + SEQUENCE) + 1)": _BEHIND,
    "begin_segment: stores swapped: store_relaxed(row_of(log, position) + NUMBER, position // log.segment_bytes) <-> "
    "store_relaxed(row_of(log, position) + FIRST, sequence)": _ROW,
    "begin_segment: stores swapped: store_relaxed(row_of(log, position) + FIRST, sequence) <-> "
    "store_relaxed(row_of(log, position) + TAIL, 0)": _ROW,
    "recover: order weakened: load_acquire(buffer)": (
        "who takes a role up has won the lock of the one before, and by it knows all that that one did"
    ),
    "finish_commit: stores swapped: bring_home(desk, desk.book + (own(desk.now) & 1) * desk.stride) <-> "
    "publish(desk)": _REDONE,
    "finish_commit: stores swapped: publish(desk) <-> release(desk)": _REDONE,
    "ring_neighbours: order weakened: fetch_add(bell, 1)": "a bell brings nothing but the news that it was rung",
    "publish: stores swapped: store_release(mark + 8, own(at + WORD)) <-> store_release(mark, own(at + FIELD))": (
        "order words do not fall where fields rise, so either half of a mark with an older other half is a bound"
    ),
    "commit: check forced: if differs(desk.now, told)": "each word is compared anyway",
    "make_message_work.work: check dropped: if not keyed and desk.key_out < 0 and (drops == 0)": (
        "the way for all does the same, slower"
    ),
    "is_below: bound moved: own(one + HEAD_FIELD) < own(other + HEAD_FIELD) -> "
    "own(one + HEAD_FIELD) <= own(other + HEAD_FIELD)": _UNLIKE,
    "is_below: bound moved: own(one + HEAD_WORD) < own(other + HEAD_WORD) -> "
    "own(one + HEAD_WORD) <= own(other + HEAD_WORD)": _UNLIKE,
    "is_below: bound moved: own(one + NUMBERING) < own(other + NUMBERING) -> "
    "own(one + NUMBERING) <= own(other + NUMBERING)": _UNLIKE,
    "is_below: bound moved: own(one + LANE) < own(other + LANE) -> own(one + LANE) <= own(other + LANE)": (
        "two inputs are never of one lane"
    ),
    "pick_in_order: check forced: if last == NONE": "heads that did not move are noted again, as they were",
    "make_giving_work.work: bound moved: (to & out_mask) + high <= out_mask + 1 -> "
    "(to & out_mask) + high < out_mask + 1": _SCRATCH,
    "make_giving_work.work: bound moved: out_mask + 1 -> out_mask": _SCRATCH,
    "make_giving_batch_work.work: bound moved: span(desk) >= high -> span(desk) > high": _SCRATCH,
    "make_batch_work.work: check forced: if masks": "a form without masks answers None, and all its records are kept",
    "put_row: check forced: if base != slots or k != slot": "a row that is copied to where it lies is as it was",
    "feed_piece: check dropped: if not full and desk.key_out < 0": "the way for all does the same, slower",
    "raise_marks: check dropped: if desk.key_out < 0": (
        "an output in no order has no mark that could rise; the test saves looking at heads"
    ),
    "make_message_work.run: check forced: if filters": "a stage that may not filter has taken nothing out",
    "commit: stores swapped: say(desk.now, told, buffer, TAKEN, 8 * desk.words) <-> log_rows(desk, buffer)": _BUFFER,
    "log_rows: stores swapped: store_relaxed(at, row) <-> "
    "copy_private(at + 8, desk.table + 8 * desk.row_words * row, desk.row_words)": _BUFFER,
    "await_mail: operand dropped: turns > _SPINS in waiter.strategy == BLOCK and turns > _SPINS": _PACE,
    "await_mail: bound moved: turns > _SPINS -> turns >= _SPINS": _PACE,
    "await_credit: operand dropped: turns > _SPINS in waiter.strategy == BLOCK and turns > _SPINS": _PACE,
    "await_credit: bound moved: turns > _SPINS -> turns >= _SPINS": _PACE,
    "wait_change: operand dropped: turns > _SPINS in waiter.strategy == BLOCK and turns > _SPINS": _PACE,
}
