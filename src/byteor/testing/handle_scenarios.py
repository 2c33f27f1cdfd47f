"""The compiled ends of states and journals under the explorer: what they answer, and what they leave to Python.

Rule 1. What a record is, is not looked at here: `put` and `get` move one word, its number.
"""

from __future__ import annotations

from typing import Any

from byteor.kernel import handles
from byteor.kernel.handles import ALIVE, AROUND, BELL, BUFFER, FILE, HERE, NEEDS_PYTHON, OUR_BELL
from byteor.kernel.journal import COMMITTED, DATA, FIRST, TAIL, extend
from byteor.kernel.state import LENGTH, STAMP
from byteor.kernel.wait import ANNOUNCED
from byteor.testing.explore import Check
from byteor.testing.journal_scenarios import SEGMENT_BYTES, SEGMENTS, Journal
from byteor.testing.lab import Lab, scenario
from byteor.testing.lane_scenarios import refused
from byteor.testing.lift import Body
from byteor.testing.state_scenarios import Latest

SIZE, TRIES = 16, 4
NOW, LENGTH_OF = 77, handles.SIZE


class Row:
    """A record of 16 bytes that tells its number, twice."""

    def __init__(self, number: int = 0) -> None:
        self.number = number


def _private(lab: Lab, name: str, words: Any) -> int:
    """A handle's block."""
    words = [int(word) for word in words]
    handle = lab.world.word(name, words[0])
    for i, word in enumerate(words[1:], 1):
        lab.world.memory.define(handle + 8 * i, word)
    return handle


def _moving(lab: Lab, size: int = SIZE) -> None:
    """What `put` and `get` do; what is lifted once is run in many worlds, and has to find the one that it runs in."""
    here = lab.lift.constants.setdefault("here", [])
    here[:] = [lab]

    def put(address: int, record: Row) -> None:
        for at, word in ((0, record.number), (8, -record.number)):
            here[0].world.memory.define(address + at, word)

    def get(record: Row, address: int) -> None:
        record.number = here[0].value(address)
        assert here[0].value(address + 8) == -record.number, "a torn record"

    lab.lift.constants.update(put=put, get=get, bytes_of=lambda _record: size, now_ns=lambda: NOW)


# States


class LatestByHandle(Latest):
    """One state with a handle at each end."""

    def __init__(self, lab: Lab, capacity: int, size: int = SIZE) -> None:
        super().__init__(lab, capacity)
        _moving(lab, size)
        self.bell = lab.world.word("bell")
        self.writer = _private(lab, "writer", handles.state_block(self.place, SIZE, self.bell))
        self.reader = _private(lab, "reader", handles.state_block(self.place, SIZE, 0))
        self.seen: list[tuple[int, int]] = []

    def putting(self, count: int) -> Body:
        for n in range(1, count + 1):
            assert (yield from self.lab.lift(handles.try_put)(self.writer, Row(n)))

    def getting(self, times: int) -> Body:
        for _ in range(times):
            row = Row(-9)
            number = yield from self.lab.lift(handles.try_get)(self.reader, row, 1)
            self.seen.append((number, row.number))

    def check(self) -> None:
        numbers = [number for number, _ in self.seen if number >= 0]
        assert numbers == sorted(numbers), self.seen
        assert all(row == (number if number > 0 else -9) for number, row in self.seen), self.seen


def state_beside(lab: Lab, capacity: int, count: int, times: int) -> Check:
    """A handle at each end, at once."""
    latest = LatestByHandle(lab, capacity)
    lab.world.spawn(latest.putting(count), "writer")
    lab.world.spawn(latest.getting(times), "reader")
    return latest.check


scenario("handles: try_put, try_get: 1 slot, 1 value")(lambda lab: state_beside(lab, 1, 1, 1))
scenario("handles: try_put, try_get: 2 slots, 2 values")(lambda lab: state_beside(lab, 2, 2, 2))


