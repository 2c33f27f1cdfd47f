"""Rules on the lanes of a lane graph: what each kind allows, and who writes and reads them.

Rule 1. A lane has one writer inside the graph; what several write is a merge, except where clients outside attach.
Rule 2. Counts that a lane states are held against the roles, so that a region's gates are known from its lane alone.
"""

from __future__ import annotations

from byteor.spec.codec import near, shown
from byteor.spec.flow import flow_of
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.table import Entry, Hit, Hits, states

TABLE: list[Entry] = []
MAX_CONSUMERS = 64
MAX_PRODUCERS = 64
STATE_SLOTS = 4
ONE_READER = ("events", "sequenced_slots")


@states(TABLE, "S100", "small-state-lane", LaneGraph)
def small_state_lane(graph: LaneGraph) -> Hits:
    """
    What: a state lane has fewer than 4 slots.
    Why: its newest slot is overwritten while others read; with fewer slots a reader would meet the writer at once.
    Example: `lane = { kind = "state", capacity = 1 }`.
    Instead: leave the capacity out: it is then 4.
    """
    for i, lane in enumerate(graph.lanes):
        if lane.kind == "state" and 0 < lane.capacity < STATE_SLOTS:
            yield Hit(f"lanes.{i}.capacity", f"a state lane of {lane.capacity} slots", f"use {STATE_SLOTS} or more")


@states(TABLE, "S101", "unknown-lane", LaneGraph)
def unknown_lane(graph: LaneGraph) -> Hits:
    """
    What: a role reads or writes a lane that does not exist.
    Why: roles meet in lanes alone, so nothing would arrive.
    Example: `from = "tiks"` where the lane is called `ticks`.
    Instead: correct the name, or add the lane.
    """
    known = [lane.name for lane in graph.lanes]
    for path, name in flow_of(graph).unknown:
        yield Hit(path, f"there is no lane `{shown(name)}`", near(name, known))


@states(TABLE, "S102", "lane-writers", LaneGraph)
def lane_writers(graph: LaneGraph) -> Hits:
    """
    What: a lane has no writer, or several.
    Why: without one it stays empty for ever; two would need a claim that both share, which a death leaves open.
    Example: two stages with the same `to`.
    Instead: a lane for each writer, and a merge, which states the order.
    """
    flow = flow_of(graph)
    for i, writers in enumerate(flow.writers):
        name = shown(graph.lanes[i].name)
        if not writers:
            yield Hit(f"lanes.{i}", f"nothing writes lane `{name}`", "remove it, or let a role write it")
        elif len(writers) > 1:
            related = tuple((role.path, "writes it") for role in writers)
            message = f"{len(writers)} roles write lane `{name}`"
            yield Hit(f"lanes.{i}", message, "give each its own, and merge", related)


@states(TABLE, "S103", "bad-consumers", LaneGraph)
def bad_consumers(graph: LaneGraph) -> Hits:
    """
    What: a lane has more consumers than its kind takes, or fewer.
    Why: events and sequenced slots have one reader; a fanout has 1 to 64; journals and state lanes have 0 to 64.
    Example: an events lane with `consumers = 2`.
    Instead: `kind = "fanout"` where several read the same records.
    """
    for i, lane in enumerate(graph.lanes):
        least = 0 if lane.kind in ("journal", "state") else 1
        most = 1 if lane.kind in ONE_READER else MAX_CONSUMERS
        if not least <= lane.consumers <= most:
            wanted = "1" if most == 1 else f"{least} to {most}"
            help = "use `fanout`" if lane.kind in ONE_READER and lane.consumers > 1 else ""
            yield Hit(f"lanes.{i}.consumers", f"consumers: {lane.consumers}; {_a(lane.kind)} has {wanted}", help)


