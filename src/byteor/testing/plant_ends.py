"""Roles that sleep, the ends of a plant, and readers of records, under the explorer.

Rule 1. No sleep is missed: a futex wait never ends by itself here.
Rule 2. An end that dies between what it does outside and its commit does it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from byteor.abi.byteor_v1 import LAST, OPEN
from byteor.kernel import commit as c
from byteor.kernel import steps, turns
from byteor.kernel.moves import FELL
from byteor.kernel.state import CONTENDED
from byteor.kernel.wait import ANNOUNCED
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.plant_scenarios import FILTERS, mark, mark_odd, marked
from byteor.testing.roles import END_WORD, Plant
from byteor.testing.world import after_death_of

# Waits that block


def wakes(lab: Lab, missing: int, at: int | None, by: Any, announced: bool = False) -> Check:
    """Who sleeps for what it has not seen is woken by a neighbour's commit that changes one word, or by the end."""
    plant = Plant(lab)
    lane = plant.lane(1, readers=2, numbering=0, starts=c.FROM_RECORDS)
    writer, reader = plant.role("writer", [], [lane]), plant.role("reader", [(lane, 1)])
    plant.role("bystander", [(lane, 0)])
    lab.world.memory.define(lane.gates, 1)
    if missing == turns.CROWDED:
        lab.world.memory.define(lane.cursor, 1)
    sleeper, other = (writer, reader) if missing == turns.CROWDED else (reader, writer)
    plant.blocking(sleeper)
    answers: list[bool] = []

    def sleeping() -> Body:
        desk = plant.desk(sleeper)
        if missing == turns.CROWDED:
            plant.plain.words[desk.now + c.TAKEN + 8 + c.AT] = plant.plain.words[desk.outs + c.ROOM] = 1
        else:
            plant.plain.words[desk.ins + c.END] = OPEN
        answers.append((yield from plant.lift(turns.wait_change)(desk, missing, plant.waiter(sleeper))))

    def changing() -> Body:
        desk = plant.desk(other)
        while announced and (yield "load", "acquire", sleeper.bell + ANNOUNCED) == 0:
            yield "pause", ""
        if at is not None:
            plant.plain.words[desk.now + c.TAKEN + at] = 1
        yield from plant.lift(by)(desk)

    lab.world.spawn(sleeping(), "sleeper")
    lab.world.spawn(changing(), "neighbour")

    def check() -> None:
        assert answers == [True], answers

    return check


scenario("wait_change blocks: room")(partial(wakes, missing=turns.CROWDED, at=0, by=c.settle))
scenario("wait_change blocks: a record")(partial(wakes, missing=turns.STARVED, at=8 + c.AT, by=c.settle))
scenario("wait_change blocks: a mark's field")(partial(wakes, missing=turns.STARVED, at=8 + c.FIELD, by=c.settle))
scenario("wait_change blocks: a mark's word")(partial(wakes, missing=turns.STARVED, at=8 + c.WORD, by=c.settle))
scenario("wait_change blocks: the end")(partial(wakes, missing=turns.STARVED, at=None, by=c.close_outputs))


scenario("wait_change blocks: a record, once it has announced itself")(
    partial(wakes, missing=turns.STARVED, at=8 + c.AT, by=c.settle, announced=True)
)


@scenario("wait_change blocks: a stop")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    role = plant.role("reader", [plant.lane(1)])
    plant.blocking(role)
    answers: list[bool] = []

    def sleeping() -> Body:
        desk = plant.desk(role)
        yield from plant.lift(c.look)(desk)
        answers.append((yield from plant.lift(turns.wait_change)(desk, turns.STARVED, plant.waiter(role))))

    lab.world.spawn(sleeping(), "sleeper")
    lab.world.spawn(plant.stopping(role), "supervisor")

    def check() -> None:
        assert answers == [False], answers

    return check


def woken_by_a_mark(lab: Lab, dies: bool) -> Check:
    """A merge sleeps with a record in hand; a filter in front of its other input has nothing to tell but a mark."""
    plant = Plant(lab)
    top = plant.lane(1, numbering=0, starts=c.FROM_RECORDS)
    ins, down = (plant.lane(1, numbering=0), plant.lane(1, numbering=0)), plant.lane(1)
    plant.fill(top, [], mark=(5, 1), closed=False)
    plant.fill(ins[0], [], mark=(1, 1), closed=False)
    plant.fill(ins[1], [(3, 0)], [0], (3, 1))
    quiet = plant.role("filter", [top], [ins[0]], patience=0)
    merge = plant.role("merge", ins, [down])
    plant.blocking(merge)

    def telling(after: Sequence[int] = ()) -> Body:
        yield from plant.staging(quiet, steps.make_message_work, mark_odd, FILTERS, after=after, result=turns.HELD)
        while (yield "load", "acquire", down.cursor) == 0:
            yield "pause", ""
        yield from plant.stopping(merge)

    plant.spawn(telling, "filter, then supervisor", int(dies))
    plant.spawn(partial(plant.moving, merge, "by_field", result=turns.HELD), "merge")
    return lambda: same([(lab.value(down.cursor), lab.value(ins[1].gates))], [(1, 1)])


