"""What the ends of a lane wait for: news on any of several rings, or that the lane ends.

Rule 1. A reader of several rings takes them in turn; the rings know nothing of each other.
Rule 2. Readers of a state or a journal share a bell: who rings takes the announcement away, and wakes them all.
Rule 3. A wait ends with news, when a word that ends it changes, or when patience is over: callers look again.
"""

from __future__ import annotations

from byteor.kernel.atomics import fence_seq_cst, fetch_add, load_acquire, load_relaxed, store_relaxed
from byteor.kernel.hot import hot
from byteor.kernel.system import futex_wait, futex_wake
from byteor.kernel.wait import _BLOCK_NS, _SPINS, ANNOUNCED, BLOCK, idle

EVERYBODY = 2**31 - 1


@hot
def look(address):
    """A word of the other end's."""
    return load_acquire(address)  # SYNC: pairs with the release of a cursor, a gate or an end


@hot
def news(cursors, taken, ends, seen):
    """Whether a ring has more than was taken from it, or a word that ends it is not as it was seen.

    It says that looking is worth while, and brings nothing: who is told so looks by `look`.
    """
    for i in range(len(cursors)):
        if load_relaxed(cursors[i]) > taken[i]:
            return True
    for i in range(len(ends)):
        if load_relaxed(ends[i]) != seen[i]:
            return True
    return False


@hot
def sleep(cursors, taken, ends, seen, bell):
    """Sleep on one's bell unless there is news meanwhile."""
    rung = load_relaxed(bell)
    store_relaxed(bell + ANNOUNCED, 1)
    fence_seq_cst()  # SYNC: pairs with the fence in `ring`: one of the two sees the other's store
    if not news(cursors, taken, ends, seen):
        futex_wait(bell, rung, _BLOCK_NS)
    store_relaxed(bell + ANNOUNCED, 0)


@hot
def wait_news(cursors, taken, ends, seen, bell, strategy, patience):
    """Wait for news on any of the rings; answer whether there is some."""
    turns = 0
    while not news(cursors, taken, ends, seen):
        if turns >= patience:
            return False
        if strategy == BLOCK and turns > _SPINS:
            sleep(cursors, taken, ends, seen, bell)
        turns = idle(turns, strategy)
    return True


@hot
def ring_all(bell):
    """Ring a bell that is shared: whoever has announced itself is woken, and announces itself anew before it sleeps."""
    fence_seq_cst()  # SYNC: pairs with the fence in `doze`: one of the two sees the other's store
    if load_relaxed(bell + ANNOUNCED) != 0:
        store_relaxed(bell + ANNOUNCED, 0)
        fetch_add(bell, 1)  # SYNC: pairs with the acquire in `doze`: who sees it announces itself after the store above
        futex_wake(bell, EVERYBODY)


@hot
def unchanged(cursor, taken, closed, seen):
    """Whether the cursor is where it was taken up to, and the end as it was seen."""
    return load_relaxed(cursor) == taken and load_relaxed(closed) == seen


@hot
def doze(cursor, taken, closed, seen, bell):
    """Sleep on a bell that is shared, unless there is news meanwhile."""
    rung = load_acquire(bell)  # SYNC: pairs with the add in `ring_all`
    store_relaxed(bell + ANNOUNCED, 1)
    fence_seq_cst()  # SYNC: pairs with the fence in `ring_all`
    if unchanged(cursor, taken, closed, seen):
        futex_wait(bell, rung, _BLOCK_NS)


@hot
def wait_change(cursor, taken, closed, seen, bell, strategy, patience):
    """Wait until the cursor has moved or the end has come, among others who share a bell; answer whether it has."""
    turns = 0
    while unchanged(cursor, taken, closed, seen):
        if turns >= patience:
            return False
        if strategy == BLOCK and turns > _SPINS:
            doze(cursor, taken, closed, seen, bell)
        turns = idle(turns, strategy)
    return True
