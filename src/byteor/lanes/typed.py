"""What a message is: a record of a numpy type, or raw bytes up to a length.

Rule 1. The text of a type is canonical: places, numpy's names of scalars, counts; its hash stands in the region.
Rule 2. Nothing is converted: what is of another type is refused.
Rule 3. A text in a region is untrusted: it is a type only if that type has this very text, and the region's hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from byteor.abi.layout import schema_hash
from byteor.diag import Refused
from byteor.lanes import findings as t
from byteor.transport.header import NO_HASH

Type = np.dtype[Any]
_DEEPEST = 16
_LINE = re.compile(r"([0-9]{1,10}) (\S+) ([<|][a-zA-Z][0-9]{0,10}(?:\[[0-9]{0,9}[a-zA-Z]{1,2}\])?)")
_PART = re.compile(r"((?:\w|\\[xuU][0-9a-f]+)*)((?:\[[0-9]{1,10}\])*)(?:\*([0-9]{1,10}))?(?:\+([0-9]{1,10}))?")
Leaf = tuple[tuple[str, ...], int, str]  # the path that is left, the offset, the scalar


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
    stride = f"*{base.itemsize}" if shape else ""
    space = min((_first(base.fields[name][0]) + base.fields[name][1] for name in base.names or ()), default=0)
    before = f"{path}{count}{stride}{f'+{space}' if space and path else ''}{'.' * bool(path)}"
    for name in base.names or ():
        kind, offset = base.fields[name][:2]
        yield from _leaves(kind, at + offset, f"{before}{_written(name)}")


def _first(dtype: Type) -> int:
    """Where the first scalar of a type lies."""
    base = dtype.base
    return min((_first(kind) + offset for kind, offset, *_ in (base.fields or {}).values()), default=0)


def _written(name: str) -> str:
    """A name in letters, digits and escapes."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else _escaped(c) for c in name)


def _escaped(c: str) -> str:
    return f"\\x{ord(c):02x}" if ord(c) < 256 else c.encode("unicode_escape").decode()


def type_of(text: bytes, digest: bytes, where: str) -> Type:
    """The type that a region's text says, or a refusal."""
    try:
        made = _parsed(text.decode("ascii"))
        if schema_text(made).encode() != text or hash_of(made) != digest:
            raise ValueError("it is not the text of the type that the region's hash is of")
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Refused([t.BAD_SCHEMA.at(where, f"{error}".partition("\n")[0])]) from error
    return checked(made, where)


def _parsed(text: str) -> Type:
    first, *rows, last = text.split("\n")
    size = re.fullmatch("message bytes ([0-9]{1,10})", first)
    found = [_LINE.fullmatch(row) for row in rows]
    if size is None or last or not all(found):
        raise ValueError("it is not lines of places, names and scalars")
    leaves = [(() if m[2] == "." else tuple(m[2].split(".")), int(m[1]), m[3]) for m in found if m]
    if max((len(path) for path, _, _ in leaves), default=0) > _DEEPEST:
        raise ValueError(f"it is deeper than {_DEEPEST}")
    if len(leaves) == 1 and (not leaves[0][0] or leaves[0][0][0].startswith("[")):
        return _scalar(leaves[0][2], _shape("".join(leaves[0][0])))
    return _record(leaves, 0, int(size[1]))


def _scalar(kind: str, shape: tuple[int, ...]) -> Type:
    base = np.dtype(kind)
    return np.dtype((base, shape)) if shape else base


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\[([0-9]+)\]", text))


def _record(leaves: list[Leaf], begin: int, size: int | None) -> Type:
    """The record of these leaves, which begins at `begin`; without a size, it ends with its last field."""
    if not all(path for path, _, _ in leaves):
        raise ValueError("a field is a scalar and a record")
    groups: dict[str, list[Leaf]] = {}
    for path, at, kind in leaves:
        groups.setdefault(path[0], []).append((path[1:], at, kind))
    names, formats, offsets = [], [], []
    for part, inner in groups.items():
        named = _PART.fullmatch(part)
        if named is None:
            raise ValueError(f"{part!r} is no name of a field")
        first = min(at for _, at, _ in inner) - int(named[4] or 0)
        names.append(named[1].encode().decode("unicode_escape"))
        formats.append(_format(inner, _shape(named[2]), int(named[3]) if named[3] else None, first))
        offsets.append(first - begin)
    told: dict[str, Any] = {"names": names, "formats": formats, "offsets": offsets}
    if size is not None:
        told["itemsize"] = size
    made: Type = np.dtype(told)  # type: ignore[call-overload]
    return made


def _format(leaves: list[Leaf], shape: tuple[int, ...], stride: int | None, begin: int) -> Type:
    if len(leaves) == 1 and not leaves[0][0]:
        return _scalar(leaves[0][2], shape)
    inner = _record(leaves, begin, stride)
    return np.dtype((inner, shape)) if shape else inner


def raw(length: int) -> Type:
    """The type of so many bytes of which nothing is known."""
    return np.dtype(f"V{length}")


def hash_of(dtype: Type | None) -> bytes:
    """What the region's header holds of a type; zeros for raw bytes."""
    return NO_HASH if dtype is None else schema_hash(schema_text(dtype))
