"""Parquet and Arrow IPC: columns in by the field's type, columns out in exact row groups.

Rule 1. Columns are found by name and may have any fitting type; a type that does not fit refuses before the first row.
Rule 2. Row groups (record batches) have exactly `row_group` rows, so the bytes do not depend on how rows came.
Rule 3. Null values leave as nulls; `bytes(N)` leaves as UTF-8 strings, times as timestamps in UTC.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from byteor import diag
from byteor.edges import files, findings
from byteor.edges.arrow_in import column, fits
from byteor.edges.arrow_out import schema_of, table_of
from byteor.edges.rebatch import Rebatch
from byteor.edges.rows import Bad, Judge
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, MessageType

PIECE = 65_536
STREAM_MAGIC = b"\xff\xff\xff\xff"


class ArrowReader:
    """Rows of a Parquet file, an Arrow IPC file or an Arrow IPC stream."""

    def __init__(self, message: MessageType, where: str, judge: Judge, null_text: tuple[str, ...], format: str) -> None:
        self.message, self.where, self.judge = message, where, judge
        self.null_text, self.format = null_text, format
        self._dtype = dtype(message)

    def read(self) -> Iterator[np.ndarray]:
        first = 1
        with files.opened(self.where) as file, files.noted(self.where):
            for batch in self._batches(file):
                for start in range(0, batch.num_rows, PIECE):
                    piece = batch.slice(start, PIECE)
                    yield self._rows(piece, first)
                    first += piece.num_rows

    def _batches(self, file: Any, rows: bool = True) -> Iterator[Any]:
        try:
            yield from (self._parquet if self.format == "parquet" else self._ipc)(file, rows)
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the system's, not pyarrow's
                raise
            message = f"`{self.where}` cannot be read as {self.format}"
            raise self.judge.refuse(findings.NOT_THE_FORMAT, message) from error

    def check(self) -> None:
        """Read the schema, and no more."""
        with files.opened(self.where) as file:
            for _ in self._batches(file, rows=False):
                return

    def _parquet(self, file: Any, rows: bool) -> Iterator[Any]:
        reader = pq.ParquetFile(file)
        self._check(reader.schema_arrow)
        names = [f.name for f in self.message.fields]
        if rows:
            yield from reader.iter_batches(PIECE, columns=names, use_threads=False)

    def _ipc(self, file: Any, rows: bool) -> Iterator[Any]:
        head = file.peek(4)[:4] if hasattr(file, "peek") else STREAM_MAGIC
        if head == STREAM_MAGIC:
            reader = ipc.open_stream(file)
        else:
            reader = ipc.open_file(file)
        self._check(reader.schema)
        if rows:
            batches = reader if head == STREAM_MAGIC else map(reader.get_batch, range(reader.num_record_batches))
            for batch in batches:
                batch.validate(full=True)  # offsets are followed without a look afterwards
                yield batch

    def _check(self, schema: Any) -> None:
        missing = [f.name for f in self.message.fields if f.name not in schema.names]
        if missing:
            raise self.judge.missing_columns(missing, schema.names)
        double = [f.name for f in self.message.fields if schema.names.count(f.name) > 1]
        if double:
            raise self.judge.refuse(findings.NO_HEADER, f"column `{double[0]}` stands there twice")
        wrong = [f for f in self.message.fields if not fits(f, schema.field(f.name).type)]
        if not wrong:
            return
        rule = findings.COLUMN_TYPE
        found = [
            rule.at(f"{self.judge.name}.{f.name}", f"column `{f.name}` is {schema.field(f.name).type}, not {f.type}")
            for f in wrong
        ]
        raise diag.Refused(diag.in_order(found), diag.Source(self.where))

    def _rows(self, batch: Any, first: int) -> np.ndarray:
        rows = np.zeros(batch.num_rows, dtype=self._dtype)
        bad: list[Bad] = []
        for field in self.message.fields:
            rows[field.name], wrong = column(field, batch.column(field.name), self.null_text)
            bad += wrong
        return self.judge.settle(
            rows, bad, line=lambda row: first + row, text=lambda row: _row_text(batch, row), word="row"
        )


def _row_text(batch: Any, row: int) -> str:
    """Give one row as JSON; what JSON does not know stands as its text."""
    return json.dumps(batch.slice(row, 1).to_pylist()[0], default=str)


def _writer(file: Any, schema: Any, format: str, streams: bool) -> Any:
    if format == "parquet":
        return pq.ParquetWriter(file, schema)
    return ipc.new_stream(file, schema) if streams else ipc.new_file(file, schema)


class ArrowSink:
    """A Parquet file or an Arrow IPC stream or file."""

    def __init__(self, egress: Egress, message: MessageType, where: str, format: str) -> None:
        self.egress, self.message = egress, message
        self._output = files.Output(egress.name, where)
        self._rows = Rebatch(egress.row_group, self._group)
        schema = schema_of(message)
        with self._output.beginning():
            self._writer = _writer(self._output.file, schema, format, where == files.STREAM)
        self._is_parquet = format == "parquet"

    def write(self, rows: np.ndarray) -> None:
        with files.noted(self._output.where):
            self._rows.write(rows)

    def _group(self, rows: np.ndarray) -> None:
        try:
            table = table_of(self.message, rows)
            if self._is_parquet:
                self._writer.write_table(table, row_group_size=len(rows))
            else:
                self._writer.write_table(table, max_chunksize=len(rows))
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            where = self._output.where
            message = f"a value of rows {self._rows.done + 1} to {self._rows.done + len(rows)} cannot stand in the file"
            raise files.refused(findings.UNWRITABLE, self.egress.name, where, message) from error

    def finish(self) -> None:
        with files.noted(self._output.where):
            self._rows.finish()
            self._writer.close()
        self._output.finish()

    def abort(self) -> None:
        if self._is_parquet:  # its writer ends the file when it is collected: do it while there is one
            with contextlib.suppress(OSError, pa.ArrowException):
                self._writer.close()
        self._output.abort()
