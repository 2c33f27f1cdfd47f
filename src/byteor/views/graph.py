"""One neutral value for every drawing: the nodes of a spec or a plan, and what flows between them.

Rule 1. A node's path is its key in the document that was given, so that a drawing and a text can find each other.
Rule 2. Nothing here judges: what names no other part is left out of the drawing, and nothing raises.
Rule 3. Nodes and edges stand in document order; the same document gives the same value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from byteor.plan import model as plans
from byteor.spec import dag
from byteor.spec.lane_graph import Lane, LaneGraph
from byteor.spec.model import IDENTITY, Egress, Ingress, SingleRing, Stage, State

PORTS = ("ingress", "egress")


@dataclass(frozen=True, slots=True)
class Node:
    """One part: `kind` is ingress, stage, lane, bridge, router, merge or egress; `notes` say more, a line each."""

    path: str
    kind: str
    name: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """What flows from one node to another, by their paths; `path` is the key that says so, where there is one."""

    source: str
    target: str
    label: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole drawing."""

    name: str
    shape: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(document: SingleRing | LaneGraph | plans.Plan) -> Graph:
    """Take a spec or a plan apart into nodes and edges."""
    if isinstance(document, SingleRing):
        return _ring(document)
    return _lanes(document) if isinstance(document, LaneGraph) else _plan(document)


