"""Records that can be taken back: the movable proxies that debug mode lends to plain stages.

Rule 1. A proxy class is made per array, its memory bound in; moving it to a record is one assignment.
Rule 2. A value that does not fit its field is an error here; the records of ordinary runs cut it as compiled code does.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

_CODES = {
    "b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q",
    "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "f4": "f", "f8": "d",
}  # fmt: skip


def proxy(array: np.ndarray) -> Any:
    """Make one movable record over a contiguous structured array: `record._i` is its row."""
    members: dict[str, Any] = {"__slots__": ("_i",), "__getitem__": _get, "__setitem__": _set, "__repr__": _show}
    names = array.dtype.names or ()
    for name in names:
        members[name] = _property(array, name)
    members |= {"_names": names, "_array": array}
    record = type("record", (), members)()
    record._i = 0
    return record


def _get(self: Any, name: str) -> Any:
    return getattr(self, name)


def _set(self: Any, name: str, value: Any) -> None:
    setattr(self, name, value)


def _show(self: Any) -> str:
    return "record(" + ", ".join(f"{n}={getattr(self, n)!r}" for n in self._names) + ")"


def _property(array: np.ndarray, name: str) -> property:
    dtype, offset = array.dtype.fields[name][:2]  # type: ignore[index]
    stride, base, shape = array.dtype.itemsize, dtype.base, dtype.shape
    raw: Any = memoryview(array.view(np.uint8).reshape(-1).data)
    if base.kind == "S":
        return _rows(array, name) if shape else _text(raw, offset, stride, base.itemsize)
    if stride % base.itemsize:
        return _rows(array, name) if shape else _packed(raw, offset, stride, base)
    usable = (len(raw) - offset) // base.itemsize * base.itemsize
    typed = raw[offset : offset + usable].cast(_CODES[base.str[1:]])
    step = stride // base.itemsize
    return _several(typed, step, shape[0]) if shape else _one(typed, step)


def _one(view: Any, step: int) -> property:
    def get(self: Any) -> Any:
        return view[self._i * step]

    def put(self: Any, value: Any) -> None:
        view[self._i * step] = value

    return property(get, put)


def _several(view: Any, step: int, count: int) -> property:
    def get(self: Any) -> Any:
        return view[self._i * step : self._i * step + count]

    def put(self: Any, value: Any) -> None:
        part = view[self._i * step : self._i * step + count]
        for i in range(count):
            part[i] = value[i]

    return property(get, put)


def _packed(raw: Any, offset: int, stride: int, base: np.dtype) -> property:
    codec = struct.Struct("<" + _CODES[base.str[1:]])

    def get(self: Any) -> Any:
        return codec.unpack_from(raw, self._i * stride + offset)[0]

    def put(self: Any, value: Any) -> None:
        codec.pack_into(raw, self._i * stride + offset, value)

    return property(get, put)


def _text(raw: Any, offset: int, stride: int, size: int) -> property:
    def get(self: Any) -> bytes:
        at = self._i * stride + offset
        return bytes(raw[at : at + size]).rstrip(b"\0")

    def put(self: Any, value: bytes | str) -> None:
        data = value.encode() if isinstance(value, str) else bytes(value)
        if len(data) > size:
            raise ValueError(f"{len(data)} bytes do not fit a field of {size}")
        at = self._i * stride + offset
        raw[at : at + size] = data.ljust(size, b"\0")

    return property(get, put)


def _rows(array: np.ndarray, name: str) -> property:
    column = array[name]

    def get(self: Any) -> Any:
        return column[self._i]

    def put(self: Any, value: Any) -> None:
        column[self._i] = value

    return property(get, put)
