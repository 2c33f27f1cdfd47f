"""P10: what it costs to commit: a source, a relay and an egress over two lanes, beside the same lanes bare.

Rule 1. Both sides copy each record twice and change it once; only one of them writes records, and looks for more.
Rule 2. Three threads are what is run, the relay on a core of its own. One thread that steps all three counts
        instructions, and no line that travels.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np

from bench import machine
from bench.harness import Clock, Contender, Effort, Took, measure, ratios
from bench.results import Family
from byteor.backings.mem import lines
from byteor.kernel import commit as c
from byteor.kernel import feed, steps, turns
from byteor.kernel.atomics import load_acquire, store_release
from byteor.kernel.hot import inlined
from byteor.kernel.plain import keep, own, view
from byteor.kernel.wait import BACKOFF, idle
from byteor.testing.desks import Desk, Lane, Space, book

ROW = np.dtype([("a", "<i8"), ("b", "<i8", (7,))])
CAPACITY = 4096
LIMITS = (1, 16, 256)
LEAST = 100_000

rows_at = view(ROW)


@inlined
def change(record, out, src, live, index, state, p):
    record.a += 1


@inlined
def no_row(keys, slot):
    return 0


relay_work = steps.make_message_work(rows_at, rows_at, change, no_row, steps.Form())


@inlined
def add_up(desk, total, limit):
    """The work of the egress: a sum, and no output."""
    at, mask = own(c.taken(desk, 0)), own(desk.ins + c.MASK)
    n = min(own(desk.ins + c.SEEN) - at, limit)
    if n == 0:
        return turns.STARVED
    rows = rows_at(own(desk.ins + c.SLOTS), mask + 1)
    for k in range(n):
        total[0] += rows[(at + k) & mask].a
    keep(c.taken(desk, 0), at + n)
    return turns.MOVED


@inlined
def feed_some(desk, what, n):
    """Put up to `n` rows, the same ones each time, and settle; answer how many."""
    c.look_ahead(desk)
    n = feed.feed_piece(desk, what, 0, n)
    if n > 0:
        keep(what.counter, own(what.counter) + n)
        c.settle(desk)
    return n


@inlined
def turn(work, desk, tools, limit):
    """One turn of a role; answer whether it moved."""
    c.look_ahead(desk)
    moved = work(desk, tools, limit) == turns.MOVED
    if moved:
        c.settle(desk)
    return moved


def committed(work: Any) -> Any:
    """A role that takes `n` records, turn by turn."""

    @numba.njit(nogil=True)
    def run(desk, tools, n, limit):
        end, pauses = own(c.taken(desk, 0)) + n, 0
        while own(c.taken(desk, 0)) < end:
            pauses = 0 if turn(work, desk, tools, limit) else idle(pauses, BACKOFF)

    return run


relay, egress = committed(relay_work), committed(add_up)


@numba.njit(nogil=True)
def source(desk, what, n, limit):
    pauses = 0
    while n > 0:
        done = feed_some(desk, what, min(n, limit))
        pauses = 0 if done else idle(pauses, BACKOFF)
        n -= done


@numba.njit(nogil=True)
def stepped(first, what, second, bench, third, total, n, limit):
    """All three roles in one thread."""
    while n > 0:
        n -= feed_some(first, what, min(n, limit))
        turn(relay_work, second, bench, limit)
        turn(add_up, third, total, limit)


# The same lanes bare: positions are in registers, and nothing else is written


@inlined
def bare_feed(cursor, gate, slots, rows, at, n):
    n = min(n, load_acquire(gate) + len(slots) - at)
    for k in range(n):
        slots[(at + k) & (len(slots) - 1)] = rows[k]
    if n > 0:
        store_release(cursor, at + n)
    return n


@inlined
def bare_relay(cursor, gate, slots, to_cursor, to_gate, to, at, limit):
    n = min(min(load_acquire(cursor), at + limit), load_acquire(to_gate) + len(to)) - at
    for k in range(n):
        slot = (at + k) & (len(to) - 1)
        to[slot] = slots[(at + k) & (len(slots) - 1)]
        change(to[slot], 0, 0, 0, 0, 0, 0)
    if n > 0:
        store_release(to_cursor, at + n)
        store_release(gate, at + n)
    return n


@inlined
def bare_sum(cursor, gate, slots, total, at, limit):
    n = min(load_acquire(cursor) - at, limit)
    for k in range(n):
        total[0] += slots[(at + k) & (len(slots) - 1)].a
    if n > 0:
        store_release(gate, at + n)
    return n


@numba.njit(nogil=True)
def bare_source(cursor, gate, slots, rows, at, n, limit):
    end, pauses = at + n, 0
    while at < end:
        done = bare_feed(cursor, gate, slots, rows, at, min(limit, end - at))
        pauses = 0 if done else idle(pauses, BACKOFF)
        at += done


@numba.njit(nogil=True)
def bare_middle(cursor, gate, slots, to_cursor, to_gate, to, at, n, limit):
    end, pauses = at + n, 0
    while at < end:
        done = bare_relay(cursor, gate, slots, to_cursor, to_gate, to, at, limit)
        pauses = 0 if done else idle(pauses, BACKOFF)
        at += done


@numba.njit(nogil=True)
def bare_egress(cursor, gate, slots, total, at, n, limit):
    end, pauses = at + n, 0
    while at < end:
        done = bare_sum(cursor, gate, slots, total, at, limit)
        pauses = 0 if done else idle(pauses, BACKOFF)
        at += done


@numba.njit(nogil=True)
def bare_stepped(cursor, gate, slots, to_cursor, to_gate, to, rows, total, at, n, limit):
    end, second, third = at + n, at, at
    while at < end:
        at += bare_feed(cursor, gate, slots, rows, at, min(limit, end - at))
        second += bare_relay(cursor, gate, slots, to_cursor, to_gate, to, second, limit)
        third += bare_sum(to_cursor, to_gate, to, total, third, limit)


class Lanes:
    """Two lanes, three roles, and how often all was done."""

    def __init__(self) -> None:
        space = Space(lines(4 << 20))
        self.up, self.down = Lane(space, CAPACITY, ROW), Lane(space, CAPACITY, ROW)
        books = book(space, [], [self.up]), book(space, [self.up], [self.down]), book(space, [self.down], [])
        self.desks = [Desk(one) for one in books]
        self.rows, self.total, self.at = np.zeros(max(LIMITS), ROW), np.zeros(1, np.int64), 0
        counter = self.desks[0].now[self.desks[0].taken :].ctypes.data
        self.what = feed.Feed(self.rows.ctypes.data, ROW.itemsize, counter, 0, 0)
        one, none, lives = np.zeros(1, ROW), np.zeros(1, np.int64), np.zeros(1, np.bool_)
        self.bench = steps.Bench(one, none, one, 0, 0, 0, 0, books[1].stats, lives, none, none)

    def roles(self, n: int, limit: int) -> list[tuple[Any, tuple[Any, ...]]]:
        """The three roles, each with what it is called with."""
        first, second, third = (desk.hot for desk in self.desks)
        return [
            (source, (first, self.what, n, limit)),
            (relay, (second, self.bench, n, limit)),
            (egress, (third, self.total, n, limit)),
        ]

    def bare(self, n: int, limit: int) -> list[tuple[Any, tuple[Any, ...]]]:
        """The same without records."""
        up, down = self._words(self.up), self._words(self.down)
        return [
            (bare_source, (*up, self.rows, self.at, n, limit)),
            (bare_middle, (*up, *down, self.at, n, limit)),
            (bare_egress, (*down, self.total, self.at, n, limit)),
        ]

    def roles_stepped(self, n: int, limit: int) -> list[tuple[Any, tuple[Any, ...]]]:
        first, second, third = (desk.hot for desk in self.desks)
        return [(stepped, (first, self.what, second, self.bench, third, self.total, n, limit))]

    def bare_stepped(self, n: int, limit: int) -> list[tuple[Any, tuple[Any, ...]]]:
        words = *self._words(self.up), *self._words(self.down)
        return [(bare_stepped, (*words, self.rows, self.total, self.at, n, limit))]

    def _words(self, lane: Lane) -> tuple[Any, ...]:
        return lane.cursor.ctypes.data, lane.gate.ctypes.data, lane.slots


def measured(effort: Effort) -> Family:
    """Measure each limit, in three threads and in one."""
    family = Family(
        "P10",
        "What a commit costs",
        f"A source, a relay and an egress over lanes of {CAPACITY:,} records of 64 bytes: each commits a record of its "
        "progress, after at most so many messages; beside the same lanes bare.",
    )
    for limit in LIMITS[-1:] if effort.tiny else LIMITS:
        _compare(family, f"threads, {limit}", limit, effort, Lanes.roles, Lanes.bare, limit >= 16)
        _compare(family, f"one thread, {limit}", limit, effort, Lanes.roles_stepped, Lanes.bare_stepped, False)
    return family


Bodies = Callable[[Lanes, int, int], Sequence[tuple[Any, tuple[Any, ...]]]]


def _compare(family: Family, case: str, limit: int, effort: Effort, ours: Bodies, bare: Bodies, goal: bool) -> None:
    contenders = [_contender("roles", limit, ours), _contender("bare lanes", limit, bare)]
    found = measure(contenders, effort)
    for series in found.values():
        family.rate(case, series)
    shares = ratios(found["roles"], found["bare lanes"])
    if goal:
        family.at_least(f"P10 {case}", 0.9, shares, "a commit writes, and a turn looks at, more than two words")
    else:
        family.value(case, "roles over bare", "×", shares)


def _contender(name: str, limit: int, bodies: Bodies) -> Contender:
    lanes = Lanes()

    def one(n: int) -> Took:
        before = lanes.total[0]
        with Clock() as clock:
            _together(bodies(lanes, n, limit))
        lanes.at += n
        assert lanes.total[0] - before == n, "not every record came once, changed once"
        return clock.took

    return Contender(name, one, max(LIMITS), LEAST // max(LIMITS))


def _together(bodies: Sequence[tuple[Any, tuple[Any, ...]]]) -> None:
    """Run all but the last in threads of their own, the last one here; the relay has a core that the ends share not."""
    threads = [threading.Thread(target=function, args=args) for function, args in bodies[:-1]]
    for thread in threads:
        thread.start()
    source, *relays = [thread.native_id for thread in threads if thread.native_id] or [0]
    machine.pin([0, *relays])
    machine.pin([source])
    function, args = bodies[-1]
    function(*args)
    for thread in threads:
        thread.join()
