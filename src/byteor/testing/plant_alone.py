"""Roles of a plant alone: every form of a stage, every policy, every way a turn can end, with exact counts.

Rule 1. Actors of one scenario run one after the other here, so each has one schedule.
Rule 2. A role is taken up anew for each piece, as by a successor: what is not in its record is lost.
Rule 3. Lanes are sent over several times, so that both ends wrap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from byteor.abi.byteor_v1 import OPEN
from byteor.kernel import commit as c
from byteor.kernel import feed, order, steps, turns
from byteor.kernel.moves import FELL
from byteor.kernel.order import BOUND, GONE, LOWEST, RECORD
from byteor.kernel.state import CONTENDED
from byteor.kernel.steps import BAD_COUNT, BAD_MASK, CHANGED, NO_ROW, TOOK_OUT, Form
from byteor.kernel.wait import ANNOUNCED
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.plain import WORD
from byteor.testing.roles import Lane, Plant, Role

LAST = 2**63 - 1
Judge = Callable[[Plant, Role], None]


def alone(lab: Lab, *bodies: Body) -> None:
    """Run the bodies one after the other, as one actor."""

    def run() -> Body:
        for body in bodies:
            yield from body

    lab.world.spawn(run(), "alone")


def through(plant: Plant, body: Any, up: Lane, outs: Sequence[Lane], chunks: Any, got: Sequence[list[Any]]) -> Body:
    """Send each chunk, let the role do what it can, take what it gave; at last close."""
    for i, chunk in enumerate(chunks):
        yield from plant.sending(up, chunk[0], chunk[1], i == len(chunks) - 1)
        while True:
            before = plant.lab.value(up.gates)
            yield from body(result=None)
            for out, taken in zip(outs, got, strict=True):
                yield from plant.taking(out, taken)
            if plant.lab.value(up.gates) == before:
                break
    assert plant.lab.value(up.gates) == plant.lab.value(up.closed), f"{plant.lab.value(up.gates)} taken"
    assert all(plant.lab.value(out.closed) == plant.lab.value(out.cursor) for out in outs)


def holds(found: object, wanted: object) -> None:
    """What was found is what was wanted."""
    assert found == wanted, f"{found} instead of {wanted}"


def chunks_of(rows: Sequence[Row], size: int, words: Sequence[int] = ()) -> list[tuple[Any, ...]]:
    """Rows in pieces, with their order words."""
    return [(rows[n : n + size], words[n : n + size]) for n in range(0, len(rows), size)]


def staged(
    name: str,
    make: Any,
    call: Any,
    form: Form,
    wanted: Callable[[list[Row]], list[Any]],
    *,
    count: int = 7,
    piece: int = 3,
    out: int = 2,
    limit: int = 64,
    numbering: int | None = None,
    starts: int = c.INHERITS,
    drops: bool = False,
    late: bool = False,
    rows: Sequence[Row] = (),
    row_of: Any = None,
    facts: Any = None,
    judge: Judge = lambda plant, role: None,
) -> None:
    """A stage between a lane of 4 and a smaller one."""

    @scenario(f"alone: {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        sent_rows = list(rows) or sent(count)
        top = numbering is not None and plant.lane(1, numbering=0)
        up = plant.lane(4, numbering=numbering)
        down = plant.lane(out, numbering=len(plant.lanes) if starts else numbering, starts=starts, drops=drops)
        assert top is not None
        role = plant.role("stage", [up], [down], patience=0, limit=limit, late=late, **(facts or {}))
        got: list[Any] = []
        words = [10 + n for n in range(len(sent_rows))] if up.orders else []
        body = partial(plant.staging, role, make, call, form, row_of)
        alone(lab, through(plant, body, up, [down], chunks_of(sent_rows, piece, words), [got]))

        def check() -> None:
            same(got, wanted(sent_rows))
            judge(plant, role)

        return check


def counted(**wanted: int) -> Judge:
    """The check of a record's words, by their names."""

    def judge(plant: Plant, role: Role) -> None:
        for name, value in wanted.items():
            found = plant.dropped(role) if name == "DROPPED" else plant.word(role, getattr(c, name))
            assert found == value, f"{name} is {found}"

    return judge


def stands(at: int) -> Judge:
    """The check of where a stage stood last."""

    def judge(plant: Plant, role: Role) -> None:
        assert plant.lab.value(role.stats) == at, f"it stands at {plant.lab.value(role.stats)}"

    return judge


# Stages


def mark_odd(record: Any, *_: Any) -> bool:
    record.b = record.b - 100
    return bool(record.a % 2 == 1)


def mark(record: Any, *_: Any) -> None:
    record.b = record.b - 100


