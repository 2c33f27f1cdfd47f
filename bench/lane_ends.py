"""The compiled ends of lanes as a user writes them, and the processes that they run in.

Rule 1. A worker opens the lanes by name and shares nothing else; between rounds it sleeps on a pipe.
Rule 2. A message is 64 bytes; its first word is its number, and the sum of the numbers is checked.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numba
import numpy as np

from bench import machine
from byteor import lanes
from byteor.kernel.wait import STRATEGIES, idle
from byteor.lanes import try_receive, try_receive_many, try_send, try_send_many

MESSAGE = np.dtype([(f"w{i}", "<i8") for i in range(8)])
CAPACITY = 65_536


@numba.njit(nogil=True)
def give(handle, n, run, strategy):
    """Send `n` messages, one by one or in runs."""
    rows = np.zeros(run, MESSAGE)
    turns = 0
    for first in range(0, n, run):
        for k in range(run):
            rows[k].w0 = first + k
        done = 0
        while done < run:
            sent = int(try_send(handle, rows[0])) if run == 1 else try_send_many(handle, rows[done:])
            turns = 0 if sent else idle(turns, strategy)
            done += sent


@numba.njit(nogil=True)
def take(handle, n, run, strategy):
    """Receive `n` messages, one by one or in runs; answer the sum of their numbers."""
    rows = np.zeros(run, MESSAGE)
    total = got = turns = 0
    while got < n:
        here = int(try_receive(handle, rows[0])) if run == 1 else try_receive_many(handle, rows)
        for k in range(here):
            total += rows[k].w0
        turns = 0 if here else idle(turns, strategy)
        got += here
    return total


@numba.njit(nogil=True)
def echo(source, to, n):
    """Give `n` messages back, each as soon as it is there."""
    rows = np.zeros(1, MESSAGE)
    for _ in range(n):
        while not try_receive(source, rows[0]):
            idle(0, 0)
        while not try_send(to, rows[0]):
            idle(0, 0)


class Answer(NamedTuple):
    """What a worker's work gave, and the CPU seconds that it took."""

    value: int
    cpu: float


class Worker:
    """A process with ends of lanes; `ask` starts a piece of work there, `answer` waits for what it gave."""

    def __init__(self, work: Any, core: int | None, *given: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(work, core, other, given), daemon=True)
        self._process.start()
        other.close()
        self._pipe.recv()

    def ask(self, *question: int) -> None:
        self._pipe.send(question)

    def answer(self) -> Answer:
        """Wait; a worker that died is an EOFError."""
        return Answer(*self._pipe.recv())

    def close(self) -> None:
        self._pipe.close()
        self._process.join()


def _serve(work: Any, core: int | None, pipe: Any, given: Sequence[Any]) -> None:
    if core is not None and machine.PINS:
        os.sched_setaffinity(0, {core})
    with ExitStack() as stack:
        one = work(stack, *given)
        pipe.send("ready")
        while True:
            try:
                question = pipe.recv()
            except EOFError:
                return
            began = time.process_time()
            value = one(*question)
            pipe.send((int(value or 0), time.process_time() - began))


def giver(stack: ExitStack, name: str, run: int, wait: str) -> Any:
    """The work of a worker that sends."""
    handle = stack.enter_context(stack.enter_context(lanes.open(name, MESSAGE)).sender()).compiled
    give(handle, 0, run, STRATEGIES[wait])
    return lambda n: give(handle, n, run, STRATEGIES[wait])


def taker(stack: ExitStack, name: str, run: int, wait: str) -> Any:
    """The work of a worker that receives."""
    handle = stack.enter_context(stack.enter_context(lanes.open(name, MESSAGE)).reader()).compiled
    take(handle, 0, run, STRATEGIES[wait])
    return lambda n: take(handle, n, run, STRATEGIES[wait])


def echoer(stack: ExitStack, there: str, back: str) -> Any:
    """The work of a worker that gives back."""
    source = stack.enter_context(stack.enter_context(lanes.open(there, MESSAGE)).reader()).compiled
    to = stack.enter_context(stack.enter_context(lanes.open(back, MESSAGE)).sender()).compiled
    echo(source, to, 0)
    return lambda n: echo(source, to, n)


@contextmanager
def lane(what: str, **options: Any) -> Iterator[tuple[str, Any]]:
    """A lane of 64-byte messages in shared memory, gone afterwards."""
    name = f"bench-{what}-{os.getpid()}"
    with lanes.create(name, MESSAGE, capacity=CAPACITY, prefault=True, **options) as made:
        yield name, made
    lanes.remove(name)
