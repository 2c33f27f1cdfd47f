"""From a plan to a spec: deterministic, explicit, and never a guess.

Rule 1. Valid in, valid out: what is given back holds every rule of the spec, or nothing is given back.
Rule 2. The plan's findings and those of lowering are kept apart; both speak of the plan's own keys.
Rule 3. A lowering is a function in `LOWERINGS`; what it decides, it notes, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable

from byteor.diag import Diagnostic
from byteor.lower.findings import PAYLOAD_MISMATCH, TARGET_MISMATCH
from byteor.lower.graph import lower_graph
from byteor.lower.keys import plan_key
from byteor.lower.model import Lowered, Note
from byteor.lower.names import sanitised
from byteor.lower.ring import lower_ring
from byteor.plan.model import LANE_GRAPH, SINGLE_RING, TARGETS, Plan
from byteor.plan.rules import validate as validate_plan
from byteor.spec.codec import shown

__all__ = ["Lowered", "Note", "lower", "plan_key", "sanitised"]

LOWERINGS: dict[str, Callable[[Plan, tuple[Diagnostic, ...]], Lowered]] = {
    SINGLE_RING: lower_ring,
    LANE_GRAPH: lower_graph,
}


def lower(plan: Plan, target: str | None = None) -> Lowered:
    """Lower a plan to the spec of its target."""
    if target is not None and target != plan.target:
        message = f"the plan is for `{shown(plan.target)}`, asked for was `{shown(target)}`"
        return Lowered(None, (), (TARGET_MISMATCH.at("target", message),))
    if len(plan.payloads) == 1 and plan.target in TARGETS and plan.target not in plan.payloads:
        message = f"the target is `{plan.target}`, and the plan describes a `{plan.payloads[0]}`"
        return Lowered(None, (), (PAYLOAD_MISMATCH.at("target", message),))
    found = validate_plan(plan)
    if plan.target not in LOWERINGS:
        return Lowered(None, found, ())
    return LOWERINGS[plan.target](plan, found)
