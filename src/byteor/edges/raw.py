"""Packed records back to back, and `.npy` files of them.

Rule 1. A raw file is the records' bytes and nothing else; its length is a whole number of records.
Rule 2. An `.npy` file carries its own dtype: its fields are found by name, and must have the type's kinds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.lib.format as npy

from byteor.edges import files, findings
from byteor.edges.rows import Judge
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, MessageType

PIECE = 65_536
# What numpy's reader of headers, which is Python's own parser, is known to raise for a damaged one.
NOT_NPY = (ValueError, EOFError, SyntaxError, TokenError, TypeError, KeyError, OverflowError, RecursionError)


class RawReader:
    """Records of a raw file or stream."""

    def __init__(self, message: MessageType, where: str, judge: Judge) -> None:
        self.where, self.judge = where, judge
        self._dtype = dtype(message)
        self._first = 0

    def skip(self, rows: int) -> int:
        """Begin so many rows later, if the input is a file."""
        there = os.path.getsize(self.where) // self._dtype.itemsize if files.rereadable(self.where) else 0
        self._first = min(rows, there)
        return self._first

    def check(self) -> None:
        """Hold the file's size against the record's."""
        size = self._dtype.itemsize
        length = os.path.getsize(self.where)
        if length % size:
            raise self._cut_short(length // size * size, length % size)

    def read(self) -> Iterator[np.ndarray]:
        size, rest, done = self._dtype.itemsize, b"", self._first * self._dtype.itemsize
        with files.opened(self.where) as file:
            if done:
                file.seek(done)
            for data in files.blocks(file, self.where, max(1, files.BLOCK // size) * size):
                data = rest + data
                whole = len(data) // size * size
                rest = data[whole:]
                done += whole
                yield np.frombuffer(data[:whole], dtype=self._dtype)
        if rest:
            raise self._cut_short(done, len(rest))

    def _cut_short(self, at: int, left: int) -> Exception:
        size = self._dtype.itemsize
        message = f"{left} bytes are left at offset {at}, where a record has {size}"
        return self.judge.refuse(findings.PARTIAL_RECORD, message, help="check the type's size, or the transfer")


class RawSink:
    """Records as raw bytes."""

    def __init__(self, egress: Egress, message: MessageType, where: str) -> None:
        self._dtype = dtype(message)
        self._output = files.Output(egress.name, where)

    def write(self, rows: np.ndarray) -> None:
        self._output.write(packed(rows, self._dtype).tobytes())

    def finish(self) -> None:
        self._output.finish()

    def abort(self) -> None:
        self._output.abort()


def packed(rows: np.ndarray, wanted: np.dtype[Any]) -> np.ndarray:
    """Give rows in the packed type, whatever room a slot has after the last field."""
    return np.ascontiguousarray(rows if rows.dtype == wanted else rows.astype(wanted))


class NpyReader:
    """Rows of an `.npy` file with a structured dtype."""

    def __init__(self, message: MessageType, where: str, judge: Judge) -> None:
        self.message, self.where, self.judge = message, where, judge
        self._dtype = dtype(message)
        self._first = 0

    def skip(self, rows: int) -> int:
        """Begin so many rows later."""
        self._first = min(rows, len(self._load()))
        return self._first

    def check(self) -> None:
        """Read the header, and no more."""
        self._load()

    def read(self) -> Iterator[np.ndarray]:
        table = self._load()
        for start in range(self._first, len(table), PIECE):
            piece = table[start : start + PIECE]
            rows = np.zeros(len(piece), dtype=self._dtype)
            for name in self._dtype.names or ():
                rows[name] = piece[name]
            yield rows

    def _load(self) -> np.ndarray:
        """Map the file; its rows are read as they are needed."""
        try:
            table = np.load(self.where, mmap_mode="r", allow_pickle=False)
        except NOT_NPY as error:
            raise self._not_npy() from error
        if not isinstance(table, np.ndarray) or table.ndim != 1 or not table.dtype.names:
            raise self._not_npy()
        check_columns(self.message, table.dtype, self.judge)
        return table

    def _not_npy(self) -> Exception:
        message = f"`{self.where}` is no `.npy` file of one structured array"
        return self.judge.refuse(findings.NOT_THE_FORMAT, message)


def check_columns(message: MessageType, found: np.dtype[Any], judge: Judge) -> None:
    """Refuse a structured dtype whose fields cannot become the type's without loss."""
    present, wanted = list(found.names or ()), dtype(message)
    missing = [f.name for f in message.fields if f.name not in present]
    if missing:
        raise judge.missing_columns(missing, present)
    for field in message.fields:
        has, wants = found[field.name], wanted[field.name]
        if has.shape != wants.shape or not _becomes(has.base, wants.base):
            said = f"column `{field.name}` is {has}, not {wants}"
            raise judge.refuse(findings.COLUMN_TYPE, said, at=field.name)


def _becomes(has: np.dtype[Any], wants: np.dtype[Any]) -> bool:
    """Tell whether numpy can go from one to the other and keep the value; times may stand as integers."""
    if has.kind == "M":
        return wants == np.dtype("<i8")
    kinds = (has.kind, wants.kind)
    return np.can_cast(has, wants, "safe") and (has.kind == wants.kind or kinds == ("u", "i"))


class NpySink:
    """Rows as one `.npy` file; its header is written again when the number of rows is known."""

    def __init__(self, egress: Egress, message: MessageType, where: str) -> None:
        self._dtype, self._rows = dtype(message), 0
        self._output = files.Output(egress.name, where)
        with self._output.beginning():
            self._header()

    def _header(self) -> None:
        """Write the header; numpy leaves room in it for the length to grow."""
        shape = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": (self._rows,)}
        npy.write_array_header_1_0(self._output.file, shape)

    def write(self, rows: np.ndarray) -> None:
        self._output.write(packed(rows, self._dtype).tobytes())
        self._rows += len(rows)

    def finish(self) -> None:
        with files.noted(self._output.where):
            self._output.file.seek(0)
            self._header()
        self._output.finish()

    def abort(self) -> None:
        self._output.abort()
