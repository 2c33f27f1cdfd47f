"""A log that is written over under the explorer: records whole and in order, what is missing told, whoever dies when.

Rule 1. A record tells its number in every word; segments are so short that two of them are passed at once.
Rule 2. A reader ends when it has the last record; who waits for one that never comes is wedged.
"""

from __future__ import annotations

from collections.abc import Sequence

from byteor.kernel import journal as kernel
from byteor.kernel.journal import (
    COMMITTED,
    DAMAGED,
    DATA,
    FIRST,
    NOTHING,
    NUMBER,
    PADDED,
    PADDING,
    PASSED,
    ROW,
    SEQUENCE,
    TAIL,
    Log,
)
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, scenario
from byteor.testing.lift import Body
from byteor.testing.world import World, after_death_of

SEGMENTS, SEGMENT_BYTES = 2, 64
SHORT, LONG, FULL = 4, 5, 8  # words of a record: two fill a segment, one leaves padding, one fills it


def settle(world: World, body: Body) -> None:
    """Do a body at once, before any actor: what it stores is known to all."""
    answer = None
    while True:
        try:
            kind, _, *operands = body.send(answer)
        except StopIteration:
            return
        answer = world.memory.history(operands[0])[-1][0] if kind == "load" else None
        if kind == "store":
            world.memory.define(operands[0], operands[1])


