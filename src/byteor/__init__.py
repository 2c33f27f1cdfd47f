"""ByteOr: plans become checked specs, specs become running rings. This page names what is public.

Rule 1. A name is loaded when it is first asked for (PEP 562): `import byteor` loads neither numpy nor numba.
Rule 2. Each name stands once, under the module that owns it; names with a version are the original's.
Rule 3. No layer below `exec` imports this page.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byteor import lanes as lanes
    from byteor.diag import Diagnostic, Refused, Source, render, to_json
    from byteor.exec.run import Report, Run, WouldBlock
    from byteor.exec.runners import StageFailed
    from byteor.exec.snapshot import Snapshot, StageSnapshot
    from byteor.exec.stage import Record, register, stage
    from byteor.lower import Lowered
    from byteor.lower import lower as lower_plan
    from byteor.plan.document import PlanBuilder, lane_graph, single_ring
    from byteor.plan.document import encode as encode_plan
    from byteor.plan.document import read as read_plan
    from byteor.plan.model import ExecutionTarget as ExecutionTargetV1
    from byteor.plan.model import Plan as PipelinePlanV2
    from byteor.plan.page import explain
    from byteor.plan.rules import PlanError, validate_plan_v2
    from byteor.plan.rules import validate as validate_plan
    from byteor.plant.run import PlantRun, run
    from byteor.plant.status import Status
    from byteor.spec.build import SingleRingBuilder, message_type, single_ring_chain
    from byteor.spec.build_lanes import LaneGraphBuilder
    from byteor.spec.describe import describe
    from byteor.spec.kv import Decoded, decode, encode, spec_sha256
    from byteor.spec.kv import Spec as PipelineSpecV1
    from byteor.spec.lane_graph import LaneGraph
    from byteor.spec.model import Egress, End, Field, Ingress, MessageType, Param, SingleRing, Stage, State
    from byteor.spec.rules import SpecError, validate_v1
    from byteor.spec.rules import validate as validate_spec

__version__ = "0.1.0"

__all__ = [
    "Decoded",
    "Diagnostic",
    "Egress",
    "End",
    "ExecutionTargetV1",
    "Field",
    "Ingress",
    "LaneGraph",
    "LaneGraphBuilder",
    "Lowered",
    "MessageType",
    "Param",
    "PipelinePlanV2",
    "PipelineSpecV1",
    "PlanBuilder",
    "PlanError",
    "PlantRun",
    "Record",
    "Refused",
    "Report",
    "Run",
    "SingleRing",
    "SingleRingBuilder",
    "Snapshot",
    "Source",
    "SpecError",
    "Stage",
    "StageFailed",
    "StageSnapshot",
    "State",
    "Status",
    "WouldBlock",
    "decode",
    "describe",
    "encode",
    "encode_plan",
    "explain",
    "lane_graph",
    "lower_plan",
    "message_type",
    "read_plan",
    "register",
    "render",
    "run",
    "single_ring",
    "single_ring_chain",
    "spec_sha256",
    "stage",
    "to_json",
    "validate_plan",
    "validate_plan_v2",
    "validate_spec",
    "validate_v1",
]

# Module: its public names. `public=name` is a name that is another one inside.
_NAMES = {
    "byteor.diag": "Diagnostic Refused Source render to_json",
    "byteor.exec.run": "Report Run WouldBlock",
    "byteor.exec.runners": "StageFailed",
    "byteor.exec.snapshot": "Snapshot StageSnapshot",
    "byteor.exec.stage": "Record register stage",
    "byteor.lower": "Lowered lower_plan=lower",
    "byteor.plan.document": "PlanBuilder encode_plan=encode lane_graph read_plan=read single_ring",
    "byteor.plan.model": "ExecutionTargetV1=ExecutionTarget PipelinePlanV2=Plan",
    "byteor.plan.page": "explain",
    "byteor.plan.rules": "PlanError validate_plan=validate validate_plan_v2",
    "byteor.plant.run": "PlantRun run",
    "byteor.plant.status": "Status",
    "byteor.spec.build": "SingleRingBuilder message_type single_ring_chain",
    "byteor.spec.build_lanes": "LaneGraphBuilder",
    "byteor.spec.describe": "describe",
    "byteor.spec.kv": "Decoded PipelineSpecV1=Spec decode encode spec_sha256",
    "byteor.spec.lane_graph": "LaneGraph",
    "byteor.spec.model": "Egress End Field Ingress MessageType Param SingleRing Stage State",
    "byteor.spec.rules": "SpecError validate_spec=validate validate_v1",
}
_OWNER = {
    public: (module, name or public)
    for module, names in _NAMES.items()
    for public, _, name in (entry.partition("=") for entry in names.split())
}


_PAGES = ("lanes",)  # pages of public names of their own


def __getattr__(public: str) -> Any:
    if public in _PAGES:
        return import_module(f"byteor.{public}")
    if public not in _OWNER:
        raise AttributeError(f"module 'byteor' has no attribute {public!r}")
    module, name = _OWNER[public]
    value = globals()[public] = getattr(import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PAGES})
