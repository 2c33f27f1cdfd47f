"""Arrow columns as columns of records: one cast per column, bad values found one by one.

Rule 1. The field's type decides, never the data; a cast that would change a value is a bad value.
Rule 2. Text columns read the same whatever file they stood in: CSV and Parquet give the same bits.
Rule 3. A cast that fails is halved until the values at fault stand alone, so a good column costs one cast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byteor import diag
from byteor.edges import findings
from byteor.edges.rows import Bad, short
from byteor.edges.texts import pack
from byteor.exec.schema import base, null_value, scalar_of
from byteor.spec.model import Field

Array = Any  # pyarrow has no types of its own
Fault = tuple[int, diag.Rule, str]
INTEGER = r"^-?[0-9]+$"
CLOCK = "[0-9]{2}(:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
FLOAT = r"^([+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?|(?i:[+-]?(nan|inf|infinity)))$"
SHAPES = {
    "integer": "^-?([0-9]+|0[xX][0-9a-fA-F]+)$",
    "bool": "^(?i:true|false|0|1)$",
    "f32": FLOAT,
    "f64": FLOAT,
    "timestamp": f"{INTEGER}|^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]{CLOCK})?$",
}
ZONED = r"[T ].*(Z|[+-][0-9][0-9](:?[0-9][0-9])?)$"
NUMBERS = {f"{s}{b}": f"{w}{b}" for s, w in (("i", "int"), ("u", "uint")) for b in (8, 16, 32, 64)}
NUMBERS |= {"f32": "float", "f64": "double"}


def is_text(kind: Any) -> bool:
    """Tell whether an arrow type is text or plain bytes."""
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind) or _is_large(kind))


def _is_large(kind: Any) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_large_binary(kind))


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_time(kind: Any) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_integer(kind))


def fits(field: Field, kind: Any) -> bool:
    """Tell whether a column of the arrow type `kind` can become the field."""
    if field.count > 1:
        lists = (pa.types.is_list(kind), pa.types.is_large_list(kind), pa.types.is_fixed_size_list(kind))
        return any(lists) and fits(Field(field.name, field.type), kind.value_type)
    if pa.types.is_dictionary(kind):
        return fits(field, kind.value_type)
    wanted = scalar_of(field).kind
    own = {"bool": pa.types.is_boolean, "timestamp": _is_time, "bytes": pa.types.is_fixed_size_binary}
    return is_text(kind) or bool(pa.types.is_null(kind)) or bool(own.get(wanted, _is_number)(kind))


def column(field: Field, values: Array, null_text: tuple[str, ...]) -> tuple[np.ndarray, list[Bad]]:
    """Convert one column (an array without chunks) to the field's numpy values, and its bad values."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if field.count > 1 and not is_text(values.type):
        return _lists(field, values, null_text)
    out, faults = _scalars(field, values, null_text)
    return out, [Bad(row, field.name, rule, why) for row, rule, why in faults]


