"""Rules on the roles of a lane graph: routers, merges, the stages of a plant, egresses.

Rule 1. What a policy needs stands in the role, and nothing that it has no use for.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.spec.codec import shown
from byteor.spec.flow import Flow, Role, flow_of
from byteor.spec.lane_graph import LaneGraph, Merge, Router
from byteor.spec.model import IDENTITY, Scalar, SingleRing, scalar
from byteor.spec.ring_rules import key_hits, twice_in
from byteor.spec.stage_rules import each
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.values import limits

TABLE: list[Entry] = []


@states(TABLE, "S111", "bad-router-outputs", LaneGraph)
def bad_router_outputs(graph: LaneGraph) -> Hits:
    """
    What: a router has no output, or one twice.
    Why: what comes in has to go somewhere, and a lane that is named twice would get records twice.
    Example: a router without `to`.
    Instead: name each lane once.
    """
    for i, router in enumerate(graph.routers):
        if not router.to:
            yield Hit(f"routers.{i}.to", f"router `{shown(router.name)}` has no output", "name a lane")
        yield from twice_in(f"routers.{i}.to", router.to)


@states(TABLE, "S112", "bad-router-key", LaneGraph)
def bad_router_key(graph: LaneGraph) -> Hits:
    """
    What: a `by_key` router has no exact key, or another router has a key.
    Why: the key's bytes decide the output; floats have several byte patterns for equal values.
    Example: `policy = "by_key"` without `key`.
    Instead: name an integer, bytes, bool or timestamp field; for other policies remove `key`.
    """
    flow = flow_of(graph)
    for role in _of(flow, "router"):
        router: Router = role.part
        if router.policy != "by_key":
            if router.key is not None:
                yield Hit(f"{role.path}.key", f"policy `{shown(router.policy)}` has no use for a key", "remove it")
        elif router.key is None:
            yield Hit(f"{role.path}.key", "policy `by_key` needs a key", "name a field of the type")
        elif role.inputs and (message := flow.type(role.inputs[0][0])):
            yield from key_hits(f"{role.path}.key", router.key, message, exact=True)


def _of(flow: Flow, kind: str) -> Iterator[Role]:
    return (role for role in flow.roles if role.kind == kind)


@states(TABLE, "S113", "bad-merge-inputs", LaneGraph)
def bad_merge_inputs(graph: LaneGraph) -> Hits:
    """
    What: a merge has fewer than two inputs, or one twice.
    Why: one input is a bridge; a lane that is read twice by one role would be released by half.
    Example: a merge with `from` of one lane.
    Instead: name every lane once; a single one needs no merge.
    """
    for i, merge in enumerate(graph.merges):
        if len(merge.from_) < 2:
            yield Hit(f"merges.{i}.from", f"merge `{shown(merge.name)}` has too few inputs: {len(merge.from_)}")
        yield from twice_in(f"merges.{i}.from", merge.from_)


@states(TABLE, "S114", "bad-merge-field", LaneGraph)
def bad_merge_field(graph: LaneGraph) -> Hits:
    """
    What: a `by_field` merge has no field to order by, or one that is no key; or another merge has a field.
    Why: keys compare as 64-bit integers: i8 to i64, u8 to u32 and timestamps, one scalar, never null.
    Example: `field = "price"`, a float.
    Instead: name a timestamp or an integer that never falls on any input.
    """
    flow = flow_of(graph)
    for role in _of(flow, "merge"):
        merge: Merge = role.part
        at = f"{role.path}.field"
        if merge.policy != "by_field":
            if merge.field is not None:
                yield Hit(at, f"policy `{shown(merge.policy)}` has no use for a field", "remove it")
        elif merge.field is None:
            yield Hit(at, "policy `by_field` needs a field", "name a field of the type")
        elif role.outputs and (message := flow.type(role.outputs[0][0])):
            found = list(key_hits(at, merge.field, message, exact=False))
            yield from found
            field = message.field(merge.field)
            if field and not found and not _is_key(scalar(field.type)):
                yield Hit(at, f"`{shown(merge.field)}` is {shown(field.type)}, which is no key of 64 bits")
            elif field and not found and field.null is not None:
                yield Hit(at, f"`{shown(merge.field)}` may be null, and a record without a key has no place", "drop it")


def _is_key(kind: Scalar | None) -> bool:
    """Unknown scalars have a code of their own."""
    return kind is None or kind.kind == "timestamp" or (kind.kind[0] in "iu" and kind.kind != "u64")


@states(TABLE, "S115", "bad-stamp", LaneGraph)
def bad_stamp(graph: LaneGraph) -> Hits:
    """
    What: a merge's `stamp` is no integer field that can count its inputs, or is the field that it orders by.
    Why: the place of a record's input in the list is written into this field.
    Example: `stamp = "source"`, a bytes field.
    Instead: an integer field of the type, for example a u8.
    """
    flow = flow_of(graph)
    for role in _of(flow, "merge"):
        merge: Merge = role.part
        at = f"{role.path}.stamp"
        message = flow.type(role.outputs[0][0]) if role.outputs else None
        if merge.stamp is None or message is None:
            continue
        found = list(key_hits(at, merge.stamp, message, exact=False))
        yield from found
        field = message.field(merge.stamp)
        kind = scalar(field.type) if field and not found else None
        if kind and (kind.kind[0] not in "iu" or limits(kind.kind)[1] < len(merge.from_) - 1):
            yield Hit(at, f"`{shown(merge.stamp)}` is {kind.kind}, which cannot count {len(merge.from_)} inputs")
        elif kind and merge.stamp == merge.field:
            yield Hit(at, f"`{shown(merge.stamp)}` is the field that the merge orders by", "use another field")


@states(TABLE, "S116", "uneven-round-robin", LaneGraph)
def uneven_round_robin(graph: LaneGraph) -> Hits:
    """
    What: a `round_robin` merge has inputs of which it cannot be shown that they bring equally many records.
    Why: it takes one of each in turn, so one that brings fewer would hold back all the others.
    Example: two ingresses; or a stage that filters on one of the ways.
    Instead: all outputs of one router or fanout, one-to-one stages between, lanes that block; or another policy.
    """
    flow = flow_of(graph)
    if not flow.whole:
        return
    for role in _of(flow, "merge"):
        merge: Merge = role.part
        if merge.policy == "round_robin" and (why := _uneven(flow, role)):
            yield Hit(f"{role.path}.policy", why, "use `by_field`, or `arrival` where order does not matter")


Way = tuple[str, int, int]


def _uneven(flow: Flow, merge: Role) -> str:
    """Why equal counts cannot be shown, or nothing."""
    ways: list[Way] = []
    for number, _ in merge.inputs:
        way = _origin(flow, merge, number)
        if isinstance(way, str):
            return way
        ways.append(way)
    if len({path for path, _, _ in ways}) > 1:
        return "the inputs do not come from one router or fanout"
    queue = [(at, of) for path, at, of in ways if path.startswith("routers.")]
    if queue and [at for at, _ in queue] != list(range(queue[0][1])):
        return "the inputs are not all outputs of the router, in its order"
    return ""


def _origin(flow: Flow, reader: Role, lane: int) -> Way | str:
    """Walk up from a lane to the split that its records come from: (key, which branch, how many); or why not."""
    while True:
        said = flow.graph.lanes[lane]
        if said.on_full == "drop" or said.kind == "state" or said.retain == "overwrite":
            return f"lane `{shown(said.name)}` may lose records"
        if len(flow.readers[lane]) > 1:
            return f"lanes.{lane}", flow.readers[lane].index(reader), len(flow.readers[lane])
        role = flow.writers[lane][0]
        if role.kind == "router":
            return _branch(role, lane)
        if (stage := role.stage) and (stage.min_out, stage.max_out, stage.end) != (1, 1, None):
            return f"`{shown(role.name)}` is not one-to-one"
        if role.kind not in ("stage", "bridge"):
            return f"one way begins at `{shown(role.name)}`, which is no router"
        reader, lane = role, role.inputs[0][0]


def _branch(router: Role, lane: int) -> Way | str:
    if router.part.policy not in ("broadcast", "work_queue"):
        return f"router `{shown(router.name)}` has policy `{shown(router.part.policy)}`"
    at = [number for number, _ in router.outputs].index(lane)
    path = router.path if router.part.policy == "work_queue" else f"broadcast {router.path}"
    return path, at, len(router.outputs)


@states(TABLE, "S117", "stage-bounds", LaneGraph)
def stage_bounds(graph: LaneGraph) -> Hits:
    """
    What: `min_out` and `max_out` are no bounds; or an identity changes something; or a stage waits for others.
    Why: they say how much room a batch needs. In a lane graph order comes from lanes, so `depends_on` is empty.
    Example: `min_out = 2` and `max_out = 1`.
    Instead: 0 <= `min_out` <= `max_out`, and `max_out` at least 1.
    """
    for path, stage in each(graph):
        if not 0 <= stage.min_out <= stage.max_out or stage.max_out < 1:
            message = f"`min_out` {stage.min_out} and `max_out` {stage.max_out} are no bounds"
            yield Hit(f"{path}.max_out", message, "use 0 <= `min_out` <= `max_out`, and at least 1")
        if stage.depends_on:
            yield Hit(f"{path}.depends_on", f"`{shown(stage.name)}` waits for other stages; lanes say what comes when")
        if stage.call == IDENTITY and not stage.in_place:
            yield Hit(f"{path}.call", f"`{shown(stage.name)}` is an identity, and gives other records than it takes")


@states(TABLE, "S118", "too-many-out", LaneGraph)
def too_many_out(graph: LaneGraph) -> Hits:
    """
    What: a stage's `max_out` is greater than the capacity of the lane that it writes.
    Why: a record is taken only when all that it may give fits; this one would never be taken.
    Example: `max_out = 100` before a lane of 64 slots.
    Instead: a larger lane.
    """
    for role in _of(flow_of(graph), "stage"):
        for number, _ in role.outputs:
            lane = graph.lanes[number]
            if (stage := role.stage) and stage.max_out > lane.capacity > 0:
                message = f"`{shown(stage.name)}` may give {stage.max_out} records, lane `{shown(lane.name)}` holds "
                related = ((f"lanes.{number}.capacity", "the lane"),)
                yield Hit(f"{role.path}.stage.max_out", f"{message}{lane.capacity}", "use a larger lane", related)


@states(TABLE, "S119", "src-without-batch", LaneGraph, SingleRing)
def src_without_batch(spec: LaneGraph | SingleRing) -> Hits:
    """
    What: a per-message stage, or a stage of a ring, says that it names `src`.
    Why: `src` tells of which record of a batch each one came; a message is alone, and a ring's records stay in place.
    Example: `form = "message"` and `src = true`.
    Instead: remove `src`.
    """
    for path, stage in each(spec):
        if stage.src and (stage.form != "batch" or isinstance(spec, SingleRing)):
            yield Hit(f"{path}.src", f"`{shown(stage.name)}` has no use for `src`", "remove it")


@states(TABLE, "S130", "plant-egress", LaneGraph)
def plant_egress(graph: LaneGraph) -> Hits:
    """
    What: an egress of a lane graph emits something else than rows, or sorts.
    Why: in a lane graph what `end` gives goes down the stage's own lane, and leaves as rows.
    Example: `emit = "end"`.
    Instead: `emit = "rows"`, and an egress for each lane that shall leave.
    """
    for i, at in enumerate(graph.egresses):
        if at.egress.emit in ("end", "both"):
            message = f"the egress emits `{at.egress.emit}`, lanes bring rows"
            yield Hit(f"egresses.{i}.egress.emit", message, "use `rows`")
        if at.egress.sort:
            yield Hit(f"egresses.{i}.egress.sort", "rows keep the order of their lane", "remove `sort`")


@states(TABLE, "S131", "plant-end-type", LaneGraph)
def plant_end_type(graph: LaneGraph) -> Hits:
    """
    What: in a lane graph, a stage's `end` gives another type than its `out`.
    Why: both go down the same lane.
    Example: `out = "event"` and `end = "statistic"`.
    Instead: a stage of its own for the aggregate, with `out = "statistic"` and `min_out = 0`.
    """
    for path, stage in each(graph):
        if stage.end and stage.end.type != stage.out:
            message = f"`end` gives `{shown(stage.end.type)}`, `{shown(stage.name)}` gives `{shown(stage.out)}`"
            yield Hit(f"{path}.end.type", message, f"use `{shown(stage.out)}`")
