"""Roles alone: what a commit costs, what is looked at, rows that are fed, and turns of Python, with exact counts.

Rule 1. Actors of one scenario run one after the other here, so each has one schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from byteor.abi.byteor_v1 import LAST, OPEN
from byteor.kernel import commit as c
from byteor.kernel import feed, turns
from byteor.kernel.moves import FELL
from byteor.kernel.state import CONTENDED
from byteor.kernel.wait import ANNOUNCED
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.plain import WORD
from byteor.testing.plant_judge import Judge, counted, holds
from byteor.testing.plant_stages import FALLS, MESSAGE, mark
from byteor.testing.roles import Plant
from byteor.testing.shapes import alone

# What a commit costs


@scenario("alone: a commit stores what differs in its buffer")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    role = plant.role("role", [plant.lane(4)], [plant.lane(4), plant.lane(4, numbering=9)])
    stored: list[int] = []

    def run() -> Body:
        desk = plant.desk(role)
        words = plant.plain.words
        for _ in range(4):
            words[desk.now + c.TAKEN] = 3
            words[desk.now + c.TAKEN + WORD] += 1
            before = lab.world.done["store"]
            yield from plant.lift(c.settle)(desk)
            stored.append(lab.world.done["store"] - before)
            assert lab.world.done["add"] == lab.world.done["fence"] == 0

    alone(lab, run())
    # each buffer once with its mark, of two words; a gate once, a cursor each time; at last what moves, and the epoch
    return lambda: holds(stored, [7, 6, 3, 3])


def ahead(
    name: str, ins: int, outs: int, taken: int, put: int, loads: int, *, drops: bool = False, ordered: bool = False
) -> None:
    """How many words are looked at ahead, with 2 records and 4 slots seen, and so many used."""

    @scenario(f"alone: looks ahead, {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        lanes = [plant.lane(4) for _ in range(ins)]
        for lane in lanes:
            plant.fill(lane, sent(2), closed=False)
        down = [plant.lane(4, drops=drops, numbering=9 if ordered else None) for _ in range(outs)]
        role = plant.role("role", lanes, down)
        found: list[int] = []

        def run() -> Body:
            desk = plant.desk(role)
            yield from plant.lift(c.look)(desk)
            plant.plain.words[desk.now + c.TAKEN] = taken
            plant.plain.words[desk.now + c.TAKEN + WORD * desk.inputs] = put
            before = lab.world.done["load"]
            yield from plant.lift(c.look_ahead)(desk)
            found.append(lab.world.done["load"] - before)

        alone(lab, run())
        return lambda: holds(found, [loads])


ahead("nothing is used up", 1, 1, 1, 3, 0)
ahead("all records are", 1, 1, 2, 3, 2)
ahead("all slots are", 1, 1, 1, 4, 1)
ahead("who drops looks at all", 1, 1, 1, 3, 3, drops=True)
ahead("who marks looks at all", 1, 1, 1, 3, 3, ordered=True)
ahead("two inputs", 2, 1, 1, 3, 5)
ahead("two outputs", 1, 2, 1, 3, 4)
ahead("a source", 0, 1, 0, 4, 1)
ahead("an egress", 1, 0, 2, 0, 2)


@scenario("alone: what lies outside has a position, and no words")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    role = plant.role("role", [])
    answers: list[bool] = []

    def run() -> Body:
        desk = plant.desk(role)
        plant.plain.words[desk.now + c.TAKEN] = plant.plain.words[desk.now + c.TAKEN + WORD] = 5
        yield from plant.lift(c.settle)(desk)
        yield from plant.lift(c.look)(desk)
        waiter = plant.waiter(role)._replace(patience=0)
        for missing in (turns.CROWDED, turns.STARVED):
            answers.append((yield from plant.lift(turns.wait_change)(desk, missing, waiter)))
        yield from plant.lift(c.close_outputs)(desk)

    alone(lab, run())

    def check() -> None:
        holds(answers, [False, False])
        holds((plant.word(role, c.TAKEN), plant.word(role, c.TAKEN + WORD)), (5, 5))

    return check


@scenario("alone: a commit rings who has announced itself, and nobody else")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    lane = plant.lane(1, readers=2)
    role, one, other = plant.role("role", [], [lane]), plant.role("one", [(lane, 0)]), plant.role("other", [(lane, 1)])
    plant.blocking(one, other)
    lab.world.memory.define(other.bell + ANNOUNCED, 1)

    def run() -> Body:
        yield from plant.lift(c.settle)(plant.desk(role))

    alone(lab, run())

    def check() -> None:
        assert (lab.value(one.bell), lab.value(other.bell)) == (0, 1)
        assert lab.world.done["fence"] == 1

    return check


@scenario("alone: room is that of the slowest reader, and a reader that has left holds nothing")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    lane, left = plant.lane(4, readers=3), plant.lane(4)
    role = plant.role("role", [], [lane, left])
    for k, gate in enumerate((5, 3, 4)):
        lab.world.memory.define(lane.gates + c.GATE_LINE * k, gate)
    lab.world.memory.define(left.gates, LAST)
    rooms: list[int] = []

    def run() -> Body:
        desk = plant.desk(role)
        for j in range(2):
            plant.plain.words[desk.now + c.TAKEN + WORD + c.PUT * j] = 6
        yield from plant.lift(c.look)(desk)
        rooms.extend(plant.plain.words[desk.outs + c.OUT * j + c.ROOM] for j in range(2))

    alone(lab, run())
    return lambda: same([(rooms[0], rooms[1])], [(7, 10)])


# Rows that are fed


def fed(
    name: str,
    rows: Sequence[Row],
    wanted: Sequence[Any],
    *,
    out: int = 4,
    limit: int = 64,
    ordered: bool = False,
    inherits: bool = False,
    counts: bool = False,
    drops: bool = False,
    late: bool = False,
    result: int | None = None,
    judge: Judge = lambda plant, role: None,
) -> None:
    """A source feeds as much as there is room for, twice: the second time what is left, if anything."""

    @scenario(f"alone: {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        number = 9 if inherits or counts else 0
        starts = c.FROM_RECORDS if ordered and not inherits else c.INHERITS
        down = plant.lane(out, numbering=number if ordered else None, starts=starts, drops=drops)
        role = plant.role("source", [], [down], limit=limit, late=late, patience=0)
        got: list[Any] = []
        alone(lab, plant.feeding(role, rows, 77, result=result), plant.taking(down, got))

        def check() -> None:
            same(got, list(wanted))
            judge(plant, role)

        return check


fed("source", sent(3), sent(3), judge=counted(EPOCH=1, TAKEN=3))
fed("source, two by two", sent(3), sent(3), limit=2, judge=counted(EPOCH=2, TAKEN=3))
fed("source, crowded", sent(3), sent(2), out=2, result=2, judge=counted(EPOCH=1, TAKEN=2))
fed("source, drops", sent(3), sent(2), out=2, drops=True, judge=counted(TAKEN=3, DROPPED=1))


def promises(field: int, word: int) -> Judge:
    """The check of the mark of the role's output."""
    return lambda plant, role: holds(plant.mark_of(role.outs[0]), (field, word))


