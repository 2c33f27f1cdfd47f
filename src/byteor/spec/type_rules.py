"""Rules on names and message types, which both shapes share.

Rule 1. Whatever is named here is found by name elsewhere: so names are well formed, and stand once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from byteor.spec.codec import near, shown
from byteor.spec.kv import Spec
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import MessageType, SingleRing, scalar
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.values import parse

TABLE: list[Entry] = []
BOTH = (SingleRing, LaneGraph)
MAX_COUNT = 1 << 20
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def type_of(spec: Spec, name: str) -> MessageType | None:
    """Find a message type by its name."""
    return next((t for t in spec.types if t.name == name), None)


def types_of(spec: Spec) -> dict[str, MessageType]:
    """Every message type under its name; of two with one name the first."""
    return {message.name: message for message in reversed(spec.types)}


def parts(spec: Spec) -> Iterator[tuple[str, str]]:
    """Everything that shares one space of names: (path, name)."""
    if isinstance(spec, SingleRing):
        yield "ingress.name", spec.ingress.name
        yield from ((f"stages.{i}.name", stage.name) for i, stage in enumerate(spec.stages))
        if spec.egress:
            yield "egress.name", spec.egress.name
        return
    yield from ((f"lanes.{i}.name", lane.name) for i, lane in enumerate(spec.lanes))
    yield from ((f"ingresses.{i}.ingress.name", at.ingress.name) for i, at in enumerate(spec.ingresses))
    yield from ((f"stages.{i}.stage.name", role.stage.name) for i, role in enumerate(spec.stages))
    for group in ("bridges", "routers", "merges"):
        yield from ((f"{group}.{i}.name", role.name) for i, role in enumerate(getattr(spec, group)))
    yield from ((f"egresses.{i}.egress.name", at.egress.name) for i, at in enumerate(spec.egresses))


def fields(spec: Spec) -> Iterator[tuple[str, int, int]]:
    """Every field of every type: (path, index of the type, index of the field)."""
    for i, message in enumerate(spec.types):
        for j in range(len(message.fields)):
            yield f"types.{i}.fields.{j}", i, j


@states(TABLE, "S004", "bad-name", *BOTH)
def bad_name(spec: Spec) -> Hits:
    """
    What: a name is not a letter or `_` followed by at most 63 letters, digits, `_` or (except in fields) `-`.
    Why: names become file names, attributes, counters and arguments of the command line.
    Example: a stage named `2nd pass`.
    Instead: `second_pass`. In a plan, names of stages and boundaries are made to fit by lowering.
    """
    named = [("name", spec.name), *parts(spec), *((f"types.{i}.name", t.name) for i, t in enumerate(spec.types))]
    for path, name in named:
        if not NAME.fullmatch(name):
            yield Hit(path, f"`{shown(name)}` is not a name")
    for path, i, j in fields(spec):
        if not FIELD_NAME.fullmatch(spec.types[i].fields[j].name):
            yield Hit(f"{path}.name", f"`{shown(spec.types[i].fields[j].name)}` is not the name of a field")


@states(TABLE, "S005", "duplicate-name", *BOTH)
def duplicate_name(spec: Spec) -> Hits:
    """
    What: two of the stages, lanes, roles and boundaries have the same name.
    Why: reports, snapshots and the command line speak of them by name.
    Example: an ingress `in` and a stage `in`.
    Instead: rename one of them.
    """
    yield from twice(parts(spec))


def twice(named: Iterator[tuple[str, str]]) -> Hits:
    """Hit every name that has been seen before."""
    first: dict[str, str] = {}
    for path, name in named:
        if name in first:
            yield Hit(path, f"the name `{shown(name)}` is taken", "rename one of them", ((first[name], "first here"),))
        first.setdefault(name, path)


@states(TABLE, "S010", "type-without-fields", *BOTH)
def type_without_fields(spec: Spec) -> Hits:
    """
    What: a message type has no field.
    Why: a record of no bytes carries nothing and has no place in memory.
    Example: `[types.tick]` with nothing under it.
    Instead: give it a field, or remove the type.
    """
    for i, message in enumerate(spec.types):
        if not message.fields:
            yield Hit(f"types.{i}.name", f"type `{shown(message.name)}` has no fields")


@states(TABLE, "S011", "duplicate-type", *BOTH)
def duplicate_type(spec: Spec) -> Hits:
    """
    What: two message types have the same name.
    Why: stages and boundaries refer to types by name.
    Example: two types named `tick`.
    Instead: rename one, or remove it where both are the same.
    """
    yield from twice((f"types.{i}.name", message.name) for i, message in enumerate(spec.types))


@states(TABLE, "S012", "duplicate-field", *BOTH)
def duplicate_field(spec: Spec) -> Hits:
    """
    What: two fields of a type have the same name.
    Why: a stage could not say which of them it means.
    Example: a type with `px` twice.
    Instead: rename one, or write one field with a `count`.
    """
    for i, message in enumerate(spec.types):
        yield from twice((f"types.{i}.fields.{j}.name", field.name) for j, field in enumerate(message.fields))


@states(TABLE, "S013", "unknown-scalar", *BOTH)
def unknown_scalar(spec: Spec) -> Hits:
    """
    What: a field's type is none of the scalar types.
    Why: the type decides the bytes of every record.
    Example: `px = "float"`.
    Instead: one of i8 to i64, u8 to u64, f32, f64, bool, `bytes(N)`, `timestamp(s|ms|us|ns)`.
    """
    known = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool"]
    known += ["bytes(8)", "timestamp(s)", "timestamp(ms)", "timestamp(us)", "timestamp(ns)"]
    alias = {"float": "f64", "double": "f64", "int": "i64", "str": "bytes(8)", "string": "bytes(8)", "boolean": "bool"}
    for path, i, j in fields(spec):
        text = spec.types[i].fields[j].type
        if scalar(text) is None:
            help = f"use `{alias[text]}`" if text in alias else near(text, known)
            yield Hit(f"{path}.type", f"`{shown(text)}` is not a scalar type", help)


@states(TABLE, "S014", "bad-count", *BOTH)
def bad_count(spec: Spec) -> Hits:
    """
    What: a field's count is less than 1 or more than 1,048,576.
    Why: a field of no scalars has no bytes; a longer one is a file and not a field.
    Example: `levels = { type = "f64", count = 0 }`.
    Instead: count the scalars that the field holds; 1 is the default.
    """
    for path, i, j in fields(spec):
        if not 1 <= (count := spec.types[i].fields[j].count) <= MAX_COUNT:
            yield Hit(f"{path}.count", f"count {count} is not between 1 and {MAX_COUNT}")


@states(TABLE, "S015", "bad-null", *BOTH)
def bad_null(spec: Spec) -> Hits:
    """
    What: a field's null is not a value of the field's type.
    Why: a missing value is written into the record as this value, so it has to fit.
    Example: `flag = { type = "bool", null = "false" }` (a bool has no spare value), or `null = "-1"` for a u8.
    Instead: `nan` for floats, a number that does not occur for integers, `nat` for timestamps, a text for bytes.
    """
    for path, i, j in fields(spec):
        field = spec.types[i].fields[j]
        if field.null is None or scalar(field.type) is None:
            continue
        if field.type == "bool":
            yield Hit(f"{path}.null", "a bool has no value left to mean missing", "use an i8, where -1 can mean it")
        elif parse(field.type, field.null) is None:
            yield Hit(f"{path}.null", f"`{shown(field.null)}` is not a value of type {field.type}")


def references(spec: Spec) -> Iterator[tuple[str, str]]:
    """Every place that names a message type: (path, name)."""
    if isinstance(spec, SingleRing):
        yield "type", spec.type
        yield "ingress.type", spec.ingress.type
        stages = [(f"stages.{i}", stage) for i, stage in enumerate(spec.stages)]
        if spec.egress:
            yield "egress.type", spec.egress.type
    else:
        yield from ((f"lanes.{i}.type", lane.type) for i, lane in enumerate(spec.lanes))
        yield from ((f"ingresses.{i}.ingress.type", at.ingress.type) for i, at in enumerate(spec.ingresses))
        yield from ((f"egresses.{i}.egress.type", at.egress.type) for i, at in enumerate(spec.egresses))
        stages = [(f"stages.{i}.stage", role.stage) for i, role in enumerate(spec.stages)]
    for path, stage in stages:
        yield f"{path}.in", stage.in_
        yield f"{path}.out", stage.out
        if stage.state:
            yield f"{path}.state.type", stage.state.type
        if stage.end:
            yield f"{path}.end.type", stage.end.type


@states(TABLE, "S016", "unknown-type", *BOTH)
def unknown_type(spec: Spec) -> Hits:
    """
    What: a message type is named that is not among the types.
    Why: without it nobody knows the bytes of the records.
    Example: `type = "flights"` where the type is called `flight`.
    Instead: correct the name, or add the type.
    """
    known = {message.name for message in spec.types}
    for path, name in references(spec):
        if name not in known:
            yield Hit(path, f"there is no type `{shown(name)}`", near(name, sorted(known)))
