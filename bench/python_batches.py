"""P1py: three plain Python stages, numpy over batches, beside a chain of queues.

Rule 1. The chain does the same to each record, one record at a time: that is what queues are used for.
"""

from __future__ import annotations

import queue
import threading
from typing import Any

import byteor
from bench import rings, ticks
from bench.harness import Clock, Contender, Effort, Took, measure, ratios
from bench.results import Family

BATCH = 4096
STAGES = (ticks.add_batch, ticks.triple_batch, ticks.mix_batch)


def measured(effort: Effort) -> Family:
    """Measure both, side by side."""
    family = Family(
        "P1py",
        "Three plain Python stages (numpy), beside a chain of `queue.Queue`",
        f"16-byte records, {rings.CAPACITY:,} slots, batches of {BATCH:,}, four threads; the chain hands a list per "
        "record from thread to thread.",
    )
    spec, stages = _ring()
    ours = rings.rounds_of(lambda: byteor.run(spec, stages, batch=BATCH), rings.filled(BATCH))
    contenders = [
        Contender("byteor, plain stages", ours, step=BATCH, least=32),
        Contender("queue.Queue", chain, least=1000),
    ]
    found = measure(contenders, effort)
    for series in found.values():
        family.rate("3 stages", series)
    mine, theirs = found.values()
    cost = f"{3e9 / mine.median:.0f} ns of CPU at most for the three stages of one record on two cores"
    family.at_least("P1py rate", 100, [rate / 1e6 for rate in mine.rates], cost, " M/s")
    family.at_least("P1py over queue.Queue", 100, ratios(mine, theirs))
    return family


def _ring() -> tuple[Any, dict[str, Any]]:
    builder = byteor.SingleRingBuilder("batches", rings.TICK, capacity=rings.CAPACITY)
    before: list[str] = []
    for function in STAGES:
        builder.stage(function.__name__, "ticks:f", before, form="batch", compiled=False)
        before = [function.__name__]
    return builder.build(), {function.__name__: function for function in STAGES}


def _link(work: Any, into: Any, out: Any) -> None:
    for record in iter(into.get, None):
        work(record)
        out.put(record)
    out.put(None)


def chain(n: int) -> Took:
    """Hand `n` records through three threads by queues."""
    queues: list[queue.Queue[Any]] = [queue.Queue(rings.CAPACITY) for _ in range(4)]
    links = zip((_add, _triple, _mix), queues, queues[1:], strict=False)
    threads = [threading.Thread(target=_link, args=link) for link in links]
    for thread in threads:
        thread.start()
    source = threading.Thread(target=lambda: [queues[0].put(record) for record in _records(n)])
    with Clock() as clock:
        source.start()
        for _ in iter(queues[3].get, None):
            pass
    for thread in [source, *threads]:
        thread.join()
    return clock.took


def _records(n: int) -> Any:
    for number in range(n):
        yield [number, 1]
    yield None


def _add(record: list[int]) -> None:
    record[0] += record[1]


def _triple(record: list[int]) -> None:
    record[1] = record[0] * 3


def _mix(record: list[int]) -> None:
    record[0] ^= record[1]
