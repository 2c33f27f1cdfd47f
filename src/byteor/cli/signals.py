"""Ctrl-C and SIGTERM during a run, and a stdin that can be interrupted.

Rule 1. A handler only notes the signal and wakes who may wait for input; what follows is decided elsewhere.
Rule 2. The first signal drains, the second gives up.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from byteor.edges.drive import Stopped


class Signals:
    """What came since the run began: `first` is a signal's number, or 0."""

    def __init__(self, on_signal: Callable[[int], None]) -> None:
        self.first = self.count = 0
        self._on_signal = on_signal

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.first = self.first or number
        self.count += 1
        self._on_signal(self.count)


@contextlib.contextmanager
def caught(on_signal: Callable[[int], None]) -> Iterator[Signals]:
    """Take SIGINT and SIGTERM over; only the main thread can."""
    signals = Signals(on_signal)
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = [(number, signal.signal(number, signals)) for number in numbers]
    try:
        yield signals
    finally:
        for number, handler in before:
            signal.signal(number, handler)


class _Bytes(io.RawIOBase):
    """The bytes of a file descriptor, until there are no more or `stop` is called from anywhere."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._woken, self._wake = os.pipe()

    def stop(self) -> None:
        os.write(self._wake, b"!")

    def readable(self) -> bool:
        return True

    def readinto(self, room: memoryview) -> int:  # type: ignore[override]
        if self._woken in select.select([self._fd, self._woken], [], [])[0]:
            raise Stopped
        data = os.read(self._fd, len(room))
        room[: len(data)] = data
        return len(data)


@contextlib.contextmanager
def stoppable_stdin() -> Iterator[Callable[[], None]]:
    """Put a stdin in place that ends with `Stopped` when what this gives is called."""
    try:
        fd = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # there is none, or a test's own
        yield lambda: None
        return
    if os.name != "posix":
        yield lambda: None
        return
    raw, before = _Bytes(fd), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BufferedReader(raw))
    try:
        yield raw.stop
    finally:
        sys.stdin = before