def _a(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {shown(kind)} lane"


@states(TABLE, "S104", "consumers-differ", LaneGraph)
def consumers_differ(graph: LaneGraph) -> Hits:
    """
    What: a lane says another number of consumers than roles read it.
    Why: each consumer has a gate; one that nobody advances would hold the lane for ever.
    Example: a fanout with `consumers = 3` which two stages read.
    Instead: count the roles that read it.
    """
    for i, readers in enumerate(flow_of(graph).readers):
        lane = graph.lanes[i]
        if lane.consumers != len(readers):
            message = f"lane `{shown(lane.name)}` says {lane.consumers} consumers, roles that read it: {len(readers)}"
            related = tuple((role.path, "reads it") for role in readers[:4])
            yield Hit(f"lanes.{i}.consumers", message, f"write {len(readers)}", related)


@states(TABLE, "S105", "bad-producers", LaneGraph)
def bad_producers(graph: LaneGraph) -> Hits:
    """
    What: a lane has fewer than 1 producer or more than 64; or several, where an ingress with `events` is not.
    Why: several producers are for clients outside the graph, each with a ring of its own; inside, every lane has one.
    Example: `producers = 2` on the lane between two stages.
    Instead: 1; roles that write the same records meet in a merge.
    """
    flow = flow_of(graph)
    for i, lane in enumerate(graph.lanes):
        at = f"lanes.{i}.producers"
        if not 1 <= lane.producers <= MAX_PRODUCERS:
            yield Hit(at, f"{lane.producers} producers are not between 1 and {MAX_PRODUCERS}")
        elif lane.producers > 1 and any(role.kind != "ingress" for role in flow.writers[i]):
            yield Hit(at, "several producers are for lanes that an ingress writes", "use 1")
        elif lane.producers > 1 and lane.kind != "events":
            yield Hit(at, f"several producers need an events lane, this is {_a(lane.kind)}", "use `events`")


@states(TABLE, "S106", "bad-retain", LaneGraph)
def bad_retain(graph: LaneGraph) -> Hits:
    """
    What: a journal does not say what it retains, or another lane says it.
    Why: a journal keeps everything or overwrites its oldest segment; no other lane has segments.
    Example: `retain = "all"` on an events lane.
    Instead: `all` or `overwrite` on journals; audit and replay need `all`.
    """
    for i, lane in enumerate(graph.lanes):
        if lane.kind == "journal" and lane.retain is None:
            yield Hit(f"lanes.{i}.retain", "a journal says what it retains", "write `all` or `overwrite`")
        elif lane.kind != "journal" and lane.retain is not None:
            yield Hit(f"lanes.{i}.retain", f"{_a(lane.kind)} retains nothing", "remove `retain`, or make it a journal")


@states(TABLE, "S107", "drop-without-full", LaneGraph)
def drop_without_full(graph: LaneGraph) -> Hits:
    """
    What: a journal or a state lane says `on_full = "drop"`.
    Why: neither is ever full: one grows or overwrites, the other keeps the latest.
    Example: `lane = { kind = "state", on_full = "drop" }`.
    Instead: `block`, which is what such lanes say; nothing waits for them.
    """
    for i, lane in enumerate(graph.lanes):
        if lane.kind in ("journal", "state") and lane.on_full == "drop":
            yield Hit(f"lanes.{i}.on_full", f"{_a(lane.kind)} is never full", "use `block`")


@states(TABLE, "S108", "lane-order", LaneGraph)
def lane_order(graph: LaneGraph) -> Hits:
    """
    What: a role writes a lane that does not stand behind the lanes that it reads.
    Why: lanes stand in topological order, so that a cycle cannot be written and a lane's place can be its number.
    Example: a stage from lane 3 to lane 1.
    Instead: sort the lanes; where that is impossible there is a cycle, which would wait for itself.
    """
    for role, path, last, lane in flow_of(graph).backwards:
        names = [shown(graph.lanes[at].name) for at in (last, lane)]
        message = f"`{shown(role.name)}` reads lane `{names[0]}` and writes `{names[1]}`, which is not behind it"
        yield Hit(path, message, "sort the lanes", ((f"lanes.{lane}", "written here"),))


@states(TABLE, "S109", "no-ingress", LaneGraph)
def no_ingress(graph: LaneGraph) -> Hits:
    """
    What: the graph has no ingress.
    Why: nothing would ever enter it.
    Example: a graph of stages alone.
    Instead: add an ingress that writes the first lane.
    """
    if not graph.ingresses:
        yield Hit("ingresses", "there is no ingress", "add one")


@states(TABLE, "S110", "lane-type", LaneGraph)
def lane_type(graph: LaneGraph) -> Hits:
    """
    What: a role reads or writes another type than its lane holds.
    Why: records are bytes in slots; both ends have to agree on them.
    Example: a stage with `in = "flight"` behind a lane of `event`.
    Instead: make the types equal; a stage with `in` and `out` turns one type into another.
    """
    for role in flow_of(graph).roles:
        if role.kind in ("bridge", "router", "merge"):
            yield from _one_type(graph, [*role.inputs, *role.outputs])
            continue
        for name, ports in ((role.takes, role.inputs), (role.gives, role.outputs)):
            for number, path in ports:
                if graph.lanes[number].type != name:
                    yield _differs(graph, path, number, f"`{shown(role.name)}` has `{shown(name)}`")


def _one_type(graph: LaneGraph, ports: list[tuple[int, str]]) -> Hits:
    first = graph.lanes[ports[0][0]] if ports else None
    for number, path in ports[1:]:
        if first and graph.lanes[number].type != first.type:
            yield _differs(graph, path, number, f"lane `{shown(first.name)}` has `{shown(first.type)}`")


def _differs(graph: LaneGraph, path: str, number: int, said: str) -> Hit:
    lane = graph.lanes[number]
    message = f"{said}, lane `{shown(lane.name)}` holds `{shown(lane.type)}`"
    return Hit(path, message, "", ((f"lanes.{number}.type", "the lane's type"),))
