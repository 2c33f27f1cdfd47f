"""A compiled relay in a process of its own, killed at random moments and taken over: its output is exact."""

import mmap
import os
import random
import signal

import numpy as np
import pytest

from byteor.kernel import commit as c
from byteor.kernel import feed, steps, turns
from byteor.kernel.hot import hot, waiting
from byteor.kernel.plain import view
from byteor.testing.desks import Desk, Lane, Space, book

ROW = np.dtype([("number", "<i8"), ("twice", "<i8"), ("more", "<i8", (6,))])
MESSAGES, KILLS, LIMIT = 6_000, 8, 16

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="roles are forked")


@hot
def keep_odd(record, out, src, live, index, state, p):
    record.twice = 2 * record.number
    return record.number % 2 == 1


@hot
def no_row(keys, slot):
    return 0


RELAY = waiting(
    turns.make_turns(steps.make_message_work(view(ROW), view(ROW), keep_odd, no_row, steps.Form(filters=True)))
)


class Plant:
    """Two lanes in memory that forked processes share, and the records of a source, a relay and an egress."""

    def __init__(self, capacity):
        self._map = mmap.mmap(-1, 1 << 20)
        space = Space(np.frombuffer(self._map, np.uint8))
        self.stop = space.word()
        self.up, self.down = Lane(space, capacity, ROW), Lane(space, capacity, ROW)
        self.books = book(space, [], [self.up]), book(space, [self.up], [self.down]), book(space, [self.down], [])

    def waiter(self, role, **how):
        return role.waiter(self.stop.ctypes.data, **how)

    def source(self):
        desk, rows = Desk(self.books[0]), np.zeros(MESSAGES, ROW)
        rows["number"] = np.arange(MESSAGES)
        waiting(c.recover)(desk.hot)
        what = feed.Feed(rows.ctypes.data, ROW.itemsize, desk.now[desk.taken :].ctypes.data, 0, 0)
        waiting(feed.feed_rows)(desk.hot, what, MESSAGES, LIMIT, self.waiter(self.books[0]))
        waiting(c.close_outputs)(desk.hot)

    def relay(self, **how):
        role, one = self.books[1], np.zeros(1, ROW)
        desk, none = Desk(role), np.zeros(1, np.int64)
        waiting(c.recover)(desk.hot)
        bench = steps.Bench(one, none, one, 0, 0, 0, 0, role.stats, np.zeros(1, np.bool_), none, none)
        if RELAY(desk.hot, bench, LIMIT, self.waiter(role, **how)) == turns.ENDED:
            waiting(c.close_outputs)(desk.hot)

    def collect(self, note):
        """Take records until the end, and say after each piece how many there are."""
        role, desk, got = self.books[2], Desk(self.books[2]), []
        while waiting(feed.await_turn)(desk.hot, 0, self.waiter(role)) == turns.MOVED:
            at, end = int(desk.now[desk.taken]), int(desk.seen[0])
            got += [self.down.slots[n & (len(self.down.slots) - 1)].copy() for n in range(at, end)]
            desk.now[desk.taken] = end
            waiting(feed.settle_turn)(desk.hot)
            note(len(got))
        return np.array(got, ROW)


def forked(body):
    pid = os.fork()
    if pid == 0:
        try:
            body()
            os._exit(0)
        finally:
            os._exit(1)
    return pid


class Killer:
    """Kill the relay each time so many records have come, a random moment later, and fork its successor."""

    def __init__(self, plant):
        self.plant, self.chance, self.kills = plant, random.Random(7), 0
        self.pid = forked(plant.relay)

    def note(self, count):
        if self.kills < KILLS and count > (self.kills + 1) * MESSAGES // 2 // (KILLS + 2):
            for _ in range(self.chance.randrange(2000)):
                pass
            os.kill(self.pid, signal.SIGKILL)
            assert os.waitpid(self.pid, 0)[1] == signal.SIGKILL  # else it had ended, and nothing was shown
            self.kills += 1
            self.pid = forked(self.plant.relay)


@pytest.mark.parametrize("capacity", [4, 256])
def test_a_killed_relay_is_taken_over_exactly(capacity):
    Plant(capacity).relay(patience=0)  # compiled before anybody is forked
    plant = Plant(capacity)
    source, killer = forked(plant.source), Killer(plant)
    got = plant.collect(killer.note)
    assert [os.waitpid(pid, 0)[1] for pid in (source, killer.pid)] == [0, 0]
    assert killer.kills == KILLS
    assert got["number"].tolist() == list(range(1, MESSAGES, 2))
    assert got["twice"].tolist() == list(range(2, 2 * MESSAGES, 4))
    assert plant.down.closed[0] == MESSAGES // 2
