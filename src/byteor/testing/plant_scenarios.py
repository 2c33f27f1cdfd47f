"""Roles of a plant under the explorer: killed before any operation and taken over, and waiting for each other.

Rule 1. A killed role's output is that of one that was never killed, record for record, and so are its counters.
Rule 2. Where the role is what is looked at, its inputs are full or its outputs roomy from the start.
Rule 3. What is promised is the same for every schedule; where a result depends on time, only its bounds are.
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
from byteor.kernel.steps import Form
from byteor.kernel.wait import ANNOUNCED
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.roles import END_WORD, Plant
from byteor.testing.world import after_death_of

FILTERS = Form(filters=True)


def marked(row: Row) -> Row:
    """What the stages here make of a record."""
    return row[0], row[1] - 100


# Stages


def mark_odd(record: Any, *_: Any) -> bool:
    record.b = record.b - 100
    return bool(record.a % 2 == 1)


def mark(record: Any, *_: Any) -> None:
    record.b = record.b - 100


# A relay that filters


def relay(lab: Lab, into: int, out: int, count: int, deaths: int = 1, limit: int = 64) -> Check:
    """A lane is full, a relay takes the even ones out, a consumer takes what it gives as room comes."""
    plant = Plant(lab)
    up, down = plant.lane(into), plant.lane(out)
    plant.fill(up, sent(count))
    role = plant.role("relay", [up], [down], limit=limit)
    wanted = [marked(row) for row in sent(count) if row[0] % 2]
    got: list[Row] = []
    plant.spawn(partial(plant.staging, role, steps.make_message_work, mark_odd, FILTERS), "relay", deaths)
    lab.world.spawn(plant.consuming(down, len(wanted), got), "consumer")

    def check() -> None:
        same(got, wanted)
        assert lab.value(down.closed) == len(wanted)
        assert plant.word(role, c.FILTERED) == count - len(wanted)
        assert lab.value(up.gates) == count

    return check


scenario("relay that filters dies: output of 1, 2 messages")(lambda lab: relay(lab, 2, 1, 2))
scenario("relay that filters dies: output of 2, 3 messages, one by one")(lambda lab: relay(lab, 4, 2, 3, limit=1))
scenario("relay that filters dies: output of 1, 4 messages", full=True)(lambda lab: relay(lab, 4, 1, 4))
scenario("relay that filters dies twice: output of 1, 2 messages", full=True)(lambda lab: relay(lab, 2, 1, 2, 2))


def relay_behind(lab: Lab, into: int, count: int, deaths: int = 1) -> Check:
    """A producer sends as room comes, a relay takes the even ones out, its output has room for all."""
    plant = Plant(lab)
    up, down = plant.lane(into), plant.lane(4)
    role = plant.role("relay", [up], [down])
    lab.world.spawn(plant.producing(up, sent(count)), "producer")
    plant.spawn(partial(plant.staging, role, steps.make_message_work, mark_odd, FILTERS), "relay", deaths)
    return lambda: same(plant.rows_of(down), [marked(row) for row in sent(count) if row[0] % 2])


scenario("relay that filters, behind a producer: input of 1, 2 messages")(lambda lab: relay_behind(lab, 1, 2, 0))
scenario("relay that filters, behind a producer: input of 1, 3 messages")(lambda lab: relay_behind(lab, 1, 3, 0))
scenario("relay that filters dies, behind a producer: input of 2, 2 messages")(lambda lab: relay_behind(lab, 2, 2))
scenario("relay that filters dies, behind a producer: input of 1, 2 messages", full=True)(
    lambda lab: relay_behind(lab, 1, 2)
)


# State


def count_key(record: Any, _out: Any, _src: Any, _live: Any, _index: Any, row: Any, _p: Any) -> None:
    row.a = row.a + 1
    row.b = row.b + record.a
    record.b = row.b


def parity(keys: Any, slot: int) -> int:
    """The row of a record: that of its parity."""
    plant, role = keys
    return int(plant.plain.rows[role.ins[0][0].slots][slot].a % 2)


def keyed(lab: Lab, count: int, log_rows: int, limit: int = 64) -> Check:
    """A role with a row of state for each parity; a log too small cuts its pieces."""
    plant = Plant(lab)
    up, down = plant.lane(4), plant.lane(4)
    plant.fill(up, sent(count))
    role = plant.role("sums", [up], [down], keyed=2, log_rows=log_rows, limit=limit)
    body = partial(plant.staging, role, steps.make_message_work, count_key, Form(keyed=True), parity)
    plant.spawn(body, "sums", 1)

    def check() -> None:
        sums = [0, 0]
        wanted = []
        for a, _ in sent(count):
            sums[a % 2] += a
            wanted.append((a, sums[a % 2]))
        same(plant.rows_of(down), wanted)
        kept = [(lab.value(role.home + 16 * k), lab.value(role.home + 16 * k + 8)) for k in range(2)]
        same(kept, [((count + 1) // 2, sums[0]), (count // 2, sums[1])])
        assert plant.word(role, c.ROWS) == min(2, count)

    return check


scenario("keyed state dies: 3 messages, room to log both rows")(lambda lab: keyed(lab, 3, 2))
scenario("keyed state dies: 3 messages, room to log 1 row")(lambda lab: keyed(lab, 3, 1))


def add_up(record: Any, _out: Any, _src: Any, _live: Any, _index: Any, row: Any, _p: Any) -> None:
    row.a = row.a + 1
    row.b = row.b + record.a
    record.b = row.b


@scenario("flat state dies: 3 messages, one by one")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up, down = plant.lane(4), plant.lane(4)
    plant.fill(up, sent(3))
    role = plant.role("sum", [up], [down], flat=1, limit=1)
    plant.spawn(partial(plant.staging, role, steps.make_message_work, add_up), "sum", 1)

    def check() -> None:
        same(plant.rows_of(down), [(0, 0), (1, 1), (2, 3)])
        assert plant.word(role, 8 * (role.words - 2)) == 3
        assert plant.word(role, 8 * (role.words - 1)) == 3

    return check


# One to many, drops


def twice(record: Any, out: Any, *_: Any) -> int:
    """As many records as the number says, at most two."""
    n = min(record.a, 2)
    for k in range(n):
        out[k].a, out[k].b = record.a, k
    return int(n)


def given(count: int) -> list[Row]:
    """What comes of so many messages."""
    return [(a, k) for a in range(count) for k in range(min(a, 2))]


def many(lab: Lab, out: int, count: int, deaths: int, taken: bool = True) -> Check:
    """One record gives up to two: it waits until two have room."""
    plant = Plant(lab)
    up, down = plant.lane(4), plant.lane(out)
    plant.fill(up, sent(count))
    role = plant.role("many", [up], [down])
    got: list[Row] = []
    body = partial(plant.staging, role, steps.make_giving_work, twice, Form(min_out=0, max_out=2))
    plant.spawn(body, "many", deaths)
    if taken:
        lab.world.spawn(plant.consuming(down, len(given(count)), got), "consumer")

    def check() -> None:
        same(got if taken else plant.rows_of(down), given(count))
        assert plant.word(role, c.FILTERED) == 1

    return check


scenario("one to many, partial room: output of 2, 3 messages")(lambda lab: many(lab, 2, 3, 0))
scenario("one to many dies: output of 4, 3 messages, nobody takes")(lambda lab: many(lab, 4, 3, 1, False))
scenario("one to many dies, partial room: output of 2, 3 messages", full=True)(lambda lab: many(lab, 2, 3, 1))
scenario("one to many, partial room: output of 4, 4 messages")(lambda lab: many(lab, 4, 4, 0))


def dropping(lab: Lab, out: int, count: int, taken: int, deaths: int) -> Check:
    """What has no room is dropped and counted, and nobody is waited for."""
    plant = Plant(lab)
    up, down = plant.lane(4), plant.lane(out, drops=True)
    plant.fill(up, sent(count))
    role = plant.role("drops", [up], [down], limit=1)
    got: list[Row] = []
    plant.spawn(partial(plant.staging, role, steps.make_message_work, mark), "drops", deaths)
    lab.world.spawn(plant.consuming(down, taken, got), "consumer")

    def check() -> None:
        put, dropped = lab.value(down.cursor), plant.dropped(role)
        assert put + dropped == count, f"{put} put, {dropped} dropped"
        assert got == sorted(got) and set(got) <= {marked(row) for row in sent(count)}, got
        assert put >= min(count, out)

    return check


scenario("drops: output of 1, 3 messages, nobody takes")(lambda lab: dropping(lab, 1, 3, 0, 0))
scenario("drops: output of 1, 3 messages, 1 taken")(lambda lab: dropping(lab, 1, 3, 1, 0))
scenario("drops, and dies: output of 1, 2 messages, 1 taken")(lambda lab: dropping(lab, 1, 2, 1, 1))


# Routers


def routed(lab: Lab, policy: str, count: int, capacity: int = 4, deaths: int = 1) -> Check:
    """Each record goes where its policy says, whoever died."""
    plant = Plant(lab)
    up, outs = plant.lane(4), (plant.lane(capacity), plant.lane(capacity))
    plant.fill(up, sent(count))
    role = plant.role("router", [up], outs)
    plant.spawn(partial(plant.moving, role, "", policy), "router", deaths)

    def check() -> None:
        first, second = (plant.rows_of(out) for out in outs)
        rows = sent(count)
        if policy == "broadcast":
            same(first, rows)
            same(second, rows)
        elif policy == "work_queue":
            same(first, rows[::2])
            same(second, rows[1::2])
        else:
            same(sorted(first + second), rows)
            assert first == sorted(first) and second == sorted(second)

    return check


for _policy in ("broadcast", "work_queue", "by_key", "first_idle"):
    scenario(f"router {_policy} dies: 3 messages")(partial(routed, policy=_policy, count=3))


@scenario("router broadcast: outputs of 1 and 2, 2 messages")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    up, outs = plant.lane(2), (plant.lane(1), plant.lane(2))
    plant.fill(up, sent(2))
    plant.spawn(partial(plant.moving, plant.role("router", [up], outs), "", "broadcast"), "router")
    got: list[Row] = []
    lab.world.spawn(plant.consuming(outs[0], 2, got), "consumer")

    def check() -> None:
        same(got, sent(2))
        same(plant.rows_of(outs[1]), sent(2))

    return check


# Merges


def in_turn(lab: Lab, first: int, second: int) -> Check:
    """Two producers; the merge takes from each in turn."""
    plant = Plant(lab)
    ins, down = (plant.lane(1), plant.lane(1)), plant.lane(4)
    rows = sent(2 * second)[::2] + sent(9)[2 * second : first + second], sent(2 * second)[1::2]
    for lane, mine in zip(ins, rows, strict=True):
        lab.world.spawn(plant.producing(lane, mine), f"producer {lane.number}")
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down]), "round_robin"), "merge")
    return lambda: same(plant.rows_of(down), sent(first + second))


scenario("merge round_robin: inputs of 1, 1 and 1 messages")(lambda lab: in_turn(lab, 1, 1))
scenario("merge round_robin: inputs of 1, 2 and 1 messages", full=True)(lambda lab: in_turn(lab, 2, 1))


@scenario("merge round_robin dies: inputs full, 2 and 2 messages")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    ins, down = (plant.lane(2), plant.lane(2)), plant.lane(4)
    for lane in ins:
        plant.fill(lane, sent(4)[lane.number :: 2])
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down], limit=1), "round_robin"), "merge", 1)
    return lambda: same(plant.rows_of(down), sent(4))


def by_field(
    lab: Lab, full: Sequence[Row], live: Sequence[Row], last: int | None = None, begin: Row | None = None
) -> Check:
    """An input that is full and a producer, `(field, order word)` each: in order, whoever came first."""
    plant = Plant(lab, polls=False)
    plant.lane(1, numbering=0)  # where the numbering starts
    ins, down = (plant.lane(2, numbering=0), plant.lane(1, numbering=0)), plant.lane(4, numbering=0)
    plant.fill(ins[0], [(field, 1) for field, _ in full], [word for _, word in full], full[-1])
    plant.fill(ins[1], [], mark=begin, closed=False)
    rows, words = [(field, 2) for field, _ in live], [word for _, word in live]
    lab.world.spawn(plant.producing(ins[1], rows, words, last), "producer")
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down]), "by_field"), "merge")
    both = sorted([(*key, 1) for key in full] + [(*key, 2) for key in live])

    def check() -> None:
        same(plant.rows_of(down), [(field, number) for field, _, number in both])
        same([(w, 0) for w in plant.words_of(down)], [(word, 0) for _, word, _ in both])

    return check


scenario("merge by_field: 1 and 1 message, equal fields")(lambda lab: by_field(lab, [(5, 1)], [(5, 0)]))
scenario("merge by_field: 1 and 1 message, equal keys")(lambda lab: by_field(lab, [(5, 0)], [(5, 0)]))
scenario("merge by_field: 1 and 1 message, only the word of a mark rises")(
    lambda lab: by_field(lab, [(5, 1)], [(5, 0)], begin=(5, 0))
)
scenario("merge by_field: 2 and 1 messages")(lambda lab: by_field(lab, [(5, 0), (6, 2)], [(5, 1)]))
scenario("merge by_field: 1 message and none, only a mark")(lambda lab: by_field(lab, [(5, 1)], [], 7))
scenario("merge by_field: 1 and 2 messages", full=True)(lambda lab: by_field(lab, [(5, 1)], [(5, 0), (6, 2)]))


def behind_a_silent_branch(lab: Lab, count: int, marks: Sequence[Row], live: bool) -> Check:
    """Equal fields, the other branch brings but marks: they permit, and they end nothing."""
    plant = Plant(lab, polls=False)
    plant.lane(1, numbering=0)
    ins, down = (plant.lane(1, numbering=0), plant.lane(1 if live else 4, numbering=0)), plant.lane(8, numbering=0)
    rows = [(2, -n) for n in range(count)]
    if live:
        plant.fill(ins[0], [], mark=marks[0], closed=False)
    else:
        plant.fill(ins[1], rows, range(count), (2, count))

    def neighbours() -> Body:
        if live:
            yield from plant.producing(ins[1], rows, range(count), marks=False)
        for field, word in marks[1:] if live else marks:
            yield from plant.promising(ins[0], field, word)
        yield "store", "release", ins[0].closed, 0

    lab.world.spawn(neighbours(), "neighbours")
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down]), "by_field"), "merge")
    return lambda: same(plant.rows_of(down), rows)


scenario("merge by_field: 3 equal fields, a silent branch with marks")(
    lambda lab: behind_a_silent_branch(lab, 3, [(2, 1), (2, 2)], False)
)
scenario("merge by_field: 2 equal fields through 1, a silent branch with a mark")(
    lambda lab: behind_a_silent_branch(lab, 2, [(2, 2)], True)
)
scenario("merge by_field: 3 equal fields through 1, a silent branch with a mark", full=True)(
    lambda lab: behind_a_silent_branch(lab, 3, [(2, 3)], True)
)


def promising(lab: Lab, rows: Sequence[Row], deaths: int, limit: int = 1) -> Check:
    """A filter's marks hold: what comes after them on its lane is not below, and the last one is its input's."""
    plant = Plant(lab, polls=False)
    top = plant.lane(4, numbering=0, starts=c.FROM_RECORDS)
    down = plant.lane(4, numbering=0)
    plant.fill(top, rows, mark=(rows[-1][0], len(rows)))
    role = plant.role("filter", [top], [down], limit=limit)
    plant.spawn(partial(plant.staging, role, steps.make_message_work, mark_odd, FILTERS), "filter", deaths)
    seen: list[int] = []

    def looking() -> Body:
        for word in (down.mark, down.mark + 8, down.cursor):
            seen.append((yield "load", "acquire", word))

    lab.world.spawn(looking(), "reader")
    words = [n for n, row in enumerate(rows) if row[0] % 2]

    def check() -> None:
        same(plant.rows_of(down), [marked(rows[n]) for n in words])
        assert plant.words_of(down) == words
        field, word, cursor = seen
        assert all((rows[n][0], n) >= (field, word) for n in words[cursor:]), seen
        assert plant.mark_of(down) == (rows[-1][0], len(rows))

    return check


scenario("filter's marks hold: 3 messages, one by one")(lambda lab: promising(lab, [(1, 0), (2, 1), (3, 2)], 0))
scenario("filter's marks hold, it dies: 1 message")(lambda lab: promising(lab, [(1, 0)], 1))
scenario("filter's marks hold, it dies: 2 messages, one by one", full=True)(
    lambda lab: promising(lab, [(1, 0), (1, 1)], 1)
)
scenario("filter's marks hold: 3 equal fields, one by one")(lambda lab: promising(lab, [(1, 0), (1, 1), (1, 2)], 0))


def split(lab: Lab, rows: Sequence[Row]) -> Check:
    """A filter and an identity on one lane, branches of 1, a merge by field behind: it goes on by marks alone."""
    plant = Plant(lab, polls=False)
    top = plant.lane(4, readers=2, numbering=0, starts=c.FROM_RECORDS)
    ins, down = (plant.lane(1, numbering=0), plant.lane(1, numbering=0)), plant.lane(8, numbering=0)
    plant.fill(top, rows, mark=(rows[-1][0], len(rows)))
    kept = plant.role("filter", [(top, 0)], [ins[0]])
    plant.spawn(partial(plant.staging, kept, steps.make_message_work, mark_odd, FILTERS), "filter")
    plant.spawn(partial(plant.moving, plant.role("identity", [(top, 1)], [ins[1]])), "identity")
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down]), "by_field"), "merge")
    wanted = [one for row in rows for one in ([marked(row)] if row[0] % 2 else []) + [row]]

    def check() -> None:
        same(plant.rows_of(down), wanted)
        assert plant.mark_of(down) == (rows[-1][0], len(rows)), plant.mark_of(down)

    return check


SILENT = [(2, 0), (2, 1), (2, 2)]
LOUD = [(1, 0), (1, 1), (1, 2)]
scenario("split and merged: a silent filter, 3 equal fields", full=True)(lambda lab: split(lab, SILENT))
scenario("split and merged: all kept, 3 equal fields", full=True)(lambda lab: split(lab, LOUD))


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
    lab.world.spawn(plant.producing(top, [(4, 0)]), "producer")
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