def _notes(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _stage(path: str, stage: Stage | plans.Stage) -> Node:
    if stage.call == IDENTITY:
        return Node(path, "stage", stage.name, ("identity",))
    how = f"per {stage.form}, {'compiled' if stage.compiled else 'plain Python'}"
    rate = "" if (stage.min_out, stage.max_out) == (1, 1) else f"{stage.min_out} to {stage.max_out} out of one"
    if (stage.min_out, stage.max_out) == (0, 1):
        rate = "may filter"
    return Node(path, "stage", stage.name, _notes(stage.call, how, rate, *_kept(stage.state)))


def _kept(state: State | plans.State | None) -> tuple[str, ...]:
    if state is None:
        return ()
    return _notes(f"keeps {state.type}", f"by {', '.join(state.by)}" if state.by else "")


def _ingress(path: str, at: Ingress | plans.Ingress) -> Node:
    sort = f"sorted by {at.sort_by}" if at.sort_by else ""
    return Node(path, "ingress", at.name, _notes(_typed(at.type, at.format), sort))


def _egress(path: str, at: Egress | plans.Egress) -> Node:
    sort = f"sorted by {', '.join(at.sort)}" if at.sort else ""
    return Node(path, "egress", at.name, _notes(_typed(at.type, at.format), sort))


def _typed(type: str | None, format: str) -> str:
    return ", ".join(_notes(type or "", "" if format == "auto" else format))


def _ring(ring: SingleRing) -> Graph:
    """Ingress, stages, egress; the ring itself is the drawing."""
    paths = [f"single_ring.stages.{i}" for i in range(len(ring.stages))]
    start, end = "single_ring.ingress", "single_ring.egress"
    nodes = [_ingress(start, ring.ingress), *map(_stage, paths, ring.stages)]
    edges = []
    for path, stage in zip(paths, ring.stages, strict=True):
        before = [j for j in stage.depends_on if 0 <= j < len(paths)]
        edges += [Edge(paths[j], path, "", f"{path}.depends_on") for j in before] or [Edge(start, path)]
    if ring.egress is not None:
        nodes.append(_egress(end, ring.egress))
        edges += [Edge(paths[i], end, _leaving(ring.egress.emit, ring.stages[i])) for i in dag.sinks(ring.stages)]
    return Graph(ring.name, "single ring", tuple(nodes), tuple(edges))


def _leaving(emit: str, stage: Stage | plans.Stage) -> str:
    if emit == "rows" or stage.end is None:
        return ""
    return "end" if emit == "end" else "rows and end"


def _lanes(plant: LaneGraph) -> Graph:
    """Roles and endpoints, with each lane as a node of its own between its writers and its readers."""
    at: dict[str, str] = {}
    nodes, edges = [], []
    for i, lane in enumerate(plant.lanes):
        at.setdefault(lane.name, f"lane_graph.lanes.{i}")
        nodes.append(Node(f"lane_graph.lanes.{i}", "lane", lane.name, _lane(lane)))
    for node, sources, targets in _roles(plant):
        nodes.append(node)
        edges += [Edge(at[name], node.path) for name in sources if name in at]
        edges += [Edge(node.path, at[name]) for name in targets if name in at]
    return Graph(plant.name, "lane graph", tuple(nodes), tuple(edges))


def _lane(lane: Lane) -> tuple[str, ...]:
    full = "drops when full" if lane.on_full == "drop" else ""
    order = f"ordered by {lane.order.by}" if lane.order else ""
    return _notes(f"{lane.kind} of {lane.type}", f"{lane.capacity} x {lane.slot_bytes} bytes", order, full)


Role = tuple[Node, tuple[str, ...], tuple[str, ...]]


def _roles(plant: LaneGraph) -> Iterator[Role]:
    """Every role and endpoint with the lanes that it takes from and gives to."""
    for i, entry in enumerate(plant.ingresses):
        yield _ingress(f"lane_graph.ingresses.{i}", entry.ingress), (), (entry.to,)
    for i, role in enumerate(plant.stages):
        yield _stage(f"lane_graph.stages.{i}", role.stage), (role.from_,), (role.to,)
    for i, bridge in enumerate(plant.bridges):
        yield Node(f"lane_graph.bridges.{i}", "bridge", bridge.name), (bridge.from_,), (bridge.to,)
    for i, router in enumerate(plant.routers):
        notes = _notes(_policy(router.policy, router.key))
        yield Node(f"lane_graph.routers.{i}", "router", router.name, notes), (router.from_,), router.to
    for i, merge in enumerate(plant.merges):
        notes = _notes(_policy(merge.policy, merge.field), f"stamps {merge.stamp}" if merge.stamp else "")
        yield Node(f"lane_graph.merges.{i}", "merge", merge.name, notes), merge.from_, (merge.to,)
    for i, leaving in enumerate(plant.egresses):
        yield _egress(f"lane_graph.egresses.{i}", leaving.egress), (leaving.from_,), ()


def _policy(policy: str, field: str | None) -> str:
    return policy.replace("_", " ") + (f" {field}" if field else "")


def _plan(plan: plans.Plan) -> Graph:
    """A plan as it was written, before anything is lowered."""
    nodes = [_ingress(f"ingress.{i}", at) for i, at in enumerate(plan.ingress)]
    nodes += [_stage(f"stage.{i}", stage) for i, stage in enumerate(plan.stage)]
    for i, merge in enumerate(plan.merge):
        nodes.append(Node(f"merge.{i}", "merge", merge.name, (_policy(merge.policy, merge.field),)))
    for i, router in enumerate(plan.router):
        nodes.append(Node(f"router.{i}", "router", router.name, (_policy(router.policy, router.key),)))
    nodes += [_egress(f"egress.{i}", at) for i, at in enumerate(plan.egress)]
    at: dict[str, str] = {}
    for node in nodes:
        at.setdefault(node.name, node.path)
    edges = _plan_ring(plan, at) if plan.ring is not None else _plan_lanes(plan, at)
    known = {node.path for node in nodes}
    kept = tuple(edge for edge in edges if edge.source in known and edge.target in known)
    return Graph(plan.name, plan.target.replace("_", " "), tuple(nodes), kept)


def _plan_ring(plan: plans.Plan, at: dict[str, str]) -> Iterator[Edge]:
    waited_for = {name for stage in plan.stage for name in stage.after or ()}
    for i, stage in enumerate(plan.stage):
        path = f"stage.{i}"
        for name in stage.after or ():
            yield Edge(at.get(name, ""), path, "", f"{path}.after")
        if not stage.after:
            yield Edge("ingress.0", path)
        if stage.name not in waited_for and plan.egress:
            yield Edge(path, "egress.0", _leaving(plan.egress[0].emit, stage))


def _plan_lanes(plan: plans.Plan, at: dict[str, str]) -> Iterator[Edge]:
    for i, connect in enumerate(plan.connect):
        kind = connect.lane.kind if connect.lane.kind != "events" else ""
        label = ", ".join(_notes(kind, f"tap {connect.tap}" if connect.tap else ""))
        yield Edge(at.get(connect.from_, ""), at.get(connect.to, ""), label, f"connect.{i}")
    for i, merge in enumerate(plan.merge):
        for k, name in enumerate(merge.inputs):
            yield Edge(at.get(name, ""), f"merge.{i}", "", f"merge.{i}.inputs.{k}")


def in_order(graph: Graph) -> tuple[tuple[Node, ...], ...]:
    """The nodes in layers, each as far from the start as its longest way; what a cycle holds stands last."""
    depth = depths(graph)
    layers: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in graph.nodes:
        layers[depth[node.path]].append(node)
    return tuple(tuple(layer) for layer in layers)


def depths(graph: Graph) -> dict[str, int]:
    """The layer of each node, by path."""
    targets: dict[str, list[str]] = {node.path: [] for node in graph.nodes}
    waits = dict.fromkeys(targets, 0)
    for edge in graph.edges:
        targets[edge.source].append(edge.target)
        waits[edge.target] += 1
    depth = {path: 0 for path, count in waits.items() if not count}
    ready = list(depth)
    for path in ready:
        for target in targets[path]:
            depth[target] = max(depth.get(target, 0), depth[path] + 1)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    done = set(ready)
    last = max((depth[path] for path in done), default=-1) + 1
    return {path: depth[path] if path in done else last for path in targets}


def without_cycles(graph: Graph) -> Graph:
    """Leave out the edges that lead back; only a document with findings has any."""
    depth = depths(graph)
    return replace(graph, edges=tuple(e for e in graph.edges if depth[e.source] < depth[e.target]))
