"""What a runner notes of itself besides its record: what it waits for, and how often.

Rule 1. Noted where a runner waits, never at a record: who has nothing to do has time.
Rule 2. Each word is whole, none is exact after a crash: whoever looks from outside reads them as they come.
"""

from __future__ import annotations

from byteor.abi.byteor_v1 import ON_ROOM, RUNNER
from byteor.kernel.atomics import store_relaxed
from byteor.kernel.hot import hot
from byteor.kernel.loops import count

_BELL = RUNNER["bell"]
WAITS = RUNNER["waits"] - _BELL
BLOCKS = RUNNER["blocks"] - _BELL
CROWDED = RUNNER["crowded"] - _BELL
WAITING = RUNNER["waiting"] - _BELL
BEAT = RUNNER["beat"] - _BELL


@hot
def note_turn(bell, missing, turns):
    """Note a turn of waiting, of the runner with that bell; what is missing is told as `waiting` tells it."""
    if turns == 0:
        store_relaxed(bell + WAITING, missing)
        count(bell + WAITS, 1)
        if missing == ON_ROOM:
            count(bell + CROWDED, 1)
    count(bell + BEAT, 1)


@hot
def note_work(bell):
    """Note that the runner waits no more."""
    store_relaxed(bell + WAITING, 0)


@hot
def note_block(bell):
    """Note that the runner sleeps."""
    count(bell + BLOCKS, 1)