def odd(rows: list[Row]) -> list[Any]:
    return [(a, b - 100) for a, b in rows if a % 2]


def every(rows: list[Row]) -> list[Any]:
    return [(a, b - 100) for a, b in rows]


def worded(rows: list[Row]) -> list[Any]:
    return [(a, b - 100, 10 + n) for n, (a, b) in enumerate(rows)]


def twice(record: Any, out: Any, *_: Any) -> int:
    n = min(record.a, 2)
    for k in range(n):
        out[k].a, out[k].b = record.a, k
    return int(n)


def given(rows: list[Row]) -> list[Any]:
    return [(a, k) for a, _ in rows for k in range(min(a, 2))]


def mask_odd(batch: Any, _out: Any, _src: Any, live: Any, _index: Any, *_: Any) -> list[bool]:
    assert all(live[: len(batch)]) and len(live) == len(batch)
    for record in batch:
        record.b = record.b - 100
    return [bool(record.a % 2 == 1) for record in batch]


def mark_batch(batch: Any, *_: Any) -> None:
    for record in batch:
        record.b = record.b - 100


def twice_batch(batch: Any, out: Any, src: Any, *_: Any) -> int:
    assert len(out) == len(src) == 2 * len(batch) and not any(src)
    n = 0
    for i, record in enumerate(batch):
        for k in range(min(record.a, 2)):
            out[n].a, out[n].b = record.a, k
            src[n] = i
            n += 1
    return n


def sums(record: Any, _out: Any, _src: Any, _live: Any, _index: Any, row: Any, _p: Any) -> None:
    row.a = row.a + 1
    row.b = row.b + record.a
    record.b = row.b


def summed(rows: list[Row], keys: int = 2) -> list[Any]:
    kept = [0] * keys
    found = []
    for a, _ in rows:
        kept[a % keys] += a
        found.append((a, kept[a % keys]))
    return found


def sums_batch(batch: Any, _out: Any, _src: Any, _live: Any, index: Any, table: Any, _p: Any) -> None:
    for record, row in zip(batch, index, strict=True):
        table[row].a = table[row].a + 1
        table[row].b = table[row].b + record.a
        record.b = table[row].b


def key(record: Any, modulo: int) -> int:
    return int(record.a % modulo)


def row_of(keys: Any, slot: int) -> int:
    """The row of a record: that of its number modulo the rows there are."""
    plant, role = keys
    return key(plant.plain.rows[role.ins[0][0].slots][slot], role.keyed)


def row_or_none(keys: Any, slot: int) -> int:
    """No row for the record 2."""
    plant, role = keys
    record = plant.plain.rows[role.ins[0][0].slots][slot]
    return NO_ROW if record.a == 2 else key(record, role.keyed)


MESSAGE, GIVING, BATCH, GIVING_BATCH = (
    steps.make_message_work,
    steps.make_giving_work,
    steps.make_batch_work,
    steps.make_giving_batch_work,
)
SUMS = {"keyed": 3, "log_rows": 3}
summed_up = partial(summed, keys=3)

