"""The lowering of a lane graph: the draft gets types, numbers and order, and is held against the spec's rules.

Rule 1. Lanes are numbered topologically, ties in the plan's order; order words follow from the merges.
Rule 2. What the spec's rules find is said of the plan; what they find on order is a finding of lowering itself.
Rule 3. Where roles run stands in the placement, and changes nothing in the spec.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from byteor.diag import Diagnostic, errors, in_order
from byteor.lower.draft import Draft, Lane, Role, draft_of
from byteor.lower.findings import BAD_TAP, NO_MERGE, ORDER
from byteor.lower.keys import in_plan
from byteor.lower.model import Lowered
from byteor.lower.parts import keys_of, notes_of, placement_of, spec_of
from byteor.plan.model import Plan
from byteor.spec import rules
from byteor.spec.codec import shown
from byteor.spec.flow import flow_of, with_orders
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.numbering import numbering_of

# Without names and ways there is nothing to build.
_BLOCK = frozenset(
    ("P013", "P019", "P033", "P050", "P051", "P052", "P053", "P054", "P055", "P057", "P058"),
)


def lower_graph(plan: Plan, found: tuple[Diagnostic, ...]) -> Lowered:
    """Make the lane graph of a plan, and judge it."""
    if any(d.code in _BLOCK for d in found):
        return Lowered(None, found, ())
    draft = draft_of(plan)
    order = _in_turn(draft)
    _number(order)
    _type(order)
    graph = _ordered(spec_of(draft), draft)
    keys = keys_of(draft)
    own = [*_taps(draft), *(_said(d, plan, keys, draft) for d in rules.validate(graph))]
    refused = errors((*found, *own))
    notes = notes_of(draft, graph)
    placement = None if refused else placement_of(draft)
    parts = {role.name: role.node.name for role in draft.roles}
    return Lowered(None if refused else graph, found, in_order(own), notes, placement, keys, parts)


def _in_turn(draft: Draft) -> list[Role]:
    """The roles in topological order, ties in the plan's order and then as they were made."""
    ranked = sorted(draft.roles, key=lambda role: role.node.rank)
    writer = {id(lane): i for i, role in enumerate(ranked) for lane in role.outputs}
    waits = [len({id(lane) for lane in role.inputs}) for role in ranked]
    behind: list[list[int]] = [[] for _ in ranked]
    for i, role in enumerate(ranked):
        for lane in {id(lane): lane for lane in role.inputs}.values():
            behind[writer[id(lane)]].append(i)
    ready = [i for i, count in enumerate(waits) if not count]
    heapify(ready)
    order = []
    while ready:
        order.append(ranked[i := heappop(ready)])
        for j in behind[i]:
            waits[j] -= 1
            if not waits[j]:
                heappush(ready, j)
    return order


def _number(order: list[Role]) -> None:
    """A lane's number is its turn: no role writes a lane with a lower one than it reads."""
    lanes = [lane for role in order for lane in role.outputs]
    for number, lane in enumerate(lanes):
        lane.number = number


def _type(order: list[Role]) -> None:
    """Let types flow: what a part does not say is what arrives at it."""
    for role in order:
        here = role.inputs[0].type if role.inputs else ""
        if role.kind == "ingress":
            here = role.node.part.type or ""
        elif role.kind == "stage":
            here = role.node.part.out or role.node.part.in_ or here
        for lane in role.outputs:
            lane.type = here


def _ordered(graph: LaneGraph, draft: Draft) -> LaneGraph:
    """Fill in where order words are given and what they are compared by."""
    flow = flow_of(graph)
    if not flow.whole:
        return graph
    anew = [lane.number for lane in draft.lanes if lane.intent.renumber]
    return with_orders(graph, numbering_of(flow, anew).orders())


def _taps(draft: Draft) -> list[Diagnostic]:
    found = []
    for role in draft.roles:
        tapped: Lane | None = role.inputs[0] if role.kind == "bridge" and role.outputs[0].key.endswith(".tap") else None
        if tapped and tapped.intent.kind in ("state", "journal"):
            message = f"lane `{tapped.name}` is {tapped.intent.kind}, and has a tap"
            found.append(BAD_TAP.at(role.outputs[0].key, message, help="tap an events lane before it"))
    return found


def _said(found: Diagnostic, plan: Plan, keys: dict[str, str], draft: Draft) -> Diagnostic:
    """A finding on the spec as one on the plan."""
    said = in_plan(found, plan, keys)
    if found.code == "S116" and (role := _inserted(found.path, draft)):
        message = f"several lead to `{shown(role.node.name)}`, which is no merge, and {found.message}"
        return NO_MERGE.at(said.path, message, said.related, "put a `[[merge]]` before it")
    if own := ORDER.get(found.code):
        return own.at(said.path, said.message, said.related, said.help)
    return said


def _inserted(path: str, draft: Draft) -> Role | None:
    """The merge that lowering put at the place of a finding."""
    place = int(path.split(".")[2])
    return next((r for r in draft.roles if r.kind == "merge" and r.place == place and not r.is_part), None)
