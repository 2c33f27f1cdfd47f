"""What a stage holds besides its messages: its state's table, its parameters, its `end` records.

Rule 1. Flat state is a table of one row; keyed state a table of `max` rows, found by the key's bytes.
Rule 2. Parameters are one record, so a new value compiles nothing anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from byteor.backings.mem import lines
from byteor.exec.schema import base, dtype, null_value
from byteor.kernel.keys import Keys, make_row_of
from byteor.spec.model import Field, MessageType, Param
from byteor.spec.model import Stage as Spec

_EMPTY = np.dtype([("_", "u1")])


@dataclass(frozen=True, slots=True)
class Holdings:
    """The arrays of one stage: `table` rows, `keys` where the state is keyed, `p` of one row."""

    table: np.ndarray
    keys: Keys | None
    row_of: Any
    p: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """The rows in use."""
        return self.table[: int(self.keys.used[0])] if self.keys else self.table


def hold(spec: Spec, types: dict[str, MessageType], slots: np.ndarray) -> Holdings:
    """Make what a stage holds, empty."""
    p = parameters(spec.params)
    if spec.state is None:
        return Holdings(np.zeros(1, _EMPTY), None, None, p)
    row = dtype(types[spec.state.type])
    table = lines(spec.state.max * row.itemsize).view(row)
    if not spec.state.by:
        return Holdings(table, None, None, p)
    return Holdings(table, keys_of(slots, table), make_row_of(spans_of(spec.state.by, slots.dtype, row)), p)


def keys_of(slots: np.ndarray, table: np.ndarray) -> Keys:
    """Make the empty index of a table of keyed state."""
    index = np.full(1 << (2 * len(table) - 1).bit_length(), -1, np.int32)
    return Keys(_bytes(slots), _bytes(table), index, np.zeros(1, np.int64))


def _bytes(array: np.ndarray) -> np.ndarray:
    return array.view(np.uint8).reshape(len(array), array.dtype.itemsize)


def spans_of(by: tuple[str, ...], message: np.dtype, row: np.dtype) -> tuple[tuple[int, int, int], ...]:
    """Where the fields of a key lie in a message and in a row: (offset in slot, offset in row, bytes)."""

    def place(kind: np.dtype, name: str) -> tuple[int, int]:
        assert kind.fields is not None
        return kind.fields[name][1], kind.fields[name][0].itemsize

    return tuple((place(message, name)[0], *place(row, name)) for name in by)


def parameters(params: tuple[Param, ...]) -> np.ndarray:
    """The parameters as one record."""
    if not params:
        return np.zeros(1, _EMPTY)
    fields = [Field(p.name, p.type, null=p.value) for p in params]
    kind = np.dtype([(f.name, base(f)) for f in fields])
    return np.array([tuple(null_value(f) for f in fields)], kind)