class Journal:
    """One log on the bench, with its writers and readers."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.world = lab, lab.world
        cursor, sequence, intent, table, records = lab.world.words("cursor", "sequence", "intent", "table", "records")
        self.log = Log(cursor, sequence, intent, table, records, SEGMENTS, SEGMENT_BYTES)
        self.got: list[int] = []

    def record(self, number: int, words: int) -> int:
        """Where a record lies that is to be appended."""
        source = self.world.word(f"record {number}", COMMITTED | 8 * words - DATA)
        self.world.memory.define(source + SEQUENCE, number)
        for at in range(DATA, 8 * words, 8):
            self.world.memory.define(source + at, 100 * at + number)
        return source

    def appending(self, number: int, words: int) -> Body:
        """Append one record."""
        return (yield from self.lab.lift(kernel.append)(self.log, self.record(number, words), words))

    def writing(self, sizes: Sequence[int], after: tuple[int, ...] = ()) -> Body:
        """Append what is missing of these records."""
        yield from after_death_of(*after)
        number = yield from self.counting()
        for words in sizes[number:]:
            yield from self.appending(number, words)
            number += 1

    def counting(self) -> Body:
        """Count as a successor does: walk the segment of the last record."""
        end = yield "load", "relaxed", self.log.cursor
        if end == 0:
            return 0
        begin = (end - 1) // SEGMENT_BYTES * SEGMENT_BYTES
        first = yield "load", "relaxed", self.log.table + ROW * (begin // SEGMENT_BYTES % SEGMENTS) + FIRST
        at, number = yield from self.lab.lift(kernel.walk)(self.log, begin, end, first)
        assert at == end, f"{at} of {end}"
        return number

    def taking(self, at: int) -> Body:
        """Take a record; note its number."""
        out = self.world.word("out")
        length = yield from self.lab.lift(kernel.take)(self.log, at, out)
        if length >= 0:
            self.got.append(self.lab.value(out + SEQUENCE))
            words = [self.lab.value(out + i) for i in range(DATA, DATA + length, 8)]
            wanted = [100 * i + self.got[-1] for i in range(DATA, DATA + length, 8)]
            assert length in (8 * n - DATA for n in (SHORT, LONG, FULL)), f"a record of {length} bytes"
            assert words == wanted, f"record {self.got[-1]} is {words}"
            assert self.lab.value(out) == COMMITTED | length
            assert out + DATA + length not in self.world.memory.stores, "more was copied than the record"
        return length

    def reading(self, last: int) -> Body:
        """Take records until this one is there."""
        at = self.world.word("position")
        while not self.got or self.got[-1] < last:
            length = yield from self.taking(at)
            if length == NOTHING:
                yield "pause", ""

    def rows(self) -> list[list[int]]:
        """The table of segments: number, first record, bytes used."""
        starts = [self.log.table + ROW * i for i in range(SEGMENTS)]
        return [[self.lab.value(start + at) for at in (NUMBER, FIRST, TAIL)] for start in starts]

    def check(self) -> None:
        """In the order of their numbers, each at most once."""
        assert self.got == sorted(set(self.got)), self.got


def beside(lab: Lab, sizes: Sequence[int]) -> Check:
    """A writer and a reader at once."""
    journal = Journal(lab)
    lab.world.spawn(journal.writing(sizes), "writer")
    lab.world.spawn(journal.reading(len(sizes) - 1), "reader")

    def check() -> None:
        journal.check()
        if sum(sizes) * 8 <= SEGMENTS * SEGMENT_BYTES:
            assert journal.got == list(range(len(sizes))), journal.got

    return check


scenario("journal: append, take: 2 records in a segment")(lambda lab: beside(lab, (SHORT, SHORT)))
scenario("journal: append, take: 2 records in two segments")(lambda lab: beside(lab, (LONG, SHORT)))


def passed(lab: Lab, before: Sequence[int], at: int, more: Sequence[int]) -> Check:
    """A reader that stands at an old record while it is written over."""
    journal = Journal(lab)
    settle(lab.world, journal.writing(before))
    position = lab.world.word("position", at)

    def reading() -> Body:
        length = yield from journal.taking(position)
        assert length != NOTHING

    lab.world.spawn(journal.writing([*before, *more]), "writer")
    lab.world.spawn(reading(), "reader")
    return journal.check


scenario("journal: append over what is being taken: one record")(lambda lab: passed(lab, (FULL, FULL), 0, (FULL,)))
scenario("journal: append over what is being taken: padding")(lambda lab: passed(lab, (LONG, FULL), 40, (FULL,)))
scenario("journal: append over what is being taken: two records")(
    lambda lab: passed(lab, (SHORT, SHORT, FULL), 32, (SHORT, SHORT))
)


def writer_dies(lab: Lab, before: Sequence[int], first: Sequence[int], second: Sequence[int], at: int) -> Check:
    """A successor goes on with records of other sizes, while a reader stands at an old one."""
    journal = Journal(lab)
    settle(lab.world, journal.writing(before))
    position = lab.world.word("position", at)

    def reading() -> Body:
        yield from journal.taking(position)

    dead = lab.world.spawn(journal.writing([*before, *first]), "writer", mortal=True)
    lab.world.spawn(journal.writing([*before, *second], (dead,)), "successor")
    lab.world.spawn(reading(), "reader")
    return journal.check


scenario("journal: writer dies at any operation: 1 record")(lambda lab: writer_dies(lab, (), (LONG,), (SHORT,), 0))
scenario("journal: writer of a long record dies, a short one follows")(
    lambda lab: writer_dies(lab, (SHORT, SHORT, FULL), (FULL,), (SHORT,), 32)
)


@scenario("journal: a dead writer's record is never taken: 2 records")
def _(lab: Lab) -> Check:
    journal = Journal(lab)
    position = lab.world.word("position")
    counted: list[int] = []
    dead = lab.world.spawn(journal.writing((LONG, SHORT)), "writer", mortal=True)

    def reading() -> Body:
        yield from after_death_of(dead)
        counted.append((yield from journal.counting()))
        while (yield from journal.taking(position)) != NOTHING:
            pass

    lab.world.spawn(reading(), "reader")

    def check() -> None:
        cursor = lab.value(journal.log.cursor)
        committed = sum(cursor >= end for end in (40, 96))
        assert counted in ([], [committed])  # it may have lived to the end
        assert journal.got == list(range(committed if counted else 0)), journal.got

    return check


@scenario("journal: append, take, count alone: padding, a full segment, a lap")
def _(lab: Lab) -> Check:
    journal = Journal(lab)
    log, position = journal.log, lab.world.word("position")
    answers: list[int] = []
    sizes = (LONG, SHORT, SHORT, FULL, LONG, FULL)

    def run() -> Body:
        for number, words in enumerate(sizes):
            answers.append((yield from journal.counting()))
            answers.append((yield from journal.appending(number, words)))
            answers.append(lab.value(log.sequence))
        # The log holds records 4 and 5, in segments 3 and 4.
        for _ in range(5):
            answers.append((yield from journal.taking(position)))
            answers.append(lab.value(position))

    lab.world.spawn(run(), "alone")

    def check() -> None:
        ends = (40, 96, 128, 192, 232, 320)
        appended = [word for i, end in enumerate(ends) for word in (i, end, i + 1)]
        assert answers == [*appended, PASSED, 192, 16, 232, PADDED, 256, 40, 320, NOTHING, 320], answers
        assert journal.got == [4, 5], journal.got
        assert journal.rows() == [[4, 5, 0], [3, 4, 40]]

    return check


@scenario("journal: append alone: what the table says of segments")
def _(lab: Lab) -> Check:
    journal = Journal(lab)
    tables: list[list[list[int]]] = []

    def run() -> Body:
        for number, words in enumerate((SHORT, SHORT, SHORT)):
            yield from journal.appending(number, words)
            tables.append(journal.rows())

    lab.world.spawn(run(), "alone")

    def check() -> None:
        begun = [[0, 0, 0], [0, 0, 0]]
        assert tables == [begun, begun, [[0, 0, 64], [1, 2, 0]]], tables
        lab.cost(load=24, store=28)  # a segment that is full is not padded

    return check


@scenario("journal: walk, take alone: what is no record")
def _(lab: Lab) -> Check:
    journal = Journal(lab)
    log, position = journal.log, lab.world.word("position")
    settle(lab.world, journal.writing((SHORT, LONG)))  # 32 bytes, 32 of padding, 40 bytes
    long = log.records + SEGMENT_BYTES
    answers: list[object] = []

    def walked(word: int, value: int, begin: int = SEGMENT_BYTES, end: int = SEGMENT_BYTES + 40) -> Body:
        """Put a word in the place of what is there, and walk and take; then put it back."""
        kept = yield "load", "relaxed", word
        yield "store", "relaxed", word, value
        yield "store", "relaxed", position, begin
        answers.append((yield from lab.lift(kernel.walk)(log, begin, end, 1)))
        answers.append((yield from lab.lift(kernel.take)(log, position, lab.world.word("out"))))
        yield "store", "relaxed", word, kept

    def run() -> Body:
        for head in (0, COMMITTED | 17, COMMITTED | 48, PADDING | 55, PADDING | 56):
            yield from walked(long, head)
        yield from walked(long + SEQUENCE, 7)
        yield from walked(log.records + 32, PADDING | 16, 32, 64)

    lab.world.spawn(run(), "alone")

    def check() -> None:
        wrong = [(64, 1), DAMAGED] * 4
        wrong[2:4] = [(112, 2), 17]  # 41 bytes are a record that fits: nobody can tell
        assert answers == [*wrong, (128, 1), PADDED, (64, 1), 16, (32, 1), DAMAGED], answers

    return check


class Files(Journal):
    """A log of two segments that are files of their own."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        places = lab.world.words("table0", "records0", "table1", "records1")
        words = self.log.cursor, self.log.sequence, self.log.intent
        self.logs = [Log(*words, places[i], places[i + 1], 1, SEGMENT_BYTES) for i in (0, 2)]

    def counting(self) -> Body:
        end = yield "load", "relaxed", self.log.cursor
        number = max(end - 1, 0) // SEGMENT_BYTES
        first = yield "load", "relaxed", self.logs[number].table + FIRST
        walk = self.lab.lift(kernel.walk)
        return (yield from walk(self.logs[number], number * SEGMENT_BYTES, end, first))[1]

    def appending(self, number: int, words: int) -> Body:
        source = self.record(number, words)
        end = yield "load", "relaxed", self.log.cursor
        rest = -end % SEGMENT_BYTES
        last, now = max(end - 1, 0) // SEGMENT_BYTES, (end if 8 * words <= rest else end + rest) // SEGMENT_BYTES
        return (yield from self.lab.lift(kernel.extend)(self.logs[last], self.logs[now], source, words))

    def taking(self, at: int) -> Body:
        position = yield "load", "relaxed", at
        self.log = self.logs[min(position // SEGMENT_BYTES, 1)]
        return (yield from super().taking(at))


def in_files(lab: Lab, sizes: Sequence[int]) -> Check:
    """A writer that dies, its successor, and a reader of both files."""
    journal = Files(lab)
    dead = lab.world.spawn(journal.writing(sizes), "writer", mortal=True)
    lab.world.spawn(journal.writing(sizes, (dead,)), "successor")
    lab.world.spawn(journal.reading(len(sizes) - 1), "reader")

    def check() -> None:
        assert journal.got == list(range(len(sizes))), journal.got
        rows = [[lab.value(log.table + at) for at in (NUMBER, FIRST, TAIL)] for log in journal.logs]
        before = SEGMENT_BYTES // (8 * sizes[0])
        assert rows == [[0, 0, 8 * sizes[0] * before], [1, before, 0]], rows

    return check


scenario("journal: files: writer dies at any operation: 2 records")(lambda lab: in_files(lab, (LONG, SHORT)))
scenario("journal: files: writer dies at any operation: 3 records", full=True)(
    lambda lab: in_files(lab, (SHORT, SHORT, SHORT))
)
scenario("journal: files: writer dies at any operation: a full segment")(lambda lab: in_files(lab, (FULL, SHORT)))
