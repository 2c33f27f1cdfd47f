"""From a plan to a spec: deterministic, explicit, and never a guess.

Rule 1. Valid in, valid out: what is given back holds every rule of the spec, or nothing is given back.
Rule 2. The plan's findings and those of lowering are kept apart; both speak of the plan's own keys.
Rule 3. A lowering is a function in `LOWERINGS`; what it decides, it notes, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from byteor.diag import Diagnostic, errors, in_order, rule
from byteor.plan import model as plans
from byteor.plan.model import SINGLE_RING, Plan
from byteor.plan.rules import validate as validate_plan
from byteor.spec import model as specs
from byteor.spec import rules
from byteor.spec.build import end_of
from byteor.spec.codec import shown
from byteor.spec.kv import Spec

TARGET_MISMATCH = rule(
    "L001",
    "target-mismatch",
    """What: the plan is for another target than the one that was asked for.
Why: lowering is explicit; it never turns one shape into another.
Example: a plan with `target = "single_ring"`, lowered to `lane_graph`.
Instead: ask for the plan's own target, or change the plan.""",
)
PAYLOAD_MISMATCH = rule(
    "L002",
    "source-payload-mismatch",
    """What: what the plan holds belongs to another target than it names.
Why: a ring needs `[ring]`, a lane graph needs its connections.
Example: `target = "single_ring"` in a plan of `[[connect]]` and `[[merge]]`.
Instead: name the target that the plan was written for.""",
)
NO_LOWERING = rule(
    "L003",
    "no-lowering",
    """What: the target is known, and this build does not lower to it.
Why: an unsupported shape is refused, never run as well as possible.
Example: `target = "lane_graph"` in a build of single rings alone.
Instead: use `single_ring`.""",
)

# What these judge makes no sense while an `after` is unresolved.
_NEED_ORDER = ("S045", "S046")
_ORDER = ("P033", "P035", "P036", "P042")


@dataclass(frozen=True, slots=True)
class Note:
    """One decision of lowering: the spec's key, what stands there, and why."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Lowered:
    """The spec, or None; the plan's findings, lowering's own, and the notes for `explain`."""

    spec: Spec | None
    plan_findings: tuple[Diagnostic, ...]
    findings: tuple[Diagnostic, ...]
    notes: tuple[Note, ...] = ()

    @property
    def all_findings(self) -> tuple[Diagnostic, ...]:
        return in_order((*self.plan_findings, *self.findings))


def lower(plan: Plan, target: str | None = None) -> Lowered:
    """Lower a plan to the spec of its target."""
    if target is not None and target != plan.target:
        message = f"the plan is for `{shown(plan.target)}`, asked for was `{shown(target)}`"
        return Lowered(None, (), (TARGET_MISMATCH.at("target", message),))
    if len(plan.payloads) == 1 and plan.target in plans.TARGETS and plan.target not in plan.payloads:
        message = f"the target is `{plan.target}`, and the plan describes a `{plan.payloads[0]}`"
        return Lowered(None, (), (PAYLOAD_MISMATCH.at("target", message),))
    found = validate_plan(plan)
    if plan.target not in LOWERINGS:
        known = plan.target in plans.TARGETS
        refused = [NO_LOWERING.at("target", f"`{plan.target}` is not lowered by this build")] if known else []
        return Lowered(None, found, tuple(refused))
    return LOWERINGS[plan.target](plan, found)


def _lower_ring(plan: Plan, found: tuple[Diagnostic, ...]) -> Lowered:
    """Make the ring as far as the plan's findings allow, and judge it."""
    if plan.ring is None or len(plan.ingress) != 1 or any(d.code in ("P013", "P019") for d in found):
        return Lowered(None, found, ())
    names, notes = _names(plan)
    ring = _ring(plan, plan.ring, names, notes)
    spoilt = any(d.code in _ORDER for d in found)
    own = [_in_plan(d, plan) for d in rules.validate(ring) if not (spoilt and d.code in _NEED_ORDER)]
    refused = errors((*found, *own))
    return Lowered(None if refused else ring, found, in_order(own), tuple(notes))


LOWERINGS: dict[str, Callable[[Plan, tuple[Diagnostic, ...]], Lowered]] = {SINGLE_RING: _lower_ring}


def _names(plan: Plan) -> tuple[dict[str, str], list[Note]]:
    """The spec's name for each path of the plan that names something."""
    wanted = [("name", plan.name, "single_ring.name")]
    wanted += [(f"stage.{i}", s.name, f"single_ring.stages.{i}.name") for i, s in enumerate(plan.stage)]
    wanted += [("ingress.0", p.name, "single_ring.ingress.name") for p in plan.ingress[:1]]
    wanted += [("egress.0", p.name, "single_ring.egress.name") for p in plan.egress[:1]]
    taken: dict[str, int] = {}
    names, notes = {}, []
    for path, name, key in wanted:
        names[path] = made = sanitised(name) if path == "name" else _free(sanitised(name), taken)
        if made != name:
            notes.append(Note(key, f"`{made}` stands for `{shown(name)}`: names are letters, digits, `_` and `-`"))
    return names, notes


def sanitised(name: str) -> str:
    """Make a name that fits a spec: other characters become `_`."""
    made = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60]
    return made if re.match(r"[A-Za-z_]", made) else f"_{made}"


