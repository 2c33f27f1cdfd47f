"""A plant as lowering builds it: the plan's parts and what is put between them, before anything has a number.

Rule 1. A part that goes to several places by lanes that are alike writes one lane with several readers, and no role
    stands between. Where they are not alike, a router does.
Rule 2. Where the lane of a boundary differs from that of its connection, a bridge stands between; a tap is a bridge.
Rule 3. Where several arrive at what is no merge, a merge in strict turn is put before it; if that is wrong, a rule says
    so, and lowering never guesses another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from byteor.lower.names import free, sanitised
from byteor.plan import lane_rules
from byteor.plan.model import LaneIntent, Plan

CAPACITY = {"journal": 65_536, "state": 4}
EVENTS = 4096
SHARED = ("events", "sequenced_slots")


@dataclass(frozen=True, slots=True)
class Intent:
    """What is wanted of a lane, with nothing left out."""

    kind: str
    capacity: int
    on_full: str
    retain: str | None
    producers: int
    renumber: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the plan: its place in the plan's order, its key, its table and itself."""

    rank: int
    key: str
    kind: str
    part: Any

    @property
    def name(self) -> str:
        return str(self.part.name)


@dataclass(slots=True)
class Edge:
    """A connection: `key` is its own, `intent_key` that of its lane, `taps` are (key, name).

    `via` are the routers that were folded into it.
    """

    key: str
    start: str
    end: str
    intent: Intent
    intent_key: str
    taps: tuple[tuple[str, str], ...] = ()
    via: tuple[str, ...] = ()


@dataclass(slots=True)
class Lane:
    """A lane to be: its intent, the keys that it speaks with, and why it is there, if nobody asked for it."""

    name: str
    intent: Intent
    key: str
    intent_key: str
    readers: int = 0
    why: str = ""
    type: str = ""
    number: int = -1


@dataclass(slots=True)
class Role:
    """A role to be: `node` is the part that it is, or the part that made it necessary."""

    kind: str
    name: str
    node: Node
    inputs: list[Lane]
    outputs: list[Lane]
    why: str = ""
    policy: str = ""
    place: int = -1

    @property
    def is_part(self) -> bool:
        return not self.why


@dataclass(slots=True)
class Draft:
    """The whole plant to be; `names` holds the spec's name of each part's key."""

    plan: Plan
    nodes: list[Node]
    names: dict[str, str]
    roles: list[Role] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    arriving: dict[str, list[tuple[Edge, Lane]]] = field(default_factory=dict)
    parts: dict[str, Role] = field(default_factory=dict)

    def lane(self, name: str, intent: Intent, key: str, intent_key: str, why: str = "") -> Lane:
        made = Lane(free(sanitised(name), self.taken), intent, key, intent_key, why=why)
        self.lanes.append(made)
        return made

    def role(self, kind: str, name: str, node: Node, inputs: list[Lane], outputs: list[Lane], why: str = "") -> Role:
        made = Role(kind, name if not why else free(sanitised(name), self.taken), node, inputs, outputs, why)
        for lane in inputs:
            lane.readers += 1
        self.roles.append(made)
        if made.is_part:
            self.parts[node.key] = made
        return made


def resolved(intent: LaneIntent | None, plan: Plan) -> Intent:
    """Fill in what an author left out."""
    wanted = intent or LaneIntent()
    quiet = wanted.kind in CAPACITY
    return Intent(
        wanted.kind,
        wanted.capacity if wanted.capacity is not None else CAPACITY.get(wanted.kind, EVENTS),
        wanted.on_full or ("block" if quiet else plan.on_full or "block"),
        wanted.retain or ("all" if wanted.kind == "journal" else None),
        wanted.producers,
        wanted.renumber,
    )


def draft_of(plan: Plan) -> Draft:
    """Build the plant of a plan whose names are resolved."""
    nodes = [
        Node(rank, key, key.partition(".")[0], getattr(plan, key.partition(".")[0])[int(key.partition(".")[2])])
        for rank, (key, _) in enumerate(lane_rules.named(plan))
    ]
    taken: dict[str, int] = {}
    draft = Draft(plan, nodes, {node.key: free(sanitised(node.name), taken) for node in nodes}, taken=taken)
    leaving = _leaving(plan)
    taps = {tap: free(sanitised(tap), taken) for edges in leaving.values() for e in edges for _, tap in e.taps}
    gone = _fold(nodes, leaving)
    here = [node for node in nodes if node.name not in gone]
    for node in here:
        _outputs(draft, node, leaving.get(node.name, []), taps)
    for node in here:
        _inputs(draft, node)
    return draft