fed("source, drops, one by one", sent(3), sent(2), out=2, drops=True, limit=1, judge=counted(TAKEN=3, DROPPED=1))
fed("source, ordered", [(1, 0), (1, 1), (3, 2)], [(1, 0), (1, 1), (3, 2)], ordered=True, judge=promises(3, 3))
fed("source, ordered, crowded", [(1, 0), (1, 1)], [(1, 0)], out=1, ordered=True, result=1, judge=counted(TAKEN=1))
fed("source, its rows' words", [(1, 0), (3, 2)], [(1, 0, 77), (3, 2, 77)], ordered=True, inherits=True)
fed("source, words of its own", [(1, 0), (3, 2)], [(1, 0, 0), (3, 2, 1)], ordered=True, counts=True)
fed("source, late", FALLS, [(3, 0), (5, 2), (5, 4)], ordered=True, late=True, judge=counted(LATE=2, TAKEN=5))
fed(
    "source, falls", FALLS[1:3] + FALLS[3:], [(2, 1), (5, 2)], ordered=True, result=FELL, judge=counted(TAKEN=2, LATE=0)
)
fed("source, drops in order", [(1, 0), (2, 1)], [(1, 0)], out=1, ordered=True, drops=True, judge=counted(DROPPED=1))


@scenario("alone: source fed in pieces around the ring, one after the other")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    down = plant.lane(4)
    role = plant.role("source", [], [down], patience=0)
    got: list[Any] = []

    def run() -> Body:
        for result in (4, 4, 2):
            yield from plant.feeding(role, sent(10), result=result)
            yield from plant.taking(down, got)

    alone(lab, run())
    return lambda: same(got, sent(10))


@scenario("alone: source that is stopped between two pieces")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    down = plant.lane(4)
    role = plant.role("source", [], [down], limit=1)
    lab.world.memory.define(plant.stop, 1)
    alone(lab, plant.feeding(role, sent(3), result=1))
    return lambda: same([(lab.value(down.cursor), lab.value(down.closed))], [(1, OPEN)])


# Turns of Python


