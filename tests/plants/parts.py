"""The stages of random plants: few and fixed, since each costs a compilation.

Rule 1. `n` remembers what a record went through, and states remember an order: whatever goes astray shows.
Rule 2. What a stage does not write in `out` is zero: `many`, `spread` and `echo` leave a field open now and then.
Rule 3. Numbers stay small and whole, so that compiled and plain code agree to the bit.
Rule 4. Nothing but `end` writes `time`, and that is behind all times of any source.
"""

from __future__ import annotations

from typing import Any

import byteor

MOST = 1_000_003
END = 1 << 40

TICK = {"time": "i64", "key": "u32", "origin": "u8", "n": "i64"}
TYPES = {
    "tick": TICK,
    "event": dict(reversed(TICK.items())),
    "per_key": {"key": "u32", "seen": "i64", "sum": "i64"},
    "whole": {"seen": "i64", "sum": "i64"},
}


def same(rec: Any, p: Any) -> None:
    rec.n = (rec.n * 31 + p.add + rec.origin) % MOST


def some(rec: Any, p: Any) -> Any:
    return rec.n % p.of != 0


def many(rec: Any, out: Any, p: Any) -> Any:
    count = rec.n % (p.most + 1)
    for i in range(count):
        out[i].time = rec.time
        out[i].key = rec.key
        if i != 1:
            out[i].origin = rec.origin
        out[i].n = (rec.n * 7 + i) % MOST
    return count


def turn(rec: Any, out: Any) -> Any:
    """From a tick to an event, and from an event to a tick."""
    out[0].n = (rec.n + 1) % MOST
    out[0].origin = rec.origin
    out[0].key = rec.key
    out[0].time = rec.time
    return 1


def tally(rec: Any, state: Any) -> None:
    """Give each record what its key has seen before."""
    state.seen += 1
    state.sum = (state.sum * 17 + rec.n + rec.origin) % MOST
    rec.n = (state.sum + state.seen) % MOST


@byteor.stage
def total(rec: Any, state: Any) -> Any:
    """Remember everything, and let every other record pass."""
    state.seen += 1
    state.sum = (state.sum * 17 + rec.n + rec.origin) % MOST
    return state.seen % 2 == 1


@total.begin
def total_begin(state: Any) -> None:
    state.sum = 5


@total.end
def total_end(out: Any, state: Any) -> Any:
    count = min(state.seen % 4, len(out))
    for i in range(count):
        out[i].time = END
        out[i].key = i
        out[i].origin = 0
        out[i].n = (state.sum + i) % MOST
    return count


def scale(batch: Any) -> None:
    for i in range(len(batch)):
        batch[i].n = (batch[i].n * 3 + 1) % MOST


def keep(batch: Any) -> Any:
    return batch["n"] % 3 != 0


def spread(batch: Any, out: Any, src: Any) -> Any:
    """Of each record none, one or two."""
    count = 0
    for i in range(len(batch)):
        for k in range(batch[i].n % 3):
            out[count].time = batch[i].time
            out[count].key = batch[i].key
            if k == 0:
                out[count].origin = batch[i].origin
            out[count].n = (batch[i].n * 5 + k) % MOST
            src[count] = i
            count += 1
    return count


def slow(rec: Any) -> Any:
    """Plain Python, per message; filters."""
    rec.n = (rec.n * 13 + 2) % MOST
    return rec.n % 5 != 0


def echo(rec: Any, out: Any) -> Any:
    """Plain Python, one to many."""
    for i in range(2):
        out[i].time = rec.time
        if rec.n % 2 == i:
            out[i].key = rec.key
            out[i].origin = rec.origin
        out[i].n = (rec.n + i) % MOST
    return 2


def gather(batch: Any, state: Any, index: Any) -> None:
    """Plain Python, per batch, with the table of all keys."""
    for record, row in zip(batch, index.tolist(), strict=True):
        state["sum"][row] = (int(state["sum"][row]) * 17 + int(record["n"])) % MOST
        record["n"] = state["sum"][row]


STAGES: dict[str, Any] = {
    f.__name__: f for f in (same, some, many, turn, tally, total, scale, keep, spread, slow, echo, gather)
}
