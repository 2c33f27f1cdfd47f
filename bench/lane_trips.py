"""P3: a message there and back over two lanes, compiled ends, beside a bare ping-pong of two words in C++.

Rule 1. The next message leaves when the one before is back: the time of idle lanes, spin against spin.
Rule 2. How far a cache line is from a core depends on its address: every round has lanes, and words, of its own.
Rule 3. A trip ends where the next begins, so each costs one look at a clock, on both sides.
"""

from __future__ import annotations

import time

import numba
import numpy as np

from bench import lane_ends, machine, native
from bench.harness import Effort, percentile
from bench.lane_ends import MESSAGE
from bench.results import Family
from bench.round_trip import cycles
from byteor.kernel.wait import idle
from byteor.lanes import try_receive, try_send

TRIPS = 500_000
SHARES = {"median": 0.5, "p99": 0.99, "p99.9": 0.999}
BARE = {"C++ ping-pong": 0, "C++ ping-pong, pausing": 1}
Trips = dict[str, float]


@numba.njit(nogil=True)
def bounce(to, source, n, took):
    """Send `n` messages, each when the one before is back."""
    rows = np.zeros(1, MESSAGE)
    began = cycles()
    for i in range(n):
        rows[0].w0 = i
        while not try_send(to, rows[0]):
            idle(0, 0)
        while not try_receive(source, rows[0]):
            idle(0, 0)
        now = cycles()
        took[i] = now - began
        began = now


def measured(effort: Effort) -> Family:
    """Measure both sides in turns."""
    family = Family(
        "P3",
        "A message there and back over two lanes, compiled ends",
        "64-byte messages over shared memory, two processes, spinning, each on a core of its own; the ping-pong is two "
        "threads that each raise a word of their own and carry no message.",
    )
    absent = "the peer is left out of a tiny run" if effort.tiny else native.missing()
    found = _rounds(absent, 1000 if effort.tiny else TRIPS, effort)
    for name, trips in found.items():
        for which in SHARES:
            family.value(f"there and back, {which}", name, "ns", [one[which] for one in trips])
    if absent:
        family.unmeasured("P3", "≤ 1.25×", absent)
        return family
    mine, *others = ([trip["median"] for trip in trips] for trips in found.values())
    bare = [min(pair) for pair in zip(*others, strict=True)]
    reason = "a hop of ours moves two lines, the message's and the cursor's; a bare word moves one"
    family.at_most("P3", 1.25, [ours / theirs for ours, theirs in zip(mine, bare, strict=True)], reason)
    return family


def _rounds(absent: str, n: int, effort: Effort) -> dict[str, list[Trips]]:
    if not absent:
        native.build()
    peers = [] if absent else [native.driven(name, "trips", pause, 0) for name, pause in BARE.items()]
    found: dict[str, list[Trips]] = {"byteor": [], **{peer.name: [] for peer in peers}}
    for _ in range(effort.rounds):
        found["byteor"].append(trips(n))
        for peer in peers:
            found[peer.name].append(dict(zip(SHARES, peer.numbers(n), strict=True)))
    for peer in peers:
        peer.close()
    return found


def trips(n: int) -> Trips:
    """Let `n` messages there and back over two fresh lanes."""
    cores = machine.ALL if machine.PINS and len(machine.ALL) > 1 else (None, None)
    with lane_ends.lane("there") as (there, out), lane_ends.lane("back") as (back, home):
        worker = lane_ends.Worker(lane_ends.echoer, cores[1], there, back)
        with out.sender() as sender, home.reader() as reader:
            found = _timed(worker, sender.compiled, reader.compiled, n)
        worker.close()
    return found


def _timed(worker: lane_ends.Worker, to: int, source: int, n: int) -> Trips:
    warm = n // 10
    took = np.zeros(n, np.int64)
    machine.pin([0])
    worker.ask(n + warm)
    bounce(to, source, warm, took)
    began = time.perf_counter()
    bounce(to, source, n, took)
    unit = (time.perf_counter() - began) * 1e9 / took.sum()
    worker.answer()
    machine.pin([0], free=True)
    ordered = (took * unit).tolist()
    return {which: percentile(ordered, share) for which, share in SHARES.items()}