def _leaving(plan: Plan) -> dict[str, list[Edge]]:
    """The connections by the part that they leave, in the plan's order."""
    leaving: dict[str, list[Edge]] = {}
    for key, start, end in lane_rules.edges(plan):
        row = plan.connect[int(key.partition(".")[2])] if key.startswith("connect.") else None
        intent_key = f"{key}.lane" if row else key
        taps = ((f"{key}.tap", row.tap),) if row and row.tap is not None else ()
        edge = Edge(key, start, end, resolved(row.lane if row else None, plan), intent_key, taps)
        leaving.setdefault(start, []).append(edge)
    return leaving


def _fold(nodes: list[Node], leaving: dict[str, list[Edge]]) -> set[str]:
    """Let broadcast routers whose lanes are all alike vanish: their source goes where they went."""
    arriving: dict[str, list[Edge]] = {}
    for edges in leaving.values():
        for edge in edges:
            arriving.setdefault(edge.end, []).append(edge)
    gone = set()
    for node in nodes:
        if node.kind == "router" and node.part.policy == "broadcast":
            before, behind = arriving.get(node.name, []), leaving.get(node.name, [])
            if len(before) == 1 and _alike(before[0], behind, leaving[before[0].start]):
                _replace(before[0], behind, leaving, node.name)
                gone.add(node.name)
    return gone


def _alike(before: Edge, behind: list[Edge], beside: list[Edge]) -> bool:
    taken = {edge.end for edge in beside}
    return bool(behind) and all(edge.intent == before.intent and edge.end not in taken for edge in behind)


def _replace(before: Edge, behind: list[Edge], leaving: dict[str, list[Edge]], router: str) -> None:
    for edge in behind:
        edge.start, edge.via = before.start, (*before.via, router, *edge.via)
    behind[0].taps = (*before.taps, *behind[0].taps)
    edges = leaving[before.start]
    at = edges.index(before)
    leaving[before.start] = [*edges[:at], *behind, *edges[at + 1 :]]
    leaving[router] = []


def _outputs(draft: Draft, node: Node, edges: list[Edge], taps: dict[str, str]) -> None:
    """Make the lanes that a part writes, and the part itself; what it reads is filled in later."""
    groups: dict[Any, list[Edge]] = {}
    for edge in edges:
        apart = node.kind == "router" and node.part.policy != "broadcast"
        groups.setdefault(edge.key if apart else edge.intent, []).append(edge)
    lanes = [_group(draft, node, group, taps, len(groups)) for group in groups.values()]
    if node.kind == "router":
        draft.role(node.kind, draft.names[node.key], node, [], lanes)
        return
    if node.kind == "ingress" and node.part.lane is not None:
        lanes = [_boundary(draft, node, lanes)]
    elif len(lanes) > 1:
        lanes = [_head(draft, node, lanes)]
    if node.kind != "egress":
        draft.role(node.kind, draft.names[node.key], node, [], lanes)


def _group(draft: Draft, node: Node, edges: list[Edge], taps: dict[str, str], groups: int) -> Lane:
    """Make the lane of connections that are alike, and a bridge to a journal for each tap."""
    first, tapped = edges[0], [tap for edge in edges for tap in edge.taps]
    intent, why = first.intent, ""
    names = [f"`{edge.end}`" for edge in edges] + [f"the tap `{name}`" for _, name in tapped]
    if len(names) > 1 and intent.kind in SHARED:
        intent = _changed(intent, kind="fanout")
        why = f"a fanout: {' and '.join(names)} read the same records"
    if via := [f"`{name}`" for edge in edges for name in edge.via]:
        why += f"; broadcast {' and '.join(dict.fromkeys(via))} needs no role, its lanes are all alike"
    alone = len(names) == 1 or groups > 1
    name = f"{node.name}_to_{first.end}" if alone else f"{node.name}_out"
    lane = draft.lane(name, intent, first.key, first.intent_key, why.removeprefix("; "))
    for edge in edges:
        draft.arriving.setdefault(edge.end, []).append((edge, lane))
    for key, tap in tapped:
        _tap(draft, node, lane, key, tap, taps[tap])
    return lane


