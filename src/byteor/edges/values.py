"""Python values as columns of records: for JSON, tuples and dicts.

Rule 1. A column of fitting values costs one numpy call; only a column with a misfit is looked at one by one.
Rule 2. None means missing. A bool is no number, a number is no bool, and nothing is cut or wrapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from byteor import diag
from byteor.edges import findings, times
from byteor.edges.rows import Bad, short
from byteor.exec.schema import base, dtype, null_value, scalar_of
from byteor.spec.model import Field, MessageType, Scalar

Fault = tuple[diag.Rule, str]
FLOATS = {"NaN": float("nan"), "nan": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
FAST: dict[str, set[type]] = {"bool": {bool}, "bytes": {str, bytes}, "timestamp": {str, int}}
FAST |= {"f32": {float, int}, "f64": {float, int}}
ABSENT = object()


def records(message: MessageType, rows: Sequence[Any]) -> tuple[np.ndarray, list[Bad]]:
    """Make records of rows that are dicts (by name) or tuples (by place); a row of None is left empty."""
    out = np.zeros(len(rows), dtype=dtype(message))
    bad: list[Bad] = []
    same = set(map(type, rows)) == {dict}
    for place, field in enumerate(message.fields):
        name = field.name
        cells = [row.get(name) for row in rows] if same else [_cell(row, place, name) for row in rows]
        if field.count == 1:
            out[name], wrong = column(field, cells, name)
        else:
            wrong = _several(field, cells, out[name])
        bad += wrong
    return out, bad


def _cell(row: Any, place: int, name: str) -> Any:
    if row is None:
        return ABSENT
    return row.get(name) if isinstance(row, Mapping) else row[place]


def _several(field: Field, cells: list[Any], out: np.ndarray) -> list[Bad]:
    """Fill a field with a count above 1, item by item."""
    bad: list[Bad] = []
    one = Field(field.name, field.type, null=field.null)
    lists: list[Any] = []
    for row, cell in enumerate(cells):
        right = isinstance(cell, list | tuple | np.ndarray) and len(cell) == field.count
        if not right and cell is not ABSENT:
            why = f"{short(cell)} is no list of {field.count} values"
            bad.append(Bad(row, field.name, findings.BAD_VALUE, why))
        lists.append(cell if right else [ABSENT] * field.count)
    for i in range(field.count):
        out[:, i], wrong = column(one, [cell[i] for cell in lists], f"{field.name}.{i}")
        bad += wrong
    return bad


def column(field: Field, cells: list[Any], name: str) -> tuple[np.ndarray, list[Bad]]:
    """Make one column of single values, and its bad values."""
    kind, null = scalar_of(field), null_value(field)
    if null is not None:
        stand_in = null.item()
        cells = [stand_in if cell is None else cell for cell in cells]
    fast = _fast(field, kind, cells)
    if fast is not None:
        return fast, []
    out, bad = np.zeros(len(cells), dtype=base(field)), []
    for row, cell in enumerate(cells):
        if cell is not ABSENT:
            value = _one(field, kind, cell)
            if isinstance(value, tuple):
                bad.append(Bad(row, name, *value))
            else:
                out[row] = value
    return out, bad


def _fast(field: Field, kind: Scalar, cells: list[Any]) -> np.ndarray | None:
    """Make the column at once; None when some value needs a look."""
    kinds = set(map(type, cells))
    if not kinds <= FAST.get(kind.kind, {int}):
        return None
    try:
        if kind.kind == "bytes":
            return _fast_bytes(kind.size, cells)
        if str in kinds:
            known = {cell: times.parse(cell, kind.unit) if isinstance(cell, str) else cell for cell in set(cells)}
            cells = [known[cell] for cell in cells]
        with np.errstate(over="ignore"):
            return np.array(cells, dtype=base(field))
    except (OverflowError, TypeError, UnicodeEncodeError):
        return None


def _fast_bytes(width: int, cells: list[Any]) -> np.ndarray | None:
    texts = [cell.encode() if isinstance(cell, str) else cell for cell in cells]
    return np.array(texts, dtype=f"S{width}") if max(map(len, texts), default=0) <= width else None


def _one(field: Field, kind: Scalar, cell: Any) -> Any:
    """Convert one value; a tuple says why it cannot be."""
    if cell is None:
        return findings.MISSING_VALUE, "no value, and the field declares no null"
    if isinstance(cell, np.generic):
        cell = times.whole(cell, kind.unit) if isinstance(cell, np.datetime64) else cell.item()
    read = {"bytes": _bytes, "timestamp": _time, "bool": _bool, "f32": _float, "f64": _float}.get(kind.kind, _integer)
    value = read(field, kind, cell)
    return (findings.BAD_VALUE, f"{short(cell)} is no {field.type}") if value is None else value


def _bool(field: Field, kind: Scalar, cell: Any) -> Any:
    return cell if isinstance(cell, bool) else None


def _float(field: Field, kind: Scalar, cell: Any) -> Any:
    if isinstance(cell, str):
        return FLOATS.get(cell)
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    try:
        return float(cell)
    except OverflowError:
        return findings.OUT_OF_RANGE, f"{short(cell)} is outside of {field.type}"


def _integer(field: Field, kind: Scalar, cell: Any) -> Any:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, bool) or not isinstance(cell, int):
        return None
    limits = np.iinfo(base(field).str)
    inside = limits.min <= cell <= limits.max
    return cell if inside else (findings.OUT_OF_RANGE, f"{short(cell)} is outside of {field.type}")


def _bytes(field: Field, kind: Scalar, cell: Any) -> Any:
    if isinstance(cell, str):
        try:
            cell = cell.encode()
        except UnicodeEncodeError:
            return None
    if not isinstance(cell, bytes):
        return None
    size = len(cell)
    fits = size <= kind.size
    return cell if fits else (findings.TOO_LONG, f"{short(cell)} has {size} bytes, the field {kind.size}")


def _time(field: Field, kind: Scalar, cell: Any) -> Any:
    if isinstance(cell, str):
        found = times.parse(cell, kind.unit)
    elif isinstance(cell, datetime):
        found = times.from_datetime(cell, kind.unit)
    else:
        found = cell if isinstance(cell, int) and not isinstance(cell, bool) else None
    return None if found is None else _integer(field, kind, found)
