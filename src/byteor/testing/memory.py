"""A memory weaker than any machine's: words by views, payload by happens-before.

Rule 1. A word is the list of its stores. A thread may read any store that is not older than the
        newest it knows of; what it knows is its view.
Rule 2. A release gives the view away with the store, an acquire takes it; relaxed stores give what
        the last release fence saw, relaxed loads keep what they read for the next acquire fence.
Rule 3. Payload is plain: two accesses that no release and acquire order, one of them a write, are a
        race, whatever they read. They are no choice for the scheduler.
Rule 4. A view also holds the clock of each actor, so one join gives order and happens-before at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

View = dict[int, int]  # address: index of its newest known store; clock_of(actor): time

ENDLESS = 20_000  # payload accesses between two shared operations: more is a loop without end


class Failure(Exception):
    """What no schedule may show: a race, a wedge, a loop without end."""


def clock_of(actor: int) -> int:
    """The key of an actor's clock in a view: below every address."""
    return -1 - actor


def join(view: View, other: View) -> None:
    """Learn all that `other` knows."""
    for key, time in other.items():
        if view.get(key, -1) < time:
            view[key] = time


class Thread:
    """What one actor knows of the memory."""

    __slots__ = ("clock", "fenced", "id", "pending", "view")

    def __init__(self, id: int) -> None:
        self.id = id
        self.clock = clock_of(id)
        self.view: View = {self.clock: 1}
        self.pending: View = {}  # read relaxed: known only after an acquire fence
        self.fenced: View = {}  # given away by relaxed stores since the last release fence

    def acquire(self) -> None:
        """Do an acquire fence."""
        join(self.view, self.pending)

    def release(self) -> None:
        """Do a release fence."""
        self.fenced = dict(self.view)
        self.view[self.clock] += 1


class Memory:
    """All words: per address its stores, each with the view that it gives away."""

    __slots__ = ("fence_view", "stores")

    def __init__(self) -> None:
        self.stores: dict[int, list[tuple[int, View]]] = {}
        self.fence_view: View = {}

    def define(self, address: int, value: int) -> None:
        """Give a word its first value, known to all."""
        self.stores[address] = [(value, {})]

    def history(self, address: int) -> list[tuple[int, View]]:
        """All stores of a word; one that nobody defined began with 0."""
        return self.stores.setdefault(address, [(0, {})])

    def newest(self, address: int) -> int:
        """Index of the newest store."""
        return len(self.history(address)) - 1

    def load(self, thread: Thread, address: int, at: int, order: str) -> int:
        """Read store number `at`."""
        value, given = self.history(address)[at]
        thread.view[address] = at
        join(thread.view if order in ("acquire", "acq_rel") else thread.pending, given)
        return value

    def store(self, thread: Thread, address: int, value: int, order: str, carried: View | None = None) -> None:
        """Append a store; `carried` is the view of the store that a read-modify-write replaces."""
        history = self.history(address)
        thread.view[address] = len(history)
        release = order in ("release", "acq_rel")
        given = dict(thread.view) if release else {**thread.fenced, address: len(history)}
        if carried is not None:  # the release sequence goes on
            join(given, carried)
        history.append((value, given))
        if release:
            thread.view[thread.clock] += 1

    def update(self, thread: Thread, kind: str, address: int, order: str, *operands: int) -> int:
        """Do a read-modify-write at the newest store; answer what was there."""
        at = self.newest(address)
        carried = self.history(address)[at][1]
        found = self.load(thread, address, at, order)
        if kind == "add":
            self.store(thread, address, found + operands[0], order, carried)
        elif kind == "exchange":
            self.store(thread, address, operands[0], order, carried)
        elif found == operands[0]:  # cas
            self.store(thread, address, operands[1], order, carried)
        return found

    def fence(self, thread: Thread) -> None:
        """Do a sequentially consistent fence: each knows all that earlier ones knew."""
        thread.acquire()
        join(thread.view, self.fence_view)
        self.fence_view = dict(thread.view)
        thread.release()


class Runs(Protocol):
    """Whoever says which thread runs now."""

    running: Thread | None
    accesses: int