staged("message, filters", MESSAGE, mark_odd, Form(filters=True), odd, judge=counted(FILTERED=4, EPOCH=3))
staged("message, one by one", MESSAGE, mark, Form(), every, limit=1, judge=counted(FILTERED=0, EPOCH=7))
staged("message that does not fail says not where it is", MESSAGE, mark, Form(), every, judge=stands(0))
staged("message that may fail says where it is", MESSAGE, mark, Form(raises=True), every, judge=stands(6))
staged("giving, which does not fail", GIVING, twice, Form(min_out=0, max_out=2), given, judge=stands(0))
staged("giving, which may fail", GIVING, twice, Form(raises=True, min_out=0, max_out=2), given, judge=stands(6))
staged("message, roomy", MESSAGE, mark, Form(), every, out=4, judge=counted(EPOCH=3, TAKEN=7))
staged("message, order words", MESSAGE, mark, Form(), worded, numbering=0, rows=[(3, n) for n in range(7)])
staged("giving", GIVING, twice, Form(min_out=0, max_out=2), given, judge=counted(FILTERED=1, EPOCH=6))
staged("giving, output of 4", GIVING, twice, Form(min_out=0, max_out=2), given, out=4)
staged("giving, output of 8, two by two", GIVING, twice, Form(min_out=0, max_out=2), given, out=8, limit=2)
staged("batch, filters", BATCH, mask_odd, Form(filters=True, masks=True), odd, judge=counted(FILTERED=4))
staged("batch", BATCH, mark_batch, Form(), every, judge=counted(FILTERED=0, EPOCH=5))
staged("batch, roomy", BATCH, mark_batch, Form(), every, out=4, judge=counted(EPOCH=3))
staged("batch, two by two", BATCH, mark_batch, Form(), every, out=4, limit=2)
staged("batch, may filter and does not", BATCH, mark_batch, Form(filters=True, masks=True), every)
staged("batch, order words", BATCH, mark_batch, Form(), worded, numbering=0, rows=[(3, n) for n in range(7)])
staged("giving batch", GIVING_BATCH, twice_batch, Form(min_out=0, max_out=2), given)
staged("giving batch, output of 8", GIVING_BATCH, twice_batch, Form(min_out=0, max_out=2), given, out=8)
staged(
    "message, keyed",
    MESSAGE,
    sums,
    Form(keyed=True),
    summed_up,
    out=4,
    limit=4,
    piece=4,
    row_of=row_of,
    facts=SUMS,
    judge=counted(ROWS=3, EPOCH=2),
)
staged(
    "message, keyed, room to log 1 row",
    MESSAGE,
    sums,
    Form(keyed=True),
    summed,
    out=4,
    row_of=row_of,
    facts={"keyed": 2, "log_rows": 1},
    judge=counted(EPOCH=7, ROWS=2),
)
staged("batch, keyed", BATCH, sums_batch, Form(keyed=True), summed_up, row_of=row_of, facts=SUMS, judge=counted(ROWS=3))
staged(
    "batch, keyed, room to log 1 row",
    BATCH,
    sums_batch,
    Form(keyed=True),
    summed,
    out=4,
    row_of=row_of,
    facts={"keyed": 2, "log_rows": 1},
    judge=counted(EPOCH=7),
)
staged("message, flat state", MESSAGE, sums, Form(), partial(summed, keys=1), facts={"flat": 1})


# What is dropped, and what is late


def first_two(rows: list[Row]) -> list[Any]:
    """Of each three, two find room."""
    return [row for n, row in enumerate(every(rows)) if n % 3 < 2]


staged("message, drops", MESSAGE, mark, Form(), first_two, drops=True, judge=counted(DROPPED=2, EPOCH=3))
staged("message, drops, may fail", MESSAGE, mark, Form(raises=True), first_two, drops=True, judge=stands(6))
staged("message, drops, does not fail", MESSAGE, mark, Form(), first_two, drops=True, judge=stands(0))
staged("batch, drops", BATCH, mark_batch, Form(), first_two, drops=True, judge=counted(DROPPED=2))
FALLS = [(3, 0), (2, 1), (5, 2), (4, 3), (5, 4)]


def rising(rows: list[Row]) -> list[Any]:
    kept: list[Any] = []
    for a, b in rows:
        if not kept or a >= kept[-1][0]:
            kept.append((a, b - 100))
    return kept


LATE: dict[str, Any] = {"numbering": 0, "starts": c.FROM_RECORDS, "late": True, "rows": FALLS}
staged("message, late", MESSAGE, mark, Form(), rising, **LATE, judge=counted(LATE=2))
staged("message, late, from a lane in no order", MESSAGE, mark, Form(), rising, **{**LATE, "numbering": None})
staged("batch, late", BATCH, mark_batch, Form(), rising, **LATE, judge=counted(LATE=2))


# Faults of a stage: where it stands, and that nothing of the piece was committed


