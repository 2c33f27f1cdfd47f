"""Stages alone: every form, every kind of state, and every fault, with exact counts.

Rule 1. A role is taken up anew for each piece, as by a successor: what is not in its record is lost.
Rule 2. Lanes are sent over several times, so that both ends wrap.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from byteor.abi.byteor_v1 import OPEN
from byteor.kernel import commit as c
from byteor.kernel import steps
from byteor.kernel.moves import FELL
from byteor.kernel.steps import BAD_COUNT, BAD_MASK, CHANGED, NO_ROW, TOOK_OUT, Form
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.plant_bench import Lane
from byteor.testing.plant_judge import Judge, counted, holds, stands
from byteor.testing.roles import Plant
from byteor.testing.shapes import alone


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


def chunks_of(rows: Sequence[Row], sizes: Sequence[int], words: Sequence[int] = ()) -> list[tuple[Any, ...]]:
    """Rows in pieces of these sizes, with their order words."""
    found = []
    for n, size in zip(itertools.accumulate(sizes, initial=0), sizes, strict=False):
        if n < len(rows):
            found.append((rows[n : n + size], words[n : n + size]))
    return found


def staged(
    name: str,
    make: Any,
    call: Any,
    form: Form,
    wanted: Callable[[list[Row]], list[Any]],
    *,
    count: int = 7,
    piece: int = 3,
    pieces: Sequence[int] = (),
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
        alone(lab, through(plant, body, up, [down], chunks_of(sent_rows, pieces or [piece] * count, words), [got]))

        def check() -> None:
            same(got, wanted(sent_rows))
            judge(plant, role)

        return check


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
staged(
    "message, filters, order words",
    MESSAGE,
    mark_odd,
    Form(filters=True),
    lambda rows: [(a, b - 100, 10 + n) for n, (a, b) in enumerate(rows) if a % 2],
    numbering=0,
    judge=counted(FILTERED=4),
)
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
staged(
    "batch, drops two at once",
    BATCH,
    mark_batch,
    Form(),
    lambda rows: every(rows)[:2] + every(rows)[4:6],
    piece=4,
    drops=True,
    judge=counted(DROPPED=3),
)
staged(
    "batch, drops from a slot in the middle, with scratch for one",
    BATCH,
    mark_batch,
    Form(),
    lambda rows: every(rows)[:3],
    count=5,
    pieces=(1, 4),
    drops=True,
    facts={"spare": 1},
    judge=counted(DROPPED=2),
)


def that_fit(out: int) -> Callable[[list[Row]], list[Any]]:
    """Of what each three messages give, what finds room."""
    return lambda rows: [one for n in range(0, len(rows), 3) for one in given(rows[n : n + 3])[:out]]


GIVES = Form(min_out=0, max_out=2)
staged("giving, drops", GIVING, twice, GIVES, that_fit(2), drops=True, judge=counted(DROPPED=5))
staged("giving, drops, output of 1", GIVING, twice, GIVES, that_fit(1), out=1, drops=True, judge=counted(DROPPED=8))
staged("giving batch, drops", GIVING_BATCH, twice_batch, GIVES, that_fit(2), drops=True, judge=counted(DROPPED=5))


def twice_summed(record: Any, out: Any, _src: Any, _live: Any, _index: Any, row: Any, _p: Any) -> int:
    row.a, row.b = row.a + 1, row.b + record.a
    for k in range(2):
        out[k].a, out[k].b = record.a, row.b + k
    return 2


def twice_summed_batch(batch: Any, out: Any, src: Any, _live: Any, index: Any, table: Any, _p: Any) -> int:
    for i, record in enumerate(batch):
        twice_summed(record, out[2 * i : 2 * i + 2], None, None, None, table[index[i]], None)
        src[2 * i : 2 * i + 2] = i
    return 2 * len(batch)


def sums_twice(rows: list[Row]) -> list[Any]:
    return [(a, b + k) for a, b in summed(rows) for k in range(2)]


ONE_ROW: dict[str, Any] = {"row_of": row_of, "facts": {"keyed": 2, "log_rows": 1}, "out": 8}
KEYED_TWICE = Form(keyed=True, min_out=2, max_out=2)
staged("giving, keyed, 1 row", GIVING, twice_summed, KEYED_TWICE, sums_twice, judge=counted(EPOCH=7), **ONE_ROW)
staged(
    "giving batch, keyed, 1 row",
    GIVING_BATCH,
    twice_summed_batch,
    KEYED_TWICE,
    sums_twice,
    judge=counted(EPOCH=7),
    **ONE_ROW,
)
FALLS = [(3, 0), (2, 1), (5, 2), (4, 3), (5, 4)]


def rising(rows: list[Row]) -> list[Any]:
    kept: list[Any] = []
    for a, b in rows:
        if not kept or a >= kept[-1][0]:
            kept.append((a, b - 100))
    return kept


LATE: dict[str, Any] = {"numbering": 0, "starts": c.FROM_RECORDS, "late": True, "rows": FALLS}
staged("message, late", MESSAGE, mark, Form(), rising, **LATE, judge=counted(LATE=2))
staged("message, late, from a lane in no order", MESSAGE, mark, Form(), rising, limit=1, **{**LATE, "numbering": None})
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
faulty("message takes out unasked, in order", MESSAGE, mark_odd, Form(), TOOK_OUT, 0, numbering=0)
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
faulty(
    "giving, no row", GIVING, twice_summed, KEYED_TWICE, NO_ROW, 1, rows=sent(3)[1:], row_of=row_or_none, facts=KEYED
)


def give_changed(record: Any, out: Any, *_: Any) -> int:
    out[0].a, out[0].b = record.a, 0
    out[1].a, out[1].b = record.a + 1, 0
    return 2


def give_changed_batch(batch: Any, out: Any, src: Any, *_: Any) -> int:
    src[:2] = 1
    return give_changed(batch[1], out)


faulty("giving, changes its field", GIVING, give_changed, GIVES, CHANGED, 0, rows=EQUAL, numbering=0)
faulty("giving batch, changes its field", GIVING_BATCH, give_changed_batch, GIVES, CHANGED, 1, rows=EQUAL, numbering=0)
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


@scenario("alone: giving batch, no row for the first")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up, down = plant.lane(4), plant.lane(4)
    role = plant.role("stage", [up], [down], **KEYED)
    plant.fill(up, sent(3)[2:])
    alone(lab, plant.staging(role, GIVING_BATCH, twice_summed_batch, KEYED_TWICE, row_or_none, result=NO_ROW))
    return lambda: holds((lab.value(role.stats), lab.value(down.cursor)), (0, 0))


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
