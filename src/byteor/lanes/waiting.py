"""How a call of Python's waits: compiled first, then in short sleeps, until something comes or cannot come.

Rule 1. It comes back to Python at least every 50 ms: Ctrl-C is seen, and so is the death of the other end.
Rule 2. A deadline is kept to within one such turn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from byteor.kernel.wait import BACKOFF

Found = TypeVar("Found")
LOOK_S = 0.05  # how often the other end is asked for
NAP_S = 0.001  # what a wait that sleeps costs its messages at most
_BUSY_TURNS = 64  # of an event loop, before the first nap


def until(
    look: Callable[[], Found | None],
    wait: Callable[[], object],
    strategy: int,
    timeout: float | None,
    alive: Callable[[], object],
) -> Found:
    """Repeat `look` until it finds something; `alive` raises when nothing can come any more."""
    now = time.monotonic()
    end, ask = None if timeout is None else now + timeout, now + LOOK_S
    pause = wait
    while (found := look()) is None:
        now = time.monotonic()
        if end is not None and now >= end:
            raise TimeoutError(f"nothing within {timeout} s")
        if now >= ask:
            alive()
            ask = now + LOOK_S
        pause()
        if strategy == BACKOFF:
            pause = _nap
    return found


def _nap() -> None:
    time.sleep(NAP_S)


async def until_async(look: Callable[[], Found | None], timeout: float | None, alive: Callable[[], object]) -> Found:
    """The same in an event loop: it is given every other turn, then sleeps in between."""
    now = time.monotonic()
    end, ask, turns = None if timeout is None else now + timeout, now + LOOK_S, 0
    while (found := look()) is None:
        now = time.monotonic()
        if end is not None and now >= end:
            raise TimeoutError(f"nothing within {timeout} s")
        if now >= ask:
            alive()
            ask = now + LOOK_S
        await asyncio.sleep(0 if turns < _BUSY_TURNS else NAP_S)
        turns += 1
    return found