class Payload:
    """Plain memory under the happens-before check; set-up, when nobody runs, is not checked."""

    def __init__(self, runs: Runs, name: str) -> None:
        self.runs, self.name = runs, name
        self.values: dict[Any, Any] = {}
        self.writer: dict[Any, tuple[int, int]] = {}
        self.readers: dict[Any, dict[int, int]] = {}

    def read(self, place: Any) -> Any:
        """Read one place; 0 where nobody wrote."""
        if self.runs.running is not None:
            me = self._enter(place)
            self.readers.setdefault(place, {})[me.id] = me.view[me.clock]
        return self.values.get(place, 0)

    def write(self, place: Any, value: Any) -> None:
        """Write one place."""
        if self.runs.running is not None:
            me = self._enter(place)
            for other, time in self.readers.pop(place, {}).items():
                self._ordered(me, place, other, time)
            self.writer[place] = me.id, me.view[me.clock]
        self.values[place] = value

    def _enter(self, place: Any) -> Thread:
        me = self.runs.running
        assert me is not None
        self.runs.accesses += 1
        if self.runs.accesses > ENDLESS:
            raise Failure(f"loop without end: actor {me.id} at {self.name}{_place(place)}")
        if place in self.writer:
            self._ordered(me, place, *self.writer[place])
        return me

    def _ordered(self, me: Thread, place: Any, other: int, time: int) -> None:
        if other != me.id and me.view.get(clock_of(other), 0) < time:
            raise Failure(f"race on {self.name}{_place(place)}: actor {me.id} against actor {other}")


def _place(place: Any) -> str:
    match place:
        case (int() as index, str() as field):
            return f"[{index}].{field}"
        case (*several,):
            return f"[{', '.join(map(str, several))}]"
    return f"[{place}]"


class Record:
    """One slot: its fields by attribute or by name, like a record of Numba."""

    __slots__ = ("_fields", "_index", "_payload")

    def __init__(self, payload: Payload, index: int, fields: tuple[str, ...]) -> None:
        object.__setattr__(self, "_payload", payload)
        object.__setattr__(self, "_index", index)
        object.__setattr__(self, "_fields", fields)

    def __getattr__(self, field: str) -> Any:
        if field not in self._fields:
            raise AttributeError(field)
        return self._payload.read((self._index, field))

    def __setattr__(self, field: str, value: Any) -> None:
        if field not in self._fields:
            raise AttributeError(field)
        self._payload.write((self._index, field), value)

    __getitem__ = __getattr__
    __setitem__ = __setattr__

    def assign(self, other: Record) -> None:
        """Copy all fields of another record."""
        for field in self._fields:
            self[field] = other[field]

    def values(self) -> tuple[Any, ...]:
        """Read all fields."""
        return tuple(self[field] for field in self._fields)


class Slots:
    """A dense array of records; a slice is a view of it, as in numpy, but never clipped."""

    __slots__ = ("records",)

    def __init__(self, records: list[Record]) -> None:
        self.records = records

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Slots(self.records[self._span(index)])
        return self.records[self._inside(index, len(self))]

    def __setitem__(self, index: int | slice, value: Any) -> None:
        if not isinstance(index, slice):
            return self.records[self._inside(index, len(self))].assign(value)
        for mine, other in zip(self.records[self._span(index)], value, strict=True):
            mine.assign(other)

    def _span(self, index: slice) -> slice:
        low = index.start or 0
        high = len(self) if index.stop is None else index.stop
        return slice(self._inside(low, high + 1), self._inside(high, len(self) + 1))

    def _inside(self, index: int, end: int) -> int:
        if not 0 <= index < end:
            raise IndexError(f"slot {index} of {len(self)}")
        return index


class Array:
    """Plain numbers in one or more dimensions, such as dead cells; the last index may be a slice to fill."""

    __slots__ = ("payload", "shape")

    def __init__(self, payload: Payload, shape: tuple[int, ...]) -> None:
        self.payload, self.shape = payload, shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | tuple[int, ...]) -> Any:
        return self.payload.read(self._inside(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        *front, last = index if isinstance(index, tuple) else (index,)
        several = range(last.start, last.stop) if isinstance(last, slice) else (last,)
        for at in several:
            self.payload.write(self._inside((*front, at)), value)

    def _inside(self, index: int | tuple[int, ...]) -> tuple[int, ...]:
        at = index if isinstance(index, tuple) else (index,)
        if len(at) != len(self.shape) or not all(0 <= i < n for i, n in zip(at, self.shape, strict=True)):
            raise IndexError(f"{self.payload.name}{_place(at)} of {self.shape}")
        return at
