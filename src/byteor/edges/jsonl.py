"""JSON Lines: one object a line, fields by name.

Rule 1. Unknown keys are ignored; a missing key and `null` are the same.
Rule 2. Numbers that JSON lacks are the strings "NaN", "Infinity" and "-Infinity"; times are ISO texts.
Rule 3. Keys leave in the type's order, without spaces, so equal rows are equal bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from byteor.edges import files, findings, times
from byteor.edges.blocks import whole_rows
from byteor.edges.rows import Bad, Judge, plain, short
from byteor.edges.values import records
from byteor.exec.schema import is_null, scalar_of
from byteor.spec.model import Egress, Field, MessageType

ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
NOT_JSON = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class JsonlReader:
    """Rows of a JSON Lines file or stream."""

    def __init__(self, message: MessageType, where: str, judge: Judge) -> None:
        self.message, self.where, self.judge = message, where, judge

    def check(self) -> None:
        """A JSON Lines file has no header: its first line is its first row."""

    def read(self) -> Iterator[np.ndarray]:
        with files.opened(self.where) as file:
            for block in whole_rows(files.blocks(file, self.where), self.judge):
                lines = [(block.line + i, line) for i, line in enumerate(block.data.split(b"\n"), 1) if line.strip()]
                yield self._rows(lines)

    def _rows(self, lines: list[tuple[int, bytes]]) -> np.ndarray:
        found = [_object(line) for _, line in lines]
        broken = [Bad(i, "", findings.BAD_ROW, row) for i, row in enumerate(found) if isinstance(row, str)]
        rows, bad = records(self.message, [None if isinstance(row, str) else row for row in found])
        return self.judge.settle(
            rows, broken + bad, line=lambda row: lines[row][0], text=lambda row: plain(lines[row][1])
        )


def _object(line: bytes) -> dict[str, Any] | str:
    """Read one line; a string says why it is no object."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return f"{short(plain(line))} is not JSON"
    return found if isinstance(found, dict) else f"{short(plain(line))} is no JSON object"


class JsonlSink:
    """Rows as JSON Lines."""

    def __init__(self, egress: Egress, message: MessageType, where: str) -> None:
        self._name, self._message = egress.name, message
        self._output = files.Output(egress.name, where)

    def write(self, rows: np.ndarray) -> None:
        names = [f.name for f in self._message.fields]
        columns = [self._plain(f, rows[f.name]) for f in self._message.fields]
        made = [ENCODE(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
        if made:
            self._output.write(("\n".join(made) + "\n").encode())

    def _plain(self, field: Field, values: np.ndarray) -> list[Any]:
        """Give a column as values that JSON has."""
        if field.count > 1:
            inner = Field(field.name, field.type, null=field.null)
            flat = self._plain(inner, np.ascontiguousarray(values).reshape(-1))
            return [flat[i : i + field.count] for i in range(0, len(flat), field.count)]
        out = self._texts(field, np.ascontiguousarray(values))
        gaps = is_null(field, values)
        return out if gaps is None else [None if gap else one for gap, one in zip(gaps.tolist(), out, strict=True)]

    def _texts(self, field: Field, values: np.ndarray) -> list[Any]:
        kind = scalar_of(field)
        if kind.kind == "timestamp":
            return [text.decode() for text in times.texts(values, kind.unit).tolist()]
        if kind.kind == "bytes":
            return [self._text(field, text) for text in values.tolist()]
        if kind.kind in ("f32", "f64"):
            return [one if math.isfinite(one) else NOT_JSON[str(one)] for one in values.tolist()]
        listed: list[Any] = values.tolist()
        return listed

    def _text(self, field: Field, text: bytes) -> str:
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            message = f"{short(text)} in `{field.name}` is no UTF-8 text"
            raise files.refused(findings.UNWRITABLE, self._name, self._output.where, message) from error

    def finish(self) -> None:
        self._output.finish()

    def abort(self) -> None:
        self._output.abort()
