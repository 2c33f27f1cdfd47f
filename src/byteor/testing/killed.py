"""What is killed: the ends of a lane of each kind, and what they hold each message to.

Rule 1. An end knows nothing but the region: a killed one has a successor that finds out where it was.
Rule 2. Message n has the number n; so whatever is lost, torn or made up shows.
Rule 3. Survivors outlive their peers: a death is told to them, and they wait on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from byteor import lanes
from byteor.kernel.hot import waiting
from byteor.lanes.outcome import Closed, Died
from byteor.testing import streams

ROW = np.dtype([("number", "<i8"), ("twice", "<i8"), ("more", "<i8", (6,))])
NAME = "killed"
_PIECE = 40
_FAR = 1 << 20  # bytes that a log that keeps all may run ahead of its readers
_RUN = 200  # messages that compiled code writes before it comes back
_MOMENT = 0.001


def rows(first: int, count: int) -> np.ndarray[Any, Any]:
    """Messages that show when they are torn."""
    made = np.zeros(count, ROW)
    made["number"] = np.arange(first, first + count)
    made["twice"] = 2 * made["number"]
    made["more"] = made["number"][:, None]
    return made


def whole(message: Any) -> int:
    """The number of a message of a stream that is not torn."""
    number = int(message["words"][0])
    assert message == streams.message(number), f"a torn message: {message}"
    return number


def outliving(work: Callable[[], Any]) -> Any:
    """Wait on where a peer has died."""
    while True:
        try:
            return work()
        except Died:
            continue


def enough(folder: Path) -> None:
    """Say that writers who never wait may end."""
    (folder / "enough").touch()


def is_enough(folder: Path) -> bool:
    """Whether that was said."""
    return (folder / "enough").exists()


def opened(folder: Path) -> Any:
    """The lane, from an end's own process."""
    return lanes.open(NAME, folder=folder)


@dataclass(frozen=True, slots=True)
class Rings:
    """A lane of rings: its kind and options, and how many messages each ring carries."""

    kind: str
    producers: int
    readers: int
    capacity: int
    may_block: bool
    messages: int

    @property
    def name(self) -> str:
        bells = "on doorbells" if self.may_block else "by backoff"
        return f"{self.kind} {self.producers}x{self.readers}, {self.capacity} slots, {bells}"

    def create(self, folder: Path) -> Any:
        """Make the lane."""
        several: dict[str, Any] = {"producers": self.producers} if self.kind == "events" else {}
        several |= {"readers": self.readers, "capacity": self.capacity, "may_block": self.may_block}
        return lanes.create(NAME, ROW, kind=self.kind, folder=folder, **several)

    def warm_up(self, lane: Any) -> None:
        """Call what the ends call, so that it is compiled."""
        sender, readers = lane.sender(0), [lane.reader(i) for i in range(self.readers)]
        _in_vain(lambda: sender.send_many(rows(0, self.capacity + 1), timeout=_MOMENT))
        for reader in readers:
            for _ in range(self.capacity + 1):
                _in_vain(lambda reader=reader: reader.receive_many(timeout=_MOMENT))  # type: ignore[misc]

    def send(self, folder: Path, ring: int) -> None:
        """Send the rest of a ring, from where it is, by turns one by one and in pieces."""
        with opened(folder) as lane:
            sender = lane.sender(ring)
            n = sender.position
            while n < self.messages:
                count = 1 if n % 3 else min(_PIECE, self.messages - n)
                outliving(lambda n=n, count=count, s=sender: s.send_many(rows(n, count)[s.position - n :]))  # type: ignore[misc]
                n = sender.position
            sender.close()

    def receive(self, folder: Path, number: int) -> None:
        """Receive to the end, from where the gate is; every message is what its sequence says."""
        with opened(folder) as lane:
            reader = lane.reader(number)
            while True:
                try:
                    batch = outliving(lambda: reader.receive_many(_PIECE))
                except Closed:
                    return
                first = reader.sequence
                assert np.array_equal(batch, rows(first, len(batch))), f"at {first}: {batch['number'].tolist()}"

    def published(self, lane: Any) -> int:
        """How many messages are through, of the first ring."""
        return int(lane.positions()[0])

    def where(self, lane: Any, what: str, index: int) -> str:
        """How full the ring is of an end that is about to be killed."""
        cursor, gates = lane.positions(index if what == "producer" else 0)
        used = cursor - min(gates)
        return "ring empty" if not used else "ring full" if used >= self.capacity else "ring in use"

    def after(self, lane: Any, what: str) -> str:
        """What a dead end left behind, where that can be seen."""
        return ""

    def faults(self, lane: Any) -> list[str]:
        """What is not as it should be at the end."""
        ends = [lane.positions(ring) for ring in range(self.producers)]
        wrong = [(ring, *end) for ring, end in enumerate(ends) if {end[0], *end[1]} != {self.messages}]
        return [f"ring {ring} ended at {cursor}, its readers at {gates}" for ring, cursor, gates in wrong]


