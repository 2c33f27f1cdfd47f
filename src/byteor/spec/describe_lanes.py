"""A lane graph in words: what flows where, in which order records come, and what the result may depend on.

Rule 1. Deterministic text: the same spec gives the same bytes, and nothing outside the spec shows in it.
Rule 2. A spec with findings can be described as well; what is unknown is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from byteor.spec.flow import Flow, Role, flow_of
from byteor.spec.lane_graph import Lane, LaneGraph, Order, Router
from byteor.spec.model import IDENTITY, Stage


def head(graph: LaneGraph) -> Iterator[str]:
    """Name the graph and its size."""
    total = sum(max(1, lane.producers) * lane.capacity * lane.slot_bytes for lane in graph.lanes)
    roles = len(flow_of(graph).roles)
    yield f"lane graph `{graph.name}`"
    yield f"  {len(graph.lanes)} lanes of {total} bytes, {roles} roles"
    yield f"  wait {graph.wait}, a full lane: {graph.on_full} unless it says otherwise"


def lanes(graph: LaneGraph) -> Iterator[str]:
    """Describe every lane, with its writer and its readers."""
    flow = flow_of(graph)
    yield "lanes"
    for i, lane in enumerate(graph.lanes):
        yield f"  {i} `{lane.name}` {lane.kind} of `{lane.type}`, {_slots(lane)}"
        yield f"    from {_names(flow.writers[i]) or 'nobody'} to {_names(flow.readers[i]) or 'nobody'}"
        if lane.order:
            yield f"    {_order(graph, i, lane.order)}"


def _slots(lane: Lane) -> str:
    if lane.kind == "journal":
        return f"segments of {lane.capacity} records of {lane.slot_bytes} bytes, retain {lane.retain}"
    rings = f"{lane.producers} producers, each " if lane.producers > 1 else ""
    full = "never full" if lane.kind == "state" else f"full: {lane.on_full}"
    return f"{rings}{lane.capacity} slots of {lane.slot_bytes} bytes, {full}"


def _names(roles: tuple[Role, ...]) -> str:
    return " and ".join(f"`{role.name}`" for role in roles)


def _order(graph: LaneGraph, number: int, order: Order) -> str:
    if order.numbering == number:
        return f"ordered by `{order.by}`, then as numbered here; a record whose `{order.by}` falls: {order.late}"
    start = graph.lanes[order.numbering].name if 0 <= order.numbering < len(graph.lanes) else "?"
    return f"ordered by `{order.by}`, then as numbered on `{start}`: order words in a side array"


def roles(graph: LaneGraph) -> Iterator[str]:
    """Describe every role, kind by kind."""
    flow = flow_of(graph)
    for kind, group in groupby(flow.roles, key=lambda role: role.kind):
        yield {"ingress": "ingresses", "egress": "egresses"}.get(kind, f"{kind}s")
        for role in group:
            yield f"  `{role.name}` {_what(role)}: {_way(flow, role)}"
            yield from (f"    {line}" for line in _details(role))


def _way(flow: Flow, role: Role) -> str:
    sides = [[f"`{flow.graph.lanes[number].name}`" for number, _ in side] for side in (role.inputs, role.outputs)]
    return " to ".join(", ".join(side) for side in sides if side) or "nothing"


def _what(role: Role) -> str:
    part = role.part
    if role.kind == "ingress":
        return f"{part.ingress.format} of `{part.ingress.type}`, a bad row: {part.ingress.bad}"
    if role.kind == "egress":
        return f"{part.egress.format} of `{part.egress.type}`"
    if role.kind == "router":
        return f"{part.policy} `{part.key}`" if part.key is not None else f"{part.policy}"
    if role.kind == "merge":
        return f"{part.policy} `{part.field}`" if part.field is not None else f"{part.policy}"
    return _call(role.stage) if role.stage else "identity"


def _call(stage: Stage) -> str:
    if stage.call == IDENTITY:
        return "identity"
    return f"{stage.call}, per {stage.form}, {'compiled' if stage.compiled else 'plain Python'}"


def _details(role: Role) -> Iterator[str]:
    if role.stage:
        yield from _stage(role.stage)
    elif role.kind == "merge" and role.part.stamp is not None:
        yield f"writes the place of the input, from 0, into `{role.part.stamp}`"
    elif role.kind == "ingress" and role.part.ingress.sort_by is not None:
        yield f"sorted by `{role.part.ingress.sort_by}` before it enters (loads or spills its input)"


def _stage(stage: Stage) -> Iterator[str]:
    if not stage.in_place:
        src = ", and says of which it came" if stage.src else ""
        yield f"takes `{stage.in_}`, gives {stage.min_out} to {stage.max_out} `{stage.out}` for each{src}"
    elif stage.min_out == 0:
        yield "may filter"
    if stage.call != IDENTITY:
        yield f"reads {_fields(stage.reads)}; writes {_fields(stage.writes)}"
    if stage.state:
        by = f", one a key of {_fields(stage.state.by)}, at most {stage.state.max}" if stage.state.by else ""
        yield f"keeps `{stage.state.type}`{by}"
    if stage.end:
        yield f"gives at most {stage.end.max} `{stage.end.type}` at the end"
    for param in stage.params:
        yield f"param {param.name}: {param.type} = {param.value}"
    if stage.compiled and not stage.boundscheck:
        yield "no bounds checks"


def _fields(names: tuple[str, ...] | None) -> str:
    if names is None:
        return "every field"
    return ", ".join(f"`{name}`" for name in names) or "nothing"


def dependences(graph: LaneGraph) -> Iterator[str]:
    """Say what else than the input the result depends on, a line for each reason."""
    flow = flow_of(graph)
    for lane, readers in zip(graph.lanes, flow.readers, strict=True):
        yield from _of_lane(lane, bool(readers))
    for role in flow.roles:
        if role.kind == "merge" and role.part.policy == "arrival":
            yield f"merge `{role.name}` takes whatever arrives first"
        if isinstance(role.part, Router) and role.part.policy == "first_idle":
            yield f"router `{role.name}` gives to whoever has room first"
        if role.stage and role.stage.borders:
            yield f"`{role.name}` looks at batch borders, which depend on timing"
        if role.stage and role.stage.clock:
            yield f"`{role.name}` reads a clock"


def _of_lane(lane: Lane, read: bool) -> Iterator[str]:
    if lane.on_full == "drop":
        yield f"lane `{lane.name}` drops new records while it is full (counted)"
    if lane.kind == "state" and read:
        yield f"lane `{lane.name}` holds the latest record alone: which ones a reader sees depends on timing"
    if lane.retain == "overwrite" and read:
        yield f"lane `{lane.name}` overwrites its oldest segment: a slow reader finds a gap (reported)"
    if lane.producers > 1:
        yield f"lane `{lane.name}` has {lane.producers} producers, and no order between them"