def _tap(draft: Draft, node: Node, lane: Lane, key: str, tap: str, name: str) -> None:
    why = f"the tap `{tap}`: all that passes lane `{lane.name}` is kept, never overwritten"
    journal = Lane(name, Intent("journal", CAPACITY["journal"], "block", "all", 1, False), key, key, why=why)
    draft.lanes.append(journal)
    draft.role("bridge", f"{tap}_tap", node, [lane], [journal], f"copies lane `{lane.name}` into the journal `{name}`")


def _boundary(draft: Draft, node: Node, lanes: list[Lane]) -> Lane:
    """Give an ingress the lane that it asks for, and lead on from there."""
    intent = resolved(node.part.lane, draft.plan)
    if len(lanes) == 1 and intent == lanes[0].intent:
        return lanes[0]
    key = f"{node.key}.lane"
    lane = draft.lane(f"{node.name}_lane", intent, key, key)
    if len(lanes) == 1:
        to = lanes[0]
        why = f"leads from the boundary's lane `{lane.name}` ({intent.kind}) to `{to.name}` ({to.intent.kind})"
        draft.role("bridge", f"{node.name}_bridge", node, [lane], lanes, why)
    else:
        _parting(draft, node, lane, lanes)
    return lane


def _head(draft: Draft, node: Node, lanes: list[Lane]) -> Lane:
    """Make one lane before lanes that differ, and the router between."""
    why = f"what `{node.name}` gives goes to lanes that differ: it writes this one, and a router copies"
    lane = draft.lane(f"{node.name}_out", _plain(lanes), lanes[0].key, lanes[0].key, why)
    _parting(draft, node, lane, lanes)
    return lane


def _parting(draft: Draft, node: Node, lane: Lane, lanes: list[Lane]) -> None:
    why = f"lanes {' and '.join(f'`{at.name}`' for at in lanes)} differ, so that they cannot be one fanout"
    draft.role("router", f"{node.name}_router", node, [lane], lanes, why).policy = "broadcast"


def _plain(lanes: list[Lane]) -> Intent:
    """An events lane as large as the largest of those beside it."""
    sizes = [lane.intent.capacity for lane in lanes if lane.intent.kind not in CAPACITY]
    return Intent("events", max(sizes, default=EVENTS), "block", None, 1, False)


def _changed(intent: Intent, kind: str) -> Intent:
    return Intent(kind, intent.capacity, intent.on_full, intent.retain, intent.producers, intent.renumber)


def _inputs(draft: Draft, node: Node) -> None:
    """Let a part read what arrives at it."""
    arriving = draft.arriving.get(node.name, [])
    if node.kind == "merge":
        at = {name: place for place, name in enumerate(node.part.inputs)}
        lanes = [lane for _, lane in sorted(arriving, key=lambda pair: at.get(_named(pair[0]), len(at)))]
    else:
        lanes = [lane for _, lane in arriving]
        if len(lanes) > 1:
            lanes = [_joined(draft, node, lanes, arriving[0][0].key)]
    if node.kind == "egress":
        draft.role("egress", draft.names[node.key], node, [_last(draft, node, lanes[0])], [])
        return
    role = draft.parts[node.key]
    role.inputs = lanes
    for lane in lanes:
        lane.readers += 1


def _named(edge: Edge) -> str:
    """The name by which a merge knows an input: that of the last router folded into it, else of its source."""
    return edge.via[-1] if edge.via else edge.start


def _joined(draft: Draft, node: Node, lanes: list[Lane], key: str) -> Lane:
    why = f"several lead to `{node.name}`"
    lane = draft.lane(f"{node.name}_in", _plain(lanes), key, key, why)
    role = draft.role("merge", f"{node.name}_merge", node, lanes, [lane], f"{why}; each brings as many, so in turn")
    role.policy = "round_robin"
    return lane


def _last(draft: Draft, node: Node, lane: Lane) -> Lane:
    """Give an egress the lane that it asks for."""
    if node.part.lane is None or (intent := resolved(node.part.lane, draft.plan)) == lane.intent:
        return lane
    key = f"{node.key}.lane"
    made = draft.lane(f"{node.name}_lane", intent, key, key)
    why = f"leads from `{lane.name}` ({lane.intent.kind}) to the boundary's lane `{made.name}` ({intent.kind})"
    draft.role("bridge", f"{node.name}_bridge", node, [lane], [made], why)
    return made
