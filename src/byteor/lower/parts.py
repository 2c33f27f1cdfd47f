"""From a draft with numbers to the parts of the spec, and what goes with it: notes, keys, placement.

Rule 1. Parts keep the plan's order, so that stage i of the plan is stage i of the spec; what was inserted follows.
"""

from __future__ import annotations

from byteor.lower.draft import Draft, Lane, Role
from byteor.lower.model import Note
from byteor.lower.names import sanitised
from byteor.plan import model as plans
from byteor.spec import lane_graph as specs
from byteor.spec.build import end_of
from byteor.spec.codec import shown
from byteor.spec.model import Egress, Ingress, Stage, State
from byteor.spec.placement import Place, Placement

LISTS = {
    "ingress": "ingresses",
    "stage": "stages",
    "bridge": "bridges",
    "router": "routers",
    "merge": "merges",
    "egress": "egresses",
}
NAMED = {"ingress": ".ingress", "stage": ".stage", "egress": ".egress"}


def spec_of(draft: Draft) -> specs.LaneGraph:
    """Make the spec, as yet without order."""
    plan = draft.plan
    sizes: dict[str, int] = {}
    for message in plan.types:
        sizes.setdefault(message.name, message.size)
    rows = _placed(draft)
    return specs.LaneGraph(
        name=_name(draft),
        types=plan.types,
        wait=plan.wait or "backoff",
        on_full=plan.on_full or "block",
        lanes=tuple(_lane(lane, sizes) for lane in sorted(draft.lanes, key=lambda lane: lane.number)),
        ingresses=tuple(specs.LaneIngress(_to(role), _ingress(role)) for role in rows["ingress"]),
        stages=tuple(specs.StageRole(_from(role), _to(role), _stage(role)) for role in rows["stage"]),
        bridges=tuple(specs.Bridge(role.name, _from(role), _to(role)) for role in rows["bridge"]),
        routers=tuple(_router(role) for role in rows["router"]),
        merges=tuple(_merge(role) for role in rows["merge"]),
        egresses=tuple(specs.LaneEgress(_from(role), _egress(role)) for role in rows["egress"]),
    )


def _placed(draft: Draft) -> dict[str, list[Role]]:
    """The roles by kind, parts of the plan first; each learns its place."""
    rows: dict[str, list[Role]] = {kind: [] for kind in LISTS}
    for role in sorted(draft.roles, key=lambda role: (not role.is_part, role.node.rank)):
        role.place = len(rows[role.kind])
        rows[role.kind].append(role)
    return rows


def _name(draft: Draft) -> str:
    return sanitised(draft.plan.name)


def _from(role: Role) -> str:
    return role.inputs[0].name


def _to(role: Role) -> str:
    return role.outputs[0].name


def _lane(lane: Lane, sizes: dict[str, int]) -> specs.Lane:
    intent = lane.intent
    return specs.Lane(
        name=lane.name,
        kind=intent.kind,
        type=lane.type,
        capacity=intent.capacity,
        slot_bytes=max(1, sizes.get(lane.type, 0)),
        producers=intent.producers,
        consumers=lane.readers,
        on_full=intent.on_full,
        retain=intent.retain,
    )


def _ingress(role: Role) -> Ingress:
    part: plans.Ingress = role.node.part
    return Ingress(role.name, part.type or "", part.format, part.null_text, part.bad, part.sort_by)


def _egress(role: Role) -> Egress:
    part: plans.Egress = role.node.part
    type = part.type or role.inputs[0].type
    return Egress(role.name, type, part.format, part.null_text, part.emit, part.sort, part.row_group)


def _stage(role: Role) -> Stage:
    part: plans.Stage = role.node.part
    state = State(part.state.type, part.state.by, part.state.max) if part.state else None
    taken = part.in_ or role.inputs[0].type
    return Stage(
        name=role.name,
        call=part.call,
        form=part.form,
        compiled=part.compiled,
        in_=taken,
        out=part.out or taken,
        min_out=part.min_out,
        max_out=part.max_out,
        state=state,
        end=end_of(part.end.type, state, part.end.max) if part.end else None,
        reads=part.reads,
        writes=part.writes,
        borders=part.borders,
        clock=part.clock,
        boundscheck=part.boundscheck,
        params=part.params,
        depends_on=(),
        src=part.src,
    )


def _router(role: Role) -> specs.Router:
    to = tuple(lane.name for lane in role.outputs)
    if not role.is_part:
        return specs.Router(role.name, _from(role), to, role.policy, None)
    return specs.Router(role.name, _from(role), to, role.node.part.policy, role.node.part.key)