@scenario("handles: state alone: stamp, length, bell, and the end")
def _(lab: Lab) -> Check:
    latest = LatestByHandle(lab, 2)

    def run() -> Body:
        yield from latest.getting(1)
        yield "store", "relaxed", latest.bell + ANNOUNCED, 1
        yield from latest.putting(1)
        yield from latest.getting(1)
        yield "store", "relaxed", latest.writer + BELL, 0
        lab.world.done.clear()
        yield from latest.putting(1)
        lab.cost(load=13, store=8)
        yield "store", "relaxed", latest.writer + ALIVE, 0
        assert not (yield from lab.lift(handles.try_put)(latest.writer, Row(9)))

    lab.world.spawn(run(), "alone")

    def check() -> None:
        assert latest.seen == [(0, -9), (1, 1)], latest.seen
        assert lab.value(latest.bell) == 1, "it was not rung once"
        slot = latest.place.slots
        assert [lab.value(slot + STAMP), lab.value(slot + LENGTH)] == [NOW, SIZE]
        assert lab.value(latest.reader + BUFFER + STAMP) == NOW

    return check


@scenario("handles: state alone: other lengths are refused")
def _(lab: Lab) -> Check:
    latest = LatestByHandle(lab, 2, SIZE + 8)

    def run() -> Body:
        yield from refused(lab.lift(handles.try_put)(latest.writer, Row(1)))
        yield from refused(lab.lift(handles.try_get)(latest.reader, Row(), 1))

    lab.world.spawn(run(), "alone")
    return lambda: None


# Journals


class JournalByHandle(Journal):
    """One log with a handle at each end; records of 40 bytes, one to a segment of 64."""

    def __init__(self, lab: Lab, size: int = SIZE, file: int = AROUND) -> None:
        super().__init__(lab)
        _moving(lab, size)
        if file != AROUND:
            self.log = self.log._replace(segments=1)
        self.bell, self.gate = lab.world.words("bell", "gate")
        self.numbers = lab.world.words("next to append", "next to take")
        self.at = lab.world.word("position")
        own = [lab.world.word(name) for name in ("record out", "record in")]
        for handle, number, at, gate, record, bell in (
            ("writer", self.numbers[0], 0, 0, own[0], self.bell),
            ("reader", self.numbers[1], self.at, self.gate, own[1], 0),
        ):
            block = handles.journal_block(self.log, SIZE, bell, record, number, at, gate, file)
            setattr(self, handle, _private(lab, handle, block))

    writer: int
    reader: int

    def append_next(self, number: int) -> Body:
        return (yield from self.lab.lift(handles.try_append)(self.writer, Row(number)))

    def take_next(self, tries: int = TRIES) -> Body:
        row = Row(-1)
        answer = yield from self.lab.lift(handles.try_take)(self.reader, row, tries)
        if answer == 1:
            self.got.append(row.number)
        return answer


@scenario("handles: try_append, try_take: 2 records")
def _(lab: Lab) -> Check:
    journal = JournalByHandle(lab)

    def appending() -> Body:
        for number in range(2):
            assert (yield from journal.append_next(number))

    def taking() -> Body:
        while len(journal.got) < 2:
            answer = yield from journal.take_next()
            assert answer in (0, 1), answer
            if not answer:
                yield "pause", ""

    lab.world.spawn(appending(), "writer")
    lab.world.spawn(taking(), "reader")

    def check() -> None:
        assert journal.got == [0, 1], journal.got
        assert lab.value(journal.gate) == lab.value(journal.at) == SEGMENT_BYTES + DATA + SIZE

    return check


@scenario("handles: try_append, try_take: the writer passes the reader")
def _(lab: Lab) -> Check:
    journal = JournalByHandle(lab)
    answers: list[int] = []

    def appending() -> Body:
        for number in range(SEGMENTS + 1):
            assert (yield from journal.append_next(number))

    def taking() -> Body:
        answers.append((yield from journal.take_next(1)))
        if answers[-1] != 1:
            assert lab.value(journal.at) == 0, "what Python has to look at is where it was"

    lab.world.spawn(appending(), "writer")
    lab.world.spawn(taking(), "reader")
    return lambda: journal.check()


