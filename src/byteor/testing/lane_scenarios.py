"""Lanes under the explorer: ends that come back after a death at any operation, several rings, compiled ends.

Rule 1. A successor has won the lock of the one that died; it knows nothing but the words.
Rule 2. A reader notes what it takes before it gives it back: what a dead one had not given back comes again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from byteor.abi.byteor_v1 import LAST
from byteor.kernel import ends, lanes
from byteor.kernel import ring as kernel
from byteor.kernel.wait import ANNOUNCED, BLOCK, NOBODY, SPIN
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.world import after_death_of

# One ring, and deaths


def sending_on(lab: Lab, count: int, after: tuple[int, ...] = ()) -> Body:
    """Send, from where the ring is, what is missing of `count` messages; close."""
    yield from after_death_of(*after)
    at = yield "load", "relaxed", lab.cursor
    free = yield "load", "acquire", lab.gates[0]
    rows = lab.world.rows(sent(count)[at:])
    send = lab.lift(kernel.send)
    waiter, bells = lab.waiter(-1), lab.rung(0)
    taken = yield from send(lab.cursor, [free], lab.gates[:1], lab.slots, rows, waiter, bells, 64)
    assert taken == count - at, f"{taken} of {count - at} sent"
    yield from lab.lift(kernel.close)(lab.cursor, lab.closed, bells)


def taking(lab: Lab, got: list[Row], after: tuple[int, ...] = ()) -> Body:
    """Take one message after the other to the end: look, wait for news, note, give back."""
    yield from after_death_of(*after)
    taken = yield "load", "relaxed", lab.gates[0]
    strategy, patience = BLOCK if lab.blocks(0) else SPIN, lab.patience
    while True:
        closed = yield from lab.lift(lanes.look)(lab.closed)
        if closed == taken:
            return
        wait = lab.lift(lanes.wait_news)
        yield from wait((lab.cursor,), [taken], (lab.closed,), [closed], lab.bells[0], strategy, patience)
        seen = yield from lab.lift(lanes.look)(lab.cursor)
        if seen > taken:
            got.append(lab.slots[taken & (len(lab.slots) - 1)].values())
            taken += 1
            yield from lab.lift(kernel.advance)(lab.gates[0], taken, lab.rung(-1))


def ring_of_one_reader(lab: Lab, capacity: int, count: int, blockers: tuple[int, ...] = ()) -> Check:
    """Both ends live."""
    lab.ring(capacity, 1)
    if blockers:
        lab.blocking(*blockers)
    got: list[Row] = []
    lab.world.spawn(sending_on(lab, count), "producer")
    lab.world.spawn(taking(lab, got), "reader")
    return lambda: same(got, sent(count))


scenario("lane: send, take: capacity 1, 2 messages")(lambda lab: ring_of_one_reader(lab, 1, 2))
scenario("lane: send, take: capacity 2, 3 messages")(lambda lab: ring_of_one_reader(lab, 2, 3))
scenario("lane: send, take blocking: capacity 1, 1 message")(lambda lab: ring_of_one_reader(lab, 1, 1, (0,)))
scenario("lane: send blocking, take: capacity 1, 2 messages")(lambda lab: ring_of_one_reader(lab, 1, 2, (-1,)))


def producer_dies(lab: Lab, capacity: int, count: int, blockers: tuple[int, ...] = ()) -> Check:
    """What was published is received once, and a successor sends the rest."""
    lab.ring(capacity, 1)
    if blockers:
        lab.blocking(*blockers)
    got: list[Row] = []
    first = lab.world.spawn(sending_on(lab, count), "producer", mortal=True)
    lab.world.spawn(sending_on(lab, count, (first,)), "successor")
    lab.world.spawn(taking(lab, got), "reader")
    return lambda: same(got, sent(count))


scenario("lane: producer dies at any operation: capacity 1, 1 message")(lambda lab: producer_dies(lab, 1, 1))
scenario("lane: producer dies at any operation: capacity 1, 2 messages")(lambda lab: producer_dies(lab, 1, 2))
scenario("lane: producer dies at any operation: capacity 2, 3 messages", full=True)(
    lambda lab: producer_dies(lab, 2, 3)
)
scenario("lane: producer dies at any operation, reader blocking: capacity 1, 1 message", full=True)(
    lambda lab: producer_dies(lab, 1, 1, (0,))
)


def reader_dies(lab: Lab, capacity: int, count: int) -> Check:
    """A successor goes on at the gate: every message at least once, in order, whole."""
    lab.ring(capacity, 1)
    got: list[Row] = []
    more: list[Row] = []
    lab.world.spawn(sending_on(lab, count), "producer")
    first = lab.world.spawn(taking(lab, got), "reader", mortal=True)
    lab.world.spawn(taking(lab, more, (first,)), "successor")

    def check() -> None:
        same(got, sent(count)[: len(got)])
        begin = count - len(more)
        same(more, sent(count)[begin:])
        assert begin <= len(got) <= begin + 1 or not more, f"{len(got)} taken, then from {begin} on"
        assert more or len(got) >= count - 1

    return check


scenario("lane: reader dies at any operation: capacity 1, 2 messages")(lambda lab: reader_dies(lab, 1, 2))
scenario("lane: reader dies at any operation: capacity 2, 3 messages", full=True)(lambda lab: reader_dies(lab, 2, 3))


@scenario("lane: reader dies and is given up: capacity 1, 2 messages")
def _(lab: Lab) -> Check:
    lab.ring(1, 1)
    got: list[Row] = []

    def giving_up(reader: int) -> Body:
        yield from after_death_of(reader)
        yield from lab.lift(kernel.advance)(lab.gates[0], LAST, lab.rung(-1))

    lab.world.spawn(sending_on(lab, 2), "producer")
    reader = lab.world.spawn(taking(lab, got), "reader", mortal=True)
    lab.world.spawn(giving_up(reader), "supervisor")
    return lambda: same(got, sent(2)[: len(got)])


# Several rings


def several(lab: Lab, counts: tuple[int, ...], blocking: bool = False) -> Check:
    """One reader waits for news on all rings; each ring is in order."""
    cursors = [lab.world.word(f"cursor{r}") for r in range(len(counts))]
    finished, bell = lab.world.words("finished", "bell")
    slots = [lab.world.slots(2, name=f"slots{r}") for r in range(len(counts))]
    got: list[list[Row]] = [[] for _ in counts]
    if blocking:
        lab.lift.constants["_SPINS"] = -1
    bells = (bell,) if blocking else NOBODY

    def producing(ring: int) -> Body:
        for i in range(counts[ring]):
            slots[ring][i].a, slots[ring][i].b = i, -i
            yield from lab.lift(kernel.advance)(cursors[ring], i + 1, bells)

    def reading() -> Body:
        taken = [0] * len(counts)
        while sum(taken) < sum(counts):
            wait = lab.lift(lanes.wait_news)
            strategy = BLOCK if blocking else SPIN
            yield from wait(tuple(cursors), taken, (finished,), [0], bell, strategy, lab.patience)
            for r, cursor in enumerate(cursors):
                seen = yield from lab.lift(lanes.look)(cursor)
                got[r] += [row.values() for row in slots[r][taken[r] : seen]]
                taken[r] = seen

    for r in range(len(counts)):
        lab.world.spawn(producing(r), f"producer{r}")
    lab.world.spawn(reading(), "reader")
    return lambda: same([row for one in got for row in one], [row for n in counts for row in sent(n)])


scenario("lane: two rings, one reader: 1 and 1 messages")(lambda lab: several(lab, (1, 1)))
scenario("lane: two rings, one reader: 2 and 1 messages")(lambda lab: several(lab, (2, 1)))
scenario("lane: two rings, one reader blocking: 1 and 0 messages")(lambda lab: several(lab, (1, 0), True))
scenario("lane: two rings, one reader blocking: 1 and 1 messages", full=True)(lambda lab: several(lab, (1, 1), True))


@scenario("lane: finish wakes a reader that sleeps: no messages")
def _(lab: Lab) -> Check:
    cursor, finished, bell = lab.world.words("cursor", "finished", "bell")
    lab.lift.constants["_SPINS"] = -1
    answers: list[bool] = []

    def finishing() -> Body:
        yield from lab.lift(kernel.advance)(finished, 1, (bell,))

    def reading() -> Body:
        wait = lab.lift(lanes.wait_news)
        answers.append((yield from wait((cursor,), [0], (finished,), [0], bell, BLOCK, lab.patience)))

    lab.world.spawn(finishing(), "creator")
    lab.world.spawn(reading(), "reader")

    def check() -> None:
        assert answers == [True], answers

    return check


@scenario("lane: publish once the reader has announced itself, take blocking: 1 message")
def _(lab: Lab) -> Check:
    cursor, finished, bell = lab.world.words("cursor", "finished", "bell")
    lab.lift.constants["_SPINS"] = -1
    answers: list[bool] = []

    def patient() -> Body:
        while (yield "load", "relaxed", bell + ANNOUNCED) == 0:
            yield "pause", ""
        yield from lab.lift(kernel.advance)(cursor, 1, (bell,))

    def reading() -> Body:
        wait = lab.lift(lanes.wait_news)
        answers.append((yield from wait((cursor,), [0], (finished,), [0], bell, BLOCK, lab.patience)))

    lab.world.spawn(patient(), "producer")
    lab.world.spawn(reading(), "reader")

    def check() -> None:
        assert answers == [True], answers

    return check


@scenario("lane: wait for news alone, without patience")
def _(lab: Lab) -> Check:
    cursor, finished, bell = lab.world.words("cursor", "finished", "bell")
    answers: list[bool] = []

    def alone() -> Body:
        wait = lab.lift(lanes.wait_news)
        for taken, ended in ((0, 0), (-1, 0), (0, 1)):
            answers.append((yield from wait((cursor,), [taken], (finished,), [ended], bell, SPIN, 0)))

    lab.world.spawn(alone(), "alone")

    def check() -> None:
        assert answers == [False, True, True], answers

    return check


# Compiled ends


class Handles:
    """A lane of two readers' gates or of two rings, and the blocks of its compiled ends."""

    def __init__(self, lab: Lab, capacity: int, rings: int, gates: int, blocking: tuple[bool, bool]) -> None:
        world = lab.world
        self.lab, self.capacity = lab, capacity
        self.cursors = [world.word(f"cursor{r}") for r in range(rings)]
        self.gates = [[world.word(f"gate{r}.{g}") for g in range(gates)] for r in range(rings)]
        self.ended = world.word("ended")
        self.sleeping = [world.word(f"reader bell {g}") if blocking[0] else 0 for g in range(gates)]
        self.waiting = [world.word(f"sender bell {r}") if blocking[1] else 0 for r in range(rings)]
        self.slots = [world.slots(capacity, name=f"slots{r}") for r in range(rings)]
        # What is lifted once is run in many worlds, and has to find the one that it runs in.
        here = lab.lift.constants.setdefault("here", [])
        here[:] = [self]
        put, get = (
            lambda address, record: here[0].put(address, record),
            lambda record, place: here[0].get(record, place),
        )
        lab.lift.constants.update(put=put, get=get, bytes_of=lambda _record: 1)

    def put(self, address: int, record: Any) -> None:
        """What `put` does to addresses: of ring r from 1000 r on, one to a slot."""
        place = self.slots[address // 1000][address % 1000]
        place.a, place.b = record.a, record.b

    def get(self, record: Any, address: int) -> None:
        place = self.slots[address // 1000][address % 1000]
        record.a, record.b = place.a, place.b

    def _block(self, name: str, words: list[int]) -> int:
        handle = self.lab.world.word(name, words[0])
        for i, word in enumerate(words[1:], 1):
            self.lab.world.memory.define(handle + 8 * i, word)
        return handle

    def sender(self, ring: int, name: str = "sender") -> int:
        """A handle for a ring."""
        made = ends.sender_block(
            self.capacity - 1, 1, 0, self.cursors[ring], 1000 * ring, 0, self.ended, self.gates[ring], self.sleeping
        )
        return self._block(f"{name}{ring}", made.tolist())

    def reader(self, gate: int) -> int:
        """A handle for a reader."""
        parts = [(c, self.gates[r][gate], 1000 * r, 0, 0, self.waiting[r]) for r, c in enumerate(self.cursors)]
        return self._block(f"reader{gate}", ends.reader_block(self.capacity - 1, 1, parts).tolist())

    def sending(self, ring: int, count: int, batch: int) -> Body:
        """Send `count` messages, one by one or up to `batch` at once."""
        handle, rows, done = self.sender(ring), self.lab.world.rows(sent(count)), 0
        while done < count:
            if batch:
                n = yield from self.lab.lift(ends.try_send_many)(handle, rows[done : min(count, done + batch)])
            else:
                n = yield from self.lab.lift(ends.try_send)(handle, rows[done])
            done += int(n)
            if not n:
                yield "pause", ""

    def receiving(self, gate: int, counts: list[int], batch: int, got: list[Row]) -> Body:
        """Receive as many messages as there are, one by one or up to `batch` at once."""
        handle, out = self.reader(gate), self.lab.world.slots(max(1, batch), name="out")
        while len(got) < sum(counts):
            if batch:
                n = yield from self.lab.lift(ends.try_receive_many)(handle, out)
            else:
                n = yield from self.lab.lift(ends.try_receive)(handle, out[0])
            got += [row.values() for row in out[: int(n)]]
            if not n:
                yield "pause", ""


def compiled(capacity: int, counts: tuple[int, ...], gates: int, batch: int) -> Callable[[Lab], Check]:
    """Compiled ends between `len(counts)` senders and `gates` readers."""

    def setup(lab: Lab) -> Check:
        lane = Handles(lab, capacity, len(counts), gates, (False, False))
        got: list[list[Row]] = [[] for _ in range(gates)]
        for ring, count in enumerate(counts):
            lab.world.spawn(lane.sending(ring, count, batch), f"sender{ring}")
        for gate in range(gates):
            lab.world.spawn(lane.receiving(gate, list(counts), batch, got[gate]), f"reader{gate}")

        def check() -> None:
            for one in got:
                same(sorted(one) if len(counts) > 1 else one, sorted(row for n in counts for row in sent(n)))
            for ring, count in enumerate(counts):
                assert [lab.value(gate) for gate in lane.gates[ring]] == [count] * gates, "not all was given back"

        return check

    return setup


scenario("compiled ends, one by one: capacity 1, 2 messages")(compiled(1, (2,), 1, 0))
scenario("compiled ends, one by one: capacity 2, 3 messages")(compiled(2, (3,), 1, 0))
scenario("compiled ends, by batches: capacity 2, 3 messages")(compiled(2, (3,), 1, 2))
scenario("compiled ends, two readers: capacity 1, 2 messages", full=True)(compiled(1, (2,), 2, 0))
scenario("compiled ends, two rings: capacity 1, 1 message each")(compiled(1, (1, 1), 1, 0))


# Compiled ends alone: what they answer at their edges, and what they may cost


def alone(name: str) -> Callable[[Callable[[Lab, Handles, dict[str, int]], Body]], None]:
    """A scenario of one actor with a sender's and a reader's handle on a ring of two slots."""

    def put(body: Callable[[Lab, Handles, dict[str, int]], Body]) -> None:
        def setup(lab: Lab) -> Check:
            lane = Handles(lab, 2, 1, 1, (False, False))
            lab.world.spawn(body(lab, lane, {"sender": lane.sender(0), "reader": lane.reader(0)}), "alone")
            return lambda: None

        scenario(f"compiled ends alone: {name}")(setup)

    return put


def refused(work: Body) -> Body:
    """Expect a ValueError."""
    try:
        yield from work
    except ValueError:
        return
    raise AssertionError("it was not refused")


def wrong_length(name: str) -> None:
    """Records of another length are refused by the end of this name."""

    @alone(f"{name} refuses records of another length")
    def _(lab: Lab, lane: Handles, handle: dict[str, int]) -> Body:
        lab.lift.constants["bytes_of"] = lambda _record: 2
        rows = lab.world.rows(sent(1))
        yield "store", "relaxed", lane.cursors[0], 1
        end = "sender" if "send" in name else "reader"
        record = rows if "many" in name else rows[0]
        yield from refused(lab.lift(getattr(ends, name))(handle[end], record))


for _name in ("try_send", "try_send_many", "try_receive", "try_receive_many"):
    wrong_length(_name)


@alone("nothing to send, nothing to receive into")
def _(lab: Lab, lane: Handles, handle: dict[str, int]) -> Body:
    rows, none = lab.world.rows(sent(1)), lab.world.rows([])
    assert (yield from lab.lift(ends.try_send_many)(handle["sender"], none)) == 0
    yield from lab.lift(ends.try_send)(handle["sender"], rows[0])
    lab.world.done.clear()
    assert (yield from lab.lift(ends.try_receive_many)(handle["reader"], none)) == 0
    lab.cost(load=1)


@alone("a lane that has ended has no room, also where slots are free")
def _(lab: Lab, lane: Handles, handle: dict[str, int]) -> Body:
    rows = lab.world.rows(sent(3))
    assert (yield from lab.lift(ends.try_send_many)(handle["sender"], rows)) == 2
    assert (yield from lab.lift(ends.try_receive)(handle["reader"], rows[0]))
    yield "store", "release", lane.ended, 1
    assert not (yield from lab.lift(ends.try_send)(handle["sender"], rows[2]))


@alone("where nothing is there, that is all that is looked at")
def _(lab: Lab, lane: Handles, handle: dict[str, int]) -> Body:
    out = lab.world.slots(1, name="out")
    assert (yield from lab.lift(ends.try_receive_many)(handle["reader"], out)) == 0
    lab.cost(load=7)


@alone("what was seen of the other side is used before it is looked at again")
def _(lab: Lab, lane: Handles, handle: dict[str, int]) -> Body:
    rows = lab.world.rows(sent(2))
    assert (yield from lab.lift(ends.room)(handle["sender"])) == 2
    lab.cost(load=3)
    yield from lab.lift(ends.try_send_many)(handle["sender"], rows)
    yield from lab.lift(ends.try_receive)(handle["reader"], rows[0])
    lab.world.done.clear()
    assert (yield from lab.lift(ends.stock)(handle["reader"] + ends.READER_HEAD)) == 1
    lab.cost(load=2)


# Messages that lie in a row, taken by Python


@scenario("compiled ends, in rows: capacity 2, 3 messages")
def _(lab: Lab) -> Check:
    lane = Handles(lab, 2, 1, 1, (False, False))
    got: list[Row] = []

    def taking_rows() -> Body:
        handle = lane.reader(0)
        while len(got) < 3:
            ring, at, count = yield from lab.lift(ends.take_row)(handle, 2)
            got.extend(row.values() for row in lane.slots[0][at : at + count])
            if ring < 0:
                yield "pause", ""
        yield from lab.lift(ends.give_back)(handle)

    lab.world.spawn(lane.sending(0, 3, 0), "sender")
    lab.world.spawn(taking_rows(), "reader")

    def check() -> None:
        same(got, sent(3))
        assert lab.value(lane.gates[0][0]) == 3, "not all was given back"

    return check


@alone("a row ends with the ring, with the limit, and with what is there")
def _(lab: Lab, lane: Handles, handle: dict[str, int]) -> Body:
    rows = lab.world.rows(sent(2))
    take = lab.lift(ends.take_row)

    def takes(wanted: tuple[int, int, int], limit: int = 9) -> Body:
        found = yield from take(handle["reader"], limit)
        assert found == wanted, f"{found} instead of {wanted}"

    def sends(count: int) -> Body:
        assert (yield from lab.lift(ends.try_send_many)(handle["sender"], rows)) == count

    yield from takes((-1, 0, 0))
    yield from lab.lift(ends.try_send)(handle["sender"], rows[0])
    yield from takes((0, 0, 1))
    yield from takes((-1, 0, 0))
    yield from sends(1)  # as far as was seen
    yield from sends(1)
    yield from takes((0, 1, 1))
    yield from takes((0, 0, 0), limit=0)
    assert (yield "load", "relaxed", handle["reader"] + ends.OUT) == 0
    yield from takes((0, 0, 1))
    yield from sends(1)
    yield from takes((0, 1, 1))
    yield from takes((-1, 0, 0))
    yield from sends(2)
    yield from takes((0, 0, 1), limit=1)
    assert (yield "load", "relaxed", lane.gates[0][0]) == 4, "given back before it was asked for"


@alone("the second of two rings is named by its number")
def _(lab: Lab, _lane: Handles, _handle: dict[str, int]) -> Body:
    lane = Handles(lab, 2, 2, 1, (False, False))
    sender, reader = lane.sender(1, "other"), lane.reader(0)
    yield from lab.lift(ends.try_send)(sender, lab.world.rows(sent(1))[0])
    found = yield from lab.lift(ends.take_row)(reader, 9)
    assert found == (1, 0, 1), found