def _lists(field: Field, values: Array, null_text: tuple[str, ...]) -> tuple[np.ndarray, list[Bad]]:
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(lengths != field.count)
    bad = [Bad(int(row), field.name, findings.BAD_VALUE, _count(field, values[int(row)])) for row in wrong]
    out = np.zeros((len(values), field.count), dtype=base(field))
    right = np.flatnonzero(lengths == field.count)
    inner = values.take(pa.array(right)).flatten()
    flat, faults = _scalars(Field(field.name, field.type, null=field.null), inner, null_text)
    out[right] = flat.reshape(-1, field.count)
    spots = [(int(right[at // field.count]), at % field.count, rule, why) for at, rule, why in faults]
    return out, bad + [Bad(row, f"{field.name}.{i}", rule, why) for row, i, rule, why in spots]


def _count(field: Field, value: Any) -> str:
    found = len(value.as_py()) if value.is_valid else "no"
    return f"{found} values, where the type has {field.count}"


def _scalars(field: Field, values: Array, null_text: tuple[str, ...]) -> tuple[np.ndarray, list[Fault]]:
    texts = is_text(values.type) or bool(pa.types.is_fixed_size_binary(values.type))
    missing = _missing(field, values, null_text if texts else ())
    kind = scalar_of(field).kind
    if kind == "bytes":
        out, faults = _bytes(field, values)
    else:
        out, faults = _numbers(field, values if missing is None else pc.if_else(missing, None, values), null_text)
    return _fill(field, out, faults, missing)


def _missing(field: Field, values: Array, null_text: tuple[str, ...]) -> Array | None:
    """Mark what means missing; None when nothing does."""
    marks = values.is_null() if values.null_count else None
    if field.null is None or not null_text:
        return marks
    named = pc.is_in(values, value_set=pa.array([t.encode() for t in null_text]).cast(values.type))
    return named if marks is None else pc.or_(marks, named)


def _fill(field: Field, out: np.ndarray, faults: list[Fault], missing: Array | None) -> tuple[np.ndarray, list[Fault]]:
    """Put the null value where something is missing; without one, each is a fault."""
    if missing is None:
        return out, faults
    gaps = missing.to_numpy(zero_copy_only=False)
    null = null_value(field)
    if null is not None:
        out = out if out.flags.writeable else out.copy()
        out[gaps] = null
        return out, [fault for fault in faults if not gaps[fault[0]]]
    why = "no value, and the field declares no null"
    return out, faults + [(int(row), findings.MISSING_VALUE, why) for row in np.flatnonzero(gaps)]


def _bytes(field: Field, values: Array) -> tuple[np.ndarray, list[Fault]]:
    width = scalar_of(field).size
    if pa.types.is_null(values.type):
        return np.zeros(len(values), dtype=f"S{width}"), []
    if pa.types.is_fixed_size_binary(values.type):
        values = values.cast(pa.binary())
    elif _is_large(values.type):
        values = values.cast(pa.binary() if pa.types.is_large_binary(values.type) else pa.string())
    _, offsets, data = values.buffers()
    spots = np.frombuffer(offsets, dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    letters = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    out, long = pack(letters, spots[:-1], spots[1:], width)
    sizes = np.diff(spots)
    raw = values.view(pa.binary())
    return out, [
        (int(row), findings.TOO_LONG, f"{short(raw[int(row)].as_py())} has {sizes[row]} bytes, the field {width}")
        for row in long
        if raw[int(row)].is_valid
    ]


def _numbers(field: Field, values: Array, null_text: tuple[str, ...]) -> tuple[np.ndarray, list[Fault]]:
    if pa.types.is_null(values.type):
        return np.zeros(len(values), dtype=base(field)), []
    if _is_large(values.type) or pa.types.is_binary(values.type):
        values = values.cast(pa.binary()).view(pa.string())
    kind = scalar_of(field)
    cast = _to_time(kind.unit, values) if kind.kind == "timestamp" else _to(kind.kind)
    done, wrong = _cast(values, cast, SHAPES.get(kind.kind, SHAPES["integer"]))
    out = pc.fill_null(done, False if kind.kind == "bool" else 0).to_numpy(zero_copy_only=False)
    return out.astype(base(field), copy=False), [(row, *_why(field, values, row, null_text)) for row in wrong]


def _to(kind: str) -> Callable[[Array], Array]:
    target = pa.bool_() if kind == "bool" else pa.type_for_alias(NUMBERS[kind])
    return lambda values: pc.cast(values, target)


def _to_time(unit: str, values: Array) -> Callable[[Array], Array]:
    if is_text(values.type):
        return lambda texts: _times(unit, texts)
    if pa.types.is_integer(values.type):
        return lambda whole: pc.cast(whole, pa.int64())
    zone = values.type.tz if pa.types.is_timestamp(values.type) else None
    return lambda times: pc.cast(pc.cast(times, pa.timestamp(unit, zone)), pa.int64())


def _times(unit: str, texts: Array) -> Array:
    """Read times with a zone, or without one (then UTC), or as integers; a column may mix them."""
    try:
        return pc.cast(pc.cast(texts, pa.timestamp(unit, "UTC")), pa.int64())
    except pa.ArrowInvalid:
        whole = pc.match_substring_regex(texts, INTEGER)
        zoned = pc.match_substring_regex(texts, ZONED)
    plain = pc.invert(pc.or_(whole, zoned))
    integers = pc.cast(pc.if_else(whole, texts, None), pa.int64())
    with_zone = pc.cast(pc.cast(pc.if_else(zoned, texts, None), pa.timestamp(unit, "UTC")), pa.int64())
    without = pc.cast(pc.cast(pc.if_else(plain, texts, None), pa.timestamp(unit)), pa.int64())
    return pc.coalesce(integers, with_zone, without)


def _cast(values: Array, cast: Callable[[Array], Array], shape: str) -> tuple[Array, list[int]]:
    """Cast all that can be cast; texts of another shape are set aside first, for there may be many."""
    try:
        return cast(values), []
    except pa.ArrowInvalid:
        if not is_text(values.type):
            return _halve(values, cast)
    shaped = pc.fill_null(pc.match_substring_regex(values.view(pa.binary()), shape), True)
    done, wrong = _halve(pc.if_else(shaped, values, None), cast)
    return done, sorted({*wrong, *np.flatnonzero(~shaped.to_numpy(zero_copy_only=False)).tolist()})


def _halve(values: Array, cast: Callable[[Array], Array]) -> tuple[Array, list[int]]:
    """Cast all that can be cast; give null for the rest, and where it is."""
    pieces: list[Array] = []
    wrong: list[int] = []
    todo = [(0, len(values))]
    while todo:
        start, count = todo.pop()
        try:
            pieces.append(cast(values.slice(start, count)))
        except pa.ArrowInvalid:
            if count == 1:
                wrong.append(start)
                pieces.append(cast(pa.nulls(1, values.type)))
            else:
                half = count // 2
                todo += [(start + half, count - half), (start, half)]
    return pa.concat_arrays(pieces), wrong


def _why(field: Field, values: Array, row: int, null_text: tuple[str, ...]) -> tuple[diag.Rule, str]:
    """Say why one value cannot become the field."""
    cell = values[row]
    raw = values.view(pa.binary())[row].as_py() if pa.types.is_string(values.type) else cell.as_py()
    text = raw.decode(errors="backslashreplace") if isinstance(raw, bytes) else str(raw)
    if text in null_text:
        return findings.MISSING_VALUE, f"{short(text)} means missing, and the field declares no null"
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit():
        return findings.OUT_OF_RANGE, f"{short(text)} is outside of {field.type}"
    return findings.BAD_VALUE, f"{short(text)} is no {field.type}"
