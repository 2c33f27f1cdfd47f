"""All rules of the plan in one table: first its structure, then what its target asks for.

Rule 1. Judged here is what only a plan has: names, references, payloads. What the spec's rules judge, they judge
    once, when lowering holds the spec that it made against them.
Rule 2. A value that no document could carry is judged first, and alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.diag import Diagnostic, Refused, errors, in_order
from byteor.plan import lane_rules
from byteor.plan.findings import READING
from byteor.plan.lane_rules import named
from byteor.plan.model import LANE_GRAPH, SINGLE_RING, TARGETS, Plan
from byteor.spec.codec import Kind, misfits, near, shown
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.type_rules import twice
from byteor.spec.walk import fits

STRUCTURE: list[Entry] = []
RING: list[Entry] = []
BY_TARGET = {SINGLE_RING: RING, LANE_GRAPH: lane_rules.TABLE}


@states(STRUCTURE, "P030", "unknown-target", Plan)
def unknown_target(plan: Plan) -> Hits:
    """
    What: `target` names no execution target.
    Why: lowering is explicit; it never picks a shape.
    Example: `target = "ring"`.
    Instead: `single_ring` or `lane_graph`.
    """
    if plan.target not in TARGETS:
        help = near(plan.target, TARGETS) or f"use {' or '.join(TARGETS)}"
        yield Hit("target", f"`{shown(plan.target)}` is not a target", help)


@states(STRUCTURE, "P031", "no-payload", Plan)
def no_payload(plan: Plan) -> Hits:
    """
    What: the plan has neither `[ring]` nor any part of a lane graph.
    Why: the target needs to know what its stages stand in.
    Example: a plan of one stage and nothing else.
    Instead: add `[ring]` with a `type`, or connect the stages with `[[connect]]`.
    """
    if not plan.payloads:
        yield Hit("target", "the plan says nothing of its ring or its lanes", "add `[ring]` with a `type`")


@states(STRUCTURE, "P032", "two-payloads", Plan)
def two_payloads(plan: Plan) -> Hits:
    """
    What: the plan has a `[ring]` and parts of a lane graph.
    Why: a plan has one target, and half of this one would be ignored.
    Example: `[ring]` beside `[[merge]]`.
    Instead: keep the half that the target needs.
    """
    if len(plan.payloads) == 2:
        yield Hit("ring", "`[ring]` stands beside parts of a lane graph", "keep the half that the target needs")


@states(STRUCTURE, "P033", "duplicate-name", Plan)
def duplicate_name(plan: Plan) -> Hits:
    """
    What: two of the stages, roles and boundaries have the same name.
    Why: `after`, `--input` and reports speak of them by name.
    Example: two stages `clean`.
    Instead: rename one of them.
    """
    yield from twice((f"{path}.name", name) for path, name in named(plan))


@states(STRUCTURE, "P034", "empty-name", Plan)
def empty_name(plan: Plan) -> Hits:
    """
    What: a name has no letter and no digit.
    Why: the spec's names are made from it, and nothing would be left.
    Example: `name = "--"`.
    Instead: a word.
    """
    for path, name in [("name", plan.name), *((f"{path}.name", name) for path, name in named(plan))]:
        if not any(c.isascii() and c.isalnum() for c in name):
            yield Hit(path, f"`{shown(name)}` has no letter and no digit")


@states(STRUCTURE, "P035", "unknown-stage", Plan)
def unknown_stage(plan: Plan) -> Hits:
    """
    What: `after` names a stage that does not exist.
    Why: without it nobody knows what the stage waits for.
    Example: `after = ["claen"]`.
    Instead: correct the name.
    """
    known = {stage.name for stage in plan.stage}
    for i, stage in enumerate(plan.stage):
        for k, name in enumerate(stage.after or ()):
            if name not in known:
                yield Hit(f"stage.{i}.after.{k}", f"there is no stage `{shown(name)}`", near(name, sorted(known)))


@states(STRUCTURE, "P036", "not-earlier", Plan)
def not_earlier(plan: Plan) -> Hits:
    """
    What: `after` names the stage itself or one that stands later in the plan.
    Why: stages stand in topological order, so that a cycle cannot be written.
    Example: `a` with `after = ["b"]` above `b`.
    Instead: put the stage behind those that it comes after.
    """
    at: dict[str, int] = {}
    for i, stage in enumerate(plan.stage):
        at.setdefault(stage.name, i)
    for i, stage in enumerate(plan.stage):
        for k, name in enumerate(stage.after or ()):
            if at.get(name, -1) >= i:
                where = "itself" if name == stage.name else f"`{shown(name)}`, which stands later"
                yield Hit(
                    f"stage.{i}.after.{k}",
                    f"`{shown(stage.name)}` comes after {where}",
                    "put it behind those that it comes after",
                    ((f"stage.{at[name]}.name", "here"),) if name != stage.name else (),
                )


@states(STRUCTURE, "P037", "named-twice", Plan)
def named_twice(plan: Plan) -> Hits:
    """
    What: `after` names a stage twice.
    Why: the second one says nothing, so another was probably meant.
    Example: `after = ["clean", "clean"]`.
    Instead: name each once.
    """
    for i, stage in enumerate(plan.stage):
        seen: set[str] = set()
        for k, name in enumerate(stage.after or ()):
            if name in seen:
                yield Hit(f"stage.{i}.after.{k}", f"`{shown(name)}` is named twice", "name it once")
            seen.add(name)


@states(RING, "P040", "one-ingress", Plan)
def one_ingress(plan: Plan) -> Hits:
    """
    What: a plan for a single ring has no ingress, or several.
    Why: a ring has one producer.
    Example: two `[[ingress]]` tables.
    Instead: keep one; several sources meet in a merge of a lane graph.
    """
    if len(plan.ingress) != 1:
        path = "ingress.1" if plan.ingress else "ingress"
        yield Hit(path, f"a single ring has one ingress, the plan has {len(plan.ingress)}", "write one `[[ingress]]`")


@states(RING, "P041", "one-egress", Plan)
def one_egress(plan: Plan) -> Hits:
    """
    What: a plan for a single ring has several egresses.
    Why: a ring has one release boundary.
    Example: two `[[egress]]` tables.
    Instead: keep one; `emit = "both"` writes rows and `end` records, and a lane graph may have several egresses.
    """
    if len(plan.egress) > 1:
        yield Hit("egress.1", f"a single ring has at most one egress, the plan has {len(plan.egress)}", "keep one")


@states(RING, "P042", "missing-after", Plan)
def missing_after(plan: Plan) -> Hits:
    """
    What: a stage after the first one says not what it comes after.
    Why: it would start from the ingress, beside the first stage; that is seldom meant, so it is written out.
    Example: a second `[[stage]]` without `after`.
    Instead: name the stages that it comes after, or write `after = []` to let it start from the ingress.
    """
    for i, stage in enumerate(plan.stage[1:], 1):
        if stage.after is None:
            before = shown(plan.stage[i - 1].name)
            yield Hit(
                f"stage.{i}.after",
                f"stage `{shown(stage.name)}` says not what it comes after",
                f'write `after = ["{before}"]`, or `after = []` to start from the ingress',
            )


@states(RING, "P043", "lane-in-ring", Plan)
def lane_in_ring(plan: Plan) -> Hits:
    """
    What: a boundary of a single ring asks for a lane.
    Why: a ring's ingress writes the ring itself, and its egress reads it.
    Example: `lane = { kind = "journal" }` under `[[ingress]]` beside `[ring]`.
    Instead: drop it, or use a lane graph.
    """
    for table in ("ingress", "egress"):
        for i, part in enumerate(getattr(plan, table)):
            if part.lane is not None:
                yield Hit(f"{table}.{i}.lane", "a single ring has no lanes", "drop it")


def validate(plan: Plan) -> tuple[Diagnostic, ...]:
    """Hold a plan against every rule of its structure and of its target."""
    found = [READING[what].at(path, message) for what, path, message in _misfits(plan)]
    if found:
        return in_order(found)
    table = [*STRUCTURE, *BY_TARGET.get(plan.target, [])]
    return in_order(d for entry in table for d in entry.run(plan, ""))


def _misfits(plan: Plan) -> Iterator[tuple[str, str, str]]:
    whole = Kind("object", cls=Plan)
    return iter(()) if fits(whole)(plan) else (m for m in misfits(plan, whole, "") if m[0] != "text")


class PlanError(Refused):
    """A plan was to be valid and is not; `diagnostics` holds every finding, the first one first."""


def validate_plan_v2(plan: Plan) -> None:
    """Raise `PlanError` for an invalid plan, under the original's name."""
    if found := errors(validate(plan)):
        raise PlanError(found)
