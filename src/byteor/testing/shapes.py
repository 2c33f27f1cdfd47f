"""One actor alone: every shape of a stage and every way its loop can end.

Rule 1. Actors of one scenario run one after the other here, so each has one schedule and exact counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from byteor.kernel import loops
from byteor.kernel import ring as kernel
from byteor.kernel.loops import DONE, FULL, MISFIT, UNASKED, Shape
from byteor.kernel.ring import UNMARKED
from byteor.kernel.wait import NOBODY
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, keep_even, same, scenario, sent, take
from byteor.testing.lift import Body

PLAIN = Shape()


def alone(lab: Lab, *bodies: Body) -> None:
    """Run the bodies one after the other, as one actor."""

    def run() -> Body:
        for body in bodies:
            yield from body

    lab.world.spawn(run(), "alone")


def sizes(lab: Lab, gate: int = 0) -> list[int]:
    """Batches counted, by the power of two they reach."""
    return [lab.value(lab.stats[gate] + loops.SIZES + 8 * bucket) for bucket in range(4)]


def single(
    call: Any,
    shape: Shape = PLAIN,
    *,
    batches: bool = False,
    count: int = 4,
    limit: int = 64,
    result: int = DONE,
    at: int | None = None,
    row_of: Any = None,
    upstream: Callable[[Lab], Iterable[int]] = lambda lab: (),
    check: Callable[[Lab, list[Any]], None] = lambda lab, state: None,
) -> Callable[[Lab], Check]:
    """A ring filled once, then one stage; `upstream` tells which slots an ancestor took out."""

    def setup(lab: Lab) -> Check:
        lab.ring(4, 1, filters=2)
        for slot in upstream(lab):
            lab.dead[0, slot] = 1
        state: list[Any] = [lab] if at is None and shape.raises else []
        port = lab.port(0, [lab.cursor], [-1], limit, (0,) if shape.skips else UNMARKED, 1)
        stage = lab.per_batch if batches else lab.per_message
        alone(lab, lab.sending(count, [0], [0]), stage(call, shape, port, 0, state, result, row_of))

        def judge() -> None:
            if at is not None:
                assert lab.value(lab.stats[0]) == at, f"it stands at {lab.value(lab.stats[0])}"
            check(lab, state)

        return judge

    return setup


def holds(wanted: list[Any]) -> Callable[[Lab, list[Any]], None]:
    """The check that a stage saw exactly this."""

    def check(lab: Lab, state: list[Any]) -> None:
        same(state, wanted)

    return check


def both(*checks: Callable[[Lab, list[Any]], None]) -> Callable[[Lab, list[Any]], None]:
    """All of these checks."""

    def check(lab: Lab, state: list[Any]) -> None:
        for one in checks:
            one(lab, state)

    return check


def counted(wanted: list[int]) -> Callable[[Lab, list[Any]], None]:
    """The check of the batches' sizes."""

    def check(lab: Lab, state: list[Any]) -> None:
        assert sizes(lab) == wanted, f"sizes {sizes(lab)}"

    return check


def dead_cells(wanted: list[int]) -> Callable[[Lab, list[Any]], None]:
    """The check of what this stage took out, and of its counter."""

    def check(lab: Lab, state: list[Any]) -> None:
        cells = [int(lab.dead[1, slot]) for slot in range(4)]
        assert cells == wanted, f"dead cells {cells}"
        assert lab.value(lab.stats[0] + loops.FILTERED) == sum(wanted)

    return check


# Per message


def stands(record: Any, _live: Any, _index: Any, state: Any, _p: Any) -> None:
    lab, at = state[0], state[0].value(state[0].stats[0])
    assert at == record.a, f"called with {record.a} while it stands at {at}"
    assert lab.value(lab.gates[0]) <= at


def refuse_second(record: Any, *_: Any) -> bool:
    return bool(record.a != 1)


def first_row(_keys: Any, _slot: int) -> int:
    return 0


def two_rows(_keys: Any, slot: int) -> int:
    return 0 if slot < 2 else -1


def nothing(*_: Any) -> None:
    return None


scenario("message loop alone: batches of at most 3")(
    single(take, limit=3, check=both(holds(sent(4)), counted([1, 1, 0, 0])))
)
scenario("message loop alone: where it stands before each call")(single(stands, Shape(raises=True)))
scenario("message loop alone: where it stands, keyed")(
    single(take, Shape(keyed=True), row_of=two_rows, result=FULL, at=2, check=holds(sent(2)))
)
scenario("message loop alone: keyed")(single(take, Shape(keyed=True), row_of=first_row, at=3, check=holds(sent(4))))
scenario("message loop alone: takes out unasked")(single(refuse_second, result=UNASKED, at=1))
scenario("message loop alone: does not write where it stands for nothing")(
    single(nothing, at=0, check=counted([0, 0, 1, 0]))
)
scenario("message loop alone: filters")(single(keep_even, Shape(filters=True), check=dead_cells([0, 1, 0, 1])))
scenario("message loop alone: skips what ancestors took out")(
    single(take, Shape(skips=True), upstream=lambda lab: (0, 2), check=holds([(1, -1), (3, -3)]))
)
scenario("message loop alone: skips and filters")(
    single(keep_even, Shape(skips=True, filters=True), upstream=lambda lab: (0, 1), check=dead_cells([0, 0, 0, 1]))
)


# Per batch


def take_batch(batch: Any, _live: Any, _index: Any, state: list[Any], _p: Any) -> None:
    state.append([record.a for record in batch])


def take_live(batch: Any, live: Any, _index: Any, state: list[Any], _p: Any) -> None:
    state.append([record.a if there else None for record, there in zip(batch, live, strict=True)])


def mask_second(batch: Any, *_: Any) -> list[bool]:
    return [record.a != 1 for record in batch]


