"""Records as stages see them: numpy's, with fields as attributes as well.

Rule 1. numpy's own record arrays will not do: there a field named `sum` is a method.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from byteor.spec.model import Field, MessageType

NUMPY = {"bool": "?", "f32": "<f4", "f64": "<f8"}
NUMPY |= {f"{sign}{bits}": f"<{sign}{bits // 8}" for sign in "iu" for bits in (8, 16, 32, 64)}


class Row:
    """One record: its fields as attributes, and by name."""

    __slots__ = ("_void",)

    def __init__(self, void: Any) -> None:
        object.__setattr__(self, "_void", void)

    def __getattr__(self, name: str) -> Any:
        return self._void[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._void[name] = value

    __getitem__ = __getattr__
    __setitem__ = __setattr__


class Rows(np.ndarray):
    """Records whose elements are `Row`."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        if isinstance(found, np.void):
            return Row(found)
        return found if found.dtype.names else found.view(np.ndarray)

    def __setitem__(self, at: Any, value: Any) -> None:
        super().__setitem__(at, value._void if isinstance(value, Row) else value)


def packed(message: MessageType) -> np.dtype[Any]:
    """The packed type of a message."""
    return np.dtype([_field(field) for field in message.fields])


def _field(field: Field) -> tuple[Any, ...]:
    return (field.name, scalar(field.type), (field.count,)) if field.count > 1 else (field.name, scalar(field.type))


def scalar(text: str) -> str:
    """A scalar type of a spec in numpy's words."""
    if text.startswith("bytes("):
        return f"S{text[6:-1]}"
    return "<i8" if text.startswith("timestamp(") else NUMPY[text]


def zeros(kind: np.dtype[Any], count: int) -> Any:
    """Empty records whose fields are attributes as well."""
    return np.zeros(count, kind).view(Rows)


def plain(rows: Any, kind: np.dtype[Any]) -> np.ndarray:
    """A copy of records as an ordinary array."""
    copied: np.ndarray = rows.view(kind, np.ndarray).copy()
    return copied
