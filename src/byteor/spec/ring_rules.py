"""Rules on a single ring: its shards and its DAG; and on sizes and words, which both shapes have.

Rule 1. Every rule that compares fields, reads the types that exist; unknown ones have their own code.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.spec import dag
from byteor.spec.codec import near, shown
from byteor.spec.kv import Spec
from byteor.spec.lane_graph import KINDS, LATE, MERGE_POLICIES, ON_FULL, RETAIN, ROUTER_POLICIES, Lane, LaneGraph
from byteor.spec.model import IDENTITY, WAITS, MessageType, SingleRing, Stage, scalar
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.type_rules import BOTH, type_of, types_of

TABLE: list[Entry] = []
MAX_STAGES = 32
MAX_CAPACITY = 1 << 24
MAX_REGION = 1 << 32
ORDERINGS = ("strict", "per_key")
PRODUCERS = ("single", "mpmc")
SCHEDULINGS = ("dedicated", "work_queue")
FORMS = ("message", "batch")
BAD_ROWS = ("fail", "skip")
EMITS = ("rows", "end", "both")
FORMATS = ("auto", "csv", "jsonl", "lines", "raw", "npy", "parquet", "arrow")


def words(spec: Spec) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every place where one of a few words stands: (path, word, words)."""
    yield "wait", spec.wait, WAITS
    yield from _ring_words(spec) if isinstance(spec, SingleRing) else _graph_words(spec)


def _graph_words(graph: LaneGraph) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    yield "on_full", graph.on_full, ON_FULL
    for i, lane in enumerate(graph.lanes):
        yield f"lanes.{i}.kind", lane.kind, KINDS
        yield f"lanes.{i}.on_full", lane.on_full, ON_FULL
        if lane.retain is not None:
            yield f"lanes.{i}.retain", lane.retain, RETAIN
    for i, ingress in enumerate(graph.ingresses):
        yield f"ingresses.{i}.ingress.bad", ingress.ingress.bad, BAD_ROWS
        yield from _format_word(f"ingresses.{i}.ingress", ingress.ingress.format)
    yield from ((f"stages.{i}.stage.form", role.stage.form, FORMS) for i, role in enumerate(graph.stages))
    yield from ((f"routers.{i}.policy", router.policy, ROUTER_POLICIES) for i, router in enumerate(graph.routers))
    for i, merge in enumerate(graph.merges):
        yield f"merges.{i}.policy", merge.policy, MERGE_POLICIES
        yield f"merges.{i}.late", merge.late, LATE
    for i, egress in enumerate(graph.egresses):
        yield f"egresses.{i}.egress.emit", egress.egress.emit, EMITS
        yield from _format_word(f"egresses.{i}.egress", egress.egress.format)


