"""P2: an Events lane between two processes, compiled ends, beside Boost's queue between two threads and a bare copy.

Rule 1. Same message, same slots, a core for each side, spin against spin.
Rule 2. The copy is one core's alone: records of 64 bytes, in runs, into as much memory as the lane has.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench import lane_ends, machine, native
from bench.harness import Contender, Effort, Series, Took, measure, ratios
from bench.results import Family
from byteor.kernel.wait import SPIN

RUN = 256
LEAST = 200_000
PEERS = {"queue": "Boost spsc_queue", "copy": "one core's copy"}


def measured(effort: Effort) -> Family:
    """Measure one by one, and in runs."""
    family = Family(
        "P2",
        "Events lane between two processes, compiled ends",
        f"64-byte messages over shared memory, {lane_ends.CAPACITY:,} slots, both ends in compiled functions of a "
        f"user's, spinning, each on a core of its own. Boost.Lockfree's `spsc_queue` runs between two threads.",
    )
    absent = "the peers are left out of a tiny run" if effort.tiny else native.missing()
    if absent:
        family.remarks.append(absent)
    else:
        native.build()
    found = {run: _case(family, run, absent, effort) for run in (1, RUN)}
    if absent:
        family.unmeasured("P2 one by one", "≥ 1×", absent)
        family.unmeasured("P2 in runs", "≥ 0.8×", absent)
        return family
    mine, theirs = found[1][:2]
    reason = f"{1e9 / mine.median:.1f} ns a message against {1e9 / theirs.median:.1f} ns"
    family.at_least("P2 one by one", 1, ratios(mine, theirs), reason)
    mine, theirs, copy = found[RUN]
    family.at_least("P2 in runs", 0.8, ratios(mine, copy), _reason(mine, theirs, copy))
    return family


def _reason(mine: Series, theirs: Series, copy: Series) -> str:
    return (
        f"each message is a cache line that goes from one core to the other: {1e9 / mine.median:.1f} ns a message, "
        f"{1e9 / theirs.median:.1f} ns in Boost's queue; a copy on one core moves none ({1e9 / copy.median:.1f} ns)"
    )


def _case(family: Family, run: int, absent: str, effort: Effort) -> list[Series]:
    """Ours, Boost's queue, and the copy where messages go in runs."""
    text = "one by one" if run == 1 else f"runs of {run}"
    with ExitStack() as stack:
        contenders = [stack.enter_context(ours(run))]
        for case in () if absent else ("queue", "copy") if run > 1 else ("queue",):
            peer = stack.enter_context(native.driven(PEERS[case], case, run, lane_ends.CAPACITY))
            contenders.append(native.contender(peer, run, LEAST))
        found = list(measure(contenders, effort).values())
    for series in found:
        family.rate(text, series)
    return found


@contextmanager
def ours(run: int) -> Iterator[Contender]:
    """A sender in this process, a reader in another."""
    cores = machine.ALL if machine.PINS and len(machine.ALL) > 1 else (None, None)
    with lane_ends.lane(f"messages-{run}") as (name, made), made.sender() as sender:
        worker = lane_ends.Worker(lane_ends.taker, cores[1], name, run, "spin")
        handle = sender.compiled
        lane_ends.give(handle, 0, run, SPIN)

        def one(n: int) -> Took:
            machine.pin([0])
            cpu, began = time.process_time(), time.perf_counter()
            worker.ask(n)
            lane_ends.give(handle, n, run, SPIN)
            total, theirs = worker.answer()
            took = Took(time.perf_counter() - began, time.process_time() - cpu + theirs)
            machine.pin([0], free=True)
            assert total == n * (n - 1) // 2
            return took

        yield Contender("byteor", one, run, LEAST // run)
        worker.close()
