"""What two ends say to each other, whatever carries it: records in frames, records one by one, and there and back.

Rule 1. A message begins with its number, which the far side checks; -1 ends a phase, and is answered.
Rule 2. The far side acknowledges as ours does: whenever a fourth of the window has come. Nobody sends beyond it.
Rule 3. The near side goes through the phases in order, each twice: the first, shorter one is the warm-up.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

RECORD, FRAME = 64, 64 << 10
WINDOW = 2 << 20  # bytes on their way: a lane of ours of 32,768 records
EACH = WINDOW // 4  # bytes that are worth an acknowledgement
NUMBER = struct.Struct("<q")
LAST, DONE = -1, bytes(8)
LOOK = 64  # messages between two looks at the clock
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
Measured = dict[str, float]
Run = Callable[[float, Path], Measured]  # for so many seconds a phase; the folder holds certificates
HERE = "127.0.0.1"


class End(Protocol):
    """One end of what carries messages."""

    def send(self, data: memoryview) -> object:
        """Send one message; it may wait in a buffer until `flush`."""

    def flush(self) -> object:
        """Let go what waits."""

    def recv(self, size: int) -> Any:
        """The next message, whose size is known."""


class Wrong(Exception):
    """A message is missing, or came twice."""


def phases(seconds: float) -> list[tuple[str, float]]:
    """What both sides go through."""
    return [(name, s) for name in ("frames", "single", "trips") for s in (seconds / 4, seconds)]


def near(end: End, seconds: float) -> Measured:
    """Go through all phases; what the last one of each name gave."""
    found: Measured = {}
    for name, duration in phases(seconds):
        if name == "trips":
            found |= shares(trips(end, duration))
        else:
            found[name] = stream(end, FRAME if name == "frames" else RECORD, duration)
    return found


def far(end: End) -> None:
    """The other side of `near`."""
    for name, _ in phases(1):
        if name == "trips":
            echo(end)
        else:
            sink(end, FRAME if name == "frames" else RECORD)


def stream(end: End, size: int, seconds: float) -> float:
    """Send for so long; records per second, until the last is acknowledged."""
    memory = memoryview(bytearray(WINDOW))
    window, each = WINDOW // size, EACH // size
    look = LOOK if size == RECORD else 1
    send, pack, clock = end.send, NUMBER.pack_into, time.perf_counter
    sent = acked = 0
    began = clock()
    until = began + seconds
    while sent % look or clock() < until:
        at = sent % window * size
        pack(memory, at, sent)
        send(memory[at : at + size])
        sent += 1
        if sent - acked >= window:
            end.flush()
            end.recv(len(DONE))
            acked += each
    pack(memory, at := sent % window * size, LAST)
    send(memory[at : at + size])
    end.flush()
    for _ in range((sent - acked) // each + 1):
        end.recv(len(DONE))
    return sent * size / RECORD / (clock() - began)


def sink(end: End, size: int) -> None:
    """Check what comes, and acknowledge it."""
    each, done, got = EACH // size, memoryview(DONE), 0
    recv, unpack = end.recv, NUMBER.unpack_from
    while (number := unpack(recv(size))[0]) != LAST:
        if number != got:
            raise Wrong(f"{number} came, {got} was next")
        got += 1
        if got % each == 0:
            end.send(done)
            end.flush()
    end.send(done)
    end.flush()


def trips(end: End, seconds: float) -> list[int]:
    """Let a record there and back, the next when it is here; nanoseconds."""
    memory, clock, took = memoryview(bytearray(RECORD)), time.perf_counter_ns, list[int]()
    now = clock()
    until = now + seconds * 1e9
    while now < until:
        NUMBER.pack_into(memory, 0, len(took))
        _once(end, memory)
        after = clock()
        took.append(after - now)
        now = after
    NUMBER.pack_into(memory, 0, LAST)
    _once(end, memory)
    return took


def _once(end: End, memory: memoryview) -> None:
    end.send(memory)
    end.flush()
    if NUMBER.unpack_from(end.recv(RECORD)) != NUMBER.unpack_from(memory):
        raise Wrong("something else came back")


def echo(end: End) -> None:
    """Give back what comes."""
    number = 0
    while number != LAST:
        data = memoryview(end.recv(RECORD))
        number = NUMBER.unpack_from(data)[0]
        end.send(data)
        end.flush()


def shares(took: list[int]) -> Measured:
    """The median and the p99 of trips, in microseconds."""
    took.sort()
    return {"p50": took[len(took) // 2] / 1e3, "p99": took[int(0.99 * len(took))] / 1e3}


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.create_server((HERE, 0)) as made:
        return int(made.getsockname()[1])


def pin(which: int) -> None:
    """Near ends run on one core, far ends on another."""
    with suppress(AttributeError):
        os.sched_setaffinity(0, {CORES[which % len(CORES)]})


def apart(work: Callable[[], object], core: int) -> int:
    """A process on a core, which ends with its parent; what fails there ends it with 1."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _with_parent(parent)
        pin(core)
        work()
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


def _with_parent(parent: int) -> None:
    import ctypes

    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def ended(pids: list[int]) -> None:
    """Wait for processes; all must have ended well."""
    for pid in pids:
        if os.waitpid(pid, 0)[1]:
            raise Wrong("the far side failed")
