"""P2m: three producers on an Events lane, compiled ends, beside the LMAX Disruptor with three publishers.

Rule 1. Each producer is a process of its own here, a thread there; all messages go to one consumer.
Rule 2. With more sides than cores nobody spins: whoever finds nothing to do gives its core away.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench import lane_ends, lmax
from bench.harness import Contender, Effort, Took, best, measure, ratios
from bench.results import Family
from byteor.kernel.wait import STRATEGIES

PRODUCERS = 3
RUNS = {1: "one by one", 256: "runs of 256"}
LEAST = 200_000


def measured(effort: Effort) -> Family:
    """Measure one by one, and in runs."""
    family = Family(
        "P2m",
        "Events lane of three producers, compiled ends, beside the LMAX Disruptor",
        f"64-byte messages over shared memory, {lane_ends.CAPACITY:,} slots, three producers and one consumer, a "
        "process each; LMAX has threads, its multi-producer sequencer, and records of eight fields.",
    )
    absent = "the peer is left out of a tiny run" if effort.tiny else lmax.missing()
    classes = "" if absent else lmax.build()
    for run in RUNS:
        _case(family, run, classes, absent, effort)
    return family


def _case(family: Family, run: int, classes: str, absent: str, effort: Effort) -> None:
    id = f"P2m {RUNS[run]}"
    with ExitStack() as stack:
        mine = stack.enter_context(ours(run, "yield"))
        theirs = stack.enter_context(lmax.running(classes, "producers", run, lane_ends.CAPACITY, PRODUCERS))
        found = measure([mine, *theirs], effort)
    for series in found.values():
        family.rate(f"3 producers, {RUNS[run]}", series)
    first, *others = found.values()
    if not others:
        return family.unmeasured(id, "≥ 1.5×", absent)
    peer = best(others)
    reason = f"{1e9 / first.median:.1f} ns a message against {1e9 / peer.median:.1f} ns of {peer.name}"
    family.at_least(id, 1.5, ratios(first, peer), reason)
    return None


@contextmanager
def ours(run: int, wait: str) -> Iterator[Contender]:
    """Three senders in processes of their own, the reader in this one."""
    strategy = STRATEGIES[wait]
    with lane_ends.lane(f"producers-{run}", producers=PRODUCERS) as (name, made), made.reader() as reader:
        workers = [lane_ends.Worker(lane_ends.giver, None, name, run, wait) for _ in range(PRODUCERS)]
        handle = reader.compiled
        lane_ends.take(handle, 0, run, strategy)

        def one(n: int) -> Took:
            share = n // PRODUCERS
            cpu, began = time.process_time(), time.perf_counter()
            for worker in workers:
                worker.ask(share)
            total = lane_ends.take(handle, n, run, strategy)
            theirs = sum(worker.answer().cpu for worker in workers)
            assert total == PRODUCERS * (share * (share - 1) // 2)
            return Took(time.perf_counter() - began, time.process_time() - cpu + theirs)

        yield Contender("byteor", one, PRODUCERS * run, LEAST // run)
        for worker in workers:
            worker.close()
