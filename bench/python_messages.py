"""P1pm: one plain Python stage called per message, beside `queue.SimpleQueue` between threads.

Rule 1. The floor is the same stage called in a bare loop over the same slots: what lies above it is ours.
"""

from __future__ import annotations

import queue
import threading
from typing import Any

import numpy as np

import byteor
from bench import rings, ticks
from bench.harness import Clock, Contender, Effort, Took, measure, ratios
from bench.results import Family
from byteor.exec.record import Records


def measured(effort: Effort) -> Family:
    """Measure the ring, the queue and the floor, side by side."""
    family = Family(
        "P1pm",
        "A plain Python stage per message, beside `queue.SimpleQueue`",
        f"16-byte records, {rings.CAPACITY:,} slots, a compiled source and one plain stage that does `px += qty`; the "
        "queue hands lists from one Python thread to another, which does the same. Most of our time is the stage's "
        "own, so what it costs to get a message to a stage is shown by stages that do nothing.",
    )
    spec, stages = _ring(ticks.add)
    empty, nothing = _ring(_nothing)
    contenders = [
        Contender(
            "byteor, plain stage", rings.rounds_of(lambda: byteor.run(spec, stages), rings.filled(256)), step=256
        ),
        Contender(
            "byteor, empty stage", rings.rounds_of(lambda: byteor.run(empty, nothing), rings.filled(256)), step=256
        ),
        Contender("SimpleQueue", hand_over, least=1000),
        Contender("SimpleQueue, nothing done", lambda n: hand_over(n, idle=True), least=1000),
        Contender("bare loop", Bare(ticks.add).round, least=1000),
        Contender("bare loop, empty stage", Bare(_nothing).round, least=1000),
    ]
    found = measure(contenders, effort)
    for series in found.values():
        family.rate("1 stage", series)
    mine, none, theirs, idle, bare, bare_none = found.values()
    floor = 1 / bare.median
    reason = (
        f"calling the stage alone takes {floor * 1e9:.0f} ns of the {1e9 / mine.median:.0f} ns a message, "
        f"and `SimpleQueue` only {1e9 / theirs.median:.0f} ns; the hops alone differ {none.median / idle.median:.1f}×"
    )
    family.at_least("P1pm", 5, ratios(mine, theirs), reason)
    family.value("the hop alone, nothing done", "byteor over SimpleQueue", "×", ratios(none, idle))
    own = [1 - ours / alone for ours, alone in zip(mine.rates, bare.rates, strict=True)]
    family.value("1 stage", "share of our own overhead", "of the time", own)
    own = [1 - ours / alone for ours, alone in zip(none.rates, bare_none.rates, strict=True)]
    family.value("1 empty stage", "share of our own overhead", "of the time", own)
    return family


def _nothing(_tick: Any) -> None:
    return None


def _ring(stage: Any) -> tuple[Any, dict[str, Any]]:
    builder = byteor.SingleRingBuilder("messages", rings.TICK, capacity=rings.CAPACITY)
    return builder.stage("stage", "ticks:f", compiled=False).build(), {"stage": stage}


class Bare:
    """A stage called in a bare loop over slots."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage
        self._slots = np.ones(rings.CAPACITY, [("px", "<i8"), ("qty", "<i8")])

    def round(self, n: int) -> Took:
        stage, mask = self._stage, len(self._slots) - 1
        records = Records(self._slots).piece(0, len(self._slots))
        with Clock() as clock:
            for i in range(n):
                stage(records[i & mask])
        return clock.took


def hand_over(n: int, idle: bool = False) -> Took:
    """Hand `n` records from a thread to another one, which adds or does nothing."""
    records: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def produce() -> None:
        put = records.put
        for number in range(n):
            put([number, 1])
        put(None)

    source = threading.Thread(target=produce)
    with Clock() as clock:
        source.start()
        for record in iter(records.get, None):
            if not idle:
                record[0] += record[1]
    source.join()
    return clock.took
