"""A spec in words: what lies where, who waits for whom, and what the result may depend on.

Rule 1. Deterministic text: the same spec gives the same bytes, and nothing outside the spec shows in it.
Rule 2. A spec with findings can be described as well; what is unknown is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.spec import dag, describe_lanes
from byteor.spec.kv import Spec, spec_sha256
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import IDENTITY, MessageType, SingleRing, Stage, scalar


def describe(spec: Spec) -> str:
    """Describe a spec for people."""
    if isinstance(spec, LaneGraph):
        what = [describe_lanes.head(spec), _types(spec), describe_lanes.lanes(spec), describe_lanes.roles(spec)]
    else:
        what = [_head(spec), _types(spec), _ingress(spec), _stages(spec), _egress(spec)]
    blocks = [*what, _determinism(spec)]
    lines = [line for block in blocks for line in [*block, ""]]
    return "\n".join([*lines, f"sha256 {spec_sha256(spec)}", ""])


def _head(ring: SingleRing) -> Iterator[str]:
    total = ring.capacity * ring.slot_bytes
    yield f"single ring `{ring.name}` of `{ring.type}`"
    yield f"  {ring.capacity} slots of {ring.slot_bytes} bytes, {total} bytes{' a shard' if ring.shards > 1 else ''}"
    yield f"  wait {ring.wait}, ordering {ring.ordering}, producer {ring.producer}, scheduling {ring.scheduling}"
    if ring.shards > 1:
        yield f"  {ring.shards} shards by `{ring.shard_key}`, a ring each"


def _types(spec: Spec) -> Iterator[str]:
    yield "types"
    for message in spec.types:
        yield f"  {message.name}: {message.size} bytes"
        yield from (f"    {line}" for line in _fields(message))


def _fields(message: MessageType) -> Iterator[str]:
    at = 0
    for field in message.fields:
        count = f" x {field.count}" if field.count != 1 else ""
        null = f", null {field.null}" if field.null is not None else ""
        yield f"@{at:<5} {field.name}: {field.type}{count}{null}"
        found = scalar(field.type)
        at += found.size * field.count if found else 0


def _ingress(ring: SingleRing) -> Iterator[str]:
    at = ring.ingress
    yield f"ingress `{at.name}` of `{at.type}`"
    texts = ", ".join(f'"{text}"' for text in at.null_text) or "nothing"
    yield f"  format {at.format}; {texts} means missing; a bad row: {at.bad}"
    if at.sort_by is not None:
        yield f"  sorted by `{at.sort_by}` before it enters (loads or spills its input)"


def _stages(ring: SingleRing) -> Iterator[str]:
    before = dag.ancestors(ring.stages)
    yield "stages"
    for i, stage in enumerate(ring.stages):
        yield f"  {i} `{stage.name}` {_what(stage)}"
        yield f"    waits for {_waits_for(ring, stage)}"
        yield from (f"    {line}" for line in _details(ring, i, before[i]))


def _what(stage: Stage) -> str:
    if stage.call == IDENTITY:
        return "identity"
    return f"{stage.call}, per {stage.form}, {'compiled' if stage.compiled else 'plain Python'}"


def _waits_for(ring: SingleRing, stage: Stage) -> str:
    names = [f"`{ring.stages[j].name}`" for j in stage.depends_on if 0 <= j < len(ring.stages)]
    return " and ".join(names) or "the ingress"


def _details(ring: SingleRing, i: int, before: int) -> Iterator[str]:
    stage = ring.stages[i]
    if stage.min_out == 0:
        yield "may filter: dead cells of its own"
    if stage.form == "batch" and (cuts := [f"`{s.name}`" for j, s in enumerate(ring.stages) if _cuts(s, before, j)]):
        yield f"batches are cut at slots that {' or '.join(cuts)} filtered, unless its function names `live`"
    if stage.call != IDENTITY:
        yield f"reads {_names(stage.reads)}; writes {_names(stage.writes)}"
    if stage.state:
        by = f", one a key of {_names(stage.state.by)}, at most {stage.state.max} a shard" if stage.state.by else ""
        yield f"keeps `{stage.state.type}`{by}"
    if stage.end:
        yield f"gives at most {stage.end.max} `{stage.end.type}` at the end"
    for param in stage.params:
        yield f"param {param.name}: {param.type} = {param.value}"
    if stage.compiled and not stage.boundscheck:
        yield "no bounds checks"


def _cuts(stage: Stage, before: int, j: int) -> bool:
    return bool(before >> j & 1) and stage.min_out == 0


def _names(names: tuple[str, ...] | None) -> str:
    if names is None:
        return "every field"
    return ", ".join(f"`{name}`" for name in names) or "nothing"


def _egress(ring: SingleRing) -> Iterator[str]:
    last = " and ".join(f"`{ring.stages[i].name}`" for i in dag.sinks(ring.stages))
    if ring.egress is None:
        yield "no egress"
        yield f"  a slot is released when {last} passed it"
        return
    at = ring.egress
    yield f"egress `{at.name}` of `{at.type}`, behind {last}"
    yield f"  emits {at.emit} as {at.format}; a slot is released when the egress passed it"
    if at.sort:
        yield f"  `end` records sorted by {_names(at.sort)}, then by their bytes"


def _determinism(spec: Spec) -> Iterator[str]:
    why = list(describe_lanes.dependences(spec) if isinstance(spec, LaneGraph) else dependences(spec))
    yield "deterministic: the same input gives the same bytes" if not why else "not deterministic:"
    yield from (f"  {line}" for line in why)
    stages = [role.stage for role in spec.stages] if isinstance(spec, LaneGraph) else list(spec.stages)
    plain = sum(not stage.compiled and stage.call != IDENTITY for stage in stages)
    if plain > 1:
        yield f"  ({plain} plain Python stages share one interpreter: processes would run them side by side)"


def dependences(ring: SingleRing) -> Iterator[str]:
    """Say what else than the input the result depends on, a line for each reason."""
    for stage in ring.stages:
        if stage.borders:
            yield f"`{stage.name}` looks at batch borders, which depend on timing"
        if stage.clock:
            yield f"`{stage.name}` reads a clock"
        if ring.shards > 1 and stage.state and ring.shard_key not in stage.state.by:
            yield f"`{stage.name}` keeps state that is not keyed by `{ring.shard_key}`: each shard has its own"
