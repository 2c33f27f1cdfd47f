"""The latest value under the explorer: never torn, never older than one seen before, whoever dies when.

Rule 1. A value is three words and its stamp, all of which tell its number; each is a word of its own to the scheduler.
Rule 2. Fewer slots than lanes have, so that readers are passed early.
"""

from __future__ import annotations

from byteor.kernel import state as kernel
from byteor.kernel.state import CONTENDED, DATA, EMPTY, HEAD, LENGTH, Place
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, scenario
from byteor.testing.lift import Body
from byteor.testing.world import after_death_of

_WORDS = HEAD + 2
_BYTES = 16
Value = tuple[int, ...]


class Latest:
    """One state on the bench, with its writers and readers."""

    def __init__(self, lab: Lab, capacity: int) -> None:
        self.lab, self.world = lab, lab.world
        cursor, intent, slots = lab.world.words("cursor", "intent", "slots")
        self.place = Place(cursor, intent, slots, capacity - 1, _WORDS)
        self.got: list[Value] = []

    def writing(self, until: int, after: tuple[int, ...] = ()) -> Body:
        """Put values, from where the cursor is."""
        yield from after_death_of(*after)
        number = yield "load", "relaxed", self.place.cursor
        while number < until:
            number += 1
            source = self.world.word(f"value {number}", 100 + number)
            for at, word in ((LENGTH, _BYTES), (DATA, number), (DATA + 8, -number)):
                self.world.memory.define(source + at, word)
            yield from self.lab.lift(kernel.put)(self.place, source, _WORDS)

    def reading(self, times: int, tries: int, after: tuple[int, ...] = ()) -> Body:
        """Get the latest value so often, and note what was got."""
        yield from after_death_of(*after)
        for _ in range(times):
            out = self.world.word("out")
            number = yield from self.lab.lift(kernel.get)(self.place, out, tries)
            self.got.append((number, *(self.lab.value(out + 8 * i) for i in range(_WORDS))))

    def check(self) -> None:
        """Every value whole, in the order of their numbers; what was contended is none."""
        numbers = [value[0] for value in self.got if value[0] != CONTENDED]
        assert numbers == sorted(numbers), f"{numbers}: an older value after a newer one"
        for number, *words in self.got:
            if number not in (EMPTY, CONTENDED):
                assert words == [100 + number, _BYTES, number, -number], f"value {number} is {words}"


def beside(lab: Lab, capacity: int, count: int, times: int, tries: int) -> Check:
    """A writer and a reader at once."""
    latest = Latest(lab, capacity)
    lab.world.spawn(latest.writing(count), "writer")
    lab.world.spawn(latest.reading(times, tries), "reader")
    return latest.check


scenario("state: put, get: 1 slot, 1 value, 2 tries")(lambda lab: beside(lab, 1, 1, 1, 2))
scenario("state: put, get: 1 slot, 2 values, 1 try")(lambda lab: beside(lab, 1, 2, 1, 1))
scenario("state: put, get: 2 slots, 3 values, 1 try")(lambda lab: beside(lab, 2, 3, 1, 1))
scenario("state: put, get twice: 2 slots, 2 values, 1 try")(lambda lab: beside(lab, 2, 2, 2, 1))
scenario("state: put, get: 1 slot, 2 values, 2 tries", full=True)(lambda lab: beside(lab, 1, 2, 1, 2))
scenario("state: put, get: 2 slots, 4 values, 1 try", full=True)(lambda lab: beside(lab, 2, 4, 1, 1))


def writer_dies(lab: Lab, capacity: int, count: int) -> Check:
    """A reader at any time, and a successor that goes on where the dead one was."""
    latest = Latest(lab, capacity)
    first = lab.world.spawn(latest.writing(count), "writer", mortal=True)
    lab.world.spawn(latest.writing(count, (first,)), "successor")
    lab.world.spawn(latest.reading(1, 1), "reader")
    return latest.check


scenario("state: writer dies at any operation: 1 slot, 1 value")(lambda lab: writer_dies(lab, 1, 1))
scenario("state: writer dies at any operation: 2 slots, 2 values")(lambda lab: writer_dies(lab, 2, 2))
scenario("state: writer dies at any operation: 1 slot, 2 values", full=True)(lambda lab: writer_dies(lab, 1, 2))


@scenario("state: a dead writer costs its readers nothing: 2 slots, 3 values")
def _(lab: Lab) -> Check:
    latest = Latest(lab, 2)
    first = lab.world.spawn(latest.writing(3), "writer", mortal=True)
    lab.world.spawn(latest.reading(1, 1, (first,)), "reader")

    def check() -> None:
        latest.check()
        assert all(value[0] == lab.value(latest.place.cursor) for value in latest.got), latest.got

    return check


@scenario("state: put, get alone: 2 slots, 3 values")
def _(lab: Lab) -> Check:
    latest = Latest(lab, 2)

    def run() -> Body:
        for count in range(4):
            yield from latest.writing(count)
            yield from latest.reading(1, 1)
        yield "store", "relaxed", latest.place.intent, 5  # the slot of value 3 is written over
        yield from latest.reading(1, 1)

    lab.world.spawn(run(), "alone")

    def check() -> None:
        latest.check()
        numbers = [value[0] for value in latest.got]
        assert numbers == [EMPTY, 1, 2, 3, CONTENDED], numbers

    return check


@scenario("state: put alone: each word once, and three words of its own")
def _(lab: Lab) -> Check:
    latest = Latest(lab, 2)
    lab.world.spawn(latest.writing(1), "alone")
    return lambda: lab.cost(load=2 + _WORDS, store=2 + _WORDS)
