"""Records for plain Python stages: fields by attribute or by name, over the memory of an array.

Rule 1. A record is a C structure that Python's own `ctypes` reads and writes: a field costs some 30 ns.
Rule 2. One class an array, which keeps the array alive; one record a row, made when first asked for and kept.
Rule 3. What does not fit is cut to its field, as compiled code and numpy cut it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np

_ARRAY, _NAMES = "its array", "its names"  # no field can be called so
KEPT = 65_536  # records of an array that are kept; those behind are made each time
_TYPES: dict[str, Any] = {
    "b1": ctypes.c_bool, "i1": ctypes.c_int8, "i2": ctypes.c_int16, "i4": ctypes.c_int32, "i8": ctypes.c_int64,
    "u1": ctypes.c_uint8, "u2": ctypes.c_uint16, "u4": ctypes.c_uint32, "u8": ctypes.c_uint64,
    "f4": ctypes.c_float, "f8": ctypes.c_double,
}  # fmt: skip


class Records:
    """The records of a contiguous structured array, by row.

    Quick ones read a text up to its first zero byte, which C does at once: only where no text has one inside.
    """

    def __init__(self, array: np.ndarray, quick: bool = False) -> None:
        self._class = _structure(array, quick)
        self._make = type(self._class).from_address
        self._base, self._stride = array.ctypes.data, array.dtype.itemsize
        self._kept: list[Any] = [None] * min(len(array), KEPT)
        self._missing = len(self._kept)

    def __getitem__(self, row: int) -> Any:
        if row >= len(self._kept):
            return self._make(self._class, self._base + row * self._stride)
        record = self._kept[row]
        if record is None:
            record = self._kept[row] = self._make(self._class, self._base + row * self._stride)
            self._missing -= 1
        return record

    def piece(self, start: int, count: int) -> list[Any]:
        """The records of `count` rows from `start`."""
        if self._missing == 0 and start + count <= len(self._kept):
            return self._kept[start : start + count]
        return [self[row] for row in range(start, start + count)]

    def row_of(self, record: Any) -> int:
        """The row that a record of this array stands for."""
        return (ctypes.addressof(record) - self._base) // self._stride


class Texts:
    """The texts of an array's records, to see whether quick records read them rightly."""

    def __init__(self, array: np.ndarray) -> None:
        raw = array.view(np.uint8).reshape(len(array), array.dtype.itemsize)
        places = [place for place in (array.dtype.fields or {}).values() if place[0].kind == "S"]
        self._columns = [raw[:, place[1] : place[1] + place[0].itemsize] for place in places if place[0].itemsize > 1]

    def are_odd(self, start: int, count: int) -> bool:
        """Whether a text of these rows has a zero byte inside."""
        parts = (column[start : start + count] for column in self._columns)
        return any(bool(((part[:, :-1] == 0) & (part[:, 1:] != 0)).any()) for part in parts)


def _structure(array: np.ndarray, quick: bool) -> Any:
    """The class of an array's records."""
    assert array.dtype.names is not None and array.dtype.fields is not None
    fields: list[tuple[str, Any]] = []
    members: dict[str, Any] = {
        "_pack_": 1,
        "_layout_": "ms",
        "__slots__": (),
        _NAMES: array.dtype.names,
        _ARRAY: array,
    }
    members |= {"__getitem__": _get, "__setitem__": _set, "__repr__": _show}
    texts = {}
    for name in array.dtype.names:
        kind = array.dtype.fields[name][0]
        if kind.base.kind == "S" and not kind.shape:
            texts[name] = kind.itemsize
            name = f"{name} as it lies"
        fields.append((name, _type(kind)))
    members["_fields_"] = fields
    base = type("record", (ctypes.Structure,), members)
    return type("record", (base,), {"__slots__": (), **{n: _text(base, n, size, quick) for n, size in texts.items()}})


def _type(kind: np.dtype) -> Any:
    one = ctypes.c_char * kind.base.itemsize if kind.base.kind == "S" else _TYPES[kind.base.str[1:]]
    return one * kind.shape[0] if kind.shape else one


def _text(base: Any, name: str, size: int, quick: bool) -> property:
    """A text: C's end at the first zero byte, numpy's at the last byte that is not zero."""
    lies = getattr(base, f"{name} as it lies")
    read, offset = lies.__get__, lies.offset

    def get(self: Any) -> bytes:
        value: bytes = read(self)
        return value if len(value) == size else ctypes.string_at(ctypes.addressof(self) + offset, size).rstrip(b"\0")

    def put(self: Any, value: bytes | str) -> None:
        data = (value.encode() if isinstance(value, str) else bytes(value))[:size]
        if b"\0" in data.rstrip(b"\0"):
            raise ValueError(f"{data!r} has a zero byte inside")
        ctypes.memmove(ctypes.addressof(self) + offset, data.ljust(size, b"\0"), size)

    return property(attrgetter(f"{name} as it lies") if quick else get, put)


def _get(self: Any, name: str) -> Any:
    return getattr(self, name)


def _set(self: Any, name: str, value: Any) -> None:
    setattr(self, name, value)


def _show(self: Any) -> str:
    return "record(" + ", ".join(f"{n}={_plain(getattr(self, n))!r}" for n in getattr(self, _NAMES)) + ")"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, ctypes.Array) else value


class Rows(np.ndarray):
    """An array of records as compiled code sees it: `rows[i].field` works, whatever the field is called."""

    _records: Any
    _whole: Any

    def __array_finalize__(self, obj: Any) -> None:
        self._records, self._whole = getattr(obj, "_records", None), getattr(obj, "_whole", None)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int | np.integer):
            return self._at(int(key))
        got = super().__getitem__(key)
        return got if got.dtype.names else np.asarray(got)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(value, ctypes.Structure):
            array = getattr(value, _ARRAY)
            value = array[(ctypes.addressof(value) - array.ctypes.data) // array.dtype.itemsize]
        super().__setitem__(key, value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _at(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of bounds for {len(self)} records")
        start = (self.ctypes.data - self._whole.ctypes.data) // self.dtype.itemsize
        return self._records[start + index % len(self)]


def rows(array: np.ndarray) -> Rows:
    """A contiguous structured array as `Rows` over the same memory."""
    made = array.view(Rows)
    made._records, made._whole = Records(array), array
    return made
