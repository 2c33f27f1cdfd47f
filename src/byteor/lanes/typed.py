"""What a message is: a record of a numpy type, or raw bytes up to a length.

Rule 1. The text of a type is canonical: places, numpy's names of scalars, counts; its hash stands in the region.
Rule 2. Nothing is converted: what is of another type is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from byteor.abi.layout import schema_hash
from byteor.diag import Refused
from byteor.lanes import findings as t
from byteor.transport.header import NO_HASH

Type = np.dtype[Any]


def checked(dtype: Any, where: str) -> Type:
    """The type as numpy has it, or a refusal."""
    given: Type = np.dtype(dtype)
    why = "it holds Python objects" if given.hasobject else "" if given.itemsize else "it has no bytes"
    if not why and not given.isnative:
        why = "it is of the other byte order"
    if why:
        raise Refused([t.BAD_TYPE.at(where, f"{given}: {why}")])
    return given


def schema_text(dtype: Type) -> str:
    """The canonical text of a type."""
    rows = [f"{at} {path} {kind}" for at, path, kind in _leaves(dtype, 0, "")]
    return "\n".join([f"message bytes {dtype.itemsize}", *rows, ""])


def _leaves(dtype: Type, at: int, path: str) -> Iterator[tuple[int, str, str]]:
    base, shape = dtype.subdtype or (dtype, ())
    count = "".join(f"[{n}]" for n in shape)
    if base.fields is None:
        yield at, f"{path}{count}" or ".", base.newbyteorder("<").str
        return
    for name in base.names or ():
        kind, offset = base.fields[name][:2]
        yield from _leaves(kind, at + offset, f"{path}{count}{'.' * bool(path)}{ascii(name)[1:-1]}")


def hash_of(dtype: Type | None) -> bytes:
    """What the region's header holds of a type; zeros for raw bytes."""
    return NO_HASH if dtype is None else schema_hash(schema_text(dtype))
