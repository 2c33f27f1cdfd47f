"""The v1 spec as values: what any process needs to lay out, check and run a pipeline.

Rule 1. Frozen dataclasses of tuples and scalars; equal specs encode to equal bytes.
Rule 2. Declaration order is kv order; a field named `in_` is the key `in`.
Rule 3. Nothing here checks or guesses: `rules` checks, `kv` reads and writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SCALARS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool")
UNITS = ("s", "ms", "us", "ns")
WAITS = ("spin", "yield", "backoff", "block")
IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar type taken apart: `bytes(8)` is ("bytes", 8, ""), `timestamp(ms)` ("timestamp", 8, "ms")."""

    kind: str
    size: int
    unit: str = ""


def scalar(text: str) -> Scalar | None:
    """Read a scalar type's text; None when there is no such type."""
    if text in SCALARS:
        return Scalar(text, 1 if text == "bool" else int(text[1:]) // 8)
    if m := re.fullmatch(r"bytes\(([1-9][0-9]{0,6})\)", text):
        return Scalar("bytes", int(m[1]))
    if m := re.fullmatch(r"timestamp\((s|ms|us|ns)\)", text):
        return Scalar("timestamp", 8, m[1])
    return None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: `count` scalars of `type`; `null` is the text of the value that means missing."""

    name: str
    type: str
    count: int = 1
    null: str | None = None


@dataclass(frozen=True, slots=True)
class MessageType:
    """A packed record: fields one after the other, no padding."""

    name: str
    fields: tuple[Field, ...]

    @property
    def size(self) -> int:
        """Bytes of one record; fields of unknown type count as none."""
        return sum(s.size * f.count for f in self.fields if (s := scalar(f.type)))

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True, slots=True)
class Param:
    """A named scalar given to a stage: hashed, but a new value compiles nothing anew."""

    name: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class State:
    """What a stage keeps: one record of `type`, or keyed by fields, `max` records a shard.

    The fields in `by` stand in the message and in the state's type alike; a key's record is
    made, with those fields filled, when the key is first seen.
    """

    type: str
    by: tuple[str, ...] = ()
    max: int = 1


@dataclass(frozen=True, slots=True)
class End:
    """The records that a stage gives once, after the last message: at most `max` of `type`."""

    type: str
    max: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `call` is `module:function`, a registered name, or `identity`.

    `reads` and `writes`: None is every field, () is none. `min_out` 0 may filter. `src`: the batch form says for
    each record that it gives, of which it came. In a lane graph `out` may be another type, `max_out` more than 1.
    """

    name: str
    call: str
    form: str
    compiled: bool
    in_: str
    out: str
    min_out: int
    max_out: int
    state: State | None
    end: End | None
    reads: tuple[str, ...] | None
    writes: tuple[str, ...] | None
    borders: bool
    clock: bool
    boundscheck: bool
    params: tuple[Param, ...]
    depends_on: tuple[int, ...]
    src: bool = False

    @property
    def in_place(self) -> bool:
        """Whether records stay in their slots, changed or filtered; else the function is given `out`."""
        return self.in_ == self.out and self.max_out == 1 and not self.src


@dataclass(frozen=True, slots=True)
class Ingress:
    """Where records come in. `null_text`: the texts that mean missing in text formats; `bad`: fail | skip."""

    name: str
    type: str
    format: str
    null_text: tuple[str, ...]
    bad: str
    sort_by: str | None


@dataclass(frozen=True, slots=True)
class Egress:
    """Where records leave. `emit`: rows | end | both; `sort`: the key of the `end` records."""

    name: str
    type: str
    format: str
    null_text: str
    emit: str
    sort: tuple[str, ...]
    row_group: int


@dataclass(frozen=True, slots=True)
class SingleRing:
    """An explicit DAG of stages over one sequenced ring; `type` is the slot's message type."""

    name: str
    types: tuple[MessageType, ...]
    type: str
    capacity: int
    slot_bytes: int
    wait: str
    shards: int
    ordering: str
    producer: str
    scheduling: str
    shard_key: str | None
    ingress: Ingress
    stages: tuple[Stage, ...]
    egress: Egress | None
