"""Waiting for a sequence: a barrier, a strategy, a doorbell.

Rule 1. A barrier is the least of its cells; a wait ends when it has passed a sequence, when the
        stream is closed there, when the run stops, or when patience is over: callers look again.
Rule 2. Whoever may block announces it on its own bell first; neighbours ring only announced bells.
Rule 3. Every spin goes through `idle`, every sleep is bounded.
Rule 4. Cells and bells are tuples of addresses: passed by value, they cost no reference counting.
"""

from __future__ import annotations

from typing import NamedTuple

from byteor.abi.byteor_v1 import LAST, runner
from byteor.kernel.atomics import (
    fence_seq_cst,
    fetch_add,
    load_acquire,
    load_relaxed,
    spin_hint,
    store_relaxed,
)
from byteor.kernel.hot import hot
from byteor.kernel.system import futex_wait, futex_wake, nap, sched_yield

SPIN, YIELD, BACKOFF, BLOCK = range(4)
STRATEGIES = {"spin": SPIN, "yield": YIELD, "backoff": BACKOFF, "block": BLOCK}

LINGER = 256  # fewer messages than these, found at the first look, are worth a moment more
_LINGERS = 4  # of them a turn: about as many as come meanwhile
_SPINS = 32  # between two yields: about the time that a neighbour on another core needs for a batch
_YIELDS = 4096  # turns before backoff starts to sleep
_NAP_US, _NAP_MAX_US = 50, 1000
_BLOCK_NS = 50_000_000  # the bound of one sleep

NOBODY = (0,)  # bells where nobody may block
FOREVER = LAST  # patience of a runner, which only the stop word ends
BRIEFLY = {SPIN: 500_000, YIELD: 200_000, BACKOFF: _YIELDS + 40, BLOCK: _SPINS + 2}  # about 50 ms at most

_RUNNER = runner()
ANNOUNCED = _RUNNER["announced"] - _RUNNER["bell"]


class Waiter(NamedTuple):
    """How one runner waits: three words, a strategy, and for how many turns (0 only looks)."""

    closed: int
    stop: int
    bell: int
    strategy: int
    patience: int
    linger: int = 0


@hot
def least(cells):
    """The barrier: the least of `cells`."""
    lowest = load_acquire(cells[0])  # SYNC: pairs with the release of the cursor or gate awaited
    for i in range(1, len(cells)):
        lowest = min(lowest, load_acquire(cells[i]))  # SYNC: as above
    return lowest


@hot
def idle(turns, strategy):
    """Spend one turn of waiting."""
    if strategy == SPIN or turns % _SPINS != _SPINS - 1:
        spin_hint()
    elif strategy == BACKOFF and turns > _YIELDS:
        nap(min(_NAP_US << ((turns - _YIELDS) // (8 * _SPINS)), _NAP_MAX_US))
    else:
        sched_yield()
    return turns + 1


@hot
def block(cells, sequence, waiter):
    """Sleep on the waiter's bell unless what is waited for came meanwhile."""
    bell = waiter.bell
    rung = load_relaxed(bell)
    store_relaxed(bell + ANNOUNCED, 1)
    fence_seq_cst()  # SYNC: pairs with the fence in `ring`: one of the two sees the other's store
    if least(cells) <= sequence and load_acquire(waiter.closed) != sequence and load_relaxed(waiter.stop) == 0:
        futex_wait(bell, rung, _BLOCK_NS)
    store_relaxed(bell + ANNOUNCED, 0)


@hot
def ring(bells):
    """Ring those neighbours that have announced that they may block; NOBODY costs nothing."""
    if bells[0] != 0:
        fence_seq_cst()  # SYNC: pairs with the fence in `block`
        for i in range(len(bells)):
            if load_relaxed(bells[i] + ANNOUNCED) != 0:
                fetch_add(bells[i], 1)
                futex_wake(bells[i], 1)


@hot
def look_again(cells, waiter):
    """Look once more after a moment: a neighbour at work is not followed at its heels.

    Who takes each message as it comes takes its line, and the cursor's, from under the other's next store.
    """
    for _ in range(waiter.linger // _LINGERS):
        spin_hint()
    return least(cells)


@hot
def wait_past(cells, sequence, waiter):
    """Wait until the barrier has passed `sequence`; answer where it is.

    The answer is `sequence` itself when the stream is closed there, when the run stops, and
    when the waiter's patience is over; it never is less.
    """
    turns = 0
    while True:
        available = least(cells)
        if available > sequence:
            if turns == 0 and available - sequence < waiter.linger:
                return look_again(cells, waiter)
            return available
        if load_acquire(waiter.closed) == sequence:  # SYNC: pairs with the release in `close`
            return sequence
        if turns >= waiter.patience or load_relaxed(waiter.stop) != 0:
            return sequence
        if waiter.strategy == BLOCK and turns > _SPINS:
            block(cells, sequence, waiter)
        turns = idle(turns, waiter.strategy)
