"""Specs made in Python: a builder with defaults for what few pipelines change.

Rule 1. What a document can say, a builder can say; what it leaves out has the defaults that a plan has.
Rule 2. `build` gives a checked spec or raises `SpecError` with every finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from byteor.spec.model import IDENTITY, Egress, End, Field, Ingress, MessageType, Param, SingleRing, Stage, State
from byteor.spec.rules import SpecError, check
from byteor.spec.values import canonical

CAPACITY = 65_536
ROW_GROUP = 65_536

Scalar = bool | int | float | str


def message_type(name: str, fields: Mapping[str, str | Field]) -> MessageType:
    """Make a type of field names and scalar types; a `Field` says count and null as well."""
    made = [replace(f, name=key) if isinstance(f, Field) else Field(key, f) for key, f in fields.items()]
    return MessageType(name, tuple(made))


def params_from(values: Mapping[str, Scalar]) -> tuple[Param, ...]:
    """Make typed parameters of Python's scalars: f64, i64, bool, bytes(N)."""
    return tuple(param_from(name, value) for name, value in values.items())


def param_from(name: str, value: Scalar) -> Param:
    """Make one parameter; its type is that of the value."""
    if isinstance(value, str):
        return Param(name, f"bytes({max(1, len(value))})", value)
    kind = {bool: "bool", int: "i64", float: "f64"}[type(value)]
    return Param(name, kind, canonical(value))


class SingleRingBuilder:
    """Gather a ring piece by piece; every method gives the builder back."""

    def __init__(self, name: str, type: MessageType, **fields: Any) -> None:
        """Start a ring of `type`; `fields` are those of `SingleRing`: capacity, wait, shards, and so on."""
        self._name = name
        self._types = [type]
        self._fields = fields
        self._stages: list[Stage] = []
        self._ingress = ingress("in", type.name)
        self._egress: Egress | None = None

    def type(self, *types: MessageType) -> SingleRingBuilder:
        """Add types of states and of `end` records."""
        self._types += types
        return self

    def stage(self, name: str, call: str = IDENTITY, after: Sequence[str] = (), **fields: Any) -> SingleRingBuilder:
        """Add a stage that comes after the named ones; `fields` are those of `Stage`."""
        at = {stage.name: i for i, stage in enumerate(self._stages)}
        depends_on = tuple(sorted({at.get(one, -1) for one in after}))
        self._stages.append(stage(name, call, self._types[0].name, depends_on=depends_on, **fields))
        return self

    def ingress(self, name: str = "in", **fields: Any) -> SingleRingBuilder:
        """Say where records come in; `fields` are those of `Ingress`."""
        self._ingress = ingress(name, **{"type": self._types[0].name, **fields})
        return self

    def egress(self, name: str = "out", **fields: Any) -> SingleRingBuilder:
        """Say where records leave; `fields` are those of `Egress`."""
        self._egress = egress(name, **{"type": "", **fields})
        return self

    def build(self) -> SingleRing:
        """Give the spec, or raise with every finding."""
        made = self.draft()
        check(made)
        return made

    def draft(self) -> SingleRing:
        """Give the spec unchecked."""
        out = self._egress
        if out and not out.type:
            out = replace(out, type=self._emitted(out.emit))
        return ring(self._name, tuple(self._types), self._ingress, tuple(self._stages), out, **self._fields)

    def _emitted(self, emit: str) -> str:
        ends = [stage.end.type for stage in self._stages if stage.end]
        return ends[0] if emit == "end" and ends else self._types[0].name


def ring(
    name: str,
    types: tuple[MessageType, ...],
    ingress: Ingress,
    stages: tuple[Stage, ...],
    egress: Egress | None,
    **fields: Any,
) -> SingleRing:
    """Make a ring of the first type, with defaults for whatever `fields` leaves out."""
    defaults = {
        "type": types[0].name,
        "capacity": CAPACITY,
        "slot_bytes": max(1, types[0].size),
        "wait": "backoff",
        "shards": 1,
        "ordering": "strict",
        "producer": "single",
        "scheduling": "dedicated",
        "shard_key": None,
    }
    given: dict[str, Any] = {**defaults, **fields}
    return SingleRing(name=name, types=types, ingress=ingress, stages=stages, egress=egress, **given)


def stage(name: str, call: str, type: str, **fields: Any) -> Stage:
    """Make a compiled per-message stage that may touch every field, changed by `fields`.

    `params` may be a mapping; `end` may be a type's name, for as many records as the state has.
    """
    defaults = {
        "form": "message",
        "compiled": True,
        "in_": type,
        "out": type,
        "min_out": 1,
        "max_out": 1,
        "state": None,
        "end": None,
        "reads": None,
        "writes": None,
        "borders": False,
        "clock": False,
        "boundscheck": True,
        "params": (),
        "depends_on": (),
    }
    given: dict[str, Any] = {**defaults, **fields}
    if isinstance(given["params"], Mapping):
        given["params"] = params_from(given["params"])
    if isinstance(given["end"], str):
        given["end"] = end_of(given["end"], given["state"])
    return Stage(name=name, call=call, **given)


def end_of(type: str, state: State | None, max: int | None = None) -> End:
    """Make an `end`; its room is the state's unless said otherwise."""
    return End(type, max if max is not None else state.max if state else 1)


def ingress(name: str, type: str, **fields: Any) -> Ingress:
    """Make an ingress; an empty text means missing, a bad row fails the run."""
    defaults = {"format": "auto", "null_text": ("",), "bad": "fail", "sort_by": None}
    given: dict[str, Any] = {**defaults, **fields}
    return Ingress(name=name, type=type, **given)


def egress(name: str, type: str, **fields: Any) -> Egress:
    """Make an egress of rows."""
    defaults = {"format": "auto", "null_text": "", "emit": "rows", "sort": (), "row_group": ROW_GROUP}
    given: dict[str, Any] = {"type": type, **defaults, **fields}
    return Egress(name=name, **given)


def single_ring_chain(name: str, type: MessageType, calls: Sequence[str], **fields: Any) -> SingleRing:
    """Make a checked ring whose stages follow each other, from `in` to `out`."""
    builder = SingleRingBuilder(name, type, **fields)
    before: list[str] = []
    for i, call in enumerate(calls):
        builder.stage(f"stage_{i}", call, after=before)
        before = [f"stage_{i}"]
    return builder.egress("out").build()


__all__ = ["SingleRingBuilder", "SpecError", "message_type", "params_from", "single_ring_chain"]
