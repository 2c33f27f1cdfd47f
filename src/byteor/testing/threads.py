"""Litmus tests on the machine itself: the compiled functions, two threads, every outcome counted.

Rule 1. Threads meet before each batch of places, and keep up with each other within it by relaxed words
        that order nothing.
Rule 2. An outcome that was not seen proves nothing; one that was seen shows what the machine does.
"""

from __future__ import annotations

import functools
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

from byteor.abi.byteor_v1 import OPEN
from byteor.kernel.atomics import load_acquire, load_relaxed, store_relaxed, store_release
from byteor.kernel.hot import hot, waiting
from byteor.kernel.ring import UNMARKED, collect, send
from byteor.kernel.wait import FOREVER, NOBODY, YIELD, Waiter, idle
from byteor.testing.litmus import LITMUS, SPAN, Litmus, Outcome

PROGRESS = 64  # of the words by which two sides meet, where the second one lies
BATCH, PATIENCE = 256, 64  # places between two meetings; looks at where the other is, before each place

ROW = np.dtype([("a", "<i8"), ("b", "<i8")])


@hot
def meet(mine: Any, theirs: Any, step: Any) -> None:
    """Wait until both are at this step."""
    store_release(mine, step)  # SYNC: pairs with the acquire of the other side, below
    turns = 0
    while load_acquire(theirs) < step:
        turns = idle(turns, YIELD)


@hot
def keep_up(mine: Any, theirs: Any, at: Any) -> None:
    """Say where one is and wait a little for the other; nothing is ordered by it."""
    store_relaxed(mine, at)
    turns = 0
    while turns < PATIENCE and load_relaxed(theirs) < at:
        turns += 1


@hot
def nothing(which: Any, at: Any) -> Any:
    return 0


def chain(bodies: tuple[Any, ...]) -> Any:
    """One function that does what the body of this number does: compiled once for all tests."""
    if not bodies:
        return nothing
    first, rest = bodies[0], chain(bodies[1:])

    @hot
    def one_of(which: Any, at: Any) -> Any:
        return first(at) if which == 0 else rest(which - 1, at)

    return one_of


def make_side(bodies: tuple[Any, ...]) -> Any:
    """The loop of one side: it runs its body at every place of a batch, then tidies its own words up."""
    do = chain(bodies)

    @hot
    def side(mine: Any, theirs: Any, base: Any, out: Any, which: Any, resets: Any, reads: Any) -> None:
        step = first = 0
        while first < len(out):
            n = min(BATCH, len(out) - first)
            step += 1
            meet(mine, theirs, step)
            for i in range(n):
                keep_up(mine + PROGRESS, theirs + PROGRESS, first + i)
                out[first + i] = do(which, base + i * SPAN)
            step += 1
            meet(mine, theirs, step)
            for i in range(n):
                if reads >= 0:
                    out[first + i] = load_relaxed(base + i * SPAN + reads)
            step += 1
            meet(mine, theirs, step)
            for i in range(n):
                for k in range(len(resets)):
                    store_relaxed(base + i * SPAN + resets[k], 0)
            first += n

    return side


@functools.cache
def _side() -> tuple[Any, tuple[Any, ...]]:
    bodies = tuple(side.body for test in LITMUS for side in (test.left, test.right))
    return waiting(make_side(bodies)), bodies


def run(test: Litmus, rounds: int) -> Counter[Outcome]:
    """Count the outcomes of this many rounds."""
    words = _words(2 + BATCH)
    one, other, base = (_address(words) + SPAN * i for i in range(3))
    outs = [np.zeros(rounds, np.uint8) for _ in range(2)]
    loop, bodies = _side()
    left, right = ((bodies.index(s.body), s.resets, s.reads) for s in (test.left, test.right))
    _both((loop, (one, other, base, outs[0], *left)), (loop, (other, one, base, outs[1], *right)))
    pairs, counts = np.unique(np.stack(outs), axis=1, return_counts=True)
    return Counter({(int(a), int(b)): int(n) for (a, b), n in zip(pairs.T, counts, strict=True)})


@hot
def take_all(cells: Any, gate: Any, slots: Any, dead: Any, got: Any, waiter: Any) -> None:
    """Collect until the array is full."""
    taken = 0
    while taken < len(got):
        taken += collect(cells, gate, slots, dead, UNMARKED, got[taken:], waiter, NOBODY)


def handover(rounds: int, capacity: int = 64) -> Counter[str]:
    """Send messages of two words through the shipped ring to another thread; count what arrived."""
    words, slots, sent, got = _words(5), *(np.zeros(n, ROW) for n in (capacity, rounds, rounds))
    cursor, gate, closed, stop, bell = (_address(words) + SPAN * i for i in range(5))
    sent["a"], sent["b"] = np.arange(rounds), -np.arange(rounds)
    waiter, dead = Waiter(closed, stop, bell, YIELD, FOREVER), np.zeros((1, capacity), np.uint8)
    words[(closed - words.ctypes.data) // 8] = OPEN
    _both(
        (waiting(send), (cursor, np.zeros(1, np.int64), (gate,), slots, sent, waiter, NOBODY, 2)),
        (waiting(take_all), ((cursor,), gate, slots, dead, got, waiter)),
    )
    torn, placed = got["a"] != -got["b"], got["a"] == sent["a"]
    return Counter(whole=int((placed & ~torn).sum()), torn=int(torn.sum()), misplaced=int((~placed & ~torn).sum()))


def _words(places: int) -> Any:
    """Zeroed memory for this many places, with room to align them."""
    return np.zeros((places + 1) * SPAN // 8, np.int64)


def _address(words: Any) -> int:
    start: int = words.ctypes.data
    return -(-start // SPAN) * SPAN


def _both(*calls: tuple[Any, tuple[Any, ...]]) -> None:
    """Run two compiled functions at once, each on a core of its own where there are two."""
    for function, args in calls:  # before either waits for the other
        function.compile(tuple(numba.typeof(arg) for arg in args))
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def pinned(i: int) -> None:
        if len(cores) > 1:
            os.sched_setaffinity(0, {cores[i]})  # of this thread alone
        function, args = calls[i]
        function(*args)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(pinned, range(2)))


# The table


def report(rounds: int) -> int:
    """Print every outcome with its count; 1 when a forbidden one was seen."""
    bad, unseen = 0, []
    for test in LITMUS:
        seen = run(test, rounds)
        _say(f"{test.name}, {rounds} rounds")
        for outcome in sorted(test.allowed.keys() | seen.keys()):
            _say(f"  {outcome}  {seen[outcome]:10}  {_meaning(test, outcome)}")
        bad += len(seen.keys() - test.allowed.keys())
        unseen += [f"{test.name} {outcome}" for outcome in test.weak - seen.keys()]
    arrived = handover(rounds)
    _say(f"ring handover of two words, {rounds} messages\n  " + ", ".join(f"{n} {what}" for what, n in arrived.items()))
    bad += arrived["whole"] != rounds
    _say("relaxed outcomes that this machine did not show: " + (", ".join(unseen) or "none"))
    _say(f"{bad} forbidden outcomes" if bad else "no forbidden outcome")
    return int(bool(bad))


def _meaning(test: Litmus, outcome: Outcome) -> str:
    mark = "relaxed" if outcome in test.weak else "allowed"
    return f"{mark}: {test.allowed[outcome]}" if outcome in test.allowed else "FORBIDDEN"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