@scenario("handles: journal alone: nothing, a bell, padding, a gap")
def _(lab: Lab) -> Check:
    journal = JournalByHandle(lab)
    answers: list[int] = []

    def run() -> Body:
        answers.append((yield from journal.take_next()))
        yield "store", "relaxed", journal.bell + ANNOUNCED, 1
        for number in range(2):
            assert (yield from journal.append_next(number))
        answers.append((yield from journal.take_next()))
        answers.append((yield from journal.take_next(1)))  # padding alone
        for number in range(2, 5):
            assert (yield from journal.append_next(number))
        answers.append((yield from journal.take_next()))  # a gap
        assert lab.value(journal.at) == SEGMENT_BYTES

    lab.world.spawn(run(), "alone")

    def check() -> None:
        assert answers == [0, 1, NEEDS_PYTHON, NEEDS_PYTHON], answers
        assert journal.got == [0] and lab.value(journal.bell) == 1, journal.got
        assert lab.value(journal.gate) == DATA + SIZE and lab.value(journal.numbers[0]) == 5

    return check


@scenario("handles: journal alone: another number, no gate, no bell, and the end")
def _(lab: Lab) -> Check:
    journal = JournalByHandle(lab)
    answers: list[int] = []

    def run() -> Body:
        for number in range(5):
            assert (yield from journal.append_next(number))
        yield "store", "relaxed", journal.at, 4 * SEGMENT_BYTES
        answers.append((yield from journal.take_next()))  # record 4, and 0 was to come
        yield "store", "relaxed", journal.numbers[1], 4
        yield "store", "relaxed", journal.reader + HERE, 0
        answers.append((yield from journal.take_next()))
        yield "store", "relaxed", journal.reader + HERE, 1
        yield "store", "relaxed", journal.reader + LENGTH_OF, SIZE + 8
        yield from refused(journal.take_next())
        yield "store", "relaxed", journal.reader + LENGTH_OF, SIZE
        yield "store", "relaxed", journal.reader + handles.GATE, 0
        answers.append((yield from journal.take_next()))
        yield "store", "relaxed", journal.writer + OUR_BELL, 0
        lab.world.done.clear()
        assert (yield from journal.append_next(5))
        lab.cost(load=26, store=16)
        yield "store", "relaxed", journal.writer + HERE, 0
        assert not (yield from journal.append_next(6))

    lab.world.spawn(run(), "alone")

    def check() -> None:
        assert answers == [NEEDS_PYTHON, 0, 1], answers
        assert journal.got == [4] and lab.value(journal.numbers[0]) == 6, journal.got
        assert lab.value(journal.gate) == 0 and 0 not in lab.world.memory.stores, (
            "where there is no gate, none is moved"
        )

    return check


@scenario("handles: journal alone: other lengths are refused")
def _(lab: Lab) -> Check:
    journal = JournalByHandle(lab, SIZE + 8)

    def run() -> Body:
        yield from refused(journal.append_next(0))
        yield from refused(journal.take_next())

    lab.world.spawn(run(), "alone")
    return lambda: None


@scenario("handles: journal alone: files are begun by Python")
def _(lab: Lab) -> Check:
    journal = JournalByHandle(lab, file=0)
    log = journal.log
    answers: list[object] = []

    def run() -> Body:
        answers.append((yield from journal.append_next(0)))  # no file has begun
        yield from lab.lift(extend)(log, log, journal.record(0, 3), 3)
        yield "store", "relaxed", journal.numbers[0], 1
        answers.append((yield from journal.append_next(1)))  # to the last byte
        answers.append((yield from journal.append_next(2)))
        yield "store", "relaxed", journal.at, DATA
        yield "store", "relaxed", journal.numbers[1], 1
        answers.append((yield from journal.take_next()))
        answers.append((yield from journal.take_next()))  # nothing yet
        assert lab.value(log.intent) == 0, "in files nothing is written over"
        yield "store", "relaxed", log.cursor, 2 * SEGMENT_BYTES
        yield "store", "relaxed", journal.numbers[1], 0  # what lies at the same place of this file, made longer
        yield "store", "relaxed", log.records, COMMITTED | SIZE
        answers.append((yield from journal.take_next()))  # in another file
        yield "store", "relaxed", journal.writer + FILE, 1
        yield "store", "relaxed", log.cursor, SEGMENT_BYTES + 48
        answers.append((yield from journal.append_next(2)))  # it does not fit this one

    lab.world.spawn(run(), "alone")

    def check() -> None:
        assert answers == [False, True, False, 1, 0, NEEDS_PYTHON, False], answers
        assert lab.value(journal.at) == SEGMENT_BYTES
        assert [lab.value(log.table + at) for at in (FIRST, TAIL)] == [0, 0]

    return check