def _in_vain(work: Callable[[], object]) -> None:
    try:
        work()
    except TimeoutError:
        return


@dataclass(frozen=True, slots=True)
class Latest:
    """A state lane: one writer that puts at least so many values, readers that get what is the latest."""

    readers: int
    may_block: bool
    messages: int
    producers: int = 1

    @property
    def name(self) -> str:
        return f"state 1x{self.readers}, {'on a doorbell' if self.may_block else 'by backoff'}"

    def create(self, folder: Path) -> Any:
        """Make the lane."""
        return lanes.create(NAME, streams.MESSAGE, kind="state", folder=folder, may_block=self.may_block)

    def warm_up(self, lane: Any) -> None:
        """Call what the ends call, so that it is compiled."""
        waiting(streams.put)(lane.writer().compiled, 0, 1)
        reader = lane.reader()
        reader.get_newer()
        _in_vain(lambda: reader.get_newer(timeout=_MOMENT))

    def send(self, folder: Path, ring: int) -> None:
        """Put the rest of the values; the sequence says which."""
        with opened(folder) as lane:
            writer = lane.writer()
            while not is_enough(folder) or writer.sequence < self.messages:
                waiting(streams.put)(writer.compiled, writer.sequence, writer.sequence + _RUN)
            writer.close()

    def receive(self, folder: Path, number: int) -> None:
        """Get values until none follows: each whole, with its own number, none older than one before."""
        with opened(folder) as lane:
            reader, last = lane.reader(), 0
            while True:
                try:
                    value = outliving(reader.get_newer)
                except Closed:
                    assert last == self.published(lane), f"the last value seen is {last}"
                    return
                assert whole(value) + 1 == reader.sequence > last, f"value {value['words'][0]} as {reader.sequence}"
                last = reader.sequence

    def published(self, lane: Any) -> int:
        """How many values were put."""
        return int(lane._block.read("cursor"))

    def where(self, lane: Any, what: str, index: int) -> str:
        """Nothing is known before."""
        return ""

    def after(self, lane: Any, what: str) -> str:
        """Whether a dead writer was in the middle of a value."""
        if what == "reader":
            return "reading"
        return "in a value" if lane._block.read("intent") > lane._block.read("cursor") else "between values"

    def faults(self, lane: Any) -> list[str]:
        """What is not as it should be at the end."""
        last = whole(lane.reader().get()) + 1
        return [] if last == self.published(lane) >= self.messages else [f"the last value is {last}"]


