"""Rules on one stage of either shape: its call, its form, what it reads, keeps and gives.

Rule 1. Only the declaration is judged; whether the function keeps to it is seen at bring-up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from byteor.spec.codec import near, shown
from byteor.spec.kv import Spec
from byteor.spec.model import IDENTITY, SingleRing, Stage, scalar
from byteor.spec.ring_rules import key_hits, twice_in
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.type_rules import BOTH, FIELD_NAME, types_of
from byteor.spec.values import canonical, parse

TABLE: list[Entry] = []
MAX_FLAT = 4096
CALL = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+:[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+|[A-Za-z_][\w.-]*+", re.ASCII)


def each(spec: Spec) -> Iterator[tuple[str, Stage]]:
    """Every stage with its path."""
    if isinstance(spec, SingleRing):
        return ((f"stages.{i}", stage) for i, stage in enumerate(spec.stages))
    return ((f"stages.{i}.stage", role.stage) for i, role in enumerate(spec.stages))


@states(TABLE, "S040", "bad-call", *BOTH)
def bad_call(spec: Spec) -> Hits:
    """
    What: a stage's call is neither `module:function`, nor a registered name, nor `identity`.
    Why: any process has to be able to find the function by this text.
    Example: `call = "stages.py:clean"` or `call = "stages:"`.
    Instead: write the module as Python would import it from the plan's folder: `stages:clean`.
    """
    for path, stage in each(spec):
        if not CALL.fullmatch(stage.call) or ".py:" in stage.call:
            yield Hit(f"{path}.call", f"`{shown(stage.call)}` names no function", "write `module:function`")


@states(TABLE, "S041", "identity-with-extras", *BOTH)
def identity_with_extras(spec: Spec) -> Hits:
    """
    What: an `identity` stage has state, an `end`, parameters, or may filter.
    Why: it has no function that could use them.
    Example: `call = "identity"` with `params`.
    Instead: name a function, or take them away.
    """
    for path, stage in each(spec):
        if stage.call != IDENTITY:
            continue
        extras = (("state", stage.state), ("end", stage.end), ("params", stage.params), ("min_out", stage.min_out == 0))
        for key, there in extras:
            if there:
                yield Hit(f"{path}.{key}", f"an identity stage has no use for `{key}`")


@states(TABLE, "S042", "stage-type", SingleRing)
def stage_type(ring: SingleRing) -> Hits:
    """
    What: a stage of a ring takes or gives another type than the ring's.
    Why: stages of a ring change records in place; there is one type in all slots.
    Example: `out = "score"` in a ring of `tick`.
    Instead: put the fields of both into the ring's type, or use a lane graph.
    """
    for path, stage in each(ring):
        for key, name in (("in", stage.in_), ("out", stage.out)):
            if name != ring.type:
                message = f"`{shown(stage.name)}` has `{key}` type `{shown(name)}`, the ring `{shown(ring.type)}`"
                yield Hit(f"{path}.{key}", message, f"use `{shown(ring.type)}`")


@states(TABLE, "S043", "stage-outputs", SingleRing)
def stage_outputs(ring: SingleRing) -> Hits:
    """
    What: `min_out` is not 0 or 1, or `max_out` is not 1.
    Why: in a ring a record stays in its slot or is filtered; there is no place for a second one.
    Example: `max_out = 4`.
    Instead: `min_out = 0` for a stage that filters; one-to-many stages belong in a lane graph.
    """
    for path, stage in each(ring):
        if stage.min_out not in (0, 1):
            yield Hit(f"{path}.min_out", f"`min_out` is {stage.min_out}, in a ring it is 0 or 1")
        if stage.max_out != 1:
            yield Hit(f"{path}.max_out", f"`max_out` is {stage.max_out}, in a ring it is 1")


@states(TABLE, "S044", "unknown-field", *BOTH)
def unknown_field(spec: Spec) -> Hits:
    """
    What: `reads` or `writes` names a field that the stage's type has not, or one twice.
    Why: these sets decide which stages may run side by side.
    Example: `reads = ["price"]` where the field is called `px`.
    Instead: name fields of the type; leave the key out to mean every field.
    """
    types = types_of(spec)
    for path, stage in each(spec):
        for key, of, names in (("reads", stage.in_, stage.reads or ()), ("writes", stage.out, stage.writes or ())):
            message = types.get(spec.type if isinstance(spec, SingleRing) else of)
            yield from twice_in(f"{path}.{key}", names)
            for i, name in enumerate(names):
                if message and message.field(name) is None:
                    known = [f.name for f in message.fields]
                    said = f"type `{shown(message.name)}` has no field `{shown(name)}`"
                    yield Hit(f"{path}.{key}.{i}", said, near(name, known))


@states(TABLE, "S048", "bad-state-key", *BOTH)
def bad_state_key(spec: Spec) -> Hits:
    """
    What: a field in `by` is missing in the stage's type or in the state's, differs between them, or cannot be a key.
    Why: the state's record for a key is found by these fields, and made with them filled in.
    Example: `by = "carrier"` where the state's type has no `carrier`.
    Instead: the same field, one exact scalar of the same type, in both types.
    """
    types = types_of(spec)
    for path, stage in each(spec):
        if stage.state is None:
            continue
        taken = types.get(spec.type if isinstance(spec, SingleRing) else stage.in_)
        yield from twice_in(f"{path}.state.by", stage.state.by)
        state_type = types.get(stage.state.type)
        for i, name in enumerate(stage.state.by):
            at = f"{path}.state.by.{i}"
            found = [hit for t in (taken, state_type) if t for hit in key_hits(at, name, t, exact=True)]
            yield from found
            if taken and state_type and not found:
                a, b = taken.field(name), state_type.field(name)
                if a and b and a.type != b.type:
                    yield Hit(at, f"`{shown(name)}` is {shown(a.type)} in the message and {shown(b.type)} in the state")


@states(TABLE, "S049", "bad-state-size", *BOTH)
def bad_state_size(spec: Spec) -> Hits:
    """
    What: a state's `max` is less than 1, or more than 1 without `by`, or its table reaches 4 GiB.
    Why: `max` is the number of keys; state without keys is one record.
    Example: `state = { type = "totals", max = 64 }`.
    Instead: name the key in `by`, or leave `max` out.
    """
    types = types_of(spec)
    for path, stage in each(spec):
        if (state := stage.state) is None:
            continue
        message = types.get(state.type)
        if state.max < 1:
            yield Hit(f"{path}.state.max", f"a state of {state.max} records holds nothing")
        elif not state.by and state.max != 1:
            yield Hit(f"{path}.state.max", f"state without `by` is one record, `max` is {state.max}")
        elif message and state.max * message.size >= 1 << 32:
            yield Hit(f"{path}.state.max", f"{state.max} records of {message.size} bytes reach 4 GiB")


@states(TABLE, "S050", "large-flat-state", *BOTH, severity="warning")
def large_flat_state(spec: Spec) -> Hits:
    """
    What: a stage's single state record is larger than 4,096 bytes.
    Why: it is copied whole at every commit, while keyed state copies only the records that were touched.
    Example: a state type with a field of 10,000 counters.
    Instead: `state = { type, by, max }`, one record a key.
    """
    types = types_of(spec)
    for path, stage in each(spec):
        flat = types.get(stage.state.type) if stage.state and not stage.state.by else None
        if flat and flat.size > MAX_FLAT:
            yield Hit(f"{path}.state.type", f"the state has {flat.size} bytes, copied at every commit")


@states(TABLE, "S051", "bad-param", *BOTH)
def bad_param(spec: Spec) -> Hits:
    """
    What: a parameter has no proper name, an unknown type, a value that its type has not, or stands twice.
    Why: parameters are hashed with the spec, so each value has exactly one spelling, and is finite.
    Example: type `i64` with the value `07`.
    Instead: write the value as `byteor lower` prints it.
    """
    for path, stage in each(spec):
        names = tuple(param.name for param in stage.params)
        for i, param in enumerate(stage.params):
            at = f"{path}.params.{i}"
            value = parse(param.type, param.value)
            if not FIELD_NAME.fullmatch(param.name):
                yield Hit(f"{at}.name", f"`{shown(param.name)}` is not the name of a parameter")
            elif param.name in names[:i]:
                yield Hit(f"{at}.name", f"parameter `{shown(param.name)}` stands twice")
            if scalar(param.type) is None:
                yield Hit(f"{at}.type", f"`{shown(param.type)}` is not a scalar type")
            elif value is None or canonical(value) != param.value or param.value in ("nan", "inf", "-inf"):
                yield Hit(f"{at}.value", f"`{shown(param.value)}` is not how a {shown(param.type)} is written")


@states(TABLE, "S052", "bad-end-size", *BOTH)
def bad_end_size(spec: Spec) -> Hits:
    """
    What: an `end` gives less than 1 record.
    Why: `max` is the room for its records, laid out before it runs.
    Example: `end = { type = "statistic", max = 0 }`.
    Instead: the greatest number that it may give; the default is the state's `max`.
    """
    for path, stage in each(spec):
        if stage.end and stage.end.max < 1:
            yield Hit(f"{path}.end.max", f"an `end` of at most {stage.end.max} records gives nothing")


@states(TABLE, "S053", "borders-without-batch", *BOTH)
def borders_without_batch(spec: Spec) -> Hits:
    """
    What: a per-message stage says that it looks at batch borders.
    Why: it never sees a batch; the word only costs the promise of equal results.
    Example: `form = "message"` and `borders = true`.
    Instead: drop `borders`, or `form = "batch"`.
    """
    for path, stage in each(spec):
        if stage.borders and stage.form == "message":
            yield Hit(f"{path}.borders", f"`{shown(stage.name)}` sees one message at a time, and so no borders")
