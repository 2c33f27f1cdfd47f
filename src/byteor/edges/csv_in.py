"""CSV in: whole rows by blocks, every column read as text, then one cast per column.

Rule 1. A block ends at a row's end, so memory is bounded by the block and not by the file.
Rule 2. A line number is the line in the file, the header is line 1; a row that spans lines has its first.
Rule 3. Empty lines are no rows. A row with another number of columns is a bad row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from byteor.edges import files, findings
from byteor.edges.arrow_in import column
from byteor.edges.blocks import Block, lines_in, whole_rows
from byteor.edges.rows import Bad, Judge, plain, short
from byteor.exec.schema import dtype
from byteor.spec.model import Field, MessageType

QUOTE, LF, CR = 34, 10, 13
BOM = b"\xef\xbb\xbf"


def columns_of(message: MessageType) -> list[tuple[Field, int | None, str]]:
    """Give each scalar of the type its CSV column: the field's name, or `name.0`, `name.1` for several."""
    single = [(f, None, f.name) if f.count == 1 else None for f in message.fields]
    return [
        spot
        for f, one in zip(message.fields, single, strict=True)
        for spot in ([one] if one else [(f, i, f"{f.name}.{i}") for i in range(f.count)])
    ]


class CsvReader:
    """Rows of a CSV file or stream."""

    def __init__(self, message: MessageType, where: str, judge: Judge, null_text: tuple[str, ...]) -> None:
        self.message, self.where, self.judge = message, where, judge
        self.null_text = null_text
        self._dtype = dtype(message)

    def check(self) -> None:
        """Read the header, and no more."""
        with files.opened(self.where) as file:
            for block in whole_rows(files.blocks(file, self.where, 1 << 16), self.judge):
                self._header(block)
                return

    def read(self) -> Iterator[np.ndarray]:
        with files.opened(self.where) as file:
            names: list[str] | None = None
            for block in whole_rows(files.blocks(file, self.where), self.judge, _cut):
                if names is None:
                    names, block = self._header(block)
                yield self._rows(names, block)
            if names is None:
                raise self.judge.refuse(findings.EMPTY, f"`{self.where}` has no header line")

    def _header(self, block: Block) -> tuple[list[str], Block]:
        """Read the first row as names; give unneeded columns names that nothing asks for."""
        data = block.data.removeprefix(BOM)
        spans = _row_spans(data, None)
        if not len(spans.starts):
            raise self.judge.refuse(findings.EMPTY, f"`{self.where}` has no header line")
        end = int(spans.ends[0])
        names = next(csv.reader([data[spans.starts[0] : end].decode(errors="replace").rstrip("\r\n")]))
        self._check_header(names)
        wanted = {name for _, _, name in columns_of(self.message)}
        unique = [name if name in wanted else f"\0{i}" for i, name in enumerate(names)]
        return unique, Block(data[end:], lines_in(data[:end]))

    def _check_header(self, names: list[str]) -> None:
        wanted = [name for _, _, name in columns_of(self.message)]
        shown = short(",".join(names))
        missing = [name for name in wanted if name not in names]
        double = [name for name in wanted if names.count(name) > 1]
        if len(missing) == len(wanted):
            message = f"the first line {shown} names none of the fields of `{self.message.name}`"
            raise self.judge.refuse(findings.NO_HEADER, message, help="put the column names on the first line")
        if double:
            raise self.judge.refuse(findings.NO_HEADER, f"the first line names `{double[0]}` twice")
        if missing:
            raise self.judge.missing_columns(missing, names)

    def _rows(self, names: list[str], block: Block) -> np.ndarray:
        table, ragged = self._parse(names, block)
        rows = np.zeros(table.num_rows, dtype=self._dtype)
        bad: list[Bad] = []
        for field, index, name in columns_of(self.message):
            one = Field(name, field.type, null=field.null)
            values, wrong = column(one, table.column(name).combine_chunks(), self.null_text)
            target = rows[field.name] if index is None else rows[field.name][:, index]
            target[...] = values
            bad += wrong
        if not bad and not ragged and not self._suspicious(block):
            return rows
        return self._settle(block, rows, bad, ragged)

    def _parse(self, names: list[str], block: Block) -> tuple[Any, dict[int, str]]:
        wanted = [name for _, _, name in columns_of(self.message)]
        ragged: dict[int, str] = {}

        def keep(row: Any) -> str:
            ragged[row.number - 1] = f"{row.actual_columns} columns, where the header has {row.expected_columns}"
            return "skip"

        if not block.data:
            return pa.table({name: pa.array([], pa.string()) for name in wanted}), ragged
        convert = pcsv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,
        )
        read = pcsv.ReadOptions(column_names=names, use_threads=False, block_size=len(block.data) + 1)
        parse = pcsv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep)
        return pcsv.read_csv(pa.BufferReader(block.data), read, parse, convert), ragged

    def _suspicious(self, block: Block) -> bool:
        return block.data.count(b'"') % 2 == 1

    def _settle(self, block: Block, rows: np.ndarray, bad: list[Bad], ragged: dict[int, str]) -> np.ndarray:
        """Number the rows as they stand in the block, ragged ones among them, and let the judge decide."""
        total = len(rows) + len(ragged)
        spans = _row_spans(block.data, total)
        if self._suspicious(block) and len(_row_spans(block.data, -1).starts) > total:
            raise self._open_quote(block)
        good = np.setdiff1d(np.arange(total), np.array(list(ragged), dtype=np.int64))
        whole = np.zeros(total, dtype=self._dtype)
        whole[good] = rows
        moved = [Bad(int(good[b.row]), b.column, b.rule, b.why) for b in bad]
        moved += [Bad(row, "", findings.BAD_ROW, why) for row, why in ragged.items()]
        return self.judge.settle(
            whole,
            moved,
            line=lambda row: block.line + 1 + int(spans.lines[row]),
            text=lambda row: plain(block.data[spans.starts[row] : spans.ends[row]]),
        )

    def _open_quote(self, block: Block) -> Exception:
        at = block.data.rfind(b'"')
        line = block.line + 1 + lines_in(block.data[:at])
        message = f"a quoted text is not closed; the last quote stands on line {line}"
        return self.judge.refuse(findings.OPEN_QUOTE, message, help="close the quote")


