"""The two waits of a link's role: for its lane or for mail, and for room that is worth telling.

Rule 1. A role of a link has two threads: one works at the lane, the other at the network. What the second has heard
    it posts: it moves a word, and rings the role's own bell as a neighbour would.
Rule 2. A futex cannot be waited for together with a descriptor, so each thread waits for one of them alone.
Rule 3. A settle of a link raises no marks: they come from the other host, as they are.
"""

from __future__ import annotations

from byteor.kernel.atomics import fence_seq_cst, load_relaxed, store_relaxed
from byteor.kernel.commit import MASK, least_gate, look, settle
from byteor.kernel.hot import hot, inlined
from byteor.kernel.notes import note_block, note_turn, note_work
from byteor.kernel.plain import own
from byteor.kernel.system import futex_wait
from byteor.kernel.turns import BLOCK_NS, CROWDED, STARVED, has_news
from byteor.kernel.wait import _SPINS, ANNOUNCED, BLOCK, idle, ring


@hot
def look_at_lane(desk):
    """See what the lane brings, or what room it has."""
    look(desk)


@hot
def settle_link(desk):
    """Commit what was received, or what the other host has confirmed."""
    settle(desk)


@hot
def post(mail, value, bell):
    """Let the role's other thread see that something was heard."""
    store_relaxed(mail, value)  # what was heard lies behind the role's lock; the mail only wakes
    ring((bell,))


@inlined
def has_come(desk, mail, heard):
    """Whether there is mail, or something new in the lane."""
    if load_relaxed(mail) != heard:
        return True
    return has_news(desk.ins)


@inlined
def has_credit(desk, told, least):
    """Whether there is so much more room than was told."""
    return least_gate(desk.outs) + own(desk.outs + MASK) + 1 - load_relaxed(told) >= least


@hot
def doze_for_mail(desk, mail, heard, waiter):
    """Sleep on the role's bell unless something came meanwhile."""
    rung = load_relaxed(waiter.bell)
    store_relaxed(waiter.bell + ANNOUNCED, 1)
    fence_seq_cst()  # SYNC: pairs with the fence in `ring_neighbours`, and in `ring`
    if not has_come(desk, mail, heard) and load_relaxed(waiter.stop) == 0:
        note_block(waiter.bell)
        futex_wait(waiter.bell, rung, BLOCK_NS)
    store_relaxed(waiter.bell + ANNOUNCED, 0)


@hot
def await_mail(desk, mail, heard, waiter):
    """Wait until the lane or the mail brings something; no when the run stops, or patience is over."""
    turns, goes = 0, True
    while not has_come(desk, mail, heard):
        if turns >= waiter.patience or load_relaxed(waiter.stop) != 0:
            goes = False
            break
        note_turn(waiter.bell, STARVED, turns)
        if waiter.strategy == BLOCK and turns > _SPINS:
            doze_for_mail(desk, mail, heard, waiter)
        turns = idle(turns, waiter.strategy)
    note_work(waiter.bell)
    return goes


@hot
def doze_for_credit(desk, told, least, waiter):
    """Sleep on the role's bell unless there is room worth telling by now."""
    rung = load_relaxed(waiter.bell)
    store_relaxed(waiter.bell + ANNOUNCED, 1)
    fence_seq_cst()  # SYNC: pairs with the fence in `ring_neighbours`
    if not has_credit(desk, told, least) and load_relaxed(waiter.stop) == 0:
        note_block(waiter.bell)
        futex_wait(waiter.bell, rung, BLOCK_NS)
    store_relaxed(waiter.bell + ANNOUNCED, 0)


@hot
def await_credit(desk, told, least, waiter):
    """Wait until there is room worth telling; no when the run stops, or patience is over."""
    turns = 0
    while not has_credit(desk, told, least):
        if turns >= waiter.patience or load_relaxed(waiter.stop) != 0:
            return False
        note_turn(waiter.bell, CROWDED, turns)
        if waiter.strategy == BLOCK and turns > _SPINS:
            doze_for_credit(desk, told, least, waiter)
        turns = idle(turns, waiter.strategy)
    return True
