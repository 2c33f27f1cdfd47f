"""The lowering of a single ring: names become places, and whatever a plan leaves out is filled in.

Rule 1. What is decided here is noted, with the reason.
"""

from __future__ import annotations

from dataclasses import replace

from byteor.diag import Diagnostic, errors, in_order
from byteor.lower.keys import in_plan
from byteor.lower.model import Lowered, Note
from byteor.lower.names import free, sanitised
from byteor.plan import model as plans
from byteor.plan.model import Plan
from byteor.spec import model as specs
from byteor.spec import rules
from byteor.spec.build import end_of
from byteor.spec.codec import shown

# What these judge makes no sense while an `after` is unresolved.
_NEED_ORDER = ("S045", "S046")
_ORDER = ("P033", "P035", "P036", "P042")


def lower_ring(plan: Plan, found: tuple[Diagnostic, ...]) -> Lowered:
    """Make the ring as far as the plan's findings allow, and judge it."""
    if plan.ring is None or len(plan.ingress) != 1 or any(d.code in ("P013", "P019") for d in found):
        return Lowered(None, found, ())
    names, notes = _names(plan)
    ring = _ring(plan, plan.ring, names, notes)
    spoilt = any(d.code in _ORDER for d in found)
    own = [in_plan(d, plan) for d in rules.validate(ring) if not (spoilt and d.code in _NEED_ORDER)]
    refused = errors((*found, *own))
    return Lowered(None if refused else ring, found, in_order(own), tuple(notes))


def _names(plan: Plan) -> tuple[dict[str, str], list[Note]]:
    """The spec's name for each path of the plan that names something."""
    wanted = [("name", plan.name, "single_ring.name")]
    wanted += [(f"stage.{i}", s.name, f"single_ring.stages.{i}.name") for i, s in enumerate(plan.stage)]
    wanted += [("ingress.0", p.name, "single_ring.ingress.name") for p in plan.ingress[:1]]
    wanted += [("egress.0", p.name, "single_ring.egress.name") for p in plan.egress[:1]]
    taken: dict[str, int] = {}
    names, notes = {}, []
    for path, name, key in wanted:
        names[path] = made = sanitised(name) if path == "name" else free(sanitised(name), taken)
        if made != name:
            notes.append(Note(key, f"`{made}` stands for `{shown(name)}`: names are letters, digits, `_` and `-`"))
    return names, notes


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
