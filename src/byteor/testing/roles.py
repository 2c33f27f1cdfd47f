"""Roles on the bench: actors made of the kernel's loop of turns, and those that take over from them.

Rule 1. A successor knows nothing but the shared words, and comes once its predecessor's lock is free.
Rule 2. What an actor does in Python between two turns is done here as a plant does it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from byteor.kernel import commit as c
from byteor.kernel import feed, moves, steps, turns
from byteor.kernel.plain import I8
from byteor.testing.lab import Row
from byteor.testing.lift import Body
from byteor.testing.plain import OFFSETS, ROW, WORD, Table
from byteor.testing.plant_bench import Bench, Role
from byteor.testing.world import after_death_of

END_WORD = 2**63 - 2  # the order word of what `end` gives
PLAIN = steps.Form()

# What is made once is lifted once, and run many thousand times.
make_turns = functools.lru_cache(64)(turns.make_turns)
make_mover = functools.cache(moves.make_mover)
WORKS = {
    make: functools.lru_cache(16)(make)
    for make in (
        steps.make_message_work,
        steps.make_giving_work,
        steps.make_batch_work,
        steps.make_giving_batch_work,
    )
}


class Plant(Bench):
    """The lanes, roles and actors of one world."""

    def bench(self, role: Role, desk: c.Desk, keys: Any = None, max_out: int = 1) -> steps.Bench:
        """What a stage works with besides its lanes."""
        words = self.plain.words
        tail = desk.now + WORD * (role.words - 2 * role.flat)
        table: Any = Table(words, tail) if role.flat else Table(words, desk.table) if role.keyed else [None]
        spare = self.plain.table(self.world, f"{role.name}.spare", role.spare)
        stamps = self.plain.block(self.world, f"{role.name}.stamps", role.keyed)
        scratch = np.zeros(8, np.bool_), np.zeros(8, np.int64), np.zeros(4 * max_out, np.int64)
        facts = spare, stamps, role.log_rows, int(role.late), role.stats
        return steps.Bench(table, keys, [None], *facts, *scratch)

    def staging(
        self, role: Role, make: Any, call: Any, form: steps.Form = PLAIN, row_of: Any = None, **how: Any
    ) -> Body:
        """Be a role with a stage, from its last commit to its end."""
        desk = self.desk(role)
        bench = self.bench(role, desk, (self, role), form.max_out)
        work = WORKS[make](self.plain.view, self.plain.view, call, row_of, form)
        return self.turning(role, desk, work, bench, **how)

    def moving(self, role: Role, pick: str = "", route: str = "", stamp: bool = False, **how: Any) -> Body:
        """Be a bridge, a router or a merge."""
        kind = I8 if stamp else -1
        mover = moves.Mover(ROW, OFFSETS["a"], WORD, OFFSETS["b"], kind, int(role.late), role.stats)
        return self.turning(role, self.desk(role), make_mover(moves.PICKS[pick], moves.ROUTES[route]), mover, **how)

    def turning(
        self,
        role: Role,
        desk: c.Desk,
        work: Any,
        tools: Any,
        after: Sequence[int] = (),
        result: int | None = turns.ENDED,
    ) -> Body:
        """Take a role up, take its turns, and close; where no result is asked for, stopping is one."""
        yield from after_death_of(*after)
        yield from self.taking_up(role, desk)
        ended = yield from self.lift(make_turns(work))(desk, tools, role.limit, self.waiter(role))
        assert ended in (turns.HELD, turns.ENDED) if result is None else ended == result, f"{role.name}: {ended}"
        if ended == turns.ENDED:
            yield from self.lift(c.close_outputs)(desk)

    def stopping(self, *roles: Role) -> Body:
        """Be a supervisor that stops the run, and rings whoever may sleep."""
        yield "store", "relaxed", self.stop, 1
        for role in roles:
            yield "add", "acq_rel", role.bell, 1
            yield "wake", "", role.bell, 1

    def taking_up(self, role: Role, desk: c.Desk) -> Body:
        """Recover, and take the rows of keyed state from where they are kept."""
        yield from self.lift(c.recover)(desk)
        for i in range(2 * role.keyed):
            self.plain.words[desk.table + WORD * i] = yield "load", "relaxed", role.home + WORD * i

    def ending(self, role: Role, make: Any, call: Any, form: steps.Form, rows: Sequence[Row], **how: Any) -> Body:
        """Be a role with a stage whose `end` gives these rows."""
        desk = self.desk(role)
        self.plain.words[desk.now + c.ENDED] = -1
        work = WORKS[make](self.plain.view, self.plain.view, call, None, form)
        return self._ending(role, desk, work, self.bench(role, desk), self._source(role, rows), len(rows), **how)

    def _ending(
        self,
        role: Role,
        desk: c.Desk,
        work: Any,
        tools: Any,
        base: int,
        count: int,
        after: Sequence[int] = (),
        result: int | None = None,
    ) -> Body:
        yield from after_death_of(*after)
        yield from self.taking_up(role, desk)
        ended = desk.now + c.ENDED
        if self.plain.words[ended] < 0:
            yield from self.lift(make_turns(work))(desk, tools, role.limit, self.waiter(role))
            self.plain.words[ended] = 0
            yield from self.lift(feed.settle_turn)(desk)
        yield from self._fed(role, desk, base, ended, count, END_WORD, result)

    def feeding(
        self, role: Role, rows: Sequence[Row], word: int = 0, after: Sequence[int] = (), result: int | None = None
    ) -> Body:
        """Be a source: feed rows from the committed position on, and close."""
        return self._feeding(role, self.desk(role), self._source(role, rows), len(rows), word, after, result)

    def _source(self, role: Role, rows: Sequence[Row]) -> int:
        """Rows of one's own, each with an address."""
        base = self.plain.table(self.world, f"{role.name}.rows", len(rows))
        table = self.plain.rows[base]
        for record, (a, b) in zip(table, rows, strict=True):
            record.a, record.b = a, b
        for k in range(len(rows) + 1):
            self.plain.rows[base + ROW * k] = table[k:]
        return base

    def _feeding(
        self, role: Role, desk: c.Desk, base: int, count: int, word: int, after: Sequence[int], result: int | None
    ) -> Body:
        yield from after_death_of(*after)
        yield from self.taking_up(role, desk)
        yield from self._fed(role, desk, base, desk.now + c.TAKEN, count, word, result)

    def _fed(
        self, role: Role, desk: c.Desk, base: int, counter: int, count: int, word: int, result: int | None
    ) -> Body:
        done = self.plain.words[counter]
        what = feed.Feed(base + ROW * done, ROW, counter, word, int(role.late))
        n = yield from self.lift(feed.feed_rows)(desk, what, count - done, role.limit, self.waiter(role))
        assert n == (count - done if result is None else result), f"{role.name} fed {n}"
        if n == count - done:
            yield from self.lift(c.close_outputs)(desk)

    def collecting(self, role: Role, spool: list[Any], after: Sequence[int] = (), words: bool = False) -> Body:
        """Be an egress: write to a spool by position, then commit; a successor cuts off what was not committed."""
        return self._collecting(role, self.desk(role), spool, after, words)

    def _collecting(self, role: Role, desk: c.Desk, spool: list[Any], after: Sequence[int], words: bool) -> Body:
        yield from after_death_of(*after)
        yield from self.taking_up(role, desk)
        position = desk.now + c.TAKEN
        del spool[self.plain.words[position] :]
        lane = role.ins[0][0]
        while True:
            ended = yield from self.lift(feed.await_turn)(desk, 0, self.waiter(role))
            if ended != turns.MOVED:
                assert ended == turns.ENDED
                return
            end = min(self.plain.words[desk.ins + c.SEEN], self.plain.words[position] + role.limit)
            for n in range(self.plain.words[position], end):
                spool.append(self.plain.rows[lane.slots][n & (lane.capacity - 1)].values())
            self.plain.words[position] = end
            yield from self.lift(feed.settle_turn)(desk)
