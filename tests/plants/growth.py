"""How a random plant grows: sources, then steps that stages, routers and merges take, until all that is open leaves.

Rule 1. Lanes are small, and still hold every run of one order word, so that nearly all that grows can be lowered.
Rule 2. Stages are those of `parts`, each with the types that it was written for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from byteor.plan.document import PlanBuilder, lane_graph
from tests.plants import parts

CAPACITIES = (1, 1, 2, 4, 8)
LONGEST = 8  # records of one order word: more would need lanes that are not small
PER_KEY = {"type": "per_key", "by": "key", "max": 16}

ONE = {
    "same": {"writes": ["n"]},
    "tally": {"writes": ["n"], "state": PER_KEY},
    "gather": {"writes": ["n"], "state": PER_KEY, "form": "batch", "compiled": False},
    "scale": {"writes": ["n"], "form": "batch"},
    "turn": {},
}
FILTER = {
    "some": {"writes": [], "min_out": 0},
    "slow": {"writes": ["n"], "min_out": 0, "compiled": False},
    "keep": {"writes": [], "min_out": 0, "form": "batch"},
}
MANY = {
    "many": {"min_out": 0},
    "spread": {"min_out": 0, "max_out": 2, "form": "batch", "src": True, "out": "tick"},
    "echo": {"min_out": 2, "max_out": 2, "compiled": False},
}
CHOICE = {
    ("one", "tick"): ("same", "same", "tally", "gather", "turn"),
    ("one", "event"): ("scale", "turn"),
    ("filter", "tick"): ("some", "slow"),
    ("filter", "event"): ("keep",),
    ("many", "tick"): ("many",),
    ("many", "event"): ("spread", "echo"),
}


@dataclass(frozen=True, slots=True)
class Open:
    """A part that nothing follows yet: its type, its numbering, and how many records and ends share a word."""

    name: str
    type: str
    start: str
    run: int = 1
    ends: int = 0

    @property
    def longest(self) -> int:
        return max(self.run, self.ends)


class Growth:
    """A plan that grows; `late` is what all its merges say of late records."""

    def __init__(self, random: Random, journals: bool) -> None:
        self.random, self.journals = random, journals
        self.late = random.choice(["fail", "fail", "fail", "drop"])
        self.plan: PlanBuilder = lane_graph("plant", parts.TYPES)
        self.open: list[Open] = []
        self.numbers: Counter[str] = Counter()

    def grown(self, steps: int) -> Growth:
        for _ in range(self.random.randint(1, 3)):
            self.source()
        for _ in range(self.random.randint(2, steps)):
            self.random.choice(STEPS)(self)
        for one in self.open:
            self.leave(one)
        return self

    def name(self, kind: str) -> str:
        self.numbers[kind] += 1
        return f"{kind}_{self.numbers[kind]}"

    def take(self) -> Open:
        return self.open.pop(self.random.randrange(len(self.open)))

    def capacity(self, least: int) -> int:
        """A small capacity that a run of records fits into."""
        return max(self.random.choice(CAPACITIES), 1 << (least - 1).bit_length())

    def lane(self, start: Open) -> dict[str, Any]:
        renumber = {"renumber": True} if self.random.random() < 0.04 else {}
        return {"capacity": self.capacity(start.longest), **renumber}

    def connect(self, start: Open, end: str, lane: dict[str, Any] | None = None) -> Open:
        """Lead from an open part to another; give what then arrives there."""
        lane = lane or self.lane(start)
        tap = {"tap": self.name("tap")} if self.journals and self.random.random() < 0.1 else {}
        self.plan.connect(start.name, end, lane=lane, **tap)
        return replace(start, start=end, run=1, ends=0) if "renumber" in lane else start

    def source(self) -> None:
        name, random = self.name("in"), self.random
        kind = random.choice(["tick", "tick", "event"])
        keys: dict[str, Any] = {"sort_by": "time"} if random.random() < 0.3 else {}
        if random.random() < 0.25:
            lane_kind = "journal" if self.journals and random.random() < 0.5 else "events"
            keys["lane"] = {"kind": lane_kind, "capacity": random.choice(CAPACITIES)}
        self.plan.ingress(name, type=kind, **keys)
        self.open.append(Open(name, kind, name))

    def leave(self, start: Open) -> None:
        name = self.name("out")
        self.plan.egress(name)
        self.connect(start, name)

    def stage(self, kind: str, start: Open, lane: dict[str, Any] | None = None) -> Open:
        """Put a stage behind an open part."""
        call = self.random.choice(CHOICE[kind, start.type])
        name, keys = self.name(call), {**ONE, **FILTER, **MANY}[call]
        if call == "turn":
            keys = {"out": "event" if start.type == "tick" else "tick"}
        if call == "same":
            keys = {**keys, "params": {"add": self.random.randrange(9)}}
        if call == "some":
            keys = {**keys, "params": {"of": self.random.randint(2, 9)}}
        if call == "many":
            keys = {**keys, "max_out": self.random.randint(2, 4)}
            keys["params"] = {"most": keys["max_out"]}
        start = self.connect(start, name, lane)
        self.plan.stage(name, f"parts:{call}", **keys)
        times = keys.get("max_out", 1)
        return Open(name, keys.get("out", start.type), start.start, start.run * times, start.ends * times)

    def either(self, start: Open, lane: dict[str, Any] | None = None) -> Open:
        """A stage of any kind that still fits."""
        kinds = ["one", "filter", "many" if start.longest * 4 <= LONGEST else "one"]
        return self.stage(self.random.choice(kinds), start, lane)

    def router(self, policy: str, start: Open, **keys: Any) -> Open:
        name = self.name("router")
        start = self.connect(start, name)
        self.plan.router(name, policy, **keys)
        return replace(start, name=name)

    def merge(self, inputs: list[Open]) -> Open:
        """Join by time; runs add up where all have one numbering."""
        name = self.name("merge")
        stamp = {"stamp": "origin"} if self.random.random() < 0.6 else {}
        self.plan.merge(name, [one.name for one in inputs], field="time", late=self.late, **stamp)
        arrived = [self.connect(one, name) for one in inputs]
        if len({one.start for one in arrived}) > 1:
            return Open(name, inputs[0].type, name)
        run, ends = sum(one.run for one in arrived), sum(one.ends for one in arrived)
        return Open(name, inputs[0].type, arrived[0].start, run, ends)

    def alike(self, branches: list[Open]) -> list[Open]:
        """Those branches that have the commonest type, when they can be joined and their runs still fit."""
        kind = Counter(one.type for one in branches).most_common(1)[0][0]
        same = [one for one in branches if one.type == kind]
        fits = sum(one.run for one in same) <= LONGEST and sum(one.ends for one in same) <= LONGEST
        return same if len(same) > 1 and fits else []


def _step(kind: str) -> Any:
    def one(growth: Growth) -> None:
        start = growth.take()
        fits = kind != "many" or start.longest * 4 <= LONGEST
        growth.open.append(growth.stage(kind, start) if fits else start)

    return one


def _total(growth: Growth) -> None:
    """Flat state, and records at the end."""
    start = growth.take()
    most = growth.random.randint(1, 3)
    if start.type == "tick" and start.ends + most <= LONGEST:
        name = growth.name("total")
        start = growth.connect(start, name)
        keys = {"min_out": 0, "writes": [], "state": {"type": "whole"}, "end": {"type": "tick", "max": most}}
        growth.plan.stage(name, "parts:total", **keys)
        start = replace(start, name=name, ends=start.ends + most)
    growth.open.append(start)


def _fanout(growth: Growth) -> None:
    """Part, and often meet again."""
    start = growth.take()
    lane = growth.lane(start)
    _meet(growth, [growth.either(start, lane) for _ in range(growth.random.randint(2, 3))])


def _broadcast(growth: Growth) -> None:
    """Part by lanes of their own."""
    start = growth.router("broadcast", growth.take())
    small, large = ({"capacity": growth.capacity(start.longest) << i} for i in (0, 1))
    _meet(growth, [growth.either(start, small), growth.either(start, large)])


def _by_key(growth: Growth) -> None:
    start = growth.router("by_key", growth.take(), key="key")
    _meet(growth, [growth.either(start) for _ in range(growth.random.randint(2, 3))])


def _queue(growth: Growth) -> None:
    start = growth.router("work_queue", growth.take())
    _meet(growth, [growth.either(start) for _ in range(growth.random.randint(2, 3))])


def _meet(growth: Growth, branches: list[Open]) -> None:
    if growth.random.random() < 0.8 and (same := growth.alike(branches)):
        branches = [one for one in branches if one not in same]
        growth.random.shuffle(same)
        branches.append(growth.merge(same))
    growth.open += branches


def _turns(growth: Growth) -> None:
    """Deal out in turn, one to one, and take back in turn."""
    start = growth.router("work_queue", growth.take())
    back, count = growth.name("back"), growth.random.randint(2, 3)
    workers = [growth.stage("one", start) for _ in range(count)]
    if len({one.type for one in workers}) > 1:
        growth.open += workers
        return
    for one in workers:
        growth.connect(one, back)
    growth.plan.merge(back, [one.name for one in workers], "round_robin")
    growth.open.append(Open(back, workers[0].type, back))


def _merge(growth: Growth) -> None:
    """Join open parts of one type."""
    growth.random.shuffle(growth.open)
    if same := growth.alike(growth.open)[:3]:
        growth.open = [one for one in growth.open if one not in same]
        growth.open.append(growth.merge(same))


STEPS = (
    _step("one"),
    _step("one"),
    _step("filter"),
    _step("many"),
    _total,
    _fanout,
    _fanout,
    _broadcast,
    _by_key,
    _by_key,
    _queue,
    _turns,
    _merge,
    _merge,
)
