"""P6: what a message costs as slots, payload, stages and shards grow.

Rule 1. Within a series only one thing changes; its sizes are interleaved like contenders.
Rule 2. Rings take at most 64 MiB, so that growth is that of the payload and not of what caches lose.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

import byteor
from bench import bare, machine, rings
from bench.harness import Clock, Contender, Effort, Series, Took, measure
from bench.results import Family
from byteor.spec.model import Field, MessageType

MOST_BYTES = 64 << 20
SLOTS = (8, 10, 12, 14, 16, 18, 20)
FLAT_FROM = 12
PAYLOADS = (8, 64, 512, 4096, 65_536)
STAGES = (1, 2, 3, 4, 5)
SHARDS = (1, 2, 4, 8, 16)


def measured(effort: Effort) -> Family:
    """Measure the four series."""
    family = Family(
        "P6",
        "Growth",
        "Compiled stages under the default wait strategy, a compiled source in runs of 256 (payloads: arrays of rows "
        "from memory). A ratio is that of the dearest to the cheapest message of a series; that of stages is the rate "
        "times the threads, 5 stages against 2.",
    )
    if effort.tiny:
        return _stages(family, effort)
    for series in (_slots, _payloads, _stages, _shards):
        series(family, effort)
    return family


def _series(family: Family, effort: Effort, contenders: list[Contender]) -> list[Series]:
    found = list(measure(contenders, effort).values())
    for series in found:
        family.rate(series.name, Series("byteor", series.rates, series.cpu_ns))
    return found


def _spread(found: list[Series]) -> list[float]:
    """The dearest over the cheapest, round by round."""
    return [max(rates) / min(rates) for rates in zip(*(series.rates for series in found), strict=True)]


def _chain(name: str, length: int, **fields: Any) -> Contender:
    spec, stages = rings.chain(length, **fields)
    lap = fields.get("capacity", rings.CAPACITY)
    one = rings.rounds_of(lambda: byteor.run(spec, stages), rings.filled(256), lap)
    return Contender(name, one, step=256, least=400)


def _slots(family: Family, effort: Effort) -> Family:
    sizes = [_chain(f"1 stage, 2^{bits} slots", 1, capacity=1 << bits) for bits in SLOTS]
    floor = [bare.bare(1 << bits, f"bare hand-over, 2^{bits} slots") for bits in (FLAT_FROM, SLOTS[-1])]
    *found, low, high = _series(family, effort, [*sizes, *floor])
    flat = [series for bits, series in zip(SLOTS, found, strict=True) if bits >= FLAT_FROM]
    dear, cheap = min(flat, key=lambda one: one.median), max(flat, key=lambda one: one.median)
    reason = f"{dear.name}: {1e9 / dear.median:.2f} ns a message; {cheap.name}: {1e9 / cheap.median:.2f} ns; "
    reason += f"bare threads that promise nothing: {1e9 / low.median:.2f} and {1e9 / high.median:.2f} ns"
    family.at_most("P6 slots", 1.5, _spread(flat), reason)
    return family


def _stages(family: Family, effort: Effort) -> Family:
    found = _series(family, effort, [_chain(f"{n} stages" if n > 1 else "1 stage", n) for n in STAGES])
    two, five = found[1], found[4]
    kept = [b * 6 / (a * 3) for a, b in zip(two.rates, five.rates, strict=True)]
    reason = f"{five.median / 1e6:.0f} M/s with 6 threads against {two.median / 1e6:.0f} M/s with 3"
    family.at_least("P6 stages", 0.5, kept, reason)
    return family


def _shards(family: Family, effort: Effort) -> Family:
    rows = np.zeros(rings.CAPACITY, [("px", "<i8"), ("qty", "<i8")])
    rows["px"], rows["qty"] = np.arange(len(rows)), 1
    found = _series(family, effort, [_sharded(shards, rows) for shards in SHARDS])
    reason = "; ".join(f"{one.name} {1e9 / one.median:.1f} ns" for one in found)
    reason += "; the one producer hashes and scatters each row"
    family.at_most("P6 shards", 1.5, _spread(found), reason)
    return family


def _sharded(shards: int, rows: np.ndarray) -> Contender:
    fields = {"shards": shards, "shard_key": "qty", "ordering": "per_key"} if shards > 1 else {}
    spec, stages = rings.chain(1, capacity=4096, **fields)
    mixed = rows.copy()
    mixed["qty"] = np.arange(len(rows))
    one = rings.rounds_of(lambda: byteor.run(spec, stages), _sent(mixed))
    return Contender(f"1 stage, {shards} shards" if shards > 1 else "1 stage, 1 shard", one, step=len(rows))


def _sent(rows: np.ndarray) -> rings.Feed:
    """Feed by sending the same rows again and again."""

    def feed(ingress: Any, n: int) -> None:
        for _ in range(n // len(rows)):
            ingress.send(rows)

    return feed


def _payloads(family: Family, effort: Effort) -> Family:
    contenders, floors = [], []
    for size in PAYLOADS:
        contenders.append(_payload(size))
        floors.append(Contender(f"copy of {size:,} bytes", _copies(size), step=_run(size)))
    found = _series(family, effort, contenders)
    copies = measure(floors, effort)
    for size, ours, series in zip(PAYLOADS, found, copies.values(), strict=True):
        family.value(f"payload {size:,} bytes", "byteor", "GiB/s", [r * size / 2**30 for r in ours.rates])
        family.value(f"payload {size:,} bytes", "one core's copy", "GiB/s", [r * size / 2**30 for r in series.rates])
    fixed = statistics.median(1 / rate for rate in found[0].rates)
    line = [fixed + 1 / copies[f"copy of {size:,} bytes"].median for size in PAYLOADS]
    over = [
        max(1 / rate / cost for rate, cost in zip(rates, line, strict=True))
        for rates in zip(*(s.rates for s in found), strict=True)
    ]
    family.at_most("P6 payload", 1.5, over, "cost over that of 8 bytes and one copy, at its worst")
    return family


def _capacity(size: int) -> int:
    return min(rings.CAPACITY, MOST_BYTES // size)


def _run(size: int) -> int:
    return min(256, _capacity(size) // 4)


def _payload(size: int) -> Contender:
    fields = [Field("px", "i64")] + [Field("rest", "u8", size - 8)] * (size > 8)
    spec, stages = _touching(MessageType("blob", tuple(fields)), _capacity(size))
    rows = np.zeros(_run(size), _dtype(size))
    one = rings.rounds_of(lambda: byteor.run(spec, stages), _sent(rows), _capacity(size))
    return Contender(f"payload {size:,} bytes", one, step=len(rows))


def _dtype(size: int) -> np.dtype:
    return np.dtype([("px", "<i8")] + [("rest", "u1", (size - 8,))] * (size > 8))


def _touch(blob: Any) -> None:
    blob.px += 1


def _touching(type: MessageType, capacity: int) -> tuple[Any, dict[str, Any]]:
    builder = byteor.SingleRingBuilder("blobs", type, capacity=capacity)
    return builder.stage("touch", "ticks:f", reads=("px",), writes=("px",)).build(), {"touch": _touch}


def _copies(size: int) -> Callable[[int], Took]:
    """Copy records of a size on one core, in runs as long as the ring's, into as much memory."""
    slots = np.zeros((_capacity(size), size), np.uint8)
    rows = np.ones((_run(size), size), np.uint8)

    def one(n: int) -> Took:
        machine.pin([0])
        with Clock() as clock:
            for at in range(0, n, len(rows)):
                first = at % len(slots)
                slots[first : first + len(rows)] = rows
        machine.pin([0], free=True)
        return clock.took

    return one