def _format_word(path: str, word: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if not word.startswith("python:"):
        yield f"{path}.format", word, FORMATS


def _ring_words(ring: SingleRing) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    yield "ordering", ring.ordering, ORDERINGS
    yield "producer", ring.producer, PRODUCERS
    yield "scheduling", ring.scheduling, SCHEDULINGS
    yield "ingress.bad", ring.ingress.bad, BAD_ROWS
    yield from _format_word("ingress", ring.ingress.format)
    yield from ((f"stages.{i}.form", stage.form, FORMS) for i, stage in enumerate(ring.stages))
    if ring.egress:
        yield "egress.emit", ring.egress.emit, EMITS
        yield from _format_word("egress", ring.egress.format)


def slots(spec: Spec) -> Iterator[tuple[str, SingleRing | Lane]]:
    """Everything that has slots: (the prefix of its path, it)."""
    if isinstance(spec, SingleRing):
        yield "", spec
    else:
        yield from ((f"lanes.{i}.", lane) for i, lane in enumerate(spec.lanes))


@states(TABLE, "S020", "bad-capacity", *BOTH)
def bad_capacity(spec: Spec) -> Hits:
    """
    What: the capacity is not a power of two between 1 and 2^24.
    Why: a slot is found by masking the sequence, which needs a power of two.
    Example: `capacity = 1000`.
    Instead: take the power of two above or below: 1024 or 512.
    """
    for path, at in slots(spec):
        if at.capacity.bit_count() == 1 and 0 < at.capacity <= MAX_CAPACITY:
            continue
        above = 1 << max(0, min(at.capacity, MAX_CAPACITY) - 1).bit_length()
        below = f" (or {above // 2})" if above > 1 and at.capacity < MAX_CAPACITY else ""
        message = f"capacity {at.capacity} is not a power of two up to 2^24"
        yield Hit(f"{path}capacity", message, f"use {above}{below}")


@states(TABLE, "S021", "slot-too-small", *BOTH)
def slot_too_small(spec: Spec) -> Hits:
    """
    What: a record of the type of a ring or a lane does not fit a slot.
    Why: the payload lies in the slot itself.
    Example: `slot_bytes = 16` for a type of 24 bytes.
    Instead: leave `slot_bytes` out of the plan: it is then the size of the type.
    """
    sizes = {name: message.size for name, message in types_of(spec).items()}
    for path, at in slots(spec):
        size = sizes.get(at.type)
        if at.slot_bytes < max(1, size or 0):
            wanted = "a record has at least 1" if size is None else f"`{shown(at.type)}` has {size}"
            message = f"a slot has {at.slot_bytes} bytes, {wanted}"
            yield Hit(f"{path}slot_bytes", message, "use at least the size of the type")


@states(TABLE, "S022", "region-too-large", *BOTH)
def region_too_large(spec: Spec) -> Hits:
    """
    What: capacity times slot size reaches 4 GiB.
    Why: the size of a region is a 32-bit number in its header.
    Example: 16,777,216 slots of 256 bytes.
    Instead: a smaller capacity; a ring need only cover the time that its readers lag.
    """
    for path, at in slots(spec):
        producers = max(1, at.producers) if isinstance(at, Lane) else 1
        if at.capacity > 0 and producers * at.capacity * at.slot_bytes >= MAX_REGION:
            times = f"{producers} times " if producers > 1 else ""
            yield Hit(f"{path}capacity", f"{times}{at.capacity} slots of {at.slot_bytes} bytes reach 4 GiB")


@states(TABLE, "S023", "unknown-word", *BOTH)
def unknown_word(spec: Spec) -> Hits:
    """
    What: a value is none of the few words that its key takes.
    Why: each of them is a behaviour; there is none for this one.
    Example: `wait = "sleep"`.
    Instead: one of the words that the help line lists.
    """
    for path, word, known in words(spec):
        if word not in known:
            help = near(word, known) or f"use one of {', '.join(known)}"
            yield Hit(path, f"`{shown(word)}` is not a value of `{path.rpartition('.')[2]}`", help)


@states(TABLE, "S024", "producer-not-supported", SingleRing)
def producer_not_supported(ring: SingleRing) -> Hits:
    """
    What: `producer = "mpmc"` parses, and is not supported.
    Why: a claim that producers share cannot be repaired after one of them is killed.
    Example: `producer = "mpmc"`.
    Instead: `producer = "single"`; several sources meet in a merge of a lane graph.
    """
    if ring.producer == "mpmc":
        yield Hit("producer", "producer `mpmc` is not supported", "use `single`")


@states(TABLE, "S025", "scheduling-not-supported", SingleRing)
def scheduling_not_supported(ring: SingleRing) -> Hits:
    """
    What: `scheduling = "work_queue"` parses, and is not supported.
    Why: stages of a ring have a runner each; a pool would make their order depend on timing.
    Example: `scheduling = "work_queue"`.
    Instead: `scheduling = "dedicated"`; to spread work, use shards.
    """
    if ring.scheduling == "work_queue":
        yield Hit("scheduling", "scheduling `work_queue` is not supported", "use `dedicated`")


@states(TABLE, "S026", "bad-shards", SingleRing)
def bad_shards(ring: SingleRing) -> Hits:
    """
    What: the number of shards is less than 1 or more than 256.
    Why: each shard is a ring of its own with a runner for every stage.
    Example: `shards = 0`.
    Instead: 1, or as many as there are cores to spare.
    """
    if not 1 <= ring.shards <= 256:
        yield Hit("shards", f"{ring.shards} shards are not between 1 and 256")


@states(TABLE, "S027", "strict-with-shards", SingleRing)
def strict_with_shards(ring: SingleRing) -> Hits:
    """
    What: `ordering = "strict"` stands beside more than one shard.
    Why: shards run side by side; only the order within a key survives.
    Example: `shards = 2` and `ordering = "strict"`.
    Instead: `ordering = "per_key"` with a `shard_key`, or one shard.
    """
    if ring.ordering == "strict" and ring.shards > 1:
        yield Hit(
            "ordering",
            f"strict ordering needs one shard, there are {ring.shards}",
            "use `per_key`, or one shard",
            (("shards", "more than one here"),),
        )


@states(TABLE, "S028", "bad-shard-key", SingleRing)
def bad_shard_key(ring: SingleRing) -> Hits:
    """
    What: several shards have no `shard_key`, or it is not a single, exact field of the ring's type.
    Why: the key's bytes decide the shard; floats have several byte patterns for equal values.
    Example: `shards = 2` without `shard_key`.
    Instead: name an integer, bytes, bool or timestamp field.
    """
    message = type_of(ring, ring.type)
    if ring.shard_key is None:
        if ring.shards > 1:
            yield Hit("shard_key", f"{ring.shards} shards need a `shard_key`", "name a field of the ring's type")
    elif message is not None:
        yield from key_hits("shard_key", ring.shard_key, message, exact=True)


def key_hits(path: str, name: str, message: MessageType, exact: bool) -> Hits:
    """Hit a key that is not a field with one scalar; `exact` refuses floats."""
    field = message.field(name)
    if field is None:
        names = [f.name for f in message.fields]
        yield Hit(path, f"type `{shown(message.name)}` has no field `{shown(name)}`", near(name, names))
    elif field.count != 1:
        yield Hit(path, f"`{shown(name)}` holds {field.count} scalars, a key is one")
    elif exact and (kind := scalar(field.type)) and kind.kind in ("f32", "f64"):
        yield Hit(path, f"`{shown(name)}` is a float, and equal floats can differ in their bytes")


def twice_in(path: str, names: tuple[str, ...]) -> Hits:
    """Hit the names of a list that stand in it before."""
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield Hit(f"{path}.{i}", f"`{shown(name)}` is named twice", "name it once")
        seen.add(name)


@states(TABLE, "S030", "no-stages", SingleRing)
def no_stages(ring: SingleRing) -> Hits:
    """
    What: the ring has no stage.
    Why: nothing would read the ring, so nothing would ever be released.
    Example: a plan without `[[stage]]`.
    Instead: add a stage; `call = "identity"` changes nothing.
    """
    if not ring.stages:
        yield Hit("stages", "there is no stage", "add one; `identity` changes nothing")


@states(TABLE, "S031", "too-many-stages", SingleRing)
def too_many_stages(ring: SingleRing) -> Hits:
    """
    What: the ring has more than 32 stages.
    Why: each has a gate in the ring and a runner of its own.
    Example: a chain of 40 small stages.
    Instead: join stages that follow each other, or use a lane graph.
    """
    if len(ring.stages) > MAX_STAGES:
        yield Hit("stages", f"there are {len(ring.stages)} stages, a ring takes {MAX_STAGES}")


@states(TABLE, "S032", "bad-dependency", SingleRing)
def bad_dependency(ring: SingleRing) -> Hits:
    """
    What: a stage depends on itself, on a later stage, or on one that does not exist.
    Why: stages stand in topological order, so that a cycle cannot be written.
    Example: stage 1 with `depends_on` 2.
    Instead: put the stage behind those that it depends on.
    """
    for i, stage in enumerate(ring.stages):
        for k, j in enumerate(stage.depends_on):
            if not 0 <= j < i:
                yield Hit(f"stages.{i}.depends_on.{k}", f"stage {i} depends on stage {j}, which is not an earlier one")


@states(TABLE, "S033", "dependency-order", SingleRing)
def dependency_order(ring: SingleRing) -> Hits:
    """
    What: the dependencies of a stage are not strictly increasing.
    Why: the same DAG has one spelling, so that equal pipelines have equal hashes.
    Example: `depends_on` 1, 0, or 0, 0.
    Instead: sort them, and drop repetitions.
    """
    for i, stage in enumerate(ring.stages):
        for k, (a, b) in enumerate(zip(stage.depends_on, stage.depends_on[1:], strict=False), 1):
            if b <= a:
                yield Hit(f"stages.{i}.depends_on.{k}", f"{b} follows {a}", "sort the dependencies, each once")


@states(TABLE, "S045", "race", SingleRing)
def race(ring: SingleRing) -> Hits:
    """
    What: of two stages that no dependency orders, one writes a field that the other reads or writes.
    Why: both work in the same slot at the same time, so the result would depend on timing.
    Example: two stages after `clean`, neither of which says what it writes.
    Instead: declare `reads` and `writes` (each defaults to every field), or let one come after the other.
    """
    message = type_of(ring, ring.type)
    if message is None or len(ring.stages) > MAX_STAGES:
        return
    every = tuple(f.name for f in message.fields)
    touches = [_touches(stage, every) for stage in ring.stages]
    for i, j in dag.parallel(ring.stages):
        (reads, writes), (others_reads, others_writes) = touches[i], touches[j]
        clash = (writes & (others_reads | others_writes)) | (reads & others_writes)
        if clash:
            first, second = ring.stages[i].name, ring.stages[j].name
            yield Hit(
                f"stages.{j}",
                f"`{shown(first)}` and `{shown(second)}` run side by side, and {_fields(clash, every)} is written",
                "declare `reads` and `writes`, or let one come after the other",
                ((f"stages.{i}", "beside this one"),),
            )


def _touches(stage: Stage, every: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """What a stage reads (the key of its state too) and what it writes."""
    if stage.call == IDENTITY:
        return frozenset(), frozenset()
    keys = stage.state.by if stage.state else ()
    reads = every if stage.reads is None else (*stage.reads, *keys)
    return frozenset(reads), frozenset(every if stage.writes is None else stage.writes)


def _fields(names: frozenset[str], every: tuple[str, ...]) -> str:
    listed = [f"`{name}`" for name in every if name in names] or [f"`{shown(name)}`" for name in sorted(names)]
    return "every field" if len(listed) == len(every) > 1 else ", ".join(listed[:4])


@states(TABLE, "S046", "end-not-at-sink", SingleRing)
def end_not_at_sink(ring: SingleRing) -> Hits:
    """
    What: a stage that other stages depend on has an `end`.
    Why: what `end` gives goes to the egress, never through the ring; in the middle nobody would take it.
    Example: a first stage with `end`.
    Instead: move the aggregation into a sink: a stage that nobody comes after.
    """
    last = set(dag.sinks(ring.stages))
    for i, stage in enumerate(ring.stages):
        if stage.end and i not in last:
            yield Hit(f"stages.{i}.end", f"`{shown(stage.name)}` has an `end`, and other stages come after it")


@states(TABLE, "S047", "end-types-differ", SingleRing)
def end_types_differ(ring: SingleRing) -> Hits:
    """
    What: two stages give `end` records of different types.
    Why: they leave by one egress, into one output.
    Example: `end = "by_carrier"` in one sink, `end = "by_month"` in another.
    Instead: one type for both, with a field that tells them apart; or two runs.
    """
    ending = [(i, stage.end.type) for i, stage in enumerate(ring.stages) if stage.end]
    for i, name in ending[1:]:
        if name != ending[0][1]:
            message = f"`end` gives `{shown(name)}`, another gives `{shown(ending[0][1])}`"
            yield Hit(f"stages.{i}.end.type", message, related=((f"stages.{ending[0][0]}.end.type", "the other"),))
