"""The compiled calls that the ends of a lane make from Python.

Rule 1. Short calls take integers only and check nothing: addresses are the lane's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from numba.core import types

from byteor.kernel import lanes, ring
from byteor.kernel.hot import short

Look = Callable[[int], int]
Advance = Callable[[int, int, tuple[int, ...]], None]
Close = Callable[[int, int, tuple[int, ...]], None]


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