def _free(name: str, taken: dict[str, int]) -> str:
    """Number a name that is taken; `taken` holds the last number of each."""
    made = name
    while made in taken:
        taken[name] += 1
        made = f"{name[:52]}_{taken[name]}"
    taken[made] = 1
    return made


def _ring(plan: Plan, ring: plans.Ring, names: dict[str, str], notes: list[Note]) -> specs.SingleRing:
    """Make the ring."""
    at: dict[str, int] = {}
    for i, stage in enumerate(plan.stage):
        at.setdefault(stage.name, i)
    stages = tuple(_stage(plan, i, at, names, notes) for i in range(len(plan.stage)))
    message = next((t for t in plan.types if t.name == ring.type), None)
    slot_bytes = ring.slot_bytes
    if slot_bytes is None:
        slot_bytes = max(1, message.size if message else 0)
        notes.append(Note("single_ring.slot_bytes", f"{slot_bytes}: the size of `{shown(ring.type)}`"))
    return specs.SingleRing(
        name=names["name"],
        types=plan.types,
        type=ring.type,
        capacity=ring.capacity,
        slot_bytes=slot_bytes,
        wait=ring.wait,
        shards=ring.shards,
        ordering=ring.ordering,
        producer=ring.producer,
        scheduling=ring.scheduling,
        shard_key=ring.shard_key,
        ingress=_ingress(plan.ingress[0], ring, names["ingress.0"]),
        stages=stages,
        egress=_egress(plan, ring, names, notes) if plan.egress else None,
    )


def _stage(plan: Plan, i: int, at: dict[str, int], names: dict[str, str], notes: list[Note]) -> specs.Stage:
    """Make one stage: names of stages become indices, types default to the ring's."""
    stage, ring = plan.stage[i], plan.ring
    ring_type = ring.type if ring else ""
    state = specs.State(stage.state.type, stage.state.by, stage.state.max) if stage.state else None
    end = end_of(stage.end.type, state, stage.end.max) if stage.end else None
    if end and stage.end and stage.end.max is None:
        why = "the state's `max`" if state else "there is no state"
        notes.append(Note(f"single_ring.stages.{i}.end.max", f"{end.max}: {why}"))
    return specs.Stage(
        name=names[f"stage.{i}"],
        call=stage.call,
        form=stage.form,
        compiled=stage.compiled,
        in_=stage.in_ or ring_type,
        out=stage.out or ring_type,
        min_out=stage.min_out,
        max_out=stage.max_out,
        state=state,
        end=end,
        reads=stage.reads,
        writes=stage.writes,
        borders=stage.borders,
        clock=stage.clock,
        boundscheck=stage.boundscheck,
        params=stage.params,
        depends_on=tuple(sorted({at[name] for name in stage.after or () if at.get(name, i) < i})),
    )


def _ingress(ingress: plans.Ingress, ring: plans.Ring, name: str) -> specs.Ingress:
    return specs.Ingress(
        name, ingress.type or ring.type, ingress.format, ingress.null_text, ingress.bad, ingress.sort_by
    )


def _egress(plan: Plan, ring: plans.Ring, names: dict[str, str], notes: list[Note]) -> specs.Egress:
    """Make the egress; its type is that of what it emits."""
    egress = plan.egress[0]
    made = specs.Egress(
        names["egress.0"],
        egress.type or ring.type,
        egress.format,
        egress.null_text,
        egress.emit,
        egress.sort,
        egress.row_group,
    )
    ends = [stage.end.type for stage in plan.stage if stage.end]
    if egress.type is None and egress.emit == "end" and ends:
        notes.append(Note("single_ring.egress.type", f"`{shown(ends[0])}`: the egress emits `end` records"))
        return replace(made, type=ends[0])
    return made


def _in_plan(found: Diagnostic, plan: Plan) -> Diagnostic:
    """The same finding, with the plan's keys for the spec's."""
    related = tuple((plan_key(path, plan), label) for path, label in found.related)
    return replace(found, path=plan_key(found.path, plan), related=related)


def plan_key(path: str, plan: Plan) -> str:
    """The key of a plan from which a ring's key was made."""
    parts = path.split(".")[1:]
    head, rest = parts[0], parts[1:]
    if head == "types":
        return ".".join(["types", *_type_key(rest, plan)])
    if head == "stages":
        return ".".join(["stage", *_stage_key(rest, plan)])
    if head in ("ingress", "egress"):
        return ".".join([head, "0", *rest])
    return head if head == "name" else ".".join(["ring", *parts])


def _type_key(rest: list[str], plan: Plan) -> list[str]:
    """`0.fields.1.null` is `flight.px.null`; a name is the table's own key."""
    message = plan.types[int(rest[0])]
    if len(rest) < 3:
        return [message.name]
    tail = [] if rest[3:] in (["name"], ["type"]) else rest[3:]
    return [message.name, message.fields[int(rest[2])].name, *tail]


def _stage_key(rest: list[str], plan: Plan) -> list[str]:
    """Dependencies are sorted, so their places are lost; parameters stand under their names."""
    if rest[1:2] == ["depends_on"]:
        return [rest[0], "after"]
    if rest[1:2] == ["params"] and len(rest) > 2:
        return [rest[0], "params", plan.stage[int(rest[0])].params[int(rest[2])].name]
    return rest
