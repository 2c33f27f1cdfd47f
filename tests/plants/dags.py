"""Random plants with everything in them, from a seed: a valid lane graph, its stages, and what comes in.

Rule 1. The same seed gives the same plant and the same rows, always.
Rule 2. Every graph went through the plan's checks and through lowering, and has one answer whatever the schedule.
Rule 3. Runs of equal times are longer than any lane; what occurred is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from byteor import diag
from byteor.lower import lower
from byteor.spec.flow import flow_of, is_ordering
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import Stage
from tests.plants import parts
from tests.plants.growth import Growth
from tests.plants.rows import packed

# Where `parts:f` is looked for by whoever resolves a spec's calls.
FOLDER = Path(__file__).resolve().parent
KEYS = 7


@dataclass(frozen=True, slots=True)
class Dag:
    """One plant: `stages` are functions by the stage's name, `rows` what comes in by the ingress's name."""

    seed: int
    graph: LaneGraph
    stages: dict[str, Any]
    rows: dict[str, np.ndarray]
    used: Counter[str]


def dag(seed: int, steps: int = 6, journals: bool = False, times: int = 1) -> Dag:
    """Make the plant of a seed; `journals`: with taps, and journals before some sources; `times` as many rows."""
    for attempt in count():
        random = Random(f"{seed} {attempt}")
        growth = Growth(random, journals).grown(steps)
        found = lower(growth.plan.plan)
        if isinstance(graph := found.spec, LaneGraph) and not diag.errors(found.all_findings):
            stages = {role.stage.name: parts.STAGES[role.stage.call.partition(":")[2]] for role in graph.stages}
            rows = {
                at.ingress.name: _rows(random, graph, i, growth.late, times) for i, at in enumerate(graph.ingresses)
            }
            return Dag(seed, graph, stages, rows, used(graph, rows) + Counter(refused=attempt))
    raise AssertionError("a count ends")


def _rows(random: Random, graph: LaneGraph, number: int, late: str, factor: int) -> np.ndarray:
    """What comes in at one source: times in long runs, falling where that is allowed."""
    ingress = graph.ingresses[number].ingress
    count = random.choice([0, 1, 30, 50, 70]) * factor
    rows = np.zeros(count, packed(next(t for t in graph.types if t.name == ingress.type)))
    times: list[int] = []
    now = random.randrange(3)
    while len(times) < len(rows):
        times += [now] * random.choice([1, 1, 2, 3, 40])
        now += random.choice([1, 1, 4, -1 if late == "drop" else 1])
    times = times[: len(rows)]
    if ingress.sort_by is not None:
        random.shuffle(times)
    rows["time"] = times
    rows["key"] = [random.randrange(KEYS) for _ in times]
    rows["n"] = [random.randrange(1000) for _ in times]
    return rows


def dags(number: int, seed: int = 0, **keys: Any) -> Iterator[Dag]:
    """Make so many plants."""
    return (dag(seed + i, **keys) for i in range(number))


def used(graph: LaneGraph, rows: dict[str, np.ndarray]) -> Counter[str]:
    """How often each feature occurs in one plant."""
    found: Counter[str] = Counter(plants=1)
    found["several sources"] = int(len(graph.ingresses) > 1)
    found["several egresses"] = int(len(graph.egresses) > 1)
    found["empty source"] = sum(len(one) == 0 for one in rows.values())
    found["sorted source"] = sum(at.ingress.sort_by is not None for at in graph.ingresses)
    found["bridge"] = len(graph.bridges)
    found.update(lane.kind for lane in graph.lanes)
    found.update(f"capacity {lane.capacity}" for lane in graph.lanes if lane.kind != "journal")
    found.update(f"router {router.policy}" for router in graph.routers)
    found.update(f"merge {merge.policy}" for merge in graph.merges)
    found["merge that stamps"] = sum(merge.stamp is not None for merge in graph.merges)
    found["late: drop"] = int(any(merge.late == "drop" for merge in graph.merges))
    found.update(feature for role in graph.stages for feature in _features(role.stage))
    return found + _orders(graph, rows)


def _orders(graph: LaneGraph, rows: dict[str, np.ndarray]) -> Counter[str]:
    """What occurs before merges by field."""
    flow, found = flow_of(graph), Counter[str]()
    starts = [lane.order and lane.order.numbering for lane in graph.lanes]
    for role in flow.roles:
        if is_ordering(role):
            several = len({starts[number] for number, _ in role.inputs}) > 1
            found["merge of several numberings" if several else "merge of one numbering"] += 1
    for lane, writers in enumerate(flow.writers):
        found["numbered anew"] += starts[lane] == lane and writers[0].kind not in ("ingress", "merge")
    largest = max(lane.capacity for lane in graph.lanes if lane.kind != "journal")
    longest = max((len(list(run)) for one in rows.values() for _, run in groupby(one["time"].tolist())), default=0)
    found["equal times beyond every capacity"] = int(longest > largest and starts != [None] * len(starts))
    return found


def _features(stage: Stage) -> Iterator[str]:
    yield f"stage {stage.call.partition(':')[2]}"
    yield "compiled" if stage.compiled else "plain"
    yield stage.form
    if stage.in_place and stage.min_out == 0:
        yield "filter"
    if stage.max_out > 1:
        yield "one to many"
    if stage.in_ != stage.out:
        yield "type change"
    if stage.state:
        yield "keyed state" if stage.state.by else "flat state"
    if stage.end:
        yield "end"
