"""The latest value under the explorer: never torn, never older than one seen before, whoever dies when.

Rule 1. A value is three words and its stamp, all of which tell its number; each is a word of its own to the scheduler.
Rule 2. Fewer slots than lanes have, so that readers are passed early.
"""

from __future__ import annotations

from byteor.abi.byteor_v1 import OPEN
from byteor.kernel import lanes, ring
from byteor.kernel import state as kernel
from byteor.kernel.state import CONTENDED, DATA, EMPTY, HEAD, LENGTH, Place
from byteor.kernel.wait import ANNOUNCED, BLOCK, FOREVER, NOBODY, SPIN
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


class Shared:
    """A bell that several readers share: whoever sleeps for ever is wedged."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.world = lab, lab.world
        self.cursor, self.bell = lab.world.words("cursor", "bell")
        self.closed = lab.world.word("closed", OPEN)
        lab.lift.constants["_SPINS"] = -1

    def raising(self, until: int, after: tuple[int, ...] = (), close: bool = False) -> Body:
        """Raise the cursor, and ring; then say that nothing follows, and ring."""
        yield from after_death_of(*after)
        number = yield "load", "relaxed", self.cursor
        while number < until:
            number += 1
            yield "store", "release", self.cursor, number
            yield from self.lab.lift(lanes.ring_all)(self.bell)
        if close:
            yield from self.lab.lift(ring.close)(self.cursor, self.closed, NOBODY)
            yield from self.lab.lift(lanes.ring_all)(self.bell)

    def waiting(self, until: int, strategy: int = BLOCK) -> Body:
        """Wait until the cursor is there."""
        taken = 0
        while taken < until:
            found = yield from self._wait(taken, strategy)
            assert found
            taken = yield "load", "relaxed", self.cursor

    def until_closed(self) -> Body:
        """Wait until nothing follows."""
        taken = 0
        while (yield "load", "relaxed", self.closed) == OPEN:
            yield from self._wait(taken, BLOCK)
            taken = yield "load", "relaxed", self.cursor

    def _wait(self, taken: int, strategy: int, patience: int = FOREVER) -> Body:
        wait = self.lab.lift(lanes.wait_change)
        return (yield from wait(self.cursor, taken, self.closed, OPEN, self.bell, strategy, patience))


def waiters(lab: Lab, values: int, readers: int, mortal: int = 0) -> Check:
    """A writer and several that sleep until it has put so many values; some may die."""
    shared = Shared(lab)
    lab.world.spawn(shared.raising(values), "writer")
    for i in range(readers):
        lab.world.spawn(shared.waiting(values), f"reader{i}", mortal=i < mortal)
    return lambda: None


scenario("shared bell: 1 reader, 2 values")(lambda lab: waiters(lab, 2, 1))
scenario("shared bell: 2 readers, 1 value")(lambda lab: waiters(lab, 1, 2))
scenario("shared bell: 2 readers, 1 value, one dies")(lambda lab: waiters(lab, 1, 2, mortal=1))
scenario("shared bell: 2 readers, 2 values", full=True)(lambda lab: waiters(lab, 2, 2))


@scenario("shared bell: the end")
def _(lab: Lab) -> Check:
    shared = Shared(lab)
    lab.world.spawn(shared.raising(1, close=True), "writer")
    lab.world.spawn(shared.until_closed(), "reader")
    return lambda: None


@scenario("shared bell: wait alone, ring alone")
def _(lab: Lab) -> Check:
    shared = Shared(lab)
    answers: list[bool] = []

    def run() -> Body:
        answers.append((yield from shared._wait(0, SPIN, 0)))
        yield from lab.lift(lanes.ring_all)(shared.bell)  # nobody sleeps

    lab.world.spawn(run(), "alone")

    def check() -> None:
        assert answers == [False], answers
        lab.cost(load=3, fence=1)

    return check


@scenario("shared bell: who spins is not rung for, 1 value")
def _(lab: Lab) -> Check:
    shared = Shared(lab)

    def writing() -> Body:
        yield "store", "release", shared.cursor, 1

    lab.world.spawn(writing(), "writer")
    lab.world.spawn(shared.waiting(1, SPIN), "reader")
    return lambda: None


@scenario("shared bell: who has announced itself sleeps")
def _(lab: Lab) -> Check:
    shared = Shared(lab)

    def writing() -> Body:
        while (yield "load", "relaxed", shared.bell + ANNOUNCED) == 0:
            yield "pause", ""
        yield from lab.lift(lanes.ring_all)(shared.bell)  # for nothing, so far
        yield from shared.raising(1)

    lab.world.spawn(writing(), "writer")
    lab.world.spawn(shared.waiting(1), "reader")

    def check() -> None:
        done = lab.world.done
        announced = done["store"] - 1 - done["add"]  # beside the cursor, and what whoever rings takes back
        assert announced - done["wait"] <= 1, "who finds no news sleeps"

    return check
