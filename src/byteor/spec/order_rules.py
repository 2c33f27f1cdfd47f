"""Rules on order: what ordering merges need of every lane and stage before them.

Rule 1. Judged on whole flows alone: lanes that are known, written once, in topological order.
Rule 2. Each rule was needed in a model of random schedules: without it a plant waited for itself, or its output
    depended on timing.
"""

from __future__ import annotations

from byteor.spec.codec import shown
from byteor.spec.flow import Flow, Role, flow_of, is_ordering
from byteor.spec.lane_graph import LaneGraph, Order
from byteor.spec.model import IDENTITY
from byteor.spec.numbering import Numbering, meet, numbering_of, runs, splits, told
from byteor.spec.table import Entry, Hit, Hits, states

TABLE: list[Entry] = []
_kept: list[tuple[Flow, Numbering]] = []


def _of(graph: LaneGraph) -> tuple[Flow, Numbering] | None:
    """The flow with what is asked of it; None where it is not whole, or nothing orders."""
    flow = flow_of(graph)
    if not flow.whole or not any(is_ordering(role) for role in flow.roles):
        return None
    for kept in _kept:
        if kept[0] is flow:
            return kept
    _kept[:] = [made := (flow, numbering_of(flow, told(graph)))]
    return made


@states(TABLE, "S120", "two-merge-fields", LaneGraph)
def two_merge_fields(graph: LaneGraph) -> Hits:
    """
    What: two merges behind one lane order by different fields.
    Why: a lane has one mark, a bound on one field; records cannot wait in two orders at once.
    Example: a fanout whose branches meet in a merge by `time` and in another by `id`.
    Instead: order by one field, or start a new numbering between the two (`renumber = true` on a lane).
    """
    if found := _of(graph):
        for clash in found[1].clashes:
            if clash.first.by != clash.second.by:
                fields = f"`{shown(clash.first.by)}` and by `{shown(clash.second.by)}`"
                related = tuple((f"{d.path}.field", "orders by it") for d in (clash.first, clash.second))
                message = f"merges behind lane `{shown(graph.lanes[clash.lane].name)}` order by {fields}"
                yield Hit(f"lanes.{clash.lane}", message, "order by one field", related)


@states(TABLE, "S121", "late-differs", LaneGraph)
def late_differs(graph: LaneGraph) -> Hits:
    """
    What: of two merges behind one lane, one fails on late records and the other drops them.
    Why: whether a record is late is judged once, where its numbering starts.
    Example: `late = "fail"` in one merge and `late = "drop"` in another, after the same ingress.
    Instead: the same word in both.
    """
    if found := _of(graph):
        for clash in found[1].clashes:
            if clash.first.by == clash.second.by:
                related = tuple((f"{d.path}.late", shown(d.late)) for d in (clash.first, clash.second))
                message = f"merges behind lane `{shown(graph.lanes[clash.lane].name)}` treat late records differently"
                yield Hit(f"lanes.{clash.lane}", message, "", related)


@states(TABLE, "S122", "merge-field-written", LaneGraph)
def merge_field_written(graph: LaneGraph) -> Hits:
    """
    What: a stage before an ordering merge may write the merge's field, or another merge stamps it.
    Why: records stand in the order of this field from where their numbering starts; whoever changes it breaks it.
    Example: a stage without `writes`, which then means every field, before a merge by `time`.
    Instead: name in `writes` what it does write. A stage that gives other records copies the field.
    """
    for _, numbering, role, lane, by in _kept_by(graph):
        stage = role.stage
        if stage and stage.call != IDENTITY:
            if stage.writes is None and stage.in_place:
                message = f"`{shown(stage.name)}` may write every field, and a merge behind it orders by `{shown(by)}`"
                yield Hit(f"{role.path}.stage.writes", message, "declare `writes` without it", _merge(numbering, lane))
            elif by in (stage.writes or ()):
                message = f"`{shown(stage.name)}` writes `{shown(by)}`, and a merge behind it orders by it"
                yield Hit(f"{role.path}.stage.writes", message, "take it out of `writes`", _merge(numbering, lane))
        elif role.kind == "merge" and role.part.stamp == by:
            message = f"`{shown(role.name)}` stamps `{shown(by)}`, and a merge behind it orders by it"
            yield Hit(f"{role.path}.stamp", message, "stamp another field", _merge(numbering, lane))


