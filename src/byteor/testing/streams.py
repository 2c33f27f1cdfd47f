"""Messages that show when they are torn, lost or out of order, and compiled loops that send and receive them.

Rule 1. Message n of producer p is the number n + (p << 40), and has number * (2 i + 1) as its word i.
Rule 2. Whoever receives keeps a tally for each producer: the number to come, how many were missed, a sum in order.
Rule 3. A loop comes back when it is through or has had nothing to do for so many turns: the caller looks around.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from byteor import lanes
from byteor.kernel.hot import hot, waiting

WORDS = 8
MESSAGE = np.dtype([("words", "<i8", (WORDS,))])
NEXT, MISSED, SUM, WRONG = range(4)  # of a tally
PRODUCER = 40  # bits of a message's number within its producer
PATIENCE = 1 << 14
_MASK = (1 << PRODUCER) - 1
_SUM = (1 << 56) - 1
_TRIES = 64
Tally = np.ndarray[Any, np.dtype[np.int64]]
Loop = Callable[[int, int, int], int]


def tally(producers: int = 1) -> Tally:
    """Nothing received yet."""
    return np.zeros((producers, 4), np.int64)


@hot
def fill(row: Any, number: Any) -> None:
    """Make a message."""
    for i in range(WORDS):
        row.words[i] = number * (2 * i + 1)


@hot
def note(tally: Any, row: Any) -> None:
    """Hold a message to its own number and to those before it."""
    first = row.words[0]
    folded = 0
    one = tally[min(max(first >> PRODUCER, 0), len(tally) - 1)]
    for i in range(WORDS):
        folded ^= row.words[i]
        if row.words[i] != first * (2 * i + 1):
            one[WRONG] += 1
    number = first & _MASK
    if number < one[NEXT]:
        one[WRONG] += 1
    one[MISSED] += number - one[NEXT]
    one[NEXT] = number + 1
    one[SUM] = (one[SUM] * 31 + folded) & _SUM


@hot
def through(count: Any, producer: Any) -> Any:
    """The tally of all messages of a producer."""
    made, row = np.zeros((producer + 1, 4), np.int64), np.zeros(1, MESSAGE)
    for n in range(count):
        fill(row[0], n + (producer << PRODUCER))
        note(made, row[0])
    return made[producer]


@hot
def send(handle: Any, first: Any, end: Any, producer: Any) -> Any:
    """Send messages to a ring; answer the number of the next."""
    row, turns = np.zeros(1, MESSAGE), 0
    fill(row[0], first + (producer << PRODUCER))
    while first < end and turns < PATIENCE:
        turns += 1
        if lanes.try_send(handle, row[0]):
            first, turns = first + 1, 0
            fill(row[0], first + (producer << PRODUCER))
    return first


@hot
def receive(handle: Any, end: Any, tally: Any) -> Any:
    """Receive messages from rings until so many were; answer how many were."""
    row, turns = np.zeros(1, MESSAGE), 0
    done = np.sum(tally[:, NEXT])
    while done < end and turns < PATIENCE:
        turns += 1
        if lanes.try_receive(handle, row[0]):
            note(tally, row[0])
            done, turns = done + 1, 0
    return done


@hot
def put(handle: Any, first: Any, end: Any) -> Any:
    """Put values; answer the number of the next."""
    row = np.zeros(1, MESSAGE)
    for n in range(first, end):
        fill(row[0], n)
        lanes.try_put(handle, row[0])
    return end


@hot
def get(handle: Any, end: Any, tally: Any) -> Any:
    """Get values until the last one; answer the number behind the last that was got."""
    row, turns = np.zeros(1, MESSAGE), 0
    while tally[0][NEXT] < end and turns < PATIENCE:
        turns += 1
        number = lanes.try_get(handle, row[0], _TRIES)
        if number > tally[0][NEXT]:
            if row[0].words[0] != number - 1:
                tally[0][WRONG] += 1
            note(tally, row[0])
            turns = 0
    return tally[0][NEXT]


@hot
def append(handle: Any, first: Any, end: Any) -> Any:
    """Append records until Python has to; answer the number of the next."""
    row = np.zeros(1, MESSAGE)
    for n in range(first, end):
        fill(row[0], n)
        if not lanes.try_append(handle, row[0]):
            return n
    return end


@hot
def take(handle: Any, end: Any, tally: Any) -> Any:
    """Take records until Python has to look; answer the number of the next."""
    row, turns = np.zeros(1, MESSAGE), 0
    while tally[0][NEXT] < end and turns < PATIENCE:
        turns += 1
        answer = lanes.try_take(handle, row[0], _TRIES)
        if answer == 1:
            note(tally, row[0])
            turns = 0
        elif answer < 0:
            break
    return tally[0][NEXT]


# Whole streams, for either side


def expected(count: int, producer: int = 0) -> Tally:
    """The tally of all messages of a producer."""
    made: Tally = waiting(through)(count, producer)
    return made


def message(number: int) -> Any:
    """One message, for ends that are not compiled."""
    row = np.zeros(1, MESSAGE)
    waiting(fill)(row[0], number)
    return row[0]


def _look_around(alive: Callable[[], object]) -> None:
    """Let others run, and see that the other end does."""
    time.sleep(0)
    alive()


def send_all(lane: Any, kind: str, count: int, alive: Callable[[], object], producer: int = 0) -> None:
    """Be the sending end of a lane of any kind; `alive` is called now and then, and raises when it is of no use."""
    done = 0
    if kind in ("state", "journal"):
        with lane.writer() as writer:
            while done < count:
                done = waiting(put if kind == "state" else append)(writer.compiled, done, count)
                if done < count:
                    writer.append(message(done))
                    done += 1
        return
    with lane.sender(producer) as sender:
        while (done := waiting(send)(sender.compiled, done, count, producer)) < count:
            _look_around(alive)


def receive_all(
    lane: Any, kind: str, count: int, alive: Callable[[], object], reader: Any = None, producers: int = 1
) -> Tally:
    """Be the receiving end of a lane of any kind, until so many messages are through; answer the tally."""
    made = tally(producers)
    reader = reader or lane.reader()
    loop = waiting({"state": get, "journal": take}.get(kind, receive))
    while loop(reader.compiled, count, made) < count:
        _look_around(alive)
        if kind == "journal" and (found := reader.try_receive()) is not None and not isinstance(found, lanes.Gap):
            waiting(note)(made, found)
    if kind != "state":
        reader.close()
    return made
