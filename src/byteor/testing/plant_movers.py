"""Movers alone: every policy, what is late, what drops; and the order of heads and marks.

Rule 1. Inputs are full from the start; outputs are read at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from byteor.abi.byteor_v1 import LAST
from byteor.kernel import commit as c
from byteor.kernel import order, turns
from byteor.kernel.moves import FELL
from byteor.kernel.order import BOUND, GONE, LOWEST, RECORD
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.plain import WORD
from byteor.testing.plant_judge import Judge, counted
from byteor.testing.roles import Plant
from byteor.testing.shapes import alone

# Movers


def moved(
    name: str,
    pick: str,
    route: str,
    ins: Sequence[Sequence[Any]],
    wanted: Sequence[list[Any]],
    *,
    out: int = 4,
    limit: int = 64,
    drops: bool = False,
    stamp: bool = False,
    ordered: bool = False,
    starts: int = c.INHERITS,
    late: bool = False,
    result: int = turns.ENDED,
    judge: Judge = lambda plant, role: None,
) -> None:
    """A mover between full inputs, given as rows or as rows with order words, and outputs that are read at the end."""

    @scenario(f"alone: {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        plant.lane(1, numbering=0)
        lanes = [plant.lane(4, numbering=0 if ordered else None) for _ in ins]
        number = (len(plant.lanes) if starts else 0) if ordered else None
        outs = [plant.lane(out, numbering=number, starts=starts, drops=drops) for _ in wanted]
        for lane, rows in zip(lanes, ins, strict=True):
            mark = (rows[-1][0], rows[-1][2] + 1) if ordered and rows else None
            plant.fill(lane, [row[:2] for row in rows], [row[2] for row in rows] if ordered else (), mark)
        role = plant.role("mover", lanes, outs, limit=limit, late=late, patience=0)
        alone(lab, plant.moving(role, pick, route, stamp, result=result))

        def check() -> None:
            got: list[list[Any]] = [[] for _ in outs]
            for lane, taken in zip(outs, got, strict=True):
                for _ in plant.taking(lane, taken):
                    pass
            assert got == [list(rows) for rows in wanted], f"{got}"
            judge(plant, role)

        return check


ROWS = sent(4)
moved("bridge", "", "", [ROWS], [ROWS], judge=counted(EPOCH=1, TAKEN=4))
moved("bridge, one by one", "", "", [ROWS], [ROWS], limit=1, judge=counted(EPOCH=4))
moved("bridge, drops", "", "", [ROWS], [ROWS[:2]], out=2, drops=True, judge=counted(DROPPED=2))
moved("bridge, crowded", "", "", [ROWS], [ROWS[:2]], out=2, result=turns.HELD, judge=counted(EPOCH=1, TAKEN=2))
moved("broadcast", "", "broadcast", [ROWS], [ROWS, ROWS])
moved("broadcast, drops", "", "broadcast", [ROWS], [ROWS[:2], ROWS[:2]], out=2, drops=True)
moved("work_queue", "", "work_queue", [ROWS], [ROWS[::2], ROWS[1::2]])
moved("work_queue, crowded", "", "work_queue", [ROWS], [ROWS[:1], ROWS[1:2]], out=1, result=turns.HELD)
moved("by_key", "", "by_key", [ROWS], [ROWS[1::2], ROWS[::2]])
moved("by_key, crowded", "", "by_key", [ROWS], [ROWS[1:2], ROWS[:1]], out=1, result=turns.HELD)
moved("first_idle", "", "first_idle", [ROWS], [ROWS[::2], ROWS[1::2]], limit=1)
moved("first_idle, crowded", "", "first_idle", [ROWS], [ROWS[:1], ROWS[1:2]], out=1, result=turns.HELD)
moved("round_robin, one is short", "round_robin", "", [sent(3), sent(1)], [[(0, 0), (0, 0), (1, -1), (2, -2)]])
moved("round_robin, the first is short", "round_robin", "", [sent(1), sent(2)], [[(0, 0), (0, 0), (1, -1)]])
moved("round_robin, stamps", "round_robin", "", [sent(1), sent(2)], [[(0, 0), (0, 1), (1, 1)]], stamp=True)
moved("arrival, one by one", "arrival", "", [sent(2), sent(2)], [[(0, 0), (0, 0), (1, -1), (1, -1)]], limit=1)
moved("arrival", "arrival", "", [sent(2), [], sent(2)], [[(0, 0), (0, 0), (1, -1), (1, -1)]])
KEYS = [[(1, 0, 5), (3, 0, 7)], [(1, 0, 4), (1, 0, 5), (4, 0, 9)]]
IN_ORDER = [(1, 1, 4), (1, 0, 5), (1, 1, 5), (3, 0, 7), (4, 1, 9)]
moved("by_field", "by_field", "", KEYS, [IN_ORDER], out=8, ordered=True, stamp=True, judge=counted(EPOCH=1))
moved("by_field, one by one", "by_field", "", KEYS, [IN_ORDER], out=8, ordered=True, stamp=True, limit=1)
moved(
    "by_field, numbers anew",
    "by_field",
    "",
    KEYS,
    [[row[:2] for row in IN_ORDER]],
    out=8,
    ordered=True,
    stamp=True,
    starts=c.FROM_INPUTS,
)
FALLING = [[(3, 0, 1), (2, 0, 2), (3, 0, 3)]]
moved(
    "bridge, late",
    "",
    "",
    FALLING,
    [[(3, 0), (3, 0)]],
    ordered=True,
    starts=c.FROM_RECORDS,
    late=True,
    judge=counted(LATE=1),
)
moved("bridge, falls", "", "", FALLING, [[]], ordered=True, starts=c.FROM_RECORDS, result=FELL)


# Order


Head = tuple[int, int, int, int, int]  # what it is, then field, numbering, order word, lane


def heads(name: str, given: Sequence[Head], first: int) -> None:
    """Inputs with these heads: which comes first, whatever their places."""

    @scenario(f"alone: {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        role = plant.role("merge", [plant.lane(1, numbering=0) for _ in given])
        found: list[int] = []

        def run() -> Body:
            for turn in range(len(given)):
                desk = plant.desk(role)
                places = [*given[turn:], *given[:turn]]
                for i, head in enumerate(places):
                    for at, value in zip((c.HEAD, c.HEAD_FIELD, c.NUMBERING, c.HEAD_WORD, c.LANE), head, strict=True):
                        plant.plain.words[desk.ins + c.IN * i + at] = value
                i = yield from plant.lift(order.first_input)(desk)
                found.append(given.index(places[i]))

        alone(lab, run())
        return lambda: same([(n, 0) for n in found], [(first, 0)] * len(given))


heads("order by field", [(RECORD, 2, 0, 0, 0), (RECORD, 1, 9, 9, 9), (BOUND, 3, 0, 0, 1)], 1)
heads("order by numbering", [(RECORD, 1, 2, 0, 0), (BOUND, 1, 1, 9, 9), (RECORD, 1, 3, 0, 1)], 1)
heads("order by word", [(RECORD, 1, 1, 2, 0), (BOUND, 1, 1, 1, 9), (RECORD, 1, 1, 3, 1)], 1)
heads("order by lane", [(RECORD, 1, 1, 1, 5), (BOUND, 1, 1, 1, 4), (RECORD, 1, 1, 1, 6)], 1)
heads("order, one has ended", [(GONE, 1, 1, 1, 5), (BOUND, 4, 1, 1, 4), (GONE, 9, 1, 1, 6)], 1)
heads("order, the highest field there is", [(RECORD, LAST, 2, 0, 1), (GONE, 1, 1, 1, 0)], 0)
heads("order, all have ended: the highest mark", [(GONE, 1, 1, 1, 5), (GONE, 4, 1, 1, 4), (GONE, 4, 1, 0, 6)], 1)


def promised(
    name: str, inputs: Sequence[tuple[Row | None, bool, Row]], starts: int, before: Row, wanted: Row, rose: bool
) -> None:
    """Inputs with a first record, an end and a mark: the mark of the output, from what it was."""

    @scenario(f"alone: {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        lanes = [plant.lane(1, numbering=9) for _ in inputs]
        unordered, down = plant.lane(1), plant.lane(1, numbering=9, starts=starts)
        role = plant.role("role", lanes, [unordered, down])
        for lane, (head, closed, mark) in zip(lanes, inputs, strict=True):
            plant.fill(lane, [] if head is None else [(head[0], 0)], [] if head is None else [head[1]], mark, closed)
        answers: list[bool] = []
        marks: list[Row] = []

        def run() -> Body:
            desk = plant.desk(role)
            words, at = plant.plain.words, desk.now + c.TAKEN + WORD * desk.inputs + c.PUT
            words[at + c.FIELD], words[at + c.WORD], words[at] = *before, 7
            yield from plant.lift(c.look)(desk)
            answers.append((yield from plant.lift(order.raise_marks)(desk)))
            marks.append((words[at + c.FIELD], words[at + c.WORD]))

        alone(lab, run())

        def check() -> None:
            same(marks, [wanted])
            assert answers == [rose], answers

        return check


OLD = (LOWEST, LOWEST)
promised("mark of a record", [((5, 3), False, (6, 9))], c.INHERITS, OLD, (5, 3), True)
promised("mark of a mark", [(None, False, (6, 9))], c.INHERITS, OLD, (6, 9), True)
promised("mark of an end", [(None, True, (6, 9))], c.INHERITS, OLD, (6, 9), True)
promised(
    "mark of the least of three",
    [((5, 3), False, (6, 9)), (None, False, (5, 2)), (None, True, (1, 1))],
    0,
    OLD,
    (5, 2),
    True,
)
promised("mark that stays", [(None, False, (6, 9))], c.INHERITS, (6, 9), (6, 9), False)
promised("mark whose word rises", [(None, False, (6, 9))], c.INHERITS, (6, 8), (6, 9), True)
promised("mark that would fall", [(None, False, (6, 9))], c.INHERITS, (7, 2), (7, 2), False)
promised("mark whose word would fall", [(None, False, (6, 9))], c.INHERITS, (6, 10), (6, 10), False)
promised("mark where numbers begin", [(None, False, (6, 9))], c.FROM_INPUTS, OLD, (6, 7), True)
promised("mark where numbers begin by records", [(None, False, (6, 9))], c.FROM_RECORDS, (2, 5), (2, 7), True)