def _kept_by(graph: LaneGraph) -> list[tuple[Flow, Numbering, Role, int, str]]:
    """The roles that keep order words, with the lane that they write and the field that they must not touch."""
    found = _of(graph)
    if not found:
        return []
    flow, numbering = found
    pairs = ((writers[0], lane, numbering.demands[lane]) for lane, writers in enumerate(flow.writers))
    return [(flow, numbering, role, lane, d.by) for role, lane, d in pairs if d and numbering.keeps(lane)]


def _merge(numbering: Numbering, lane: int) -> tuple[tuple[str, str], ...]:
    demand = numbering.demands[lane]
    return ((f"{demand.path}.field", "orders by it"),) if demand else ()


@states(TABLE, "S123", "merge-field-missing", LaneGraph)
def merge_field_missing(graph: LaneGraph) -> Hits:
    """
    What: a type before an ordering merge has not the merge's field, or has it with another type.
    Why: records stand in the order of this field from where their numbering starts, so all of them have it.
    Example: a stage from `line` to `event` before a merge by `time`, where `line` has no `time`.
    Instead: add the field to both types, or start a new numbering behind the stage (`renumber = true` on its lane).
    """
    for flow, numbering, role, lane, by in _kept_by(graph):
        if role.kind != "stage" or not role.inputs:
            continue
        before, behind = flow.type(role.inputs[0][0]), flow.type(lane)
        if before is None or behind is None or (field := behind.field(by)) is None:
            continue
        if (there := before.field(by)) is None:
            message = f"`{shown(role.name)}` takes `{shown(before.name)}`, which has no `{shown(by)}` to be ordered by"
            help = "add the field, or write `renumber = true` on the lane behind the stage"
            yield Hit(f"{role.path}.stage.in", message, help, _merge(numbering, lane))
        elif there.type != field.type:
            message = f"`{shown(by)}` is {shown(there.type)} in `{shown(before.name)}`, then {shown(field.type)}"
            yield Hit(f"{role.path}.stage.in", message, "use one type for it", _merge(numbering, lane))


@states(TABLE, "S124", "mixed-numberings", LaneGraph)
def mixed_numberings(graph: LaneGraph) -> Hits:
    """
    What: an ordering merge has inputs of different numberings that come from one fanout or router.
    Why: equal keys would stand in different orders on the two ways, and each would wait for the other.
    Example: one branch of a fanout goes through a merge with a second source, then meets the other branch.
    Instead: merge the second source before the fanout, or behind the place where the branches meet.
    """
    found = _of(graph)
    if not found:
        return
    flow, numbering = found
    joins = [role for role in flow.roles if is_ordering(role) and _joins(numbering, role)]
    above = _splits_above(flow) if joins else []
    for role in joins:
        seen: dict[int, int] = {}
        for number, path in role.inputs:
            start = numbering.starts[number]
            if any(above[number] & bits for other, bits in seen.items() if other != start):
                message = f"lane `{shown(graph.lanes[number].name)}` comes from the same split as another input"
                yield Hit(path, f"{message}, under another numbering", "merge before the split")
            seen[start] = seen.get(start, 0) | above[number]


def _joins(numbering: Numbering, role: Role) -> bool:
    return len({numbering.starts[number] for number, _ in role.inputs}) > 1


def _splits_above(flow: Flow) -> list[int]:
    """For each lane the splits that its records went through, itself included, as bits."""
    above: list[int] = []
    count = 0
    routers: dict[str, int] = {}
    for lane, writers in enumerate(flow.writers):
        role = writers[0]
        bits = 0
        for number, _ in role.inputs:
            bits |= above[number]
        if len(role.outputs) > 1 and role.path not in routers:
            routers[role.path], count = 1 << count, count + 1
        bits |= routers.get(role.path, 0)
        if len(flow.readers[lane]) > 1:
            bits, count = bits | 1 << count, count + 1
        above.append(bits)
    return above