def turn(name: str, count: int, closed: bool, need: int, put: int, result: int, *, drops: bool = False) -> None:
    """What a role in Python is told, with so many records there, and so many slots of two taken."""

    @scenario(f"alone: {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        up, down = plant.lane(4), plant.lane(2, drops=drops)
        plant.fill(up, sent(count), closed=closed)
        role = plant.role("role", [up], [down], patience=0)
        answers: list[int] = []

        def run() -> Body:
            desk = plant.desk(role)
            plant.plain.words[desk.now + c.TAKEN + WORD] = put
            answers.append((yield from plant.lift(feed.await_turn)(desk, need, plant.waiter(role))))

        alone(lab, run())
        return lambda: same([(answers[0], 0)], [(result, 0)])


turn("turn, a record and room", 1, False, 2, 0, turns.MOVED)
turn("turn, a record, not room enough", 1, False, 2, 1, turns.HELD)
turn("turn, a record and just room", 1, False, 1, 1, turns.MOVED)
turn("turn, a record, no room, which it drops", 1, False, 2, 2, turns.MOVED, drops=True)
turn("turn, no record", 0, False, 0, 0, turns.HELD)
turn("turn, the end", 0, True, 0, 0, turns.ENDED)


@scenario("alone: turn, of a role that puts its records outside")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up = plant.lane(4)
    plant.fill(up, sent(1))
    role = plant.role("role", [up], patience=0)
    answers: list[int] = []

    def run() -> Body:
        desk = plant.desk(role)
        plant.plain.words[desk.now + c.TAKEN + WORD] = 3
        answers.append((yield from plant.lift(feed.await_turn)(desk, 0, plant.waiter(role))))

    alone(lab, run())
    return lambda: holds(answers, [turns.MOVED])


@scenario("alone: turn, settled with the mark of what comes next")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    plant.lane(1, numbering=0)
    up, down = plant.lane(1, numbering=0), plant.lane(1, numbering=0)
    plant.fill(up, [(4, 0)], [1], mark=(5, 2), closed=False)
    role = plant.role("role", [up], [down])

    def run() -> Body:
        desk = plant.desk(role)
        yield from plant.lift(feed.await_turn)(desk, 0, plant.waiter(role))
        plant.plain.words[desk.now + c.TAKEN] = 1
        yield from plant.lift(feed.settle_turn)(desk)

    alone(lab, run())
    return lambda: holds(plant.mark_of(down), (5, 2))


@scenario("alone: turn, a mark is passed on before the end is told")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    plant.lane(1, numbering=0)
    up, down = plant.lane(1, numbering=0), plant.lane(1, numbering=0)
    plant.fill(up, [], mark=(5, 2))
    role = plant.role("role", [up], [down])
    answers: list[int] = []

    def run() -> Body:
        desk = plant.desk(role)
        answers.append((yield from plant.lift(feed.await_turn)(desk, 0, plant.waiter(role))))

    alone(lab, run())
    return lambda: same([plant.mark_of(down), (answers[0], 0)], [(5, 2), (turns.ENDED, 0)])


@scenario("alone: a mark alone is passed on")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    plant.lane(1, numbering=0)
    up, down = plant.lane(1, numbering=0), plant.lane(1, numbering=0)
    plant.fill(up, [], mark=(5, 2), closed=False)
    role = plant.role("role", [up], [down], patience=0)
    alone(lab, plant.staging(role, MESSAGE, mark, result=turns.HELD))
    return lambda: holds(plant.mark_of(down), (5, 2))


@scenario("alone: a stop between two turns")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up, down = plant.lane(4), plant.lane(4)
    plant.fill(up, sent(2))
    role = plant.role("role", [up], [down], limit=1)
    lab.world.memory.define(plant.stop, 1)
    alone(lab, plant.staging(role, MESSAGE, mark, result=turns.HELD))
    return lambda: same([(lab.value(down.cursor), lab.value(down.closed))], [(1, OPEN)])


@scenario("alone: a record that a role never had is none")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    role, out = plant.role("role", [plant.lane(1)], [plant.lane(1)]), lab.world.word("out")
    answers: list[int] = []

    def run() -> Body:
        for tries in (0, 1):
            read = plant.lift(c.read_record)(role.book, plant.stride(role), out, role.words, tries)
            answers.append((yield from read))
        answers.append((yield from plant.lift(c.recover)(plant.desk(role))))

    alone(lab, run())
    return lambda: same([(n, 0) for n in answers], [(CONTENDED, 0), (0, 0), (0, 0)])


@scenario("alone: a record is read in its own words, whatever lies around it")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    role, out = plant.role("role", [plant.lane(1)], [plant.lane(1)]), lab.world.word("out")
    stride, answers = plant.stride(role), []
    book: dict[int, int] = {0: 2, 8: 5, 16: 6, 24: 7, 32: 8, stride: 1, -stride: 99}
    for at, value in book.items():
        lab.world.memory.define(role.book + at, value)
    lab.world.memory.define(out + 32, -1)

    def run() -> Body:
        answers.append((yield from plant.lift(c.read_record)(role.book, stride, out, 4, 1)))

    alone(lab, run())
    return lambda: holds((*answers, *(lab.value(out + at) for at in (0, 8, 16, 24, 32))), (2, 2, 5, 6, 7, -1))
