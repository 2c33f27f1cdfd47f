"""The latest value, in slots that are written over: a writer that never waits, readers that are never torn.

Rule 1. The writer announces by `intent` which slot it writes over before it does; the cursor says when it is done.
Rule 2. A reader that copied a slot looks at `intent` afterwards: what may have been written over is thrown away.
Rule 3. Values race by design, so they go word by word through relaxed operations, on both sides.
Rule 4. A writer that dies in the middle has touched no slot that the cursor names.
"""

from __future__ import annotations

from typing import NamedTuple

from byteor.kernel.atomics import (
    fence_acquire,
    fence_release,
    load_acquire,
    load_relaxed,
    spin_hint,
    store_relaxed,
    store_release,
)
from byteor.kernel.hot import hot

EMPTY, CONTENDED = 0, -1  # answers of `get` that are no numbers of values: numbers begin at 1
STAMP, LENGTH, DATA = 0, 8, 16  # in a slot, and in the private buffers of both sides
HEAD = DATA // 8  # words before the value


class Place(NamedTuple):
    """Where a state lies: two words, the slots, their number less one, and the words of each."""

    cursor: int
    intent: int
    slots: int
    mask: int
    words: int


@hot
def copy_words(to, source, words):
    """Copy whole words by relaxed operations: what is read may be torn, and is judged afterwards."""
    for i in range(words):
        store_relaxed(to + 8 * i, load_relaxed(source + 8 * i))


@hot
def put(place, source, words):
    """Publish the value at `source`, so many words with its head."""
    sequence = load_relaxed(place.cursor)  # its own word
    store_relaxed(place.intent, sequence + 1)
    fence_release()  # SYNC: pairs with the fence in `get`: who reads a word written below sees this intent
    copy_words(place.slots + 8 * place.words * (sequence & place.mask), source, words)
    store_release(place.cursor, sequence + 1)  # SYNC: pairs with the acquire in `get`


@hot
def get(place, out, tries):
    """Copy the latest value to `out`, head first; answer its number, EMPTY, or CONTENDED after so many tries.

    Before the first value it copies a slot of zeros, and answers EMPTY by the same way.
    """
    for _ in range(tries):
        sequence = load_acquire(place.cursor)  # SYNC: pairs with the release in `put`
        slot = place.slots + 8 * place.words * ((sequence - 1) & place.mask)
        used = HEAD + ((load_relaxed(slot + LENGTH) + 7) >> 3)
        copy_words(out, slot, min(used, place.words))  # the length is live: it is judged like the rest
        fence_acquire()  # SYNC: pairs with the fence in `put`
        if load_relaxed(place.intent) - sequence <= place.mask:
            return sequence
        spin_hint()
    return CONTENDED
