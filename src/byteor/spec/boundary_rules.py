"""Rules on ingress and egress: what enters, what leaves, and in which order.

Rule 1. A boundary has the type of what passes it; lowering fills it in, so only a spec made by hand can differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.spec.codec import shown
from byteor.spec.kv import Spec
from byteor.spec.model import Egress, Ingress, SingleRing
from byteor.spec.ring_rules import EMITS, key_hits, twice_in
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.type_rules import BOTH, type_of, types_of

TABLE: list[Entry] = []


def ingresses(spec: Spec) -> Iterator[tuple[str, Ingress]]:
    """Every ingress with its path."""
    if isinstance(spec, SingleRing):
        yield "ingress", spec.ingress
    else:
        yield from ((f"ingresses.{i}.ingress", at.ingress) for i, at in enumerate(spec.ingresses))


def egresses(spec: Spec) -> Iterator[tuple[str, Egress]]:
    """Every egress with its path."""
    if not isinstance(spec, SingleRing):
        yield from ((f"egresses.{i}.egress", at.egress) for i, at in enumerate(spec.egresses))
    elif spec.egress:
        yield "egress", spec.egress


@states(TABLE, "S060", "no-end", SingleRing)
def no_end(ring: SingleRing) -> Hits:
    """
    What: the egress emits `end` records, and no stage has an `end`.
    Why: the output would always be empty.
    Example: `emit = "end"` in a ring of per-message stages.
    Instead: `emit = "rows"`, or give a sink an `end`.
    """
    if ring.egress and ring.egress.emit in ("end", "both") and not any(stage.end for stage in ring.stages):
        yield Hit("egress.emit", f"the egress emits `{ring.egress.emit}`, and no stage has an `end`")


@states(TABLE, "S061", "end-goes-nowhere", SingleRing, severity="warning")
def end_goes_nowhere(ring: SingleRing) -> Hits:
    """
    What: a stage has an `end`, and no egress emits it.
    Why: its records are made and then thrown away.
    Example: `end = "statistic"` beside `emit = "rows"`.
    Instead: `emit = "end"` or `emit = "both"`, or drop the `end`.
    """
    if ring.egress and ring.egress.emit in ("end", "both"):
        return
    for i, stage in enumerate(ring.stages):
        if stage.end:
            yield Hit(f"stages.{i}.end", f"what `{shown(stage.name)}` gives at its end is emitted nowhere")


@states(TABLE, "S062", "bad-sort", SingleRing)
def bad_sort(ring: SingleRing) -> Hits:
    """
    What: `sort` names a field that the `end` type has not, or one of several scalars, or one twice; or sorts nothing.
    Why: it is the order of the `end` records in the output, whatever shard they came from.
    Example: `sort = ["month"]` where the type's field is called `mon`.
    Instead: name fields of the `end` type, each once; rows keep the order of the ingress and are not sorted.
    """
    egress = ring.egress
    if egress is None or not egress.sort:
        return
    if egress.emit == "rows":
        yield Hit("egress.sort", "only `end` records are sorted, and the egress emits rows")
        return
    yield from twice_in("egress.sort", egress.sort)
    name = next((stage.end.type for stage in ring.stages if stage.end), "")
    if message := type_of(ring, name):
        for i, field in enumerate(egress.sort):
            yield from key_hits(f"egress.sort.{i}", field, message, exact=False)


@states(TABLE, "S063", "egress-type", SingleRing)
def egress_type(ring: SingleRing) -> Hits:
    """
    What: the egress has another type than what it emits.
    Why: rows leave as the ring's type, and `end` records as the type that `end` gives.
    Example: `emit = "end"` with the ring's type.
    Instead: leave `type` out of the plan's egress: lowering fills it in.
    """
    egress = ring.egress
    if egress is None or egress.emit not in EMITS:
        return
    ends = {stage.end.type for stage in ring.stages if stage.end}
    wanted = ends if egress.emit == "end" else {ring.type}
    if wanted and egress.type not in wanted:
        right = min(wanted)
        message = f"the egress has type `{shown(egress.type)}` and emits `{shown(right)}`"
        yield Hit("egress.type", message, f"use `{shown(right)}`")


@states(TABLE, "S064", "ingress-type", SingleRing)
def ingress_type(ring: SingleRing) -> Hits:
    """
    What: the ingress has another type than the ring.
    Why: it writes into the ring's slots, with nothing between.
    Example: an ingress of type `line` before a ring of type `tick`.
    Instead: one type for both; an input need not have the fields that a stage writes before any stage reads them.
    """
    if ring.ingress.type != ring.type:
        message = f"the ingress has type `{shown(ring.ingress.type)}`, the ring `{shown(ring.type)}`"
        yield Hit("ingress.type", message, f"use `{shown(ring.type)}`", (("type", "the ring's type"),))


@states(TABLE, "S065", "bad-row-group", *BOTH)
def bad_row_group(spec: Spec) -> Hits:
    """
    What: `row_group` is less than 1.
    Why: a Parquet output is written in groups of this many rows, fixed by the plan, so that its bytes are the same.
    Example: `row_group = 0`.
    Instead: leave it out (65,536), or name a number of rows.
    """
    for path, egress in egresses(spec):
        if egress.row_group < 1:
            yield Hit(f"{path}.row_group", f"a row group of {egress.row_group} rows holds nothing")


@states(TABLE, "S066", "bad-sort-by", *BOTH)
def bad_sort_by(spec: Spec) -> Hits:
    """
    What: `sort_by` of an ingress is not a field of its type with one scalar.
    Why: the rows are put into the order of this field before they enter.
    Example: `sort_by = "time"` where the field is called `time_hour`.
    Instead: name a field of the type.
    """
    types = types_of(spec)
    for path, ingress in ingresses(spec):
        message = types.get(ingress.type)
        if ingress.sort_by is not None and message:
            yield from key_hits(f"{path}.sort_by", ingress.sort_by, message, exact=False)


@states(TABLE, "S029", "unsorted-end", SingleRing)
def unsorted_end(ring: SingleRing) -> Hits:
    """
    What: `end` records leave several shards, and `sort` names no order for them.
    Why: which shard a key falls into must not show in the output.
    Example: `shards = 2`, `emit = "end"`, and no `sort`.
    Instead: `sort = [...]` at the egress, with fields of the `end` type.
    """
    egress = ring.egress
    if egress and egress.emit in ("end", "both") and ring.shards > 1 and not egress.sort:
        yield Hit(
            "egress.sort", f"`end` records of {ring.shards} shards need a `sort`", "name fields of the `end` type"
        )
