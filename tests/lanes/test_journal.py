"""The Journal lane: records in order, gaps with their extent, and nothing that was not committed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from byteor import lanes
from byteor.kernel import journal as kernel
from byteor.kernel.journal import COMMITTED, DATA, SEQUENCE
from byteor.lanes.journal import Gap
from byteor.lanes.outcome import Closed, Died
from tests.lanes.killing import OnTheMachine, code_of, forked, killed

FILL = np.dtype([("number", "<i8"), ("price", "<f8")])
SEGMENT = 4096


def text(number: int, size: int) -> bytes:
    """A record that shows its number, and when it is torn."""
    body = number.to_bytes(8, "little") + random.Random(number).randbytes(size)
    return body + crc32(body).to_bytes(4, "little")


def number_of(record: bytes) -> int:
    """The number of a record that is not torn."""
    assert crc32(record[:-4]) == int.from_bytes(record[-4:], "little"), "a torn record"
    return int.from_bytes(record[:8], "little")


@pytest.fixture(params=["mem", "shm"])
def make(request: pytest.FixtureRequest, folder: Path) -> Iterator[Callable[..., Any]]:
    """Make a journal over either backing."""
    made: list[Any] = []

    def create(dtype: Any = None, **options: Any) -> Any:
        made.append(lanes.create("log", dtype, kind="journal", backing=request.param, **options))
        return made[-1]

    yield create
    for lane in made:
        lane.close()


def test_records_of_any_length_come_in_order(make: Callable[..., Any]) -> None:
    lane = make(segments=2, segment_bytes=SEGMENT)
    reader, writer = lane.reader(), lane.writer()
    assert reader.try_receive() is None
    sizes = [0, 1, 7, 8, 1000, SEGMENT - DATA - 12, 3, 2500, 2500, 0]
    for number, size in enumerate(sizes):
        assert writer.append(text(number, size)) == number
        assert reader.try_receive() == text(number, size)
    writer.append(b"")
    assert reader.try_receive() == b""
    assert code_of(lambda: writer.append(bytes(SEGMENT - DATA + 1))) == "T033"
    writer.close()
    with pytest.raises(Closed):
        reader.receive()
    assert code_of(lane.writer) == "T035"


def test_typed_records(make: Callable[..., Any]) -> None:
    lane = make(FILL)
    with lane.writer() as writer:
        for n in range(5):
            writer.append((n, n / 2))
        writer.append(np.array([(5, 2.5)], FILL)[0])
        assert code_of(lambda: writer.append(np.zeros(1, "<i8")[0])) == "T034"
    assert [(int(r["number"]), float(r["price"])) for r in lane.reader()] == [(n, n / 2) for n in range(6)]


def test_a_reader_that_was_passed_is_told_what_it_missed(make: Callable[..., Any]) -> None:
    lane = make(segments=2, segment_bytes=SEGMENT)
    reader, writer = lane.reader(), lane.writer()
    body = 1000 - DATA - 12  # records of 1000 bytes: four to a segment, and 96 of padding
    for n in range(3):
        writer.append(text(n, body))
    assert [number_of(reader.try_receive()) for _ in range(2)] == [0, 1]
    for n in range(3, 13):  # into the fourth segment: the third is the oldest that is whole
        writer.append(text(n, body))
    assert reader.try_receive() == Gap(2 * SEGMENT - 2000, first=2, records=6)
    assert [number_of(reader.try_receive()) for _ in range(5)] == [8, 9, 10, 11, 12]
    assert reader.try_receive() is None


def test_a_reader_comes_back_to_what_it_had_not_given_back(make: Callable[..., Any]) -> None:
    lane = make(readers=2)
    writer = lane.writer()
    for n in range(4):
        writer.append(text(n, 10))
    first = lane.reader(0)
    assert [number_of(first.receive()) for _ in range(2)] == [0, 1]
    assert code_of(lambda: lane.reader(0)) == "T036"
    first.leave()
    assert first.try_receive() is None
    with pytest.raises(Closed):
        first.receive()
    with lane.reader(0) as second:
        assert number_of(second.receive()) == 1
    with lane.reader(0) as third:
        assert number_of(third.receive()) == 2
    assert number_of(lane.reader(1).receive()) == 0


def test_a_gap_is_not_given_back_with_the_record_behind_it(make: Callable[..., Any]) -> None:
    lane = make(segments=2, segment_bytes=SEGMENT)
    writer = lane.writer()
    for n in range(3):
        writer.append(text(n, SEGMENT - DATA - 12))
    with lane.reader() as reader:
        assert reader.try_receive() == Gap(SEGMENT, first=0, records=1)
    with lane.reader() as reader:
        assert reader.try_receive() == Gap(SEGMENT, first=0, records=1)
        assert number_of(reader.try_receive()) == 1
    with lane.reader() as reader:
        for n in range(3, 6):
            writer.append(text(n, SEGMENT - DATA - 12))
        assert reader.try_receive() == Gap(2 * SEGMENT, first=None, records=None)
        assert number_of(reader.try_receive()) == 4


def test_what_cannot_be_is_refused(folder: Path) -> None:
    assert code_of(lambda: lanes.create("one", kind="journal", segments=1)) == "T031"
    assert code_of(lambda: lanes.create("wide", "V5000", kind="journal", segment_bytes=SEGMENT)) == "T031"
    with lanes.create("log", FILL, kind="journal") as lane, lanes.open("log") as untyped:
        lane.writer().append((7, 0.5))
        assert untyped.dtype == FILL and untyped.reader().receive()["number"] == 7
        assert code_of(lane.reader) == "T035"
        assert code_of(lambda: lane.reader(1)) == "T035"


def prepared(writer: Any, record: bytes, log: Any = None) -> tuple[Any, int, int]:
    """The arguments of the kernel's `append` for a record."""
    writer._data[: len(record)] = np.frombuffer(record, np.uint8)
    writer._words[0] = COMMITTED | len(record)
    writer._words[SEQUENCE // 8] = writer.records
    return log or writer._log._log, writer._source, (DATA + len(record) + 7) // 8


def drained(reader: Any) -> list[int]:
    """The numbers of all that is there; gaps are as large as what is missing."""
    numbers: list[int] = []
    while (found := reader.try_receive()) is not None:
        numbers += range(found.first, found.first + found.records) if isinstance(found, Gap) else [number_of(found)]
    return numbers


def dying(append: OnTheMachine, stop: int, record: bytes) -> None:
    """A process wins the lane and dies before operation `stop` of an `append`."""

    def work() -> None:
        with lanes.open("log") as lane:
            assert append.run(stop, *prepared(lane.writer(), record)) == stop
            os.kill(os.getpid(), signal.SIGKILL)

    killed(forked(work))


@pytest.mark.parametrize(
    "before", [pytest.param(0, marks=pytest.mark.stress), 8, pytest.param(16, marks=pytest.mark.stress)]
)
def test_a_writer_killed_before_any_of_its_operations(folder: Path, before: int) -> None:
    """Behind nothing, where padding is needed, and where records are written over."""
    append, record, total, stop = OnTheMachine(kernel.append), text(before, 100), 1, 0
    while stop < total:
        with lanes.create("log", kind="journal", segments=2, segment_bytes=SEGMENT) as lane:
            writer, reader = lane.writer(), lane.reader()
            for n in range(before):
                writer.append(text(n, 504 - DATA - 12))
            if total == 1:
                total = append.run(10**6, *prepared(writer, record))
                assert drained(reader) == list(range(before + 1))
            else:
                writer.leave()
                dying(append, stop, record)
                stop += 1
                assert drained(reader) == list(range(before))
                assert lane.writer().append(text(before, 0)) == before
                assert drained(reader) == [before]
        lanes.remove("log")
    assert total > 20


def endless(first: int) -> None:
    """Append one record after the other until killed."""
    with lanes.open("log") as lane:
        writer = lane.writer()
        assert writer.records >= first
        while True:
            writer.append(text(writer.records, writer.records % 700))


def test_writers_killed_at_any_time_lose_nothing_that_was_committed(folder: Path) -> None:
    with lanes.create("log", kind="journal", segments=2, segment_bytes=SEGMENT) as lane:
        reader, last = lane.reader(), -1
        for _ in range(4):
            child = forked(lambda first=last + 1: endless(first))
            begun, alive = last, True
            while True:
                try:
                    found = reader.receive()
                except Died:  # the one before, until the next has come
                    if alive:
                        continue
                    break
                assert (found.first if isinstance(found, Gap) else number_of(found)) == last + 1
                last += found.records if isinstance(found, Gap) else 1
                if last > begun + 200 and alive:  # it is in the midst of its work, which has no end
                    os.kill(child, signal.SIGKILL)
                    killed(child)
                    alive = False
        writer = lane.writer()
        assert writer.append(text(writer.records, 9)) == last + 1
        assert drained(reader) == [last + 1]


def test_replay_from_deep_inside_a_segment(tmp_path: Path) -> None:
    with lanes.create("log", kind="journal", retain="all", segment_bytes=1 << 16, folder=tmp_path) as lane:
        with lane.writer() as writer:
            for number in range(1000):
                writer.append(str(number).encode())
        assert next(iter(lane.replay(900))) == b"900"
