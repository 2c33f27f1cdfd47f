"""What hot functions ask of the operating system: give the core away, sleep, wait for a word, tell the time.

Rule 1. Every wait is bounded; whoever waits looks again.
Rule 2. Without a futex `futex_wait` sleeps a little and `futex_wake` does nothing.
"""

from __future__ import annotations

import platform
import sys

from numba import types

from byteor.kernel.atomics import HAS_FUTEX, load_relaxed, stack_words, store_relaxed
from byteor.kernel.hot import hot

_WORD = types.int64
_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0)
_WAIT, _WAKE = 0, 1  # without the private flag: it works across mappings
_NAP_US = 500

if sys.platform == "win32":
    _switch = types.ExternalFunction("SwitchToThread", types.int32())
    _sleep_ms = types.ExternalFunction("Sleep", types.void(types.uint32))

    @hot
    def sched_yield():
        """Give the core to another thread."""
        _switch()

    @hot
    def nap(us):
        """Sleep about `us` microseconds, at least the system's tick."""
        _sleep_ms((us + 999) // 1000)
else:
    _yield = types.ExternalFunction("sched_yield", types.int32())
    _usleep = types.ExternalFunction("usleep", types.int32(types.uint32))

    @hot
    def sched_yield():
        """Give the core to another thread."""
        _yield()

    @hot
    def nap(us):
        """Sleep about `us` microseconds (the kernel's timer slack adds some 50)."""
        _usleep(us)


if HAS_FUTEX:
    _syscall = types.ExternalFunction("syscall", _WORD(*[_WORD] * 7))

    @hot
    def futex_wait(word, expected, ns):
        """Sleep while the low half of `word` is `expected`, at most `ns`; it may wake for no reason."""
        timespec = stack_words()
        store_relaxed(timespec, ns // 1_000_000_000)
        store_relaxed(timespec + 8, ns % 1_000_000_000)
        _syscall(_FUTEX, word, _WAIT, expected & 0xFFFFFFFF, timespec, 0, 0)

    @hot
    def futex_wake(word, waiters):
        """Wake up to `waiters` that sleep on `word`."""
        _syscall(_FUTEX, word, _WAKE, waiters, 0, 0, 0)
else:

    @hot
    def futex_wait(word, expected, ns):
        """Sleep a little: there is no futex here."""
        nap(min(ns // 1000, _NAP_US))

    @hot
    def futex_wake(word, waiters):
        """Do nothing: sleepers look again by themselves."""


if sys.platform == "win32":
    _ticks = types.ExternalFunction("GetTickCount64", types.uint64())

    @hot
    def now_ns():
        """Nanoseconds of the clock that `time.monotonic_ns` reads."""
        return types.int64(_ticks()) * 1_000_000
else:
    _clock_gettime = types.ExternalFunction("clock_gettime", types.int32(types.int32, _WORD))
    _CLOCK = 8 if sys.platform == "darwin" else 1  # that of `time.monotonic_ns`

    @hot
    def now_ns():
        """Nanoseconds of the clock that `time.monotonic_ns` reads."""
        timespec = stack_words()
        _clock_gettime(_CLOCK, timespec)
        return load_relaxed(timespec) * 1_000_000_000 + load_relaxed(timespec + 8)
