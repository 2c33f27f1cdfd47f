"""A log that is written over under the explorer: records whole and in order, what is missing told, whoever dies when.

Rule 1. A record tells its number in every word; segments are so short that two of them are passed at once.
Rule 2. A reader ends when it has the last record; who waits for one that never comes is wedged.
"""

from __future__ import annotations

from collections.abc import Sequence

from byteor.kernel import journal as kernel
from byteor.kernel.journal import COMMITTED, DATA, FIRST, NOTHING, NUMBER, PADDED, PASSED, ROW, SEQUENCE, TAIL, Log
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

    def appending(self, number: int, words: int) -> Body:
        """Append one record."""
        source = self.world.word(f"record {number}", COMMITTED | 8 * words - DATA)
        self.world.memory.define(source + SEQUENCE, number)
        for at in range(DATA, 8 * words, 8):
            self.world.memory.define(source + at, 100 * at + number)
        return (yield from self.lab.lift(kernel.append)(self.log, source, words))

    def writing(self, sizes: Sequence[int], after: tuple[int, ...] = ()) -> Body:
        """Append what is missing of these records."""
        yield from after_death_of(*after)
        number = yield from self.lab.lift(kernel.count)(self.log)
        for words in sizes[number:]:
            yield from self.appending(number, words)
            number += 1

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
        counted.append((yield from lab.lift(kernel.count)(journal.log)))
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
            answers.append((yield from lab.lift(kernel.count)(log)))
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
        lab.cost(load=23, store=28)  # a segment that is full is not padded

    return check