def _merge(role: Role) -> specs.Merge:
    names = tuple(lane.name for lane in role.inputs)
    if not role.is_part:
        return specs.Merge(role.name, names, _to(role), role.policy, None, None, "fail")
    part: plans.Merge = role.node.part
    return specs.Merge(role.name, names, _to(role), part.policy, part.field, part.stamp, part.late)


def keys_of(draft: Draft) -> dict[str, str]:
    """The plan's key for each key of the spec; one that ends with a point goes on with the rest."""
    keys = {"name": "name", "wait": "wait", "on_full": "on_full"}
    keys |= {"ingresses": "ingress", "lanes": "connect"}
    for lane in draft.lanes:
        keys[f"lanes.{lane.number}"] = lane.key
        for name in ("kind", "capacity", "on_full", "retain", "producers"):
            at = f"{lane.intent_key}.{name}" if lane.intent_key.endswith(".lane") else lane.intent_key
            keys[f"lanes.{lane.number}.{name}"] = at
    for role in draft.roles:
        _role_keys(role, keys)
    return keys


def _role_keys(role: Role, keys: dict[str, str]) -> None:
    at = f"{LISTS[role.kind]}.{role.place}"
    if not role.is_part:
        keys[at] = (role.outputs if role.kind == "bridge" else role.inputs)[0].key
        return
    keys[at + NAMED.get(role.kind, "")] = f"{role.node.key}."
    keys[f"{at}.from"] = role.inputs[0].key if role.inputs else role.node.key
    keys[f"{at}.to"] = role.outputs[0].key if role.outputs else role.node.key
    if role.kind == "router":
        keys |= {f"{at}.to.{k}": lane.key for k, lane in enumerate(role.outputs)}
    if role.kind == "merge":
        keys[f"{at}.from"] = f"{role.node.key}.inputs."
    if role.kind == "stage":
        params = role.node.part.params
        keys |= {f"{at}.stage.params.{k}": f"{role.node.key}.params.{one.name}." for k, one in enumerate(params)}


def notes_of(draft: Draft, graph: specs.LaneGraph) -> tuple[Note, ...]:
    """Say for whatever the author did not write why it is there."""
    notes = []
    if graph.name != draft.plan.name:
        notes.append(Note("lane_graph.name", f"`{graph.name}` stands for `{shown(draft.plan.name)}`"))
    for role in sorted(draft.roles, key=lambda role: (list(LISTS).index(role.kind), role.place)):
        path = f"lane_graph.{LISTS[role.kind]}.{role.place}"
        if role.why:
            notes.append(Note(path, f"{role.kind} `{role.name}` {_printable(role.why)}"))
        elif role.name != role.node.name:
            message = f"`{role.name}` stands for `{shown(role.node.name)}`: names are letters, digits, `_` and `-`"
            notes.append(Note(f"{path}{NAMED.get(role.kind, '')}.name", message))
    for lane in sorted(draft.lanes, key=lambda lane: lane.number):
        if lane.why:
            notes.append(Note(f"lane_graph.lanes.{lane.number}", f"lane `{lane.name}`: {_printable(lane.why)}"))
        if order := graph.lanes[lane.number].order:
            notes.append(Note(f"lane_graph.lanes.{lane.number}.order", _order(lane, order, graph)))
    return tuple(notes)


def _printable(text: str) -> str:
    """A sentence with names of an author's in it, safe to print."""
    return text if text.isascii() and text.isprintable() else ascii(text)[1:-1]


def _order(lane: Lane, order: specs.Order, graph: specs.LaneGraph) -> str:
    if order.numbering == lane.number:
        return f"a merge behind it orders by `{shown(order.by)}`; records are numbered here"
    start = graph.lanes[order.numbering].name
    return f"a merge behind it orders by `{shown(order.by)}`; records keep their numbers of lane `{start}`"


def placement_of(draft: Draft) -> Placement:
    """Write down where every role runs; what was inserted goes with the part that made it necessary."""
    plan = draft.plan
    groups = {name: group.name for group in plan.group for name in group.roles}
    pins = {pin.role: pin.cpu for pin in plan.pin}
    watched = {row.role: row for row in plan.supervise}
    rows = []
    for role in sorted(draft.roles, key=lambda role: (list(LISTS).index(role.kind), role.place)):
        name = role.node.name
        own = watched.get(name) if role.is_part else None
        restart, limit = (own.restart, own.limit) if own else ("never", 0)
        rows.append(Place(role.name, groups.get(name), pins.get(name) if role.is_part else None, restart, limit))
    return Placement(_name(draft), plan.pinning or "none", tuple(rows))
