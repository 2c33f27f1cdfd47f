"""The calls that take and give objects: what they accept, what they leave to Python, and that they keep nothing.

Rule 1. References are counted before and after many calls; none may be gained or lost.
"""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import numpy as np
import pytest

from byteor import lanes
from byteor.diag import Refused
from byteor.lanes import Outcome

ROW = np.dtype([("n", "<i8"), ("x", "<f8")])
TIMES = 1000


def make(dtype: Any = None, **options: Any) -> Any:
    return lanes.create("talk", dtype, backing="mem", **options)


def counts(*objects: Any) -> list[int]:
    return [sys.getrefcount(one) for one in objects]


def nearly_same(before: list[int], after: list[int]) -> bool:
    """Whether no call of many kept a reference; what else goes on has some, for a while."""
    return all(abs(a - b) < TIMES // 10 for a, b in zip(before, after, strict=True))


def test_bytes_are_taken_and_given_without_a_reference_kept() -> None:
    with make(slot_bytes=64) as lane:
        send, receive, message = lane.sender().try_send, lane.reader().try_receive, b"m" * 40
        send(message), receive(), receive()
        before = counts(message, None, Outcome.SENT)
        for _ in range(TIMES):
            send(message)
            assert receive() == message
            receive()
        assert nearly_same(before, counts(message, None, Outcome.SENT))


def test_records_are_taken_and_given_without_a_reference_kept() -> None:
    with make(ROW) as lane:
        send, receive = lane.sender().try_send, lane.reader().try_receive
        row, pair = np.array([(1, 1.5)], ROW)[0], (2, 2.5)
        send(row), receive()
        before = counts(row, row.dtype, pair)
        for _ in range(TIMES):
            send(row), send(pair)
            assert receive()["n"] == 1 and receive()["x"] == 2.5
        assert nearly_same(before, counts(row, row.dtype, pair))


def test_what_is_not_exactly_bytes_goes_by_way_of_python() -> None:
    with make(slot_bytes=8, capacity=8) as lane, lane.sender() as sender, lane.reader() as reader:
        for message in (bytearray(b"one"), memoryview(b"two"), b"", b"12345678"):
            assert sender.try_send(message)
            assert reader.try_receive() == message
        assert sender.try_send(b"123456789") is sender.try_send(bytearray(9)) is Outcome.TOO_LONG
        with pytest.raises(TypeError):
            sender.try_send(5)


def test_a_record_of_an_equal_type_goes_and_another_does_not() -> None:
    with make(ROW) as lane, lane.sender() as sender, lane.reader() as reader:
        equal = np.zeros(1, np.dtype([("n", "<i8"), ("x", "<f8")]))[0]
        assert [bool(sender.try_send(equal)) for _ in range(3)] == [True] * 3
        with pytest.raises(Refused, match="T034"):
            sender.try_send(np.zeros(1, "<i8")[0])
        assert len(reader.try_receive_many()) == 3


def test_what_numpy_refuses_is_not_sent() -> None:
    class Broken:
        def __float__(self) -> float:
            raise RuntimeError("broken")

    with make(ROW) as lane, lane.sender() as sender, lane.reader() as reader:
        with pytest.raises(RuntimeError, match="broken"):
            sender.try_send((1, Broken()))
        with pytest.raises(ValueError):
            sender.try_send((1, 2.0, 3))
        assert reader.try_receive() is None and lane.positions() == (0, [0])


def test_arguments_are_counted() -> None:
    with make(ROW) as lane, lane.sender() as sender, lane.reader() as reader:
        with pytest.raises(TypeError):
            sender.try_send()
        with pytest.raises(TypeError):
            reader.try_receive(1)


def test_a_call_that_is_kept_keeps_its_end_and_an_end_that_is_dropped_goes() -> None:
    sender = make(ROW).sender()
    send, alive = sender.try_send, weakref.ref(sender)
    del sender
    gc.collect()
    assert alive() is not None and send((1, 1.0))
    del send
    gc.collect()
    assert alive() is None


def test_a_call_that_is_kept_sends_nothing_once_its_end_has_left() -> None:
    with make(ROW) as lane:
        sender, reader = lane.sender(), lane.reader()
        send, receive = sender.try_send, reader.try_receive
        send((1, 1.0))
        sender.leave()
        assert send((2, 2.0)) is Outcome.CLOSED
        reader.leave()
        assert receive() is None and lane.positions() == (1, [0])


def test_an_answer_is_true_when_the_message_was_taken() -> None:
    assert [bool(one) for one in Outcome] == [True, False, False, False]
    assert len(set(Outcome)) == 4 and Outcome.FULL is not Outcome.CLOSED and Outcome.FULL != Outcome.CLOSED
