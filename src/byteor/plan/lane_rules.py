"""Rules on a plan for a lane graph: what is connected to what, and where its roles run.

Rule 1. Names are judged first: what needs resolved names passes over unresolved ones.
Rule 2. Lanes are judged by the spec's rules, once lowering has made them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from byteor.plan.model import Plan
from byteor.spec.codec import near, shown
from byteor.spec.ring_rules import twice_in
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.type_rules import twice

TABLE: list[Entry] = []
PARTS = ("ingress", "stage", "merge", "router", "egress")
RESTARTS = ("never", "on_failure")
PINNINGS = ("none", "balanced")


def named(plan: Plan) -> Iterator[tuple[str, str]]:
    """Every part with its path, in the plan's order."""
    for table in PARTS:
        yield from ((f"{table}.{i}", part.name) for i, part in enumerate(getattr(plan, table)))


def edges(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Everything that flows: (path, from, to); inputs of merges that no connection names too."""
    known = set()
    for i, connect in enumerate(plan.connect):
        known.add((connect.from_, connect.to))
        yield f"connect.{i}", connect.from_, connect.to
    for i, merge in enumerate(plan.merge):
        for k, name in enumerate(merge.inputs):
            if (name, merge.name) not in known:
                known.add((name, merge.name))
                yield f"merge.{i}.inputs.{k}", name, merge.name


def places(plan: Plan) -> Iterator[tuple[str, str]]:
    """Every place that says where a role runs: (path, name)."""
    yield from ((f"supervise.{i}.role", row.role) for i, row in enumerate(plan.supervise))
    for i, group in enumerate(plan.group):
        yield from ((f"group.{i}.roles.{k}", name) for k, name in enumerate(group.roles))
    yield from ((f"pin.{i}.role", row.role) for i, row in enumerate(plan.pin))


@states(TABLE, "P050", "unknown-part", Plan)
def unknown_part(plan: Plan) -> Hits:
    """
    What: a connection, a merge's inputs, or a line about a role names something that does not exist.
    Why: nothing would flow, or nothing would be done.
    Example: `from = "flihgts"`.
    Instead: correct the name: of an ingress, a stage, a merge, a router or an egress.
    """
    known = {name for _, name in named(plan)}
    said = [(f"connect.{i}.from", row.from_) for i, row in enumerate(plan.connect)]
    said += [(f"connect.{i}.to", row.to) for i, row in enumerate(plan.connect)]
    said += [(f"merge.{i}.inputs.{k}", name) for i, row in enumerate(plan.merge) for k, name in enumerate(row.inputs)]
    for path, name in [*said, *places(plan)]:
        if name not in known:
            yield Hit(path, f"there is no part `{shown(name)}`", near(name, sorted(known)))


@states(TABLE, "P051", "wrong-way", Plan)
def wrong_way(plan: Plan) -> Hits:
    """
    What: something flows into an ingress, or out of an egress.
    Why: an ingress is where records enter the plant, an egress where they leave it.
    Example: `from = "out"` where `out` is an egress.
    Instead: turn the connection round, or connect another part.
    """
    ingresses = {part.name for part in plan.ingress}
    egresses = {part.name for part in plan.egress}
    for path, start, end in edges(plan):
        if start in egresses:
            yield Hit(path, f"`{shown(start)}` is an egress, nothing flows out of it", "connect what comes before it")
        if end in ingresses:
            yield Hit(path, f"`{shown(end)}` is an ingress, nothing flows into it", "connect what comes after it")


@states(TABLE, "P052", "connected-twice", Plan)
def connected_twice(plan: Plan) -> Hits:
    """
    What: two connections have the same `from` and the same `to`.
    Why: the same records would arrive twice, which is seldom meant and never needed.
    Example: two `[[connect]]` from `a` to `b`.
    Instead: keep one; to see records twice, let a stage give them twice.
    """
    first: dict[tuple[str, str], int] = {}
    for i, row in enumerate(plan.connect):
        at = first.setdefault((row.from_, row.to), i)
        if at != i:
            message = f"`{shown(row.from_)}` and `{shown(row.to)}` are already connected"
            yield Hit(f"connect.{i}", message, "keep one of them", ((f"connect.{at}", "here"),))


@states(TABLE, "P053", "cycle", Plan)
def cycle(plan: Plan) -> Hits:
    """
    What: the connections lead back to where they began.
    Why: parts of a cycle wait for each other, and no stream in it would ever end.
    Example: `a` to `b` and `b` to `a`.
    Instead: let the plant be a graph without cycles; feedback belongs outside, from an egress to an ingress.
    """
    pairs = [(start, end) for _, start, end in edges(plan)]
    behind = _never_free(pairs)
    inside = _never_free([(end, start) for start, end in pairs if start in behind and end in behind])
    if inside:
        path = next(path for path, start, end in edges(plan) if start in inside and end in inside)
        names = [
            f"`{shown(name)}`" for name in dict.fromkeys(name for pair in pairs for name in pair) if name in inside
        ]
        yield Hit(path, f"there is a cycle among {', '.join(names[:4])}", "remove one of the connections")


def _never_free(pairs: list[tuple[str, str]]) -> set[str]:
    """The names that stay when those that wait for nothing are taken away, again and again."""
    waits, after = Counter(end for _, end in pairs), dict[str, list[str]]()
    for start, end in pairs:
        after.setdefault(start, []).append(end)
    free = [name for name in after if not waits[name]]
    while free:
        for name in after.get(free.pop(), ()):
            waits[name] -= 1
            if not waits[name]:
                free.append(name)
    return {name for name, count in waits.items() if count > 0}


@states(TABLE, "P054", "not-connected", Plan)
def not_connected(plan: Plan) -> Hits:
    """
    What: nothing flows into a part, or nothing flows out of it.
    Why: the one would never run; what the other gives would have no place to go.
    Example: a stage that no `[[connect]]` names.
    Instead: connect it, or remove it. What nobody needs may go to a journal: an egress is the usual end.
    """
    starts = {start for _, start, _ in edges(plan)}
    ends = {end for _, _, end in edges(plan)}
    for path, name in named(plan):
        kind = path.partition(".")[0]
        if kind != "egress" and name not in starts:
            yield Hit(f"{path}.name", f"nothing flows out of `{shown(name)}`", "connect it")
        if kind not in ("ingress", "merge") and name not in ends:
            yield Hit(f"{path}.name", f"nothing flows into `{shown(name)}`", "connect it")


@states(TABLE, "P055", "merge-inputs", Plan)
def merge_inputs(plan: Plan) -> Hits:
    """
    What: a merge lists fewer than two inputs, or one twice; or a connection leads to it that it does not list.
    Why: the list is the order of its inputs, which `stamp` writes and `round_robin` follows.
    Example: `inputs = ["a", "b"]` beside a connection from `c`.
    Instead: list every input once.
    """
    listed = {merge.name: set(merge.inputs) for merge in plan.merge}
    for i, merge in enumerate(plan.merge):
        if len(merge.inputs) < 2:
            yield Hit(f"merge.{i}.inputs", f"`{shown(merge.name)}` has too few inputs: {len(merge.inputs)}")
        yield from twice_in(f"merge.{i}.inputs", merge.inputs)
    for i, row in enumerate(plan.connect):
        if row.from_ not in listed.get(row.to, {row.from_}):
            message = f"`{shown(row.to)}` does not list `{shown(row.from_)}` among its inputs"
            yield Hit(f"connect.{i}.to", message, "add it to `inputs`, at its place")


@states(TABLE, "P056", "after-in-plant", Plan)
def after_in_plant(plan: Plan) -> Hits:
    """
    What: a stage of a lane graph says `after`.
    Why: there, what comes before a stage is what is connected to it.
    Example: `after = ["clean"]` beside `target = "lane_graph"`.
    Instead: `[[connect]]` from the one to the other.
    """
    for i, stage in enumerate(plan.stage):
        if stage.after is not None:
            yield Hit(f"stage.{i}.after", "`after` is for rings, a lane graph has connections", "write `[[connect]]`")


@states(TABLE, "P057", "ingress-without-type", Plan)
def ingress_without_type(plan: Plan) -> Hits:
    """
    What: an ingress of a lane graph has no `type`.
    Why: nothing is inferred from data; all types behind it follow from this one.
    Example: `[[ingress]]` with a name alone.
    Instead: `type = "..."`, one of the plan's types.
    """
    for i, ingress in enumerate(plan.ingress):
        if ingress.type is None:
            yield Hit(f"ingress.{i}.type", f"ingress `{shown(ingress.name)}` has no type", "name one of the types")


@states(TABLE, "P058", "tap-taken", Plan)
def tap_taken(plan: Plan) -> Hits:
    """
    What: a tap has a name that is taken, by a part or by another tap, or no name at all.
    Why: a tap is a journal of its own; two writers of one journal would have no order between them.
    Example: `tap = "audit"` in two connections.
    Instead: a name for each.
    """
    taps = [(f"connect.{i}.tap", row.tap) for i, row in enumerate(plan.connect) if row.tap is not None]
    for path, name in taps:
        if not any(c.isascii() and c.isalnum() for c in name):
            yield Hit(path, f"`{shown(name)}` has no letter and no digit")
    parts = {name for _, name in named(plan)}
    yield from (Hit(path, f"the name `{shown(n)}` is taken", "rename the tap") for path, n in taps if n in parts)
    yield from twice(iter(taps))


@states(TABLE, "P059", "placed-twice", Plan)
def placed_twice(plan: Plan) -> Hits:
    """
    What: a role is supervised twice, pinned twice, or in two groups; or two groups have one name.
    Why: one of the two lines would be ignored.
    Example: two `[[supervise]]` with the same `role`.
    Instead: keep one of them.
    """
    for table in ("supervise", "group", "pin"):
        first: dict[str, str] = {}
        for path, name in (place for place in places(plan) if place[0].startswith(table)):
            if first.setdefault(name, path) != path:
                yield Hit(path, f"`{shown(name)}` is already here", "keep one of them", ((first[name], "here"),))
    yield from twice((f"group.{i}.name", group.name) for i, group in enumerate(plan.group))


@states(TABLE, "P060", "bad-placement", Plan)
def bad_placement(plan: Plan) -> Hits:
    """
    What: a word or a number that says where or how roles run is none that exists.
    Why: `restart` is `never` or `on_failure`, `pinning` is `none` or `balanced`, limits and cores are not negative.
    Example: `restart = "always"`.
    Instead: one of these.
    """
    if plan.pinning is not None and plan.pinning not in PINNINGS:
        yield Hit("pinning", f"`{shown(plan.pinning)}` is no pinning", "use `none` or `balanced`")
    for i, row in enumerate(plan.supervise):
        if row.restart not in RESTARTS:
            yield Hit(f"supervise.{i}.restart", f"`{shown(row.restart)}` is no policy", "use `never` or `on_failure`")
        if row.limit < 0:
            yield Hit(f"supervise.{i}.limit", f"the limit {row.limit} is negative")
    for i, pin in enumerate(plan.pin):
        if pin.cpu < 0:
            yield Hit(f"pin.{i}.cpu", f"core {pin.cpu} is negative")