@dataclass(frozen=True, slots=True)
class Log:
    """A journal: one writer of at least so many records, readers that take each, or the gap in its place."""

    retain: str
    readers: int
    may_block: bool
    messages: int
    producers: int = 1

    @property
    def name(self) -> str:
        return f"journal, {self.retain}, 1x{self.readers}, {'on a doorbell' if self.may_block else 'by backoff'}"

    def create(self, folder: Path) -> Any:
        """Make the lane, in short segments."""
        how: dict[str, Any] = {"retain": self.retain, "readers": self.readers, "may_block": self.may_block}
        return lanes.create(NAME, streams.MESSAGE, kind="journal", folder=folder, segment_bytes=8192, **how)

    def warm_up(self, lane: Any) -> None:
        """Call what the ends call, so that it is compiled."""
        writer, reader = lane.writer(), lane.reader(0)
        for n in range(200):
            waiting(streams.append)(writer.compiled, n, n)
            writer.append(streams.message(n))
            reader.receive()
        _in_vain(lambda: reader.receive(timeout=_MOMENT))
        lane.verify()
        writer.leave()
        lane.writer()

    def send(self, folder: Path, ring: int) -> None:
        """Append the rest of the records; the journal says how many there are."""
        with opened(folder) as lane:
            writer = lane.writer()
            while not is_enough(folder) or writer.records < self.messages:
                end = writer.records + _RUN
                if waiting(streams.append)(writer.compiled, writer.records, end) < end:  # where a file begins
                    writer.append(streams.message(writer.records))
                while self.retain == "all" and self._lag(lane) > _FAR and not is_enough(folder):
                    time.sleep(_MOMENT)
            writer.close()

    def _lag(self, lane: Any) -> int:
        """How far the last reader is behind, in bytes."""
        return int(lane._block.read("cursor") - min(lane._block.values("gate")))

    def receive(self, folder: Path, number: int) -> None:
        """Take records to the end, from where the gate is: none is left out but those of a gap."""
        with opened(folder) as lane:
            reader, wanted = lane.reader(number), None
            while True:
                try:
                    found = outliving(reader.receive)
                except Closed:
                    assert wanted in (None, self.published(lane)), f"the last record taken is {wanted}"
                    return
                wanted = self._held_to(found, wanted)

    def _held_to(self, found: Any, wanted: int | None) -> int | None:
        """The number of the record that has to come next."""
        if isinstance(found, lanes.Gap):
            assert self.retain == "overwrite" and (wanted is None or found.first == wanted), found
            return None if found.first is None or found.records is None else found.first + found.records
        number = whole(found)
        assert wanted in (None, number), f"record {number} instead of {wanted}"
        return number + 1

    def published(self, lane: Any) -> int:
        """How many records were appended, to about one."""
        return int(lane._block.read("sequence"))

    def where(self, lane: Any, what: str, index: int) -> str:
        """Nothing is known before."""
        return ""

    def after(self, lane: Any, what: str) -> str:
        """What a dead writer was at; how far a dead reader was."""
        cursor = lane._block.read("cursor")
        if what == "reader":
            return "at the end" if cursor in lane._block.values("gate") else "behind"
        if self.retain == "overwrite":
            return "in a record" if lane._block.read("intent") > cursor else "between records"
        return "in a file's first records" if cursor % 8192 < 512 else "within a file"

    def faults(self, lane: Any) -> list[str]:
        """What is not as it should be at the end."""
        seen = lane.verify()
        wrong = [str(finding) for finding in seen.findings]
        if self.retain == "all" and seen.records != self.published(lane):
            wrong.append(f"{seen.records} records instead of {self.messages}")
        ends = lane._block.values("gate")
        return wrong + ([f"readers ended at {ends} of {seen.bytes}"] if set(ends) != {seen.bytes} else [])


Plan = Rings | Latest | Log
PLANS: tuple[Plan, ...] = (
    Rings("events", 1, 1, 64, False, 60_000),
    Rings("events", 1, 1, 4, True, 4_000),
    Rings("fanout", 1, 2, 32, False, 30_000),
    Rings("events", 3, 1, 16, False, 15_000),
    Latest(2, False, 400_000),
    Latest(2, True, 200_000),
    Log("overwrite", 2, False, 200_000),
    Log("overwrite", 1, True, 100_000),
    Log("all", 2, False, 30_000),
)
