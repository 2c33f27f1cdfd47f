"""The State lane: the latest value, whole, whoever dies when."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from byteor import lanes
from byteor.kernel import state as kernel
from byteor.kernel.state import HEAD
from byteor.lanes.outcome import Closed, Died
from byteor.lanes.state import Contended
from tests.lanes.killing import OnTheMachine, code_of, forked, killed

QUOTE = np.dtype([("number", "<i8"), ("twice", "<i8"), ("rest", "<i8", (30,))])
SMALL = np.dtype([("number", "<i8"), ("twice", "<i8"), ("rest", "<i8", (2,))])
_WORDS = HEAD + SMALL.itemsize // 8


def quote(number: int, rest: int = 30) -> tuple[int, int, list[int]]:
    """A value that shows when it is torn."""
    return number, 2 * number, [number] * rest


def whole(value: Any) -> int:
    """The number of a value that is not torn."""
    number = int(value["number"])
    assert int(value["twice"]) == 2 * number and set(value["rest"].tolist()) == {number}, value
    return number


@pytest.fixture(params=["mem", "shm"])
def make(request: pytest.FixtureRequest, folder: Path) -> Iterator[Callable[..., Any]]:
    """Make a lane over either backing."""
    made: list[Any] = []

    def create(dtype: Any = None, **options: Any) -> Any:
        made.append(lanes.create("latest", dtype, kind="state", backing=request.param, **options))
        return made[-1]

    yield create
    for lane in made:
        lane.close()


def test_the_latest_value_is_got_as_often_as_asked(make: Callable[..., Any]) -> None:
    lane = make(QUOTE)
    reader, writer = lane.reader(), lane.writer()
    assert (reader.get(), reader.sequence, reader.age) == (None, 0, None)
    for number in range(1, 10):
        writer.put(quote(number))
        assert [whole(reader.get()), whole(reader.get()), reader.sequence, writer.sequence] == [number] * 4
    kept, age = reader.get(), reader.age
    writer.put(quote(10))
    assert whole(kept) == 9  # it is a copy
    assert 0 <= age <= reader.age


def test_bytes_have_lengths_of_their_own(make: Callable[..., Any]) -> None:
    lane = make(slot_bytes=20)
    reader, writer = lane.reader(), lane.writer()
    for value in (b"twenty bytes exactly", b"", b"a", b"nine long", bytearray(b"more")):
        writer.put(value)
        assert reader.get() == bytes(value)
    assert code_of(lambda: writer.put(bytes(21))) == "T033"
    assert reader.get() == b"more"


def test_a_number_is_a_value(make: Callable[..., Any]) -> None:
    lane = make("<f4")
    lane.writer().put(0.5)
    assert lane.reader().get() == np.float32(0.5)


def test_there_is_one_writer_and_then_none(make: Callable[..., Any]) -> None:
    lane = make(QUOTE)
    reader, writer = lane.reader(), lane.writer()
    assert code_of(lane.writer) == "T036"
    writer.put(quote(1))
    writer.leave()
    with pytest.raises(Closed):
        writer.put(quote(2))
    with lane.writer() as second:
        second.put(quote(2))
        assert second.sequence == 2 and not reader.ended
    assert reader.ended and whole(reader.get()) == 2
    assert code_of(lane.writer) == "T035"


def test_what_is_of_another_type_is_refused(make: Callable[..., Any]) -> None:
    lane = make(QUOTE)
    writer = lane.writer()
    assert code_of(lambda: writer.put(np.zeros(1, "<i8")[0])) == "T034"
    writer.put(np.zeros(1, QUOTE)[0])
    assert code_of(lambda: make()) == "T031"
    assert code_of(lambda: make("<i8", slot_bytes=8)) == "T031"


def test_a_reader_that_is_passed_every_time_is_told(make: Callable[..., Any]) -> None:
    lane = make(QUOTE)
    with lane.writer() as writer:
        writer.put(quote(1))
        lane._block.write("intent", 1 + lane.capacity)  # as if the writer were a lap ahead, at every look
        with pytest.raises(Contended):
            lane.reader().get()
        writer.put(quote(2))
        assert whole(lane.reader().get()) == 2


def test_waiting_for_a_newer_value(make: Callable[..., Any]) -> None:
    lane = make(QUOTE)
    reader, writer = lane.reader(), lane.writer()
    with pytest.raises(TimeoutError):
        reader.get_newer(timeout=0)
    threading.Timer(0.002, lambda: writer.put(quote(1))).start()
    assert whole(reader.get_newer()) == 1
    writer.put(quote(2))
    writer.close()
    assert whole(reader.get_newer()) == 2
    with pytest.raises(Closed):
        reader.get_newer()


def test_it_is_opened_by_name(folder: Path) -> None:
    with lanes.create("latest", QUOTE, kind="state", capacity=8) as lane:
        lane.writer().put(quote(7))
        with lanes.open("latest", QUOTE) as other, lanes.open("latest") as untyped:
            assert whole(other.reader().get()) == 7 and other.capacity == 8 and other.path == lane.path
            assert untyped.reader().get().tobytes() == lane.reader().get().tobytes()
        assert code_of(lambda: lanes.open("latest", "<i8")).startswith("T")


def prepared(writer: Any, number: int) -> tuple[Any, int, int]:
    """The arguments of the kernel's `put` for a value."""
    writer._data[0] = quote(number, 2)
    writer._words[:HEAD] = 1, SMALL.itemsize
    return writer._form.place, writer._source, _WORDS


def test_a_writer_killed_before_any_of_its_operations(folder: Path) -> None:
    put = OnTheMachine(kernel.put)
    with lanes.create("trial", SMALL, kind="state") as trial:
        total = put.run(10**6, *prepared(trial.writer(), 1))
        assert whole(trial.reader().get()) == 1
    assert total == 4 + 2 * _WORDS
    with lanes.create("latest", SMALL, kind="state") as lane:
        reader = lane.reader()
        for last in range(total):
            dying(last, put, last + 1)
            value = reader.get()
            assert reader.sequence == last and (value is None if last == 0 else whole(value) == last)
            writer = lane.writer()
            writer.put(quote(last + 1, 2))
            assert whole(reader.get()) == last + 1
            writer.leave()


def dying(stop: int, put: OnTheMachine, number: int) -> None:
    """A process wins the lane and dies before operation `stop` of a `put`."""

    def work() -> None:
        with lanes.open("latest", SMALL) as lane:
            writer = lane.writer()
            assert put.run(stop, *prepared(writer, number)) == stop
            os.kill(os.getpid(), signal.SIGKILL)

    killed(forked(work))


def endless(first: int) -> None:
    """Put one value after the other until killed."""
    with lanes.open("latest", QUOTE) as lane:
        writer = lane.writer()
        while True:
            first += 1
            writer.put(quote(first))


def test_writers_killed_at_any_time_leave_whole_values(folder: Path) -> None:
    lane = lanes.create("latest", QUOTE, kind="state")
    reader, last = lane.reader(), 0
    for _ in range(4):
        child = forked(lambda first=last: endless(first))
        begun = last
        while last < begun + 200:  # it is in the midst of its work, which has no end
            try:
                value = reader.get_newer()
            except Died:  # the one before, until the next has come
                continue
            assert whole(value) == reader.sequence > last
            last = reader.sequence
        os.kill(child, signal.SIGKILL)
        killed(child)
        value = reader.get()
        assert whole(value) == reader.sequence >= last
        last = reader.sequence
        with pytest.raises(Died):
            reader.get_newer()
    lane.close()
