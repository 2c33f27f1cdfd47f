"""What a name in a function may stand for, as far as a message is concerned.

Rule 1. A set of values only grows, and values nest only so deep: following them ends.
Rule 2. Of a tuple each place is told apart, since `for i, (a, rec) in ...` is how records are met.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Value:
    """What a name may stand for.

    Of the message: record, batch, copy (of rows, by a mask), column (of a batch), cell (one record's field),
    taken (a field of a copy). Of anything: name (a text; "" is any), number, slice, mask. Iter and pair hold
    `of`; tuple holds one `at` for each place, which holds what stands there.
    """

    kind: str
    name: str = ""
    of: frozenset[Value] = frozenset()


Values = frozenset[Value]
NOTHING: Values = frozenset()
RECORD, BATCH, COPY = Value("record"), Value("batch"), Value("copy")
SLICE, MASK, ANY_NAME = Value("slice"), Value("mask"), Value("name")


def carries(values: Values) -> bool:
    """Whether a part of the message that could be changed or kept is among the values."""
    return any(v.kind in ("record", "batch", "copy", "column") or carries(v.of) for v in values)


def constant(value: Any) -> Values:
    """What a value of the program stands for."""
    if isinstance(value, str):
        return frozenset({Value("name", value)})
    if isinstance(value, slice):
        return frozenset({SLICE})
    if isinstance(value, tuple | list):
        return together(map(constant, value))
    return frozenset({Value("number", str(value))}) if type(value) is int else NOTHING


def union(sets: Iterable[Values]) -> Values:
    """All that any of them may be."""
    return frozenset().union(*sets)


def holding(kind: str, of: Values) -> Values:
    """A value that gives these; nothing when there are none."""
    return frozenset({Value(kind, of=of)}) if of else NOTHING


def together(items: Iterable[Values]) -> Values:
    """A tuple of these, place by place."""
    return frozenset({Value("tuple", of=frozenset(Value("at", str(i), of) for i, of in enumerate(items) if of))})


def deep(values: Values) -> int:
    """How deep values nest."""
    return 1 + max((deep(v.of) for v in values), default=0)


def picked(v: Value, index: Values) -> Values:
    """What stands in a tuple at the places of the index; at any place where the index is not a number."""
    places = {i.name for i in index if i.kind == "number" and not i.name.startswith("-")}
    return union(at.of for at in v.of if at.name in places or not places)
