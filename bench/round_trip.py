"""A message there and back: how long from its publication until the producer sees the stage's gate behind it.

Rule 1. The next message is sent when the one before has passed: this is the time of an idle ring, spin against spin.
Rule 2. Each trip is timed by the processor's own counter, whose unit is found from the clock over the whole round.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

import byteor
from bench import lmax, machine, rings
from bench.harness import Effort, percentile
from bench.results import Family
from byteor.kernel.atomics import load_relaxed, store_release
from byteor.kernel.wait import FOREVER, wait_past

TRIPS = 200_000
CASE = "unicast, there and back"


@intrinsic
def cycles(_typing: Any) -> Any:
    """The processor's counter."""

    def codegen(_context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        counter = builder.module.declare_intrinsic("llvm.readcyclecounter", (), ir.FunctionType(ir.IntType(64), ()))
        return builder.call(counter, ())

    return types.int64(), codegen


@numba.njit(nogil=True)
def bounce(n, cursor, gates, slots, waiter, took):
    """Send `n` messages, each when the one before has passed the gate."""
    for i in range(n):
        began = cycles()
        sequence = load_relaxed(cursor)
        record = slots[sequence & (len(slots) - 1)]
        record.px = i
        record.qty = 1
        store_release(cursor, sequence + 1)
        wait_past(gates, sequence, waiter)
        took[i] = cycles() - began


def trips(n: int) -> tuple[float, float]:
    """Let `n` messages through one compiled stage and back; answer the median and p99 in nanoseconds."""
    run = byteor.run(rings.spec_of("unicast"), rings.stages_of("unicast"), wait="spin")
    shard = run.ring.shards[0]
    words = shard.ring.words
    waiter = shard.around.waiter(words.address("closed"), shard.around.ingress, FOREVER)
    given = words.address("cursor"), shard.cells([0]), shard.ring.slots, waiter
    took = np.zeros(n, np.int64)
    run.start()
    machine.pin([0, *(thread.native_id for thread in threading.enumerate() if thread.name.startswith("byteor-"))])
    bounce(1000, *given, took[:1000])
    began = time.perf_counter()
    bounce(n, *given, took)
    unit = (time.perf_counter() - began) * 1e9 / took.sum()
    run.ingress().close()
    run.join()
    machine.pin([0], free=True)
    ordered = (took * unit).tolist()
    return percentile(ordered, 0.5), percentile(ordered, 0.99)


def measured(family: Family, classes: str, effort: Effort) -> None:
    """Add the trips of both sides, in turns."""
    jvm = lmax.Jvm(classes, "unicast", 0, "spin", rings.CAPACITY) if classes else None
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(effort.rounds):
        found.setdefault("byteor spin", []).append(trips(TRIPS))
        if jvm:
            found.setdefault("LMAX spin", []).append(jvm.trips(TRIPS))
    if jvm:
        jvm.close()
    for name, rounds in found.items():
        for i, which in enumerate(("median", "p99")):
            family.value(f"{CASE}, {which}", name, "ns", [one[i] for one in rounds])
