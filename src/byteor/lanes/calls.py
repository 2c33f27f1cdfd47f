"""The compiled calls that the ends of a lane make from Python.

Rule 1. Short calls take integers only and check nothing: addresses are the lane's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numba.core import types

from byteor.kernel import ends, lanes, objects, ring
from byteor.kernel.hot import short

Look = Callable[[int], int]
Advance = Callable[[int, int, tuple[int, ...]], None]
Close = Callable[[int, int, tuple[int, ...]], None]
Bound = Callable[..., Any]


@cache
def look() -> Look:
    """Read a word of the other end's."""
    found: Look = short(lanes.look, types.int64)
    return found


@cache
def advance(bells: int) -> Advance:
    """Store a cursor or a gate, and ring so many bells."""
    found: Advance = short(ring.advance, types.int64, types.int64, types.UniTuple(types.int64, bells))
    return found


@cache
def close(bells: int) -> Close:
    """Store the final sequence, and ring so many bells."""
    found: Close = short(ring.close, types.int64, types.int64, types.UniTuple(types.int64, bells))
    return found


@cache
def ring_all() -> Callable[[int], None]:
    """Ring a bell that is shared."""
    found: Callable[[int], None] = short(lanes.ring_all, types.int64)
    return found


@cache
def _of_handle(function: Any, *more: Any) -> Callable[..., Any]:
    found: Callable[..., Any] = short(function, types.int64, *more)
    return found


def room() -> Callable[[int], int]:
    """Slots that are free for the sender with this handle."""
    return _of_handle(ends.room)


def publish() -> Callable[[int, int], None]:
    """Publish what lies before a sequence."""
    return _of_handle(ends.publish, types.int64)


def give_back() -> Callable[[int], None]:
    """Give back what the reader with this handle took last."""
    return _of_handle(ends.give_back)


def take_row() -> Callable[[int, int], tuple[int, int, int]]:
    """Take messages that lie in a row, at most so many: from which ring, from which slot on, and how many."""
    return _of_handle(ends.take_row, types.int64)


def send_one(raw: bool, end: objects.Handle) -> Bound:
    """The call that sends one message."""
    return objects.method(objects.send_bytes if raw else objects.send_record, end, "try_send", 1)


def receive_one(raw: bool, end: objects.Handle) -> Bound:
    """The call that receives one message."""
    return objects.method(objects.receive_bytes if raw else objects.receive_record, end, "try_receive", 0)