scenario("merge blocks, only a mark comes", full=True)(lambda lab: woken_by_a_mark(lab, False))
scenario("merge blocks, only a mark comes, of one that dies", full=True)(lambda lab: woken_by_a_mark(lab, True))


@scenario("relay blocks without room: output of 1, 2 messages")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up, down = plant.lane(2), plant.lane(1)
    plant.fill(up, sent(2))
    role, egress = plant.role("relay", [up], [down]), plant.role("egress", [down])
    plant.blocking(role)
    got: list[Row] = []
    plant.spawn(partial(plant.staging, role, steps.make_message_work, mark), "relay")
    plant.spawn(partial(plant.collecting, egress, got), "egress")
    return lambda: same(got, sent(2, marked))


@scenario("relay blocks without records: 1 message, and the end")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up, down = plant.lane(1), plant.lane(1)
    source, role = plant.role("source", [], [up]), plant.role("relay", [up], [down])
    plant.blocking(role)
    plant.spawn(partial(plant.feeding, source, sent(1)), "source")
    plant.spawn(partial(plant.staging, role, steps.make_message_work, mark), "relay")
    return lambda: same(plant.rows_of(down), sent(1, marked))


# The ends of a plant


def ends_by(lab: Lab, rows: Sequence[Row], capacity: int, limit: int, deaths: int, taken: bool = True) -> Check:
    """A stage takes all, then gives rows of its own; it may die between any two; the lane is closed last."""
    plant = Plant(lab)
    up, down = plant.lane(1), plant.lane(capacity)
    plant.fill(up, sent(1))
    role = plant.role("totals", [up], [down], limit=limit)
    got: list[Row] = []
    body = partial(plant.ending, role, steps.make_message_work, mark_odd, FILTERS, rows)
    plant.spawn(body, "totals", deaths)
    if taken:
        lab.world.spawn(plant.consuming(down, len(rows), got), "consumer")

    def check() -> None:
        same(got if taken else plant.rows_of(down), list(rows))
        assert lab.value(down.closed) == len(rows)
        assert plant.word(role, c.ENDED) == len(rows)

    return check


scenario("records of `end`, it dies: 2 rows one by one")(lambda lab: ends_by(lab, sent(2), 2, 1, 1, False))
scenario("records of `end`: output of 1, 2 rows")(lambda lab: ends_by(lab, sent(2), 1, 64, 0))
scenario("records of `end`, it dies: output of 1, 2 rows", full=True)(lambda lab: ends_by(lab, sent(2), 1, 64, 1))


@scenario("records of `end` behind marks: they go on from the last one")
def _(lab: Lab) -> Check:
    plant = Plant(lab, polls=False)
    top = plant.lane(1, numbering=0, starts=c.FROM_RECORDS)
    down = plant.lane(4, numbering=0)
    role = plant.role("totals", [top], [down])
    lab.world.spawn(plant.producing(top, [(4, 0)]), "producer")
    rows = [(4, 7), (6, 8)]
    plant.spawn(partial(plant.ending, role, steps.make_message_work, mark_odd, FILTERS, rows), "totals")

    def check() -> None:
        same(plant.rows_of(down), rows)
        assert plant.words_of(down) == [END_WORD, END_WORD]
        assert plant.mark_of(down) == (6, 1), plant.mark_of(down)

    return check


@scenario("records of `end` below the last mark: refused, whoever looked when")
def _(lab: Lab) -> Check:
    plant = Plant(lab, polls=False)
    top = plant.lane(1, numbering=0, starts=c.FROM_RECORDS)
    down = plant.lane(4, numbering=0)
    role = plant.role("totals", [top], [down])
    plant.spawn(partial(plant.feeding, plant.role("source", [], [top]), [(4, 0)]), "source")
    body = partial(plant.ending, role, steps.make_message_work, mark_odd, FILTERS, [(3, 7)], result=FELL)
    plant.spawn(body, "totals")
    return lambda: same([(lab.value(down.cursor), 0)], [(0, 0)])


