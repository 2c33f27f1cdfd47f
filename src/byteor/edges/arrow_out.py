"""Columns of records as arrow columns, and as the texts of a CSV file.

Rule 1. The arrow schema follows from the message type alone.
Rule 2. `bytes(N)` is a string and must be UTF-8; a count above 1 is a fixed-size list.
Rule 3. Numbers leave as the shortest text that reads back to the same bits; times as ISO 8601 with `Z`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byteor.edges import times
from byteor.edges.arrow_in import NUMBERS
from byteor.edges.texts import unpack
from byteor.exec.schema import is_null, scalar_of
from byteor.spec.model import Field, MessageType


def schema_of(message: MessageType) -> Any:
    """Give the arrow schema of a message type."""
    return pa.schema([pa.field(f.name, type_of(f), nullable=f.null is not None) for f in message.fields])


def type_of(field: Field) -> Any:
    """Give the arrow type of a field."""
    kind = scalar_of(field)
    if kind.kind == "timestamp":
        one = pa.timestamp(kind.unit, "UTC")
    elif kind.kind in ("bool", "bytes"):
        one = pa.bool_() if kind.kind == "bool" else pa.string()
    else:
        one = pa.type_for_alias(NUMBERS[kind.kind])
    inner = pa.field("item", one, nullable=field.null is not None)
    return one if field.count == 1 else pa.list_(inner, field.count)


def table_of(message: MessageType, rows: np.ndarray) -> Any:
    """Give a batch as an arrow table, null values as nulls."""
    return pa.Table.from_arrays([array_of(f, rows[f.name]) for f in message.fields], schema=schema_of(message))


def array_of(field: Field, values: np.ndarray) -> Any:
    """Give one column as an arrow array of the field's arrow type."""
    if field.count > 1:
        inner = Field(field.name, field.type, null=field.null)
        flat = array_of(inner, values.reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, type=type_of(field))
    values = np.ascontiguousarray(values)
    gaps = is_null(field, values)
    if scalar_of(field).kind == "bytes":
        texts = text_array(values)
        texts.validate(full=True)
        return texts if gaps is None else pc.if_else(pa.array(gaps), None, texts)
    return pa.array(values, mask=gaps, from_pandas=False).cast(type_of(field))


def text_array(column: np.ndarray) -> Any:
    """Give an `S(N)` column as arrow strings; its bytes are not checked."""
    letters, offsets = unpack(column)
    return pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets), pa.py_buffer(letters))


def texts_of(field: Field, values: np.ndarray, null_text: str) -> Any:
    """Give one column of single values as CSV texts, quoted where a reader needs it."""
    values = np.ascontiguousarray(values)
    kind = scalar_of(field)
    if kind.kind == "bytes":
        texts = _quoted(text_array(values))
    elif kind.kind == "timestamp":
        texts = text_array(times.texts(values, kind.unit))
    else:
        texts = pc.cast(pa.array(values), pa.string())
    gaps = is_null(field, values)
    return texts if gaps is None else pc.if_else(pa.array(gaps), null_text, texts)


def _quoted(texts: Any) -> Any:
    needs = pc.match_substring_regex(texts.view(pa.binary()), '[",\r\n]')
    if not pc.any(needs).as_py():
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), texts)
