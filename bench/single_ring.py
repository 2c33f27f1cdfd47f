"""P1: compiled stages over 16-byte records, beside the LMAX Disruptor.

Rule 1. Same payload, ring size, threads and work on both sides; each side waits in its best way.
"""

from __future__ import annotations

from bench import bare, lmax, machine, rings, round_trip
from bench.harness import Effort, best, measure, ratios
from bench.results import Family

RUNS = {1: ("one by one", 2.5), 256: ("runs of 256", 4.0)}


def measured(effort: Effort) -> Family:
    """Measure every shape, batched and one by one."""
    family = Family(
        "P1",
        "Compiled stages over one ring, beside the LMAX Disruptor 3.4.4",
        f"16-byte records, {rings.CAPACITY:,} slots, a thread for each stage and one that produces; threads are pinned "
        "where there is a core for each. A bare hand-over is two threads over the same slots that promise nothing, in "
        "runs of 256: what the lines alone cost. The ratio is that of the best wait strategies of both sides, round by "
        "round.",
    )
    absent = "the peer is left out of a tiny run" if effort.tiny else lmax.missing()
    classes = "" if absent else lmax.build()
    if absent:
        family.remarks.append(absent)
    for shape in rings.SHAPES:
        for run in RUNS:
            _case(family, shape, run, classes, absent, effort)
    if not effort.tiny:
        round_trip.measured(family, classes, effort)
    return family


def _case(family: Family, shape: str, run: int, classes: str, absent: str, effort: Effort) -> None:
    text, bound = RUNS[run]
    case, id = f"{shape}, {text}", f"P1 {shape} {text}"
    with lmax.running(classes, shape, run, rings.CAPACITY) as theirs:
        ours = [rings.ring_of(shape, run, wait) for wait in waits(shape)[: 1 if effort.tiny else None]]
        floor = [bare.bare()] if shape == "unicast" and not effort.tiny else []
        found = measure([*ours, *theirs, *floor], effort)
    for series in found.values():
        family.rate(case, series)
    fastest = best([found[one.name] for one in ours])
    if not theirs:
        return family.unmeasured(id, f"≥ {bound:g}×", absent)
    peer = best([found[one.name] for one in theirs])
    reason = f"{1e9 / fastest.median:.2f} ns a message against {1e9 / peer.median:.2f} ns of {peer.name}"
    reason += "".join(f"; a {one.name} takes {1e9 / found[one.name].median:.2f} ns" for one in floor)
    family.at_least(id, bound, ratios(fastest, peer), reason)
    return None


def waits(shape: str) -> tuple[str, ...]:
    """The strategies that may be our best: spinning helps nobody where threads share cores."""
    return ("backoff", "spin" if len(rings.SHAPES[shape]) < len(machine.ALL) else "yield")
