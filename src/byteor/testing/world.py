"""Actors over one memory: which operations may come next, and what each one does.

Rule 1. An actor runs up to its next shared operation and stops before it; nothing else is a choice.
Rule 2. A load chooses which store it reads; every other operation has one outcome.
Rule 3. Turns of waiting that would see nothing new are left out: after a pause, one of the words
        read since the pause before must be read newer. So every tree is finite, and who waits for
        what never comes is wedged.
Rule 4. A futex wait never times out and never wakes for no reason: a lost wake-up is a wedge.
Rule 5. A mortal actor may die before any of its operations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from byteor.testing.lift import Body, Operation
from byteor.testing.memory import Array, Failure, Memory, Payload, Record, Slots, Thread, join

DIE = -1
UPDATES = ("add", "exchange", "cas")
_SPACING = 1 << 16  # between two names: room for a word's neighbours

_HALF = 2**32 - 1  # a futex is the low half of a word

Transition = tuple[int, int, str, int]  # actor, choice, kind, address


def after_death_of(*actors: int) -> Body:
    """Win the lock that each of these actors held: it is free once its owner is dead."""
    for actor in actors:
        yield "await", "", -1 - actor


class Actor:
    """A generator, its memory, and the operation that it stands before."""

    __slots__ = ("body", "dead", "id", "mortal", "must", "name", "op", "polled", "seen", "thread")

    def __init__(self, id: int, name: str, body: Body, mortal: bool) -> None:
        self.id, self.name, self.body, self.mortal = id, name, body, mortal
        self.thread = Thread(id)
        self.op: Operation | None = None
        self.dead = False
        self.polled = False  # whether this turn has read one of the words awaited
        self.seen: dict[int, int] = {}  # words read since the last pause, and the first store read of each
        self.must: dict[int, int] = {}  # of the turn before, not read again yet: one of them must be newer

    def pause(self) -> None:
        """End a turn of waiting; a loop that read none of the words awaited waits for its own as well."""
        self.must = self.seen if self.polled else {**self.must, **self.seen}
        self.seen, self.polled = {}, False

    def note(self, address: int, at: int) -> None:
        """Remember what a poll saw."""
        self.seen.setdefault(address, at)
        if address in self.must:
            self.polled = True
            if at > self.must[address]:
                self.must.clear()
            else:
                del self.must[address]

    def overwrite(self, address: int, at: int) -> None:
        """Its own store is nothing new to it."""
        for known in (self.seen, self.must):
            if address in known:
                known[address] = at


class World:
    """One execution: words, payload and actors."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.actors: list[Actor] = []
        self.running: Thread | None = None
        self.accesses = 0
        self.done: Counter[str] = Counter()  # operations by kind: what a fast path may cost is promised too
        self._names: list[str] = []
        self._sleepers: dict[int, list[Actor]] = {}

    # What a scenario sets up

    def word(self, name: str, value: int = 0) -> int:
        """Make a word; its address has room for neighbours."""
        self._names.append(name)
        address = len(self._names) * _SPACING  # 0 is no address
        self.memory.define(address, value)
        return address

    def words(self, *names: str) -> tuple[int, ...]:
        """Make several words."""
        return tuple(self.word(name) for name in names)

    def slots(self, count: int, fields: tuple[str, ...] = ("a", "b"), name: str = "slots") -> Slots:
        """Make an array of records."""
        payload = Payload(self, name)
        return Slots([Record(payload, i, fields) for i in range(count)])

    def rows(self, values: Sequence[tuple[Any, ...]], fields: tuple[str, ...] = ("a", "b")) -> Slots:
        """Make an array of records that hold `values`."""
        table = self.slots(len(values), fields, "rows")
        for record, row in zip(table, values, strict=True):
            for field, value in zip(fields, row, strict=True):
                record[field] = value
        return table

    def array(self, *shape: int, name: str = "array") -> Array:
        """Make plain numbers."""
        return Array(Payload(self, name), shape)

    def spawn(self, body: Body, name: str = "", mortal: bool = False) -> int:
        """Add an actor; answer its number."""
        self.actors.append(Actor(len(self.actors), name or f"actor{len(self.actors)}", body, mortal))
        return len(self.actors) - 1

    # What a scheduler does

    def start(self) -> None:
        """Bring every actor before its first operation."""
        for actor in self.actors:
            self._advance(actor, None)

    def transitions(self) -> list[Transition]:
        """All that may come next."""
        found = []
        for actor in self.actors:
            if actor.op is not None:
                kind, address = actor.op[0], actor.op[2] if len(actor.op) > 2 else 0
                found += [(actor.id, choice, kind, address) for choice in self._choices(actor)]
                if actor.mortal:
                    found.append((actor.id, DIE, "die", actor.thread.clock))
        return found

    def wedged(self) -> list[Actor]:
        """Actors that wait for what can no longer come; successors that nobody needs do not count."""
        return [a for a in self.actors if a.op is not None and not self._unneeded(a.op)]

    def step(self, transition: Transition) -> None:
        """Do one transition."""
        actor, choice = self.actors[transition[0]], transition[1]
        if choice == DIE:
            actor.op, actor.dead = None, True
            return
        assert actor.op is not None
        getattr(self, "_do_" + _FAMILY[actor.op[0]])(actor, choice, *actor.op)

    def finish(self) -> None:
        """End the execution: what follows is not checked."""
        self.running = None

    def name_of(self, address: int) -> str:
        """The word's name, for people."""
        if address < 0:
            return self.actors[-1 - address].name
        index, offset = divmod(address, _SPACING)
        name = self._names[index - 1] if 0 < index <= len(self._names) else "?"
        return f"{name}+{offset}" if offset else name

    # Choices

    def _choices(self, actor: Actor) -> Sequence[int]:
        assert actor.op is not None
        kind = actor.op[0]
        if kind == "load":
            return self._readable(actor, actor.op[2])
        if kind in UPDATES:
            return (0,) if self._readable(actor, actor.op[2]) else ()
        if kind == "await":
            return (0,) if self.actors[-1 - actor.op[2]].dead else ()
        return () if kind == "asleep" else (0,)

    def _readable(self, actor: Actor, address: int) -> range:
        low, newest = actor.thread.view.get(address, 0), self.memory.newest(address)
        if address in actor.must and not self._newer_elsewhere(actor, address):
            low = max(low, actor.must[address] + 1)
        return range(low, newest + 1)

    def _newer_elsewhere(self, actor: Actor, address: int) -> bool:
        newest = self.memory.newest
        return any(newest(other) > at for other, at in actor.must.items() if other != address)

    def _unneeded(self, op: Operation) -> bool:
        return op[0] == "await" and self.actors[-1 - op[2]].op is None and not self.actors[-1 - op[2]].dead

    # Operations

    def _advance(self, actor: Actor, result: Any) -> None:
        """Run to the next shared operation; pauses and one-sided fences touch nobody else."""
        self.running, self.accesses = actor.thread, 0
        try:
            op = actor.body.send(result)
            while op[0] == "pause" or (op[0] == "fence" and op[1] != "seq_cst"):
                self.accesses += 1
                if self.accesses > 1000:
                    raise Failure(f"loop without end: {actor.name} pauses for ever")
                {"": actor.pause, "acquire": actor.thread.acquire, "release": actor.thread.release}[op[1]]()
                op = actor.body.send(None)
            if len(op) > 2 and 0 <= op[2] < _SPACING:
                raise Failure(f"no word: {actor.name} at {op[2]}")
            actor.op = op
        except StopIteration:
            actor.op = None
        finally:
            self.running = None

    def _do_load(self, actor: Actor, choice: int, _kind: str, order: str, address: int) -> None:
        value = self.memory.load(actor.thread, address, choice, order)
        actor.note(address, choice)
        self._advance(actor, value)

    def _do_store(self, actor: Actor, _choice: int, _kind: str, order: str, address: int, value: int) -> None:
        self.memory.store(actor.thread, address, value, order)
        actor.overwrite(address, self.memory.newest(address))
        self._advance(actor, None)

    def _do_update(self, actor: Actor, _choice: int, kind: str, order: str, address: int, *operands: int) -> None:
        actor.note(address, self.memory.newest(address))
        value = self.memory.update(actor.thread, kind, address, order, *operands)
        actor.overwrite(address, self.memory.newest(address))
        self._advance(actor, value)

    def _do_fence(self, actor: Actor, *_op: Any) -> None:
        self.memory.fence(actor.thread)
        self._advance(actor, None)

    def _do_wait(
        self, actor: Actor, _choice: int, _kind: str, _order: str, address: int, expected: int, _ns: int
    ) -> None:
        if (self.memory.history(address)[-1][0] ^ expected) & _HALF:  # the system compares with the newest
            return self._advance(actor, None)
        self._sleepers.setdefault(address, []).append(actor)
        actor.op = "asleep", "", address

    def _do_wake(self, actor: Actor, _choice: int, _kind: str, _order: str, address: int, count: int) -> None:
        sleepers = self._sleepers.get(address, [])
        for sleeper in sleepers[:count]:  # in the order of their coming
            if not sleeper.dead:
                sleeper.op = "woken", "", address
        del sleepers[:count]
        self._advance(actor, None)

    def _do_woken(self, actor: Actor, *_op: Any) -> None:
        self._advance(actor, None)

    def _do_await(self, actor: Actor, _choice: int, _kind: str, _order: str, owner: int) -> None:
        join(actor.thread.view, self.actors[-1 - owner].thread.view)  # all it did came before
        self._advance(actor, None)


_FAMILY = dict.fromkeys(UPDATES, "update") | {
    name: name for name in ("load", "store", "fence", "wait", "wake", "woken", "await")
}


def dependent(one: Transition, other: Transition) -> bool:
    """Whether the order of two transitions can matter.

    A load names the store that it reads, so it commutes with every store: a newer store only adds
    choices. That leaves pairs of one actor, of one address written by both, and of full fences.
    """
    if one[0] == other[0]:
        return True
    if "load" in (one[2], other[2]) or "woken" in (one[2], other[2]):
        return False
    return one[2] == other[2] == "fence" or (one[3] == other[3] and "fence" not in (one[2], other[2]))