def faulty(
    name: str,
    make: Any,
    call: Any,
    form: Form,
    code: int,
    at: int,
    *,
    rows: Sequence[Row] = (),
    numbering: int | None = None,
    starts: int = c.INHERITS,
    row_of: Any = None,
    facts: Any = None,
) -> None:
    """A stage that fails in its first piece."""

    @scenario(f"alone: {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        if numbering is not None:
            plant.lane(1, numbering=0)
        up, down = (
            plant.lane(4, numbering=numbering),
            plant.lane(4, numbering=2 if starts else numbering, starts=starts),
        )
        role = plant.role("stage", [up], [down], **(facts or {}))
        plant.fill(up, rows or sent(3), range(3) if up.orders else ())
        alone(lab, plant.staging(role, make, call, form, row_of, result=code))

        def check() -> None:
            assert lab.value(role.stats) == at, f"it stands at {lab.value(role.stats)}"
            assert lab.value(down.cursor) == lab.value(up.gates) == 0
            assert lab.value(down.closed) == OPEN

        return check


def change_field(record: Any, *_: Any) -> None:
    record.a = record.a + (record.b == -1)


def change_field_batch(batch: Any, *_: Any) -> None:
    for record in batch:
        change_field(record)


def three(_record: Any, _out: Any, *_: Any) -> int:
    return 3


def none(_record: Any, _out: Any, *_: Any) -> int:
    return 0


def minus(_record: Any, _out: Any, *_: Any) -> int:
    return -1


def wild_source(batch: Any, out: Any, src: Any, *_: Any) -> int:
    """The second record names a row that is not there."""
    src[0], src[1] = 0, len(batch)
    return 2


def falling_source(batch: Any, out: Any, src: Any, *_: Any) -> int:
    src[0], src[1] = 1, 0
    return 2


def one_short(batch: Any, *_: Any) -> list[bool]:
    return [True] * (len(batch) - 1)


faulty("message takes out unasked", MESSAGE, mark_odd, Form(), TOOK_OUT, 0)
faulty("batch takes out unasked", BATCH, mask_odd, Form(masks=True), TOOK_OUT, 0)
faulty("batch, a mask of another length", BATCH, one_short, Form(filters=True, masks=True), BAD_MASK, 0)
faulty("giving too many", GIVING, three, Form(min_out=0, max_out=2), BAD_COUNT, 0)
faulty("giving too few", GIVING, none, Form(min_out=1, max_out=2), BAD_COUNT, 0)
faulty("giving fewer than none", GIVING, minus, Form(min_out=0, max_out=2), BAD_COUNT, 0)
faulty("giving batch, fewer than none", GIVING_BATCH, minus, Form(min_out=0, max_out=1), BAD_COUNT, 0)
faulty("giving batch, too many", GIVING_BATCH, lambda batch, *_: len(batch) + 1, Form(min_out=0), BAD_COUNT, 0)
faulty("giving batch, a source that is not there", GIVING_BATCH, wild_source, Form(min_out=0), CHANGED, 0)
faulty("giving batch, sources that fall", GIVING_BATCH, falling_source, Form(min_out=0), CHANGED, 0)
KEYED = {"keyed": 2, "log_rows": 2}
faulty("message, no row", MESSAGE, sums, Form(keyed=True), NO_ROW, 2, row_of=row_or_none, facts=KEYED)
EQUAL = [(1, 0), (1, -1), (1, -2)]
faulty("message, changes its field", MESSAGE, change_field, Form(), CHANGED, 1, rows=EQUAL, numbering=0)
faulty("batch, changes its field", BATCH, change_field_batch, Form(), CHANGED, 1, rows=EQUAL, numbering=0)
faulty("message, falls", MESSAGE, mark, Form(), FELL, 1, rows=FALLS[:3], numbering=0, starts=c.FROM_RECORDS)
faulty("batch, falls", BATCH, mark_batch, Form(), FELL, 1, rows=FALLS[:3], numbering=0, starts=c.FROM_RECORDS)


@scenario("alone: batch, no row for the third: two are done first")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up, down = plant.lane(4), plant.lane(4)
    role = plant.role("stage", [up], [down], **KEYED)
    plant.fill(up, sent(3))
    alone(lab, plant.staging(role, BATCH, sums_batch, Form(keyed=True), row_or_none, result=NO_ROW))

    def check() -> None:
        assert lab.value(role.stats) == 2 and lab.value(down.cursor) == 0

    return check


@scenario("alone: message, where it stands before each call")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up, down = plant.lane(4), plant.lane(4)
    role = plant.role("stage", [up], [down])
    plant.fill(up, sent(3))
    stood: list[int] = []

    def note(record: Any, *_: Any) -> None:
        stood.append(lab.value(role.stats) - record.a)

    alone(lab, plant.staging(role, MESSAGE, note, Form(raises=True)))
    return lambda: same([(n, n) for n in stood], [(0, 0)] * 3)


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
moved("bridge, two by two", "", "", [ROWS], [ROWS], limit=2, judge=counted(EPOCH=2))
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
    drops: bool = False,
    late: bool = False,
    result: int | None = None,
    judge: Judge = lambda plant, role: None,
) -> None:
    """A source feeds as much as there is room for, twice: the second time what is left, if anything."""

    @scenario(f"alone: {name}")
    def _(lab: Lab) -> Check:
        plant = Plant(lab)
        number, starts = (9, c.INHERITS) if inherits else (0, c.FROM_RECORDS)
        down = plant.lane(out, numbering=number if ordered else None, starts=starts if ordered else 0, drops=drops)
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
fed("source, ordered", [(1, 0), (1, 1), (3, 2)], [(1, 0), (1, 1), (3, 2)], ordered=True, judge=counted(LATE=0))
fed("source, ordered, crowded", [(1, 0), (1, 1)], [(1, 0)], out=1, ordered=True, result=1, judge=counted(TAKEN=1))
fed("source, its rows' words", [(1, 0), (3, 2)], [(1, 0, 77), (3, 2, 77)], ordered=True, inherits=True)
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
