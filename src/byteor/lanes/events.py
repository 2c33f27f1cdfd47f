"""The Events lane: bounded messages over one ring for each producer, with a gate for each reader.

Rule 1. How many producers and readers there are is fixed at creation; each takes a free cell by its lock.
Rule 2. A ring waits for all of its readers, also for those that have not come yet; nothing is lost.
Rule 3. Leaving is not closing, and neither is dying.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from byteor.abi.byteor_v1 import BITS, EVENTS, LAST, OPEN
from byteor.abi.family import Kind
from byteor.diag import Refused
from byteor.lanes import calls, cells
from byteor.lanes import findings as t
from byteor.lanes.base import AnyLane
from byteor.lanes.envelope import HEADER_BYTES
from byteor.lanes.form import Form
from byteor.lanes.making import join, make, where
from byteor.lanes.receiver import Reader, give_up
from byteor.lanes.sender import Sender
from byteor.lanes.typed import Type, checked
from byteor.transport.regions import Mapping

KNOWN = BITS["may_block"] | BITS["lengths"] | BITS["several_rings"] | BITS["enveloped"]


class Lane(AnyLane):
    """One lane: `sender()` and `reader()` give its ends, `finish` ends it, `detach` gives a dead reader up."""

    def __init__(self, name: str, block: cells.Block, dtype: Type | None, creator: cells.Owner | None = None) -> None:
        super().__init__(name, block)
        self._form, self._creator = Form(name, block, dtype), creator

    @property
    def dtype(self) -> Type:
        """The type of its messages; without one, bytes of a slot."""
        return self._form.dtype

    @property
    def capacity(self) -> int:
        """Slots of each ring."""
        return self._form.capacity

    @property
    def readers(self) -> int:
        """Gates of each ring."""
        return self._form.readers

    @property
    def producers(self) -> int:
        """Rings."""
        return self._form.rings

    def positions(self, ring: int = 0) -> tuple[int, list[int]]:
        """Where a ring is: messages published, and those that each reader has given back."""
        gates = [self._block.read("gate", i) for i in self._form.gates(ring)]
        return self._block.read("cursor", ring), gates

    def sender(self, ring: int | None = None, wait: str | None = None, name: str = "") -> Sender:
        """Win a ring, and go on where its last producer was; `wait` is spin, yield, backoff or block."""
        strategy = self._form.strategy(wait)
        free = [r for r in range(self.producers) if self._block.read("closed", r) == OPEN]
        owner = self._won("cursor", "producer", free, ring, name)
        if self._block.read("closed", owner.index) != OPEN:  # closed between the look and the lock
            owner.leave()
            raise Refused([t.NO_CELL.at(self.name, f"producer {owner.index} has closed its ring")])
        self._ends.append(end := Sender(self._form, owner, strategy))
        return end

    def reader(self, number: int | None = None, wait: str | None = None, name: str = "") -> Reader:
        """Win a gate, and go on where its last reader was; `wait` is spin, yield, backoff or block."""
        strategy = self._form.strategy(wait)
        free = [i for i in range(self.readers) if self._block.read("gate", i) != LAST]
        self._ends.append(end := Reader(self._form, self._won("gate", "reader", free, number, name), strategy))
        return end

    def _won(self, cell: str, what: str, free: list[int], wanted: int | None, name: str) -> cells.Owner:
        choice: Iterable[int] = free if wanted is None else [wanted]
        if wanted is not None and wanted not in free:
            raise Refused([t.NO_CELL.at(self.name, f"{what} {wanted} is none, or has closed or left for good")])
        owner = cells.win(self._block, cell, choice, name)
        if owner is not None:
            return owner
        if wanted is not None:
            raise Refused([t.IN_USE.at(self.name, f"{what} {wanted} lives")])
        count = self._form.rings if cell == "cursor" else self.readers
        raise Refused([t.NO_CELL.at(self.name, f"all {what}s are taken or gone for good ({count} in all)")])

    def finish(self) -> None:
        """Say that no producer may come any more: what is there is still received, then the lane has ended."""
        if self._creator is None or not self._creator.alive:
            self._creator = self._won("lane_closed", "creator", [0], 0, "")
        form = self._form
        bells = form.bells("reader_bell", range(form.readers)) + form.bells("producer_bell", range(form.rings))
        calls.advance(len(bells))(self._block.address("lane_closed"), 1, bells)

    def detach(self, reader: int) -> None:
        """Give up a reader that is dead or never came: the producers no longer wait for it, and it cannot come back."""
        owner = self._won("gate", "reader", list(range(self.readers)), reader, "")
        give_up(self._form, reader)
        owner.leave()

    def _let_go(self, closing: bool) -> None:
        for end in self._ends:
            end.close() if closing else end.leave()
        if self._creator is not None:
            self._creator.leave()
        self._block.close()


def create(
    path: Path | None,
    dtype: Any = None,
    *,
    capacity: int = 1024,
    readers: int = 1,
    producers: int = 1,
    slot_bytes: int | None = None,
    may_block: bool = False,
    enveloped: bool = False,
    prefault: bool = False,
    mlock: bool = False,
    kind: Kind = EVENTS,
) -> Lane:
    """Make a lane; without a path, in the memory of this process."""
    given = None if dtype is None else checked(dtype, where(path))
    size = given.itemsize if given is not None else slot_bytes or 0
    _judge(path, given, slot_bytes, readers, enveloped)
    fixed = {"capacity": capacity, "slot_bytes": size, "lengths": int(given is None), "orders": 0}
    params = {"rings": producers, "gates": readers, "filters": 0, **fixed}
    bits = BITS["may_block"] * may_block | BITS["enveloped"] * enveloped
    block = make(path, kind, params, bits, given, Mapping(prefault, mlock))
    return Lane(path.name if path else "", block, given, cells.win(block, "lane_closed", [0]))


def _judge(path: Path | None, given: Type | None, slot_bytes: int | None, readers: int, enveloped: bool) -> None:
    """Refuse what cannot be."""
    faults = (
        ((given is None) == (slot_bytes is None), "it needs a type or `slot_bytes`, one of them"),
        (readers < 1, "it needs a reader"),
        (
            enveloped and (given is not None or (slot_bytes or 0) < HEADER_BYTES),
            "envelopes are for raw bytes, in slots that hold one",
        ),
    )
    if found := [t.BAD_OPTION.at(where(path), said) for wrong, said in faults if wrong]:
        raise Refused(found)


def attach(path: Path, dtype: Any = None, *, wait: float = 1.0, kind: Kind = EVENTS) -> Lane:
    """Open a lane whose messages are of this type; without one, of the type that its region says, or as bytes."""
    block, given = join(path, [kind], KNOWN, dtype, wait)
    return Lane(path.name, block, given)
