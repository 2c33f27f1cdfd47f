"""Random plans from a seed: rings, and plants that filter, multiply, part, spread and merge again.

Rule 1. The same seed gives the same plan; the count of a test that uses them is a real one.
Rule 2. A plan of `random_plant` has the right form; whether it can be ordered is for lowering to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from byteor import diag
from byteor.lower import Lowered, lower
from byteor.plan.document import PlanBuilder, lane_graph, single_ring
from byteor.plan.model import Plan

FIELDS = {"time": "i64", "key": "u32", "from": "u8", "px": {"type": "f64", "null": "nan"}}
TYPES = {"tick": FIELDS, "event": dict(reversed(FIELDS.items())), "total": {"key": "u32", "sum": "f64"}}
CAPACITIES = (1, 2, 4, 8, 64, 1024)


@dataclass
class Plant:
    """A plant that grows: `open` are the parts that nothing follows yet, with their type."""

    random: Random
    plan: PlanBuilder
    open: list[tuple[str, str]] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    ordered: bool = True

    def name(self, kind: str) -> str:
        self.used[kind] += 1
        return f"{kind}_{self.used[kind]}"

    def take(self) -> tuple[str, str]:
        return self.open.pop(self.random.randrange(len(self.open)))

    def lane(self) -> dict[str, Any]:
        """Sometimes an intent, with small capacities among them."""
        if self.random.random() < 0.5:
            return {}
        return {"lane": {"capacity": self.random.choice(CAPACITIES)}}

    def connect(self, start: str, end: str, **keys: Any) -> None:
        self.plan.connect(start, end, **{**self.lane(), **keys})


def random_plant(random: Random, steps: int = 8) -> Plan:
    """Grow a plant of a few steps; what is open at the end leaves."""
    on_full = random.choice(["block", "block", "drop"])
    plant = Plant(random, lane_graph(f"plant {random.randrange(100)}", TYPES, on_full=on_full))
    for _ in range(random.randint(1, 3)):
        _source(plant)
    for _ in range(random.randint(1, steps)):
        random.choice(GROWTH)(plant)
    for start, _ in plant.open:
        name = plant.name("out")
        plant.plan.egress(name, format=random.choice(["auto", "csv", "parquet"]))
        plant.connect(start, name)
    if random.random() < 0.5:
        plant.plan.supervise("in_1", limit=random.randint(0, 9)).group("edge", ["in_1", "out_1"]).pin("out_1", 1)
    return plant.plan.plan


def _source(plant: Plant) -> None:
    name, kind = plant.name("in"), plant.random.choice(["tick", "tick", "event"])
    own = {"lane": plant.random.choice(["journal", "events"])} if plant.random.random() < 0.2 else {}
    plant.plan.ingress(name, type=kind, sort_by="time", **own)
    plant.open.append((name, kind))


def _stage(plant: Plant, name: str, start: tuple[str, str], out: str | None = None, **keys: Any) -> tuple[str, str]:
    form = plant.random.choice(["message", "message", "batch"])
    given = {"out": out} if out else {}
    src = form == "batch" and ((out or start[1]) != start[1] or keys.get("max_out", 1) > 1)
    writes = ["px"] if plant.random.random() < 0.95 else ["px", "time"]
    plant.plan.stage(name, f"stages:{name}", form=form, writes=writes, src=src, **given, **keys)
    tap = {"tap": f"tap of {name}"} if plant.random.random() < 0.15 else {}
    plant.connect(start[0], name, **tap)
    return name, out or start[1]


def _same(plant: Plant) -> None:
    plant.open.append(_stage(plant, plant.name("same"), plant.take(), clock=plant.random.random() < 0.1))


def _turn(plant: Plant) -> None:
    start = plant.take()
    plant.open.append(_stage(plant, plant.name("turn"), start, "event" if start[1] == "tick" else "tick"))


def _filter(plant: Plant) -> None:
    plant.open.append(_stage(plant, plant.name("filter"), plant.take(), min_out=0))


def _many(plant: Plant) -> None:
    keys = {"min_out": 0, "max_out": plant.random.randint(2, 4)}
    plant.open.append(_stage(plant, plant.name("many"), plant.take(), None, **keys))


def _fanout(plant: Plant) -> None:
    """Part: the same part stays open more than once; each time something else follows it."""
    start = plant.take()
    branches = [_stage(plant, plant.name("branch"), start) for _ in range(plant.random.randint(2, 3))]
    plant.open += branches


def _spread(plant: Plant) -> None:
    start, name = plant.take(), plant.name("spread")
    policy = plant.random.choice(["by_key", "work_queue", "broadcast", "first_idle"])
    plant.plan.router(name, policy, **({"key": "key"} if policy == "by_key" else {}))
    plant.connect(start[0], name)
    plant.open += [_stage(plant, plant.name("worker"), (name, start[1])) for _ in range(2)]


def _turns(plant: Plant) -> None:
    """Work dealt out in turn and taken back in turn; the merge is sometimes left to lowering."""
    start, name = plant.take(), plant.name("deal")
    plant.plan.router(name, "work_queue")
    plant.connect(start[0], name)
    workers = [_stage(plant, plant.name("dealt"), (name, start[1])) for _ in range(2)]
    end = plant.name("back")
    if plant.random.random() < 0.5:
        plant.plan.merge(end, [name for name, _ in workers], "round_robin")
    else:
        plant.plan.stage(end, writes=[])
        for worker, _ in workers:
            plant.plan.connect(worker, end)
    plant.open.append((end, start[1]))


def _merge(plant: Plant) -> None:
    """Join open parts of one type."""
    kind = plant.random.choice(["tick", "event"])
    fitting = [one for one in plant.open if one[1] == kind]
    if len(fitting) < 2:
        return
    inputs = plant.random.sample(fitting, plant.random.randint(2, min(3, len(fitting))))
    plant.open = [one for one in plant.open if one not in inputs]
    name = plant.name("merge")
    policy = plant.random.choice(["by_field", "by_field", "by_field", "arrival"])
    keys = {"field": "time", "stamp": "from"} if policy == "by_field" else {}
    plant.plan.merge(name, [one for one, _ in inputs], policy, **keys)
    plant.open.append((name, kind))


GROWTH = (_same, _turn, _filter, _many, _fanout, _spread, _turns, _merge, _merge, _merge)


def random_ring(random: Random) -> Plan:
    """A ring whose stages read what they like and write nothing, so that none can race."""
    shards = random.choice([1, 1, 2, 8])
    keys = {"shards": shards, "ordering": "per_key", "shard_key": "key"} if shards > 1 else {}
    made = single_ring(f"ring {random.randrange(100)}", "tick", TYPES, capacity=1 << random.randrange(12), **keys)
    made.ingress("in", null_text=random.choice([["NA"], ["", "NA"]]))
    count = random.randint(1, 8)
    for i in range(count):
        after = [f"stage {j}" for j in sorted(random.sample(range(i), random.randint(1, i)))] if i else []
        last = {"end": "total"} if i == count - 1 else {}
        state = {"state": {"type": "total", "by": "key", "max": random.randint(1, 99)}}
        params = {"limit": random.choice([1, 0.5, True, "text"])}
        made.stage(
            f"stage {i}",
            f"stages:f{i}",
            after=after,
            writes=[],
            min_out=random.randint(0, 1),
            params=params,
            **state,
            **last,
        )
    return made.egress("out", emit="end", sort=["key"]).plan


def lowered(make: Any, count: int, seed: int = 1) -> Iterator[tuple[Plan, Lowered]]:
    """Give `count` plans that can be lowered, each with what it was lowered to."""
    random = Random(seed)
    while count:
        plan: Plan = make(random)
        found = lower(plan)
        if found.spec is not None and not diag.errors(found.all_findings):
            count -= 1
            yield plan, found