def _cut(data: bytes) -> int:
    """Find the end of the last whole row; a line end within quotes is none, unless no row would end for long."""
    last = data.rfind(b"\n") + 1
    if b'"' not in data:
        return last
    cells = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(cells == LF)
    even = breaks[np.searchsorted(np.flatnonzero(cells == QUOTE), breaks) % 2 == 0]
    cut = int(even[-1]) + 1 if len(even) else 0
    return last if len(data) - cut > 2 * files.BLOCK else cut


@dataclass(frozen=True, slots=True)
class Spans:
    """Where each row of a block starts and ends, and how many lines stand before it."""

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray


def _row_spans(data: bytes, rows: int | None) -> Spans:
    """Find the rows that are not empty.

    `rows` is how many the parser saw, when it is known: with another count of rows, quotes are plain letters.
    """
    cells = np.frombuffer(data, dtype=np.uint8)
    after = np.append(cells[1:], 0)
    breaks = np.flatnonzero((cells == LF) | ((cells == CR) & (after != LF)))
    even = breaks[np.searchsorted(np.flatnonzero(cells == QUOTE), breaks) % 2 == 0]
    quoted = _spans(cells, even, breaks)
    return quoted if rows is None or len(quoted.starts) == rows else _spans(cells, breaks, breaks)


def _spans(cells: np.ndarray, row_ends: np.ndarray, breaks: np.ndarray) -> Spans:
    open_end = not len(row_ends) or row_ends[-1] + 1 < len(cells)
    ends = np.append(row_ends + 1, len(cells)) if open_end else row_ends + 1
    starts = np.append(0, ends[:-1])
    first = cells[np.minimum(starts, max(len(cells) - 1, 0))] if len(cells) else starts
    filled = (ends > starts) & (first != LF) & (first != CR)
    return Spans(starts[filled], ends[filled], np.searchsorted(breaks, starts[filled]))
