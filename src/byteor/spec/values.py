"""Scalars as text: what a null or a parameter says.

Rule 1. One text per value where a hash depends on it (`canonical`); nulls may be written as people write them.
Rule 2. A timestamp is its count since 1970 in its unit; `nat` is the count that numpy calls "not a time".
"""

from __future__ import annotations

import re

from byteor.spec.model import Scalar, scalar

NAT = -(2**63)

_FLOAT = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?|inf)|nan", re.IGNORECASE)
_INTEGER = re.compile(r"-?[0-9]{1,20}")

Value = int | float | bool | bytes


def limits(kind: str) -> tuple[int, int]:
    """The least and the greatest integer of an integer type."""
    bits = int(kind[1:])
    return (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def parse(type: str, text: str) -> Value | None:
    """Read a scalar's text; None when it is no value of the type."""
    found = scalar(type)
    return _parse(found, text) if found else None


def _parse(found: Scalar, text: str) -> Value | None:
    if found.kind == "bytes":
        return text.encode("ascii") if text.isascii() and len(text) <= found.size else None
    if found.kind == "bool":
        return {"true": True, "false": False}.get(text)
    if found.kind in ("f32", "f64"):
        return float(text) if _FLOAT.fullmatch(text) else None
    if found.kind == "timestamp" and text == "nat":
        return NAT
    if not _INTEGER.fullmatch(text):
        return None
    low, high = limits("i64" if found.kind == "timestamp" else found.kind)
    return int(text) if low <= int(text) <= high else None


def canonical(value: Value) -> str:
    """The one text of a value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.decode("ascii") if isinstance(value, bytes) else repr(value)