def mask_of_all(batch: Any, *_: Any) -> list[bool]:
    return [True] * len(batch)


def mask_too_short(batch: Any, *_: Any) -> list[bool]:
    return [True] * (len(batch) - 1)


def rows_for_all(_keys: Any, _slot: int, live: Any, index: Any) -> int:
    assert all(live), "a row is looked for where nothing is"
    index[:] = range(len(index))
    return len(index)


def rows_for_two(_keys: Any, _slot: int, _live: Any, index: Any) -> int:
    return min(2, len(index))


def take_rows(batch: Any, _live: Any, index: Any, state: list[Any], _p: Any) -> None:
    state.append([int(row) for row in index])


scenario("batch loop alone: batches of at most 3")(
    single(take_batch, batches=True, limit=3, at=3, check=both(holds([[0, 1, 2], [3]]), counted([1, 1, 0, 0])))
)
scenario("batch loop alone: filters")(
    single(mask_second, Shape(filters=True, masks=True), batches=True, check=dead_cells([0, 1, 0, 0]))
)
scenario("batch loop alone: may filter, answers nothing")(
    single(nothing, Shape(filters=True, masks=True), batches=True, check=dead_cells([0, 0, 0, 0]))
)
scenario("batch loop alone: filters, told what is live")(
    single(
        mask_second,
        Shape(filters=True, masks=True, skips=True, live=True),
        batches=True,
        upstream=lambda lab: (1, 2),
        check=dead_cells([0, 0, 0, 0]),
    )
)
scenario("batch loop alone: takes out unasked")(
    single(mask_second, Shape(masks=True), batches=True, result=UNASKED, at=1)
)
scenario("batch loop alone: keeps what it is asked to")(single(mask_of_all, Shape(masks=True), batches=True, at=0))
scenario("batch loop alone: a mask for rows that are not there")(
    single(mask_second, Shape(masks=True, skips=True, live=True), batches=True, at=0, upstream=lambda lab: (1,))
)
scenario("batch loop alone: a mask of another length")(
    single(mask_too_short, Shape(masks=True), batches=True, result=MISFIT)
)
scenario("batch loop alone: cut at what ancestors took out")(
    single(
        take_batch,
        Shape(skips=True),
        batches=True,
        upstream=lambda lab: (0, 3),
        check=both(holds([[1, 2]]), counted([0, 1, 0, 0])),
    )
)
scenario("batch loop alone: cut, runs of at most 1")(
    single(
        take_batch, Shape(skips=True), batches=True, limit=1, upstream=lambda lab: (2,), check=holds([[0], [1], [3]])
    )
)
scenario("batch loop alone: told what is live")(
    single(
        take_live,
        Shape(skips=True, live=True),
        batches=True,
        upstream=lambda lab: (0, 3),
        check=holds([[None, 1, 2, None]]),
    )
)
scenario("batch loop alone: told, where nobody filters")(
    single(take_live, Shape(live=True), batches=True, check=holds([[0, 1, 2, 3]]))
)
scenario("batch loop alone: keyed")(
    single(take_rows, Shape(keyed=True), batches=True, row_of=rows_for_all, check=holds([[0, 1, 2, 3]]))
)
scenario("batch loop alone: keyed, the table full")(
    single(take_rows, Shape(keyed=True), batches=True, row_of=rows_for_two, result=FULL, at=2)
)


@scenario("batch loop alone: a lap that takes nothing out clears the lap before")
def _(lab: Lab) -> Check:
    lab.ring(2, 2, filters=1)
    got: list[Row] = []
    port = lab.port(0, [lab.cursor], [1], 64, UNMARKED, 0)
    shape = Shape(filters=True, masks=True)

    def lap(rows: list[Row], call: Any) -> Body:
        lab.patience = 0
        table, seen = lab.world.rows(rows), [lab.value(lab.gates[1])]
        send = lab.lift(kernel.send)
        n = yield from send(lab.cursor, seen, lab.gates[1:], lab.slots, table, lab.waiter(-1), NOBODY, 64)
        assert n == 2
        yield from lab.per_batch(call, shape, port, 0)
        yield from lab.collecting_once(1, lab.gates[:1], got, marks=(0,))

    alone(lab, lap(sent(4)[:2], mask_second), lap(sent(4)[2:], nothing))
    return lambda: same(got, [(0, 0), (2, -2), (3, -3)])


# Patience


@scenario("send, collect alone, without patience: capacity 2")
def _(lab: Lab) -> Check:
    lab.ring(2, 1)
    lab.patience = 0
    got: list[Row] = []
    answers: list[int] = []

    def run() -> Body:
        rows, seen = lab.world.rows(sent(3)), [0]
        send = lab.lift(kernel.send)
        yield from lab.collecting_once(0, [lab.cursor], got)
        for start in (0, 2):
            waiter, few = lab.waiter(-1), rows[start:]
            answers.append((yield from send(lab.cursor, seen, lab.gates, lab.slots, few, waiter, NOBODY, 64)))
            yield from lab.collecting_once(0, [lab.cursor], got)

    lab.world.spawn(run(), "alone")

    def check() -> None:
        assert answers == [2, 1], answers
        same(got, sent(3))

    return check


@scenario("send, stage, collect alone: the stage counts, the egress leaves out")
def _(lab: Lab) -> Check:
    lab.ring(4, 2, filters=1)
    got: list[Row] = []
    port = lab.port(0, [lab.cursor], [1], 64, UNMARKED, 0)
    stage = lab.per_message(keep_even, Shape(filters=True), port, 0)
    alone(lab, lab.sending(3, [1], [0]), stage, lab.collecting(1, lab.gates[:1], got, room=1, marks=(0,)))
    return lambda: same(got, [(0, 0), (2, -2)])