@states(TABLE, "S125", "run-too-long", LaneGraph)
def run_too_long(graph: LaneGraph) -> Hits:
    """
    What: more records may share an order word than fit where the lanes part, and the branches meet again.
    Why: the merge takes a whole run from one branch before the other; if it does not fit, both wait for ever.
    Example: `max_out = 100` before a fanout of 64 slots whose branches meet in a merge by field.
    Instead: a capacity of at least the run, or a new numbering here (`renumber = true` on the lane that parts).
    """
    found = _of(graph)
    if not found:
        return
    flow, numbering = found
    lengths = runs(flow, numbering)
    for split in splits(flow):
        if numbering.demands[split.lane] is None:
            continue
        lanes = [split.lane] if split.role is None else [number for number, _ in split.role.outputs]
        small = min(lanes, key=lambda number: graph.lanes[number].capacity)
        room = graph.lanes[small].capacity
        if 0 < room < lengths[split.lane] and (merge := meet(flow, numbering, split)):
            message = f"{lengths[split.lane]} records may share an order word, and {room} fit"
            help = f"use a capacity of at least {lengths[split.lane]}, or write `renumber = true` on the lane"
            yield Hit(f"lanes.{small}.capacity", message, help, ((merge, "the branches meet here"),))


@states(TABLE, "S126", "no-src", LaneGraph)
def no_src(graph: LaneGraph) -> Hits:
    """
    What: a per-batch stage that gives other records than it takes stands before an ordering merge, and names no `src`.
    Why: each record that it gives inherits the order word of one that it took; only `src` says which.
    Example: `form = "batch"` and `out = "event"` before a merge by `time`.
    Instead: `src = true`, and a function that fills `src`; or the per-message form, where it is plain.
    """
    for _, numbering, role, lane, _ in _kept_by(graph):
        if (stage := role.stage) and stage.form == "batch" and not stage.in_place and not stage.src:
            message = f"`{shown(stage.name)}` gives batches to an ordering merge, and not of which record each came"
            help = "name `src`, or use the per-message form"
            yield Hit(f"{role.path}.stage.src", message, help, _merge(numbering, lane))


@states(TABLE, "S127", "unordered-lane", LaneGraph)
def unordered_lane(graph: LaneGraph) -> Hits:
    """
    What: a lane before an ordering merge is a state lane, an overwriting journal, or has several producers.
    Why: the first two skip what a reader was too slow for, and several producers have no order between them.
    Example: `lane = { kind = "state" }` between an ingress and a merge by `time`.
    Instead: an events lane with one producer; a journal with `retain = "all"`.
    """
    found = _of(graph)
    for i, lane in enumerate(graph.lanes) if found else ():
        if found and (demand := found[1].demands[i]):
            lossy = lane.kind == "state" or lane.retain == "overwrite"
            if lossy or lane.producers > 1:
                why = "skips records" if lossy else "has several producers"
                message = f"lane `{shown(lane.name)}` {why}, and a merge behind it orders by `{shown(demand.by)}`"
                yield Hit(f"lanes.{i}", message, "", _merge(found[1], i))


@states(TABLE, "S128", "wrong-order", LaneGraph)
def wrong_order(graph: LaneGraph) -> Hits:
    """
    What: a lane's `order` is not what follows from the merges behind it.
    Why: it decides what a slot holds and how marks are compared, so both ends of every lane have to agree on it.
    Example: a lane before a merge by `time` without `order`.
    Instead: build the graph with `LaneGraphBuilder` or from a plan: they fill it in.
    """
    flow = flow_of(graph)
    if not flow.whole:
        return
    found = _of(graph)
    if found and found[1].clashes:
        return
    wanted = found[1].orders() if found else iter([None] * len(graph.lanes))
    for i, (lane, order) in enumerate(zip(graph.lanes, wanted, strict=True)):
        if lane.order != order:
            yield Hit(f"lanes.{i}.order", f"the order is {_order(lane.order)}, what follows is {_order(order)}")


def _order(order: Order | None) -> str:
    if order is None:
        return "none"
    return f"by `{shown(order.by)}`, numbered from lane {order.numbering}, late: {shown(order.late)}"