def source(lab: Lab, capacity: int, count: int, deaths: int, limit: int = 64) -> Check:
    """Rows are fed as room comes, each once, whoever died."""
    plant = Plant(lab)
    down = plant.lane(capacity)
    role = plant.role("source", [], [down], limit=limit)
    got: list[Row] = []
    plant.spawn(partial(plant.feeding, role, sent(count)), "source", deaths)
    lab.world.spawn(plant.consuming(down, count, got), "consumer")

    def check() -> None:
        same(got, sent(count))
        assert lab.value(down.closed) == count == plant.word(role, c.TAKEN)

    return check


scenario("source: capacity 1, 3 rows")(lambda lab: source(lab, 1, 3, 0))
scenario("source dies: capacity 2, 3 rows", full=True)(lambda lab: source(lab, 2, 3, 1))
scenario("source dies: capacity 1, 2 rows")(lambda lab: source(lab, 1, 2, 1))


@scenario("source: capacity 1, 2 rows, the second reader is slow")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    down = plant.lane(1, readers=2)
    lab.world.memory.define(down.gates, LAST)  # the first one has left
    got: list[Row] = []
    plant.spawn(partial(plant.feeding, plant.role("source", [], [down]), sent(2)), "source")
    lab.world.spawn(plant.consuming(down, 2, got, 1), "consumer")
    return lambda: same(got, sent(2))


def egress(lab: Lab, capacity: int, count: int, deaths: int, limit: int = 64) -> Check:
    """What is written outside before a death is cut off by the successor: each record once."""
    plant = Plant(lab)
    up = plant.lane(capacity)
    role = plant.role("egress", [up], limit=limit)
    got: list[Row] = []
    if capacity >= count:
        plant.fill(up, sent(count))
    else:
        lab.world.spawn(plant.producing(up, sent(count)), "producer")
    plant.spawn(partial(plant.collecting, role, got), "egress", deaths)
    return lambda: same(got, sent(count))


@scenario("a slot is written over once it was given back, by whoever did")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up = plant.lane(1)
    role = plant.role("egress", [up])
    got: list[Row] = []
    plant.fill(up, sent(1), closed=False)

    def overwriting() -> Body:
        while (yield "load", "acquire", up.gates) == 0:
            yield "pause", ""
        record = plant.plain.rows[up.slots][0]
        record.a, record.b = 7, 7
        yield "store", "release", up.closed, 1

    lab.world.spawn(overwriting(), "producer")
    plant.spawn(partial(plant.collecting, role, got), "egress", 1)
    return lambda: same(got, sent(1))


scenario("egress: input of 1, 2 messages")(lambda lab: egress(lab, 1, 2, 0))
scenario("egress dies: input of 2, 2 messages, one by one")(lambda lab: egress(lab, 2, 2, 1, 1))
scenario("egress dies: input of 1, 2 messages", full=True)(lambda lab: egress(lab, 1, 2, 1))


# The record, for who only looks


def watched(lab: Lab, commits: int, times: int, tries: int, deaths: int = 0) -> Check:
    """A reader copies the newest record while its role goes on: it never sees half of one."""
    plant = Plant(lab)
    role = plant.role("role", [plant.lane(1)], [plant.lane(1)])
    found: list[tuple[int, ...]] = []
    outs = [lab.world.word("out") for _ in range(times)]

    def committing(after: Sequence[int] = ()) -> Body:
        desk = plant.desk(role)
        yield from after_death_of(*after)
        epoch = yield from plant.lift(c.recover)(desk)
        for n in range(epoch + 1, commits + 1):
            plant.plain.words[desk.now + c.FILTERED], plant.plain.words[desk.now + c.LATE] = n, -n
            yield from plant.lift(c.commit)(desk)

    def reading() -> Body:
        for out in outs:
            epoch = yield from plant.lift(c.read_record)(role.book, plant.stride(role), out, 4, tries)
            found.append((epoch, *(lab.value(out + at) for at in (0, c.FILTERED, c.LATE))))

    plant.spawn(committing, "role", deaths)
    lab.world.spawn(reading(), "reader")

    def check() -> None:
        whole = [one for one in found if one[0] != CONTENDED]
        assert all(one == (n, n, n, -n) for n, *_ in whole for one in whole if one[0] == n), found
        assert whole == sorted(whole), found
        assert len(whole) == len(found) or commits > 1, found

    return check


scenario("record, read: 2 commits, 1 try")(lambda lab: watched(lab, 2, 1, 1))
scenario("record, read: 3 commits, 1 try")(lambda lab: watched(lab, 3, 1, 1))
scenario("record, read twice: 3 commits, 1 try")(lambda lab: watched(lab, 3, 2, 1))
scenario("record, read: 3 commits, 2 tries", full=True)(lambda lab: watched(lab, 3, 1, 2))
scenario("record, read, its role dies: 2 commits, 1 try")(lambda lab: watched(lab, 2, 1, 1, 1))
