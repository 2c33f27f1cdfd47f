"""Litmus tests: small functions for two threads, and the outcomes that the memory model allows.

Rule 1. The outcomes that are allowed are listed; any other one is forbidden.
Rule 2. The functions run on the machine (`threads`) and are lifted for the explorer: one list serves both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from byteor.kernel.atomics import (
    fence_acquire,
    fence_release,
    fence_seq_cst,
    load_acquire,
    load_relaxed,
    store_relaxed,
    store_release,
)
from byteor.kernel.hot import hot
from byteor.kernel.ring import advance
from byteor.kernel.wait import ANNOUNCED

X, Y, BELL, SPAN = 0, 64, 128, 256  # words of one place, each on a line of its own; the size of a place

Outcome = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Side:
    """What one thread does at a place; `reads` is a word to look at afterwards, instead of the answer."""

    body: Any
    resets: tuple[int, int]
    reads: int = -1


@dataclass(frozen=True, slots=True)
class Litmus:
    """Two sides, what they may answer, and which of these answers only a reordering gives."""

    name: str
    left: Side
    right: Side
    allowed: dict[Outcome, str]
    weak: frozenset[Outcome] = frozenset()


# What the sides do


@hot
def store_x_load_y(at: Any) -> Any:
    store_relaxed(at + X, 1)
    return load_relaxed(at + Y)


@hot
def store_y_load_x(at: Any) -> Any:
    store_relaxed(at + Y, 1)
    return load_relaxed(at + X)


@hot
def release_x_acquire_y(at: Any) -> Any:
    store_release(at + X, 1)
    return load_acquire(at + Y)


@hot
def release_y_acquire_x(at: Any) -> Any:
    store_release(at + Y, 1)
    return load_acquire(at + X)


@hot
def store_x_fence_load_y(at: Any) -> Any:
    store_relaxed(at + X, 1)
    fence_seq_cst()
    return load_relaxed(at + Y)


@hot
def store_y_fence_load_x(at: Any) -> Any:
    store_relaxed(at + Y, 1)
    fence_seq_cst()
    return load_relaxed(at + X)


@hot
def pass_relaxed(at: Any) -> Any:
    store_relaxed(at + X, 1)
    store_relaxed(at + Y, 1)
    return 0


@hot
def take_relaxed(at: Any) -> Any:
    flag = load_relaxed(at + Y)
    return 2 * flag + load_relaxed(at + X)


@hot
def pass_released(at: Any) -> Any:
    store_relaxed(at + X, 1)
    store_release(at + Y, 1)
    return 0


@hot
def take_acquired(at: Any) -> Any:
    flag = load_acquire(at + Y)
    return 2 * flag + load_relaxed(at + X)


@hot
def pass_fenced(at: Any) -> Any:
    store_relaxed(at + X, 1)
    fence_release()
    store_relaxed(at + Y, 1)
    return 0


@hot
def take_fenced(at: Any) -> Any:
    flag = load_relaxed(at + Y)
    fence_acquire()
    return 2 * flag + load_relaxed(at + X)


@hot
def write_x_then_y(at: Any) -> Any:
    store_relaxed(at + X, 1)
    store_relaxed(at + Y, 2)
    return 0


@hot
def write_y_then_x(at: Any) -> Any:
    store_relaxed(at + Y, 1)
    store_relaxed(at + X, 2)
    return 0


@hot
def write_x_fence_y(at: Any) -> Any:
    store_relaxed(at + X, 1)
    fence_seq_cst()
    store_relaxed(at + Y, 2)
    return 0


@hot
def write_y_fence_x(at: Any) -> Any:
    store_relaxed(at + Y, 1)
    fence_seq_cst()
    store_relaxed(at + X, 2)
    return 0


@hot
def publish_and_ring(at: Any) -> Any:
    advance(at + X, 1, (at + BELL,))
    return 0


@hot
def announce_and_look(at: Any) -> Any:
    """Begin to block as the kernel does: what is seen here decides whether it sleeps."""
    store_relaxed(at + BELL + ANNOUNCED, 1)
    fence_seq_cst()  # SYNC: pairs with the fence in `ring`
    return load_acquire(at + X)


# What they may answer

_BUFFERED = {
    (0, 0): "both loads went before the stores",
    (0, 1): "left first",
    (1, 0): "right first",
    (1, 1): "both stores first",
}
_FENCED = {outcome: text for outcome, text in _BUFFERED.items() if outcome != (0, 0)}
_TAKEN = {(0, 0): "nothing yet", (0, 1): "the message before its flag", (0, 3): "flag and message"}
_TORN = {**_TAKEN, (0, 2): "the flag without its message"}
_WRITTEN = {(1, 2): "right first", (2, 1): "left first", (2, 2): "both second stores last"}
_CROSSED = {**_WRITTEN, (1, 1): "both first stores last"}
_WOKEN = {(0, 1): "seen, no bell needed", (1, 0): "not seen, rung", (1, 1): "seen, and rung"}


def _pair(name: str, left: Any, right: Any, allowed: dict[Outcome, str], *weak: Outcome) -> Litmus:
    return Litmus(name, Side(left, (X, X)), Side(right, (Y, Y)), allowed, frozenset(weak))


def _final(name: str, left: Any, right: Any, allowed: dict[Outcome, str], *weak: Outcome) -> Litmus:
    return Litmus(name, Side(left, (X, X), X), Side(right, (Y, Y), Y), allowed, frozenset(weak))


LITMUS = (
    _pair("store buffering", store_x_load_y, store_y_load_x, _BUFFERED, (0, 0)),
    _pair("store buffering, release and acquire", release_x_acquire_y, release_y_acquire_x, _BUFFERED, (0, 0)),
    _pair("store buffering, full fences", store_x_fence_load_y, store_y_fence_load_x, _FENCED),
    _pair("message passing, relaxed", pass_relaxed, take_relaxed, _TORN, (0, 2)),
    _pair("message passing, release and acquire", pass_released, take_acquired, _TAKEN),
    _pair("message passing, fences", pass_fenced, take_fenced, _TAKEN),
    _final("two writers (2+2W)", write_x_then_y, write_y_then_x, _CROSSED, (1, 1)),
    _final("two writers (2+2W), full fences", write_x_fence_y, write_y_fence_x, _WRITTEN),
    Litmus(
        "doorbell: (rung, seen)",
        Side(publish_and_ring, (X, BELL), BELL),
        Side(announce_and_look, (BELL + ANNOUNCED,) * 2),
        _WOKEN,
    ),
)
