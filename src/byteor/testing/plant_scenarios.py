"""Roles of a plant under the explorer: killed before any operation and taken over, and waiting for each other.

Rule 1. A killed role's output is that of one that was never killed, record for record, and so are its counters.
Rule 2. Where the role is what is looked at, its inputs are full or its outputs roomy from the start.
Rule 3. What is promised is the same for every schedule; where a result depends on time, only its bounds are.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from byteor.kernel import commit as c
from byteor.kernel import steps
from byteor.kernel.steps import Form
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.roles import Plant

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


def mask_odd(batch: Any, *_: Any) -> list[bool]:
    return [mark_odd(record) for record in batch]


def give_odd(record: Any, out: Any, *_: Any) -> int:
    out[0].a, out[0].b = marked((record.a, record.b))
    return int(record.a % 2)


def give_odd_batch(batch: Any, out: Any, *_: Any) -> int:
    n = 0
    for record in batch:
        n += give_odd(record, out[n:])
    return n


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


def relay_behind(
    lab: Lab, into: int, count: int, deaths: int = 1, make: Any = steps.make_message_work, call: Any = mark_odd
) -> Check:
    """A producer sends as room comes, a relay takes the even ones out, its output has room for all."""
    plant = Plant(lab)
    up, down = plant.lane(into), plant.lane(4)
    role = plant.role("relay", [up], [down])
    lab.world.spawn(plant.producing(up, sent(count)), "producer")
    plant.spawn(partial(plant.staging, role, make, call, Form(filters=True, masks=True, min_out=0)), "relay", deaths)
    return lambda: same(plant.rows_of(down), [marked(row) for row in sent(count) if row[0] % 2])


scenario("relay that filters, behind a producer: input of 1, 2 messages")(lambda lab: relay_behind(lab, 1, 2, 0))
scenario("batch relay, behind a producer: input of 1, 2 messages")(
    lambda lab: relay_behind(lab, 1, 2, 0, steps.make_batch_work, mask_odd)
)
scenario("giving relay, behind a producer: input of 1, 2 messages")(
    lambda lab: relay_behind(lab, 1, 2, 0, steps.make_giving_work, give_odd)
)
scenario("giving batch relay, behind a producer: input of 1, 2 messages")(
    lambda lab: relay_behind(lab, 1, 2, 0, steps.make_giving_batch_work, give_odd_batch)
)
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
