"""Message types as numpy types: the one place where a field of the spec gets its bytes.

Rule 1. Packed and little-endian: no padding between fields; room after the last one only when a slot asks for it.
Rule 2. A field's null is read as the spec reads it; missing floats are told by `isnan`, all others by `==`.
"""

from __future__ import annotations

import numpy as np

from byteor.spec.model import Field, MessageType, Scalar, scalar
from byteor.spec.values import parse

KINDS = {"bool": "?", "timestamp": "<i8", "f32": "<f4", "f64": "<f8"}
KINDS |= {f"{sign}{bits}": f"<{sign}{bits // 8}" for sign in "iu" for bits in (8, 16, 32, 64)}


def scalar_of(field: Field) -> Scalar:
    """Take the field's scalar type apart; the spec's rules have already refused unknown ones."""
    found = scalar(field.type)
    if found is None:
        raise AssertionError(f"`{field.type}` is no scalar type")
    return found


def base(field: Field) -> np.dtype[np.generic]:
    """Give the numpy type of one scalar of the field."""
    kind = scalar_of(field)
    return np.dtype(f"S{kind.size}" if kind.kind == "bytes" else KINDS[kind.kind])


def dtype(message: MessageType, slot_bytes: int = 0) -> np.dtype[np.void]:
    """Give the packed structured type of a message, padded at its end to `slot_bytes`."""
    formats = [(base(f), (f.count,)) if f.count > 1 else base(f) for f in message.fields]
    sizes = [np.dtype(one).itemsize for one in formats]
    offsets = [sum(sizes[:i]) for i in range(len(sizes))]
    names = [f.name for f in message.fields]
    size = max(sum(sizes), slot_bytes)
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})


def message_of(name: str, kind: np.dtype[np.void]) -> MessageType:
    """Give a message type to records of a numpy type: numbers and texts as they lie there, nothing more is known."""
    assert kind.fields is not None
    return MessageType(name, tuple(_field(one, kind.fields[one][0]) for one in kind.names or ()))


def _field(name: str, kind: np.dtype[np.generic]) -> Field:
    base, count = kind.base, kind.shape[0] if kind.shape else 1
    if base.kind == "S":
        return Field(name, f"bytes({base.itemsize})", count)
    plain = {np.dtype(text): one for one, text in KINDS.items() if one != "timestamp"}
    return Field(name, plain[base], count)


def null_value(field: Field) -> np.generic | None:
    """Read the value that means missing; None when the field declares none."""
    value = None if field.null is None else parse(field.type, field.null)
    return None if value is None else base(field).type(value)


def is_null(field: Field, values: np.ndarray) -> np.ndarray | None:
    """Mark the values that mean missing; None when the field declares no null."""
    null = null_value(field)
    if null is None:
        return None
    marked: np.ndarray = np.isnan(values) if null != null else values == null
    return marked
